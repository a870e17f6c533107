//! Personas: what people get wrong and are told; what installers read, reviewed as goldens and passed by the formats' own
//! tools.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests say what they mean by panicking")]

mod appliances;
mod check;
mod compose;
mod coverage;
mod escape;
mod hostile;
mod installing;
mod release;
mod rich;
mod rules;
mod sandbox;
mod schema;
mod stage;
mod tools;
mod updates;
mod validators;
mod wild;

use std::fs;

use greenroom::{
    library::{self, Library},
    model::PersonaName,
    persona::render::seed_files,
};
use proptest::prelude::*;

use stage::{passes, problems, rendered, sample, samples, yaml};

#[test]
fn the_sample_library_is_good() {
    let library = samples();
    let errors: Vec<_> = library.problems().iter().filter(|problem| problem.is_error()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(library.catalog().personas().count(), 11);
}

#[test]
fn kiosk_live_as_cloud_init_reads_it() {
    let persona = sample("kiosk-live");
    let files =
        seed_files(&persona).into_iter().map(|file| format!("==> {file}\n{}", rendered(&persona, "kiosk-live", file)));
    insta::assert_snapshot!(files.collect::<Vec<_>>().join("\n"));
}

#[test]
fn workstation_debian_as_the_installer_reads_it() {
    let persona = sample("workstation-debian");
    insta::assert_snapshot!(rendered(&persona, "workstation-debian", "preseed.cfg"));
}

#[test]
fn every_sample_passes_the_formats_own_tools() {
    for name in ["kiosk-live", "workstation-debian"] {
        let persona = sample(name);
        passes("cloud-init", &["schema", "--config-file"], &rendered(&persona, name, "user-data")).unwrap();
        let script = rendered(&persona, name, "user-data");
        assert!(script.contains("greenroom-report.service"));
        if seed_files(&persona).contains(&"preseed.cfg") {
            passes("debconf-set-selections", &["--checkonly"], &rendered(&persona, name, "preseed.cfg")).unwrap();
        }
    }
    let broken = passes("cloud-init", &["schema", "--config-file"], "#cloud-config\nusers: 7\n");
    assert!(broken.is_err(), "the tool can say no");
}

#[test]
fn the_report_script_is_a_script_whatever_the_names_in_it() {
    let mut persona = sample("kiosk-live");
    persona.network.hostname = Some("it's-$(reboot)".into());
    let user_data = rendered(&persona, "kiosk-live", "user-data");
    let config: serde_json::Value = yaml(&user_data);
    let files = config["write_files"].as_array().unwrap();
    let script = files.iter().find(|file| file["path"] == "/usr/local/lib/greenroom/report").unwrap();
    let script = script["content"].as_str().unwrap();
    passes("sh", &["-n"], script).unwrap();
    assert!(script.contains(r"check hostname 'it'\''s-$(reboot)'"), "{script}");
}

#[test]
fn mistakes_are_shown_where_they_are_with_what_to_do() {
    insta::assert_snapshot!(problems(
        "apiVersion: greenroom/v1
description: every rule at once
effect: destructive
os:
  image: debian
  kernel_args: [\"two words\"]
apps:
  packages: [Tree, tree, tree]
  files:
    - {path: etc/motd, content: x, mode: \"999\"}
  services: {enable: [ssh.service], mask: [ssh.service]}
security:
  users:
    - {name: operator}
    - {name: Ann, password_hash: secret, shell: bash, ssh_keys: [not a key]}
network:
  hostname: Under_score
  interfaces:
    - {ip: {addresses: [10.0.0.5/24], gateway: 10.0.1.1}}
preferences: {locale: german, timezone: Berlin, keyboard: QWERTZ}
"
    ));
}

#[test]
fn what_is_no_persona_is_told_apart() {
    let unknown = problems(
        "apiVersion: greenroom/v1\ndescription: x\neffect: ephemeral\nos: {image: debian}\nsecurty: {}\napps:\n  package: [tree]\n",
    );
    let wrong_type = problems("apiVersion: greenroom/v1\ndescription: x\neffect: sometimes\nos: {image: debian}\n");
    let twice =
        problems("apiVersion: greenroom/v1\ndescription: x\ndescription: y\neffect: ephemeral\nos: {image: debian}\n");
    let missing = problems("apiVersion: greenroom/v1\ndescription: x\neffect: ephemeral\n");
    let older = problems("apiVersion: greenroom/v0\ndescription: x\neffect: ephemeral\nos: {image: debian}\n");
    insta::assert_snapshot!([unknown, wrong_type, twice, missing, older].join("\n\n----\n\n"));
}

#[test]
fn a_broken_document_leaves_the_last_good_one_serving() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kiosk.yaml");
    let good = "apiVersion: greenroom/v1\ndescription: one\neffect: ephemeral\nos: {image: debian}\n";
    fs::write(&path, good).unwrap();
    let mut library = Library::open(folder.path());
    let name: PersonaName = "kiosk".parse().unwrap();
    let first = library.catalog().persona(&name).unwrap().reference.clone();
    fs::write(&path, "effect: [").unwrap();
    assert!(library.refresh());
    assert_eq!(library.catalog().persona(&name).unwrap().reference, first);
    let told = library.problems().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(told.contains("kiosk.yaml:1:9") && told.contains("stays as it was"), "{told}");
    assert!(!library.refresh(), "nothing has changed since");

    fs::write(&path, good.replace("one", "two, better")).unwrap();
    assert!(library.refresh());
    let second = library.catalog().persona(&name).unwrap().reference.clone();
    assert_ne!(first, second);
    assert_eq!(library.catalog().version(&first).unwrap().description, "one", "a boot under way keeps its text");
    fs::remove_file(&path).unwrap();
    assert!(library.refresh() && library.catalog().persona(&name).is_none(), "taken away on purpose");
}

#[test]
fn manifests_are_checked_too() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("images")).unwrap();
    let text = "name: other\narch: x86\nfiles:\n  initrd: {sha256: abc, origins: [ftp://x]}\n";
    fs::write(folder.path().join("images/debian.yaml"), text).unwrap();
    let (count, problems) = library::check(folder.path());
    assert_eq!(count, 1);
    let told = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(told.contains("debian.yaml:2") && told.contains("x86"), "{told}");
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(.|\\PC|[\\[\\]{}:,&*!|>'\"%@`#?\\- \\n\\t]){0,200}") {
        drop(problems(&text));
    }

    #[test]
    fn no_change_to_a_sample_makes_the_reader_panic(at in any::<prop::sample::Index>(), with in "[\\PC\\n]{0,3}") {
        let text = include_str!("../../personas/kiosk-live.yaml");
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let at = ends[at.index(ends.len())];
        drop(problems(&format!("{}{with}{}", &text[..at], &text[at..])));
    }

    #[test]
    fn whatever_a_persona_says_stays_data(content in "\\PC*", name in "[a-z][a-z0-9]{0,8}", command in "[ -~\\n]{0,40}") {
        let mut persona = sample("kiosk-live");
        persona.apps.files[0].content = content.clone();
        persona.apps.commands = vec![command.clone()];
        persona.security.users[0].full_name = name.clone();
        let config = yaml(&rendered(&persona, "kiosk-live", "user-data"));
        prop_assert_eq!(config["write_files"][0]["content"].as_str(), Some(content.as_str()));
        prop_assert_eq!(config["users"][0]["gecos"].as_str(), Some(name.as_str()));
        let commands = config["runcmd"].as_array().unwrap();
        prop_assert!(commands.iter().any(|entry| entry[2].as_str() == Some(command.as_str())));
    }
}
