//! Completion as people type: `|` is where they are.

use greenroom::persona::{
    complete::{self, Names},
    form::Offer,
};

fn names() -> Names {
    Names::from([
        (Offer::Images, vec!["debian-12".into(), "ubuntu-24".into()]),
        (Offer::Documents, vec!["fragments/base".into(), "kiosk".into()]),
    ])
}

/// What is offered, and the word that it takes the place of.
fn offered(text: &str) -> (Vec<String>, String) {
    let at = text.find('|').unwrap();
    let text = text.replacen('|', "", 1);
    let completion = complete::at(&text, at, &names());
    assert!(completion.items.len() <= 100);
    (completion.items.into_iter().map(|item| item.label).collect(), text[completion.word].to_owned())
}

#[track_caller]
fn first(text: &str, wanted: &[&str]) {
    let (labels, _) = offered(text);
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    assert_eq!(labels.get(..wanted.len()), Some(wanted), "{labels:?} at {text}");
}

#[track_caller]
fn only(text: &str, wanted: &[&str]) {
    let (labels, _) = offered(text);
    assert_eq!(labels, wanted, "{text}");
}

#[test]
fn keys_that_are_not_there_yet_are_offered_in_their_order() {
    first("|", &["apiVersion", "description", "owner"]);
    first("apiVersion: greenroom/v1\nos:\n  image: x\n  i|", &["install", "distribution"]);
    first("security:\n  users:\n    - name: dev\n      |\n", &["full_name", "uid"]);
    first("security:\n  users:\n    - n|\n", &["name"]);
    first("security:\n  users:\n    |\n", &["name"]);
    first("os: {image: x, |", &["distribution", "family"]);
    first(
        "security:\n  users:\n  - name: dev\n    groups: [a]\n    s|\n    sudo: true\n",
        &["shell", "ssh_keys", "sudo_commands"],
    );
    first("apps:\n  packages:\n    |", &["native", "apt"]);
    first("resources:\n  limits:\n    services:\n      nginx.service:\n        |", &["memory", "cpu_percent"]);
    assert_eq!(offered("secu|rity:\n").1, "security");
}

#[test]
fn values_are_offered_where_the_schema_or_the_library_knows_them() {
    only("effect: |", &["ephemeral", "destructive"]);
    only("effect: d|", &["destructive"]);
    only("os:\n  image: d|\n", &["debian-12"]);
    only("extends: [|]", &["fragments/base", "kiosk"]);
    only("extends:\n  - k|", &["kiosk"]);
    only("security:\n  ssh: {password_login: |}", &["true", "false"]);
    first("preferences:\n  timezone: Europe/Ber|", &["Europe/Berlin"]);
    only("network:\n  bonds:\n    - {name: a, mode: 802|", &["802.3ad"]);
    only("os:\n  install:\n    filesystem: x|", &["xfs", "ext4"]);
    let completion = complete::at("preferences: {keyboard: no", 26, &names());
    assert_eq!(completion.items[0].insert, "'no'", "a Norwegian keyboard is no `false`");
}

#[test]
fn what_is_broken_at_the_moment_is_completed_too() {
    first("os: [\nsecurity:\n  ssh:\n    |", &["password_login", "root_login"]);
    first("a: 'unended\nnetwork:\n  |\n  dns: [", &["hostname", "interfaces"]);
    only("# a comment |", &[]);
    only("description: x # why |", &[]);
    let text = "apps:\n  files:\n    - path: /x\n      content: |\n        os";
    assert!(complete::at(text, text.len(), &names()).items.is_empty(), "a text is no place for keys");
    first("os:\n    |\n", &["image"]);
}

#[test]
fn what_is_put_in_goes_on_where_one_types_next() {
    let insert = |text: &str, at: usize| complete::at(text, at, &names()).items[0].insert.clone();
    assert_eq!(insert("os", 2), "os:\n  ");
    assert_eq!(insert("security:\n  us", 14), "users:\n    - ");
    assert_eq!(insert("descr: x", 2), "description");
    assert_eq!(insert("eff", 3), "effect: ");
}
