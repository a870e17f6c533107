//! The idea that Greenroom began with, in its four cases, a machine booting each: the preferred persona is predicted and its
//! image is at hand; it is predicted and not at hand; nothing is predicted; an assignment overrules what is predicted.
//!
//! The journal tells two weeks of a small lab before the daemon starts; everything else is the daemon's own doing.

use std::{fs, os::unix::fs::DirBuilderExt, time::Duration};

use greenroom::{
    app,
    journal::Journal,
    model::{Fact, MacAddr, Moment, Record},
};
use serde_json::Value;

use super::{
    FULL, Lab,
    boots::LIMIT,
    daemon::{Daemon, report, steps},
    habit::habit,
    machine::{Firmware, Machine, Spec, wait_for},
};

/// How long the forecast and the fetches may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// Writes the journal of a lab that was at work for two weeks: this machine and others, of two kinds, at this hour each day.
fn write_past(lab: &Lab, machine: &str) {
    let state = lab.logs.join("state");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&state).unwrap();
    let mac: MacAddr = machine.parse().unwrap();
    let now = app::clock();
    let mut past: Vec<(Moment, Fact)> = habit(mac, "lab", 14, 20, now);
    for n in 1..12 {
        let persona = if n % 3 == 0 { "other" } else { "lab" };
        past.extend(habit(MacAddr::new([0x52, 0x54, 0, 0x77, 1, n]).unwrap(), persona, 14, u64::from(n), now));
    }
    past.sort_by_key(|(at, _)| *at);
    let (mut journal, _) = Journal::open(&state.join("journal.redb")).unwrap();
    let records: Vec<Record> = (1..).zip(past).map(|(seq, (at, fact))| Record { seq, at, fact }).collect();
    journal.append(&records, true).unwrap();
}

/// How the latest attempt of a machine found its files.
fn found(boot: &Value) -> Vec<Value> {
    let (_, step) = steps(boot).into_iter().find(|(name, _)| name == "staged").unwrap_or_else(|| panic!("{boot}"));
    step["files"].as_array().unwrap().clone()
}

/// Where the files of an image are, and for how many boots it is expected.
fn staged(daemon: &Daemon, image: &str) -> Option<(Vec<String>, f64)> {
    let status: Value = serde_json::from_str(&daemon.ask(&["--json", "stage", "status"]).ok()?).ok()?;
    let image = status["images"].as_array()?.iter().find(|one| one["image"] == image)?.clone();
    let files = image["files"].as_object()?.values();
    Some((files.filter_map(|file| Some(file["tier"].as_str()?.to_owned())).collect(), image["boots"].as_f64()?))
}

/// Boots a machine; the attempt that it makes, and why it became what it became.
fn boots(daemon: &Daemon, lab: &Lab, spec: &Spec) -> (Value, String) {
    let before: Vec<Value> = daemon.boots(&spec.mac()).iter().map(|boot| boot["id"].clone()).collect();
    let machine = Machine::start(&lab.net, spec, &lab.logs);
    let ready = |boot: &Value| boot["outcome"] == "ready" && !before.contains(&boot["id"]);
    let boot = wait_for(LIMIT, || daemon.boots(&machine.mac).into_iter().find(|boot| ready(boot)));
    let boot =
        boot.unwrap_or_else(|| panic!("{}\nconsole: {}", daemon.timelines(&machine.mac), machine.console.display()));
    assert_eq!(report(&boot)["hostname"], machine.mac.as_str(), "the guest is the machine");
    let because = boot["decision"]["reason"]["because"].as_str().unwrap_or_default().to_owned();
    (boot, because)
}

#[test]
fn the_preferred_persona_is_there_before_it_is_asked_for_or_comes_all_the_same() {
    let lab = Lab::new("staging");
    lab.image("tiny", &["lab.end=poweroff"]);
    lab.image("more", &["lab.end=poweroff", "lab.more=1"]);
    lab.persona("lab", "ephemeral", "tiny");
    lab.persona("other", "ephemeral", "more");
    let regular = Spec::new("regular", Firmware::Bios);
    let stranger = Spec { tap: 1, ..Spec::new("stranger", Firmware::Bios) };
    write_past(&lab, &regular.mac());
    let daemon = lab.serve(FULL);

    // Predicted, and staged: nobody has sent a packet yet.
    let here = wait_for(PATIENCE, || {
        let (tiers, boots) = staged(&daemon, "tiny")?;
        (boots > 0.5 && tiers.iter().all(|tier| tier != "origin")).then_some(())
    });
    assert!(here.is_some(), "{:?}", daemon.ask(&["stage", "status"]));
    let (boot, because) = boots(&daemon, &lab, &regular);
    assert_eq!(because, "predicted", "{boot}");
    for file in found(&boot) {
        assert!(file["because"] == "forecast" && file["lead"].as_u64().is_some(), "{file}");
    }
    assert!(daemon.timelines(&regular.mac()).contains("before for a forecast"));

    // Predicted, and not there: an operator has dropped it. It is fetched when it is asked for.
    daemon.ask(&["cache", "evict", "tiny"]).unwrap();
    let (boot, because) = boots(&daemon, &lab, &regular);
    assert_eq!(because, "predicted", "{boot}");
    for file in found(&boot) {
        assert!(file["tier"] == "origin" && file["because"] == "late", "{file}");
    }

    // An assignment says otherwise, and what it names is pulled up at the first packet at the latest.
    daemon.ask(&["device", "assign", &regular.mac(), "other"]).unwrap();
    let (boot, because) = boots(&daemon, &lab, &regular);
    assert_eq!((because.as_str(), &boot["decision"]["persona"]["name"]), ("assigned", &"other".into()));
    assert!(found(&boot).iter().all(|file| file["tier"] != "origin"), "{boot}");

    // Nothing is predicted for who was never seen: standard provisioning.
    let machine = Machine::start(&lab.net, &stranger, &lab.logs);
    let local = daemon.wait_for_outcome(&machine.mac, "local-disk", LIMIT);
    assert!(local.is_some(), "{}", daemon.timelines(&machine.mac));
    assert!(daemon.timelines(&machine.mac).contains("standard provisioning"), "{}", daemon.timelines(&machine.mac));

    let told = daemon.ask(&["stage", "status"]).unwrap();
    assert!(told.contains("2 of 3 boots had every file at hand"), "{told}");
    println!("{told}\n{}", daemon.timelines(&regular.mac()));
}
