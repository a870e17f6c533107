//! Rosters in and out.

use std::fs;

use super::stage::Daemon;

const DEVICES: &str = "mac,persona,role,location\n\
    52:54:00:77:00:01,kiosk,developer,\"Berlin, Mitte\"\n\
    52:54:00:77:00:02,,ops,\n\
    52:54:00:77:00:03,,,\n";

#[test]
fn a_file_is_tried_taken_over_and_exported_to_no_change() {
    let daemon = Daemon::start("");
    let file = daemon.file("devices.csv", DEVICES);
    let before = daemon.facts();
    let tried = daemon.ok(&["device", "import", &file, "--dry-run"]);
    assert!(tried.contains("3 new, 0 changed, 0 unchanged: a dry run, nothing was done"), "{tried}");
    assert!(tried.contains("location") && tried.contains("Berlin, Mitte") && tried.contains("persona"), "{tried}");
    assert_eq!(daemon.facts(), before);
    let taken = daemon.ok(&["device", "import", &file]);
    assert!(taken.contains("3 new, 0 changed, 0 unchanged"), "{taken}");
    let (csv, json) = (daemon.ok(&["device", "export"]), daemon.ok(&["device", "export", "--format", "json"]));
    assert_eq!(
        csv,
        "mac,persona,location,role\n52:54:00:77:00:01,kiosk,\"Berlin, Mitte\",developer\n52:54:00:77:00:02,,,ops\n\
         52:54:00:77:00:03,,,\n"
    );
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()[0]["location"], "Berlin, Mitte");
    let before = daemon.facts();
    for (name, text) in [("again.csv", &csv), ("again.json", &json)] {
        let file = daemon.file(name, text);
        let said = daemon.ok(&["device", "import", &file, "--prune"]);
        assert!(said.contains("0 new, 0 changed, 3 unchanged"), "{name}: {said}");
    }
    assert_eq!(daemon.facts(), before, "no change is no fact");
    let only = daemon.ok(&["device", "export", "--where", "role=ops"]);
    assert_eq!(only, "mac,persona,role\n52:54:00:77:00:02,,ops\n");

    // What is not named is taken away of those who are in the file, and of nobody else.
    let file = daemon.file("less.csv", "mac;persona;role\r\n52:54:00:77:00:01;-;lead\r\n");
    let said = daemon.ok(&["device", "import", &file, "--prune"]);
    let words: Vec<String> = said.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert!(words.contains(&"changed 52:54:00:77:00:01 location Berlin, Mitte (taken away)".to_owned()), "{said}");
    assert!(words.contains(&"role developer lead".to_owned()), "{said}");
    assert!(words.contains(&"persona kiosk (taken away)".to_owned()), "{said}");
    assert!(daemon.ok(&["device", "list", "--where", "role=ops"]).contains("52:54:00:77:00:02"));
}

#[test]
fn people_come_and_go_as_files_too() {
    let daemon = Daemon::start("");
    let file = daemon
        .file("people.json", r#"[{"user": "ann", "role": "developer"}, {"user": "bob", "active": "no", "floor": 3}]"#);
    assert!(daemon.ok(&["user", "import", &file]).contains("2 new"));
    let csv = daemon.ok(&["user", "export"]);
    assert_eq!(csv, "user,active,floor,role\nann,yes,,developer\nbob,no,3,\n");
    let file = daemon.file("people.csv", &csv);
    assert!(daemon.ok(&["user", "import", &file, "--prune"]).contains("2 unchanged"));
}

#[test]
fn a_file_with_any_mistake_is_not_taken_at_all_and_all_of_them_are_told() {
    let daemon = Daemon::start("");
    let before = daemon.facts();
    let file = daemon
        .file("bad.csv", "mac,role\n52:54:00:77:00:01,ok\nnonsense,x\n52:54:00:77:00:02\n52:54:00:77:00:03,\"a\nb\"\n");
    let (code, said) = daemon.run(&["device", "import", &file]);
    assert_eq!(code, 1);
    for place in [
        "bad.csv: line 3, column 1: mac `nonsense`",
        "bad.csv: line 4: this line has 1 fields",
        "line 5, column 2: role",
    ] {
        assert!(said.contains(place), "{place}: {said}");
    }
    assert!(said.contains("3 problems: nothing was done"), "{said}");
    // What only the daemon can know is told with its line as well.
    let file = daemon
        .file("persona.csv", "mac,persona\n52:54:00:77:00:01,kiosk\n52:54:00:77:00:02,kiosc\n52:54:00:77:00:03,nil\n");
    let (code, said) = daemon.run(&["device", "import", &file]);
    assert_eq!(code, 1);
    assert!(
        said.contains("persona.csv: line 3: 52:54:00:77:00:02: persona kiosc is not in the library; did you mean"),
        "{said}"
    );
    assert!(said.contains("persona.csv: line 4: ") && said.contains("nothing was done"), "{said}");
    let (code, said) = daemon.run(&["device", "import", "/nonexistent.csv"]);
    assert!(code == 1 && said.contains("No such file"), "{said}");
    let (code, said) = daemon.run(&["device", "import", &daemon.file("devices", DEVICES)]);
    assert!(code == 2 && said.contains("--format csv"), "{said}");
    assert_eq!(daemon.facts(), before);
}

#[test]
fn a_vandals_file_costs_a_message() {
    let daemon = Daemon::start("");
    let before = daemon.facts();
    let distinct = |n: u32| format!("02:00:{:02x}:{:02x}:{:02x}:00,value {n}\n", n >> 16, n >> 8 & 255, n & 255);
    for (name, bytes, told) in [
        ("wide.csv", format!("mac{}\n", ",a".repeat(100_000)).into_bytes(), "there are 100001 columns"),
        (
            "many.csv",
            ("mac,role\n".to_owned() + &(0..1_000_000).map(distinct).collect::<String>()).into_bytes(),
            "250000 rows",
        ),
        ("latin.csv", b"mac,role\n52:54:00:77:00:01,b\xe4r\n".to_vec(), "line 2, column 2: `b\u{fffd}r` is not UTF-8"),
        ("utf16.csv", b"\xff\xfem\0a\0c\0\n\0".to_vec(), "this is UTF-16: save it as UTF-8"),
        (
            "open.csv",
            b"mac,role\n52:54:00:77:00:01,\"never closed\n52:54:00:77:00:02,x\n".to_vec(),
            "is a quote before it not closed?",
        ),
        ("escape.csv", b"mac,role\n\x1b[2Jx,x\n".to_vec(), "mac `\u{fffd}[2Jx`"),
        ("nul.csv", vec![0; 4096], "no column is called `mac`"),
        ("deep.json", ("[".repeat(100_000)).into_bytes(), "line 1, column 2"),
        ("cut.json", b"[{\"mac\": \"52:54:00:77:00:01\"".to_vec(), "EOF while parsing an object"),
    ] {
        let (code, said) = daemon.run(&["device", "import", &daemon.file(name, bytes)]);
        assert_eq!((code, said.contains(told)), (1, true), "{name}: {}", said.chars().take(2000).collect::<String>());
        assert!(said.len() < 20_000 && !said.contains('\u{1b}'), "{name}");
    }
    assert_eq!(daemon.facts(), before);
    let bom = daemon.file("bom.csv", "\u{feff}mac;role\r\n52:54:00:77:00:01;dev\r\n");
    assert!(daemon.ok(&["device", "import", &bom]).contains("1 new"));
    fs::remove_file(bom).unwrap();
}
