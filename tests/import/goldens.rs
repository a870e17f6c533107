//! What comes out, reviewed as a whole: the report as it is printed, and the documents as they are written.

use std::{fs, process::Command};

use crate::stage::{fixture, greenroom, import, page, text};

/// Imports into a new folder; the report and the documents. What was written passes the commands that admins check with.
fn imported(kind: &str, from: &str, status: i32) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("imported");
    let output = import(&[kind, from, "--out", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(status), "{}", text(&output));
    if kind != "dnsmasq" {
        let personas = greenroom(&out, &["persona", "check", "personas"]);
        assert!(personas.status.success(), "{}", text(&personas));
    }
    let config = greenroom(&out, &["config", "show", "--config", "greenroom.import.yaml"]);
    assert!(config.status.success(), "{}", text(&config));
    (text(&output).replace(out.to_str().unwrap(), "imported"), page(&out))
}

#[test]
fn a_matchbox_folder() {
    let (report, documents) = imported("matchbox", "matchbox", 1);
    insta::assert_snapshot!("matchbox_report", report);
    insta::assert_snapshot!("matchbox_documents", documents);
}

#[test]
fn a_cobbler_3_folder() {
    let (report, documents) = imported("cobbler", "cobbler3", 0);
    insta::assert_snapshot!("cobbler_3_report", report);
    insta::assert_snapshot!("cobbler_3_documents", documents);
}

#[test]
fn a_cobbler_2_folder() {
    let (report, documents) = imported("cobbler", "cobbler2", 0);
    insta::assert_snapshot!("cobbler_2_report", report);
    insta::assert_snapshot!("cobbler_2_documents", documents);
}

#[test]
fn a_dnsmasq_configuration() {
    let (report, documents) = imported("dnsmasq", "dnsmasq/dnsmasq.conf", 1);
    insta::assert_snapshot!("dnsmasq_report", report);
    insta::assert_snapshot!("dnsmasq_documents", documents);
}

#[test]
fn a_dnsmasq_proxy() {
    let (report, documents) = imported("dnsmasq", "dnsmasq/proxy.conf", 0);
    insta::assert_snapshot!("dnsmasq_proxy_report", report);
    insta::assert_snapshot!("dnsmasq_proxy_documents", documents);
}

#[test]
fn dnsmasq_itself_takes_the_configurations_that_we_test_with() {
    for name in ["dnsmasq.conf", "proxy.conf"] {
        let folder = tempfile::tempdir().unwrap();
        // One line includes a file that is not there on purpose.
        let conf = fs::read_to_string(fixture("dnsmasq").join(name)).unwrap().replace("conf-file=/etc", "#");
        let path = folder.path().join("test.conf");
        fs::write(&path, conf).unwrap();
        let mut dnsmasq = Command::new("/usr/sbin/dnsmasq");
        let output = dnsmasq.current_dir(fixture("dnsmasq")).arg("--test").arg("-C").arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
    }
}

#[test]
fn json_holds_every_document_and_everything_that_was_left_behind() {
    let output = import(&["cobbler", "cobbler3", "--json"]);
    assert!(output.status.success());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["written"], serde_json::Value::Null);
    let documents = report["documents"].as_array().unwrap();
    assert!(documents.iter().any(|document| document["text"].as_str().unwrap().contains("apiVersion: greenroom/v1")));
    let left = report["left_behind"].as_array().unwrap();
    assert!(left.iter().any(|left| left["fate"] == "lost" && left["kept"]["text"].as_str().is_some()));
    assert_eq!(report["images_to_add"].as_array().unwrap().len(), 2);
}
