//! What operators say of devices and people, and how they find them again.

use super::stage::Daemon;

const ANN: &str = "52:54:00:77:00:01";
const BOB: &str = "52:54:00:77:00:02";

#[test]
fn what_is_said_of_a_device_is_shown_found_and_taken_back() {
    let daemon = Daemon::start("");
    daemon.ok(&["device", "set", ANN, "role=developer", "location=Berlin Mitte", "user=ann"]);
    daemon.ok(&["device", "set", BOB, "role=ops", "note=broken fan"]);
    daemon.ok(&["user", "set", "ann", "department=r&d"]);
    let shown = daemon.ok(&["device", "show", ANN]);
    assert!(shown.contains("location=Berlin Mitte, role=developer, user=ann"), "{shown}");
    assert!(shown.contains("of its user  department=r&d"), "{shown}");
    let found = |filter: &str| daemon.ok(&["device", "list", "--where", filter]);
    let both = found("role~*e* or note");
    assert!(both.contains(ANN) && both.contains(BOB), "{both}");
    let ours = found("department=R&D and not seen and location~berlin*");
    assert!(ours.contains(ANN) && !ours.contains(BOB), "{ours}");
    let none = found("rolle=developer");
    assert!(
        none.contains("no device fits rolle=developer") && none.contains("no device has an attribute `rolle`"),
        "{none}"
    );

    daemon.ok(&["device", "set", BOB, "note-", "role=ops"]);
    assert!(!daemon.ok(&["device", "show", BOB]).contains("broken fan"));
    let before = daemon.facts();
    daemon.ok(&["device", "set", BOB, "role=ops"]);
    assert_eq!(daemon.facts(), before, "said twice is no fact");

    let (code, said) = daemon.run(&["device", "list", "--where", "role=developer and"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("column 19: expected a field") && said.contains("\n                    ^"), "{said}");
    for (words, told) in [
        (&["device", "set", ANN, "Role=x"][..], "lower-case letters"),
        (&["device", "set", ANN, "role"], "name=value"),
        (&["device", "set", ANN, "role="], "to take it away write role-"),
        (&["device", "set", ANN, "role=a", "role=b"], "`role` is given twice"),
        (&["user", "set", "an n", "role=a"], "without blanks"),
        (&["user", "set", "ann"], "required"),
    ] {
        let (code, said) = daemon.run(words);
        assert_eq!((code, said.contains(told)), (2, true), "{words:?}: {said}");
    }
}

#[test]
fn many_devices_are_assigned_once_somebody_has_said_yes() {
    let daemon = Daemon::start("");
    for mac in [ANN, BOB] {
        daemon.ok(&["device", "set", mac, "location=hall"]);
    }
    let many = ["device", "assign", "kiosk", "--where", "location=hall"];
    let before = daemon.facts();
    let (code, said) = daemon.run(&many);
    assert_eq!(code, 1);
    assert!(said.contains("2 devices fit location=hall: they would be assigned kiosk; say --yes"), "{said}");
    assert_eq!(daemon.facts(), before);
    let said = daemon.ok(&[&many[..], &["--yes", "--why", "open day", "--until", "2099-01-01T00:00"]].concat());
    assert!(said.contains("2 devices become kiosk until 2099-01-01T00:00:00Z"), "{said}");
    let shown = daemon.ok(&["device", "show", BOB]);
    assert!(shown.contains("kiosk by tester on") && shown.contains("until 2099-01-01T00:00:00Z (open day)"), "{shown}");
    let found = daemon.ok(&["device", "list", "--where", "assigned=kiosk and persona=kiosk"]);
    assert!(found.contains(ANN) && found.contains(BOB), "{found}");
    let later = daemon.ok(&["device", "assign", ANN, "desk", "--from", "2h", "--until", "1d"]);
    assert!(later.starts_with(&format!("{ANN} becomes desk from ")), "{later}");
    let found = daemon.ok(&["device", "list", "--where", "assigned=desk and persona!=desk"]);
    assert!(found.contains(ANN), "it does not hold yet: {found}");
    for (words, code, told) in [
        (&["device", "assign", "kiosk", "--where", "location=cellar"][..], 1, "no device fits location=cellar"),
        (&["device", "assign", "kiosk"], 2, "required"),
        (&["device", "assign", ANN, "kiosk", "--where", "location=hall"], 2, "cannot be used with"),
        (&["device", "assign", ANN, "kiosk", "--from", "soon"], 2, "2026-12-01T08:00"),
        (&["device", "assign", ANN, "kiosk", "--from", "2h", "--until", "1h"], 1, "would end before it begins"),
        (&["device", "assign", ANN, "kiosc"], 1, "did you mean kiosk?"),
    ] {
        let (got, said) = daemon.run(words);
        assert_eq!((got, said.contains(told)), (code, true), "{words:?}: {said}");
    }
}

#[test]
fn people_are_described_shown_with_their_devices_and_forgotten() {
    let daemon = Daemon::start("");
    daemon.ok(&["user", "set", "ann@lab.example", "role=developer", "location=berlin"]);
    daemon.ok(&["user", "set", "ann@lab.example", "location-", "--inactive"]);
    daemon.ok(&["device", "set", ANN, "user=ann@lab.example"]);
    let shown = daemon.ok(&["user", "show", "ann@lab.example"]);
    let lines: Vec<String> = shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(lines, ["user ann@lab.example", "active no", "role developer", &format!("devices {ANN}")]);
    assert!(daemon.ok(&["user", "list"]).contains("role=developer"));
    daemon.ok(&["user", "forget", "ann@lab.example"]);
    let (code, said) = daemon.run(&["user", "show", "ann@lab.example"]);
    assert_eq!((code, said.trim()), (1, "error: no user ann@lab.example is known"));
    let (code, said) = daemon.run(&["user", "pull"]);
    assert!(code == 1 && said.contains("no directory is configured: `directory:`"), "{said}");
}

#[test]
fn rules_and_a_directory_are_checked_with_the_rest_of_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let check = |text: &str| {
        let path = dir.path().join("greenroom.yaml");
        std::fs::write(&path, text).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_greenroom"));
        let output = command.args(["config", "check", "--config"]).arg(&path).output().unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        (output.status.success(), said)
    };
    let rules = "boot:\n  rules:\n  - {name: dev, match: {attributes: {role: 'dev*', location: [berlin, paris]}}, persona: desk}\n  \
        - {name: port, match: {circuit: 'Gi1/*', remote: sw-1, relay: 10.0.0.1}, persona: desk}\n";
    let directory = "directory:\n  url: https://directory.example/scim/v2/Users\n  token_secret: token\n  every: 5m\n  attributes:\n    \
        role: title\n    location: addresses[type eq \"work\"].locality\n";
    let (good, said) = check(&format!("{rules}{directory}"));
    assert!(good, "{said}");
    for (text, code) in [
        (rules.replace("'dev*'", "[]"), "GR126"),
        (directory.replace("https:", "ftp:"), "GR160"),
        (directory.replace("https://", "https://ann:pw@"), "GR160"),
        (directory.replace(": token", ": ../token"), "GR161"),
        (directory.replace("https:", "http:"), "GR162"),
        (directory.replace("5m", "1s"), "GR163"),
        (directory.split("\n    role").next().unwrap().to_owned() + " {}\n", "GR164"),
        (directory.replace("role:", "user:"), "GR165"),
        (directory.replace("title", "a..b"), "no path to a field of a user"),
        (rules.replace("role:", "Role:"), "lower-case letters"),
    ] {
        let (good, said) = check(&text);
        assert!(!good && said.contains(code), "{code}: {said}");
    }
    let (good, said) = check(&directory.replace("https://directory.example", "http://127.0.0.1:8080"));
    assert!(good, "a proxy on this machine: {said}");
}
