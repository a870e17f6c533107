//! The real binary: killed while it sends; and its commands.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Child, Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    port::free_port,
    receiver::{Receiver, say},
    site::SECRET,
};

struct Daemon {
    child: Child,
    port: u16,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A folder with a library, an NBP, a secret and a configuration that tells this URL.
fn prepare(dir: &Path, url: &str) {
    for folder in ["secrets", "nbps", "library/images"] {
        fs::create_dir_all(dir.join(folder)).unwrap();
    }
    fs::write(dir.join("secrets/desk"), SECRET).unwrap();
    fs::write(dir.join("nbps/undionly.kpxe"), "not run here, but it must be something").unwrap();
    let persona = "apiVersion: greenroom/v1\ndescription: of the test\neffect: ephemeral\nos: {image: tiny}\n";
    fs::write(dir.join("library/lab.yaml"), persona).unwrap();
    let port = free_port();
    let config = format!(
        "state_dir: state\nlibrary: library\nsecrets_dir: secrets\nadmin_socket: admin.sock\ndhcp: {{mode: 'off'}}\n\
         tftp: {{enabled: false}}\nhttp: {{port: {port}}}\nboot: {{nbp_dir: nbps}}\n\
         webhooks: [{{name: desk, url: '{url}', secret: desk}}]\n"
    );
    fs::write(dir.join("greenroom.yaml"), config).unwrap();
}

async fn start(dir: &Path) -> Daemon {
    let log = fs::File::create(dir.join("log")).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.args(["serve", "--config"]).arg(dir.join("greenroom.yaml")).env_remove("RUST_LOG");
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let config = fs::read_to_string(dir.join("greenroom.yaml")).unwrap();
    let port = config.split_once("http: {port: ").unwrap().1.split('}').next().unwrap().parse().unwrap();
    let daemon = Daemon { child, port };
    for _ in 0..3000 {
        let log = fs::read_to_string(dir.join("log")).unwrap();
        if log.contains("greenroom is ready") {
            return daemon;
        }
        assert!(!log.contains("error:"), "{log}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the daemon does not start: {}", fs::read_to_string(dir.join("log")).unwrap());
}

async fn greenroom(dir: &Path, words: &[&str]) -> Output {
    let socket = dir.join("admin.sock").display().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.args(words).args(["--socket", &socket]).env_remove("GREENROOM_CONFIG").env_remove("GREENROOM_SOCKET");
    command.output().await.unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn curl(url: &str) -> String {
    String::from_utf8(Command::new("curl").args(["-sS", url]).output().await.unwrap().stdout).unwrap()
}

/// Orders by the admin's door until it closes; the reasons of those that were acknowledged.
async fn orders(socket: std::path::PathBuf, life: u32) -> Vec<String> {
    let mut done = vec![];
    for n in 0u32.. {
        let why = format!("{life}-{n}");
        let mac = format!("52:54:00:99:00:{:02x}", n % 6);
        let body = json!({"mac": mac, "by": "ann", "order": {"order": "assign-persona", "persona": "lab", "why": why}});
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket"]).arg(&socket);
        curl.args(["-H", "content-type: application/json", "-d", &body.to_string(), "http://greenroom/commands"]);
        match String::from_utf8_lossy(&curl.output().await.unwrap().stdout).as_ref() {
            "204" => done.push(why),
            _ => break,
        }
    }
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_loses_no_event_of_an_acknowledged_order_and_puts_none_out_of_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut asks = 0;
    let receiver = Receiver::new(move |_| {
        asks += 1;
        // Some are on their second try when the kill comes.
        say(if asks % 5 == 0 { 503 } else { 200 })
    })
    .await;
    prepare(dir.path(), &receiver.url());
    let mut promised: BTreeSet<String> = BTreeSet::new();
    for life in 0..8 {
        let mut daemon = start(dir.path()).await;
        let ordering = tokio::spawn(orders(dir.path().join("admin.sock"), life));
        tokio::time::sleep(Duration::from_millis(150 + u64::from(life) * 97 % 400)).await;
        daemon.child.kill().unwrap();
        daemon.child.wait().unwrap();
        promised.extend(ordering.await.unwrap());
    }
    assert!(promised.len() > 20, "orders were acknowledged: {}", promised.len());
    let daemon = start(dir.path()).await;
    let why = |told: &crate::receiver::Told| told.json()["data"]["why"].as_str().unwrap().to_owned();
    receiver
        .wait("every promise is told", |receiver| {
            let told: BTreeSet<String> = receiver.taken().iter().map(why).collect();
            promised.is_subset(&told).then_some(())
        })
        .await;
    let mut latest: BTreeMap<String, u64> = BTreeMap::new();
    let mut bodies: BTreeMap<String, String> = BTreeMap::new();
    for told in receiver.taken() {
        let before = latest.insert(told.device(), told.seq());
        assert!(before.is_none_or(|before| before < told.seq()), "{} after {before:?}", told.body);
    }
    for told in receiver.told() {
        // The number of a fact that a crash took back would be given to another one.
        let body = bodies.entry(told.header("webhook-id")).or_insert_with(|| told.body.clone());
        assert_eq!(*body, told.body, "an id means one event");
    }
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_listed_tried_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::new(|_| say(200)).await;
    prepare(dir.path(), &receiver.url());
    let daemon = start(dir.path()).await;
    let tried = greenroom(dir.path(), &["webhook", "test", "desk"]).await;
    assert!(tried.status.success() && text(&tried).starts_with("desk took the ping: 200 after "), "{}", text(&tried));
    assert_eq!(receiver.told()[0].json()["type"], "ping");
    assert!(greenroom(dir.path(), &["device", "assign", "52:54:00:99:00:01", "lab"]).await.status.success());
    receiver.wait_for(2).await;
    receiver.change(|_| say(418));
    assert!(greenroom(dir.path(), &["device", "assign", "52:54:00:99:00:02", "lab"]).await.status.success());
    let refused = greenroom(dir.path(), &["webhook", "test", "desk"]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused).contains("desk did not take the ping") && text(&refused).contains("418"),
        "{}",
        text(&refused)
    );
    let unknown = greenroom(dir.path(), &["webhook", "test", "disk"]).await;
    assert!(unknown.status.code() == Some(1) && text(&unknown).contains("there are desk"), "{}", text(&unknown));
    assert_eq!(greenroom(dir.path(), &["webhook", "test", "../x"]).await.status.code(), Some(2));

    let mut listed = String::new();
    for _ in 0..500 {
        listed = text(&greenroom(dir.path(), &["webhook", "list"]).await);
        if listed.contains("failing since") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(listed.contains("failing since") && listed.contains("418") && !listed.contains("s3cret"), "{listed}");
    let json: Value =
        serde_json::from_slice(&greenroom(dir.path(), &["--json", "webhook", "list"]).await.stdout).unwrap();
    assert_eq!((&json[0]["name"], &json[0]["delivered"], &json[0]["waiting"]), (&json!("desk"), &json!(1), &json!(1)));
    let metrics = curl(&format!("http://127.0.0.1:{}/metrics", daemon.port)).await;
    for line in ["webhook_delivered_total{webhook=\"desk\"} 1", "webhook_waiting{webhook=\"desk\"} 1"] {
        assert!(metrics.contains(&format!("greenroom_{line}")), "{metrics}");
    }
    let log = fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(log.contains("a webhook fails: it answers 418") && !log.contains("s3cret"), "{log}");
}
