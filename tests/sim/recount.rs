//! The figures of a report, found again from the exported facts alone, as JSON, by other code.

use std::collections::BTreeMap;

use greenroom::sim::{Scenario, Strategy};
use serde_json::Value;

use super::{options, run};

/// One attempt, as its facts tell it.
#[derive(Default, Clone)]
struct Attempt {
    device: String,
    began: u64,
    persona: String,
    because: String,
    wipes: bool,
    tiers: Vec<String>,
    took: u64,
    last_file: u64,
    ready: bool,
}

#[derive(Debug, Default, PartialEq)]
struct Counted {
    boots: u64,
    staged: u64,
    in_ram: u64,
    by_hand: u64,
    acted: u64,
    right: u64,
    waits: u64,
    loading: u64,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The attempts of each device, in order; `None` stands for an assignment that was made between two.
fn attempts(lines: &[String]) -> BTreeMap<String, Vec<Option<Attempt>>> {
    let mut open: BTreeMap<String, Attempt> = BTreeMap::new();
    let mut order: Vec<(String, Option<String>)> = vec![];
    for line in lines {
        let fact: Value = serde_json::from_str(line).unwrap();
        let (at, boot) = (fact["at"].as_u64().unwrap(), text(&fact["boot"]));
        match fact["fact"].as_str().unwrap() {
            "boot-started" => {
                let device = text(&fact["device"]);
                order.push((device.clone(), Some(boot.clone())));
                open.insert(boot, Attempt { device, began: at, ..Attempt::default() });
            }
            "persona-assigned" => order.push((text(&fact["device"]), None)),
            "boot-moved" => {
                let (step, attempt) = (&fact["step"], open.get_mut(&boot).unwrap());
                match step["step"].as_str().unwrap() {
                    "script" => {
                        attempt.because = text(&step["decision"]["reason"]["because"]);
                        attempt.persona = text(&step["decision"]["persona"]["name"]);
                        attempt.wipes = !step["decision"]["armed"].is_null();
                    }
                    "blob" => {
                        attempt.tiers.push(text(&step["tier"]));
                        attempt.took += step["transfer"]["took"].as_u64().unwrap();
                        attempt.last_file = at;
                    }
                    "report" => attempt.ready |= step["phase"] == "ready",
                    _ => {}
                }
            }
            _ => {}
        }
    }
    let mut devices: BTreeMap<String, Vec<Option<Attempt>>> = BTreeMap::new();
    for (device, boot) in order {
        devices.entry(device).or_default().push(boot.map(|boot| open[&boot].clone()));
    }
    devices
}

fn count(lines: &[String]) -> Counted {
    let mut counted = Counted::default();
    for attempts in attempts(lines).values() {
        // What was tried before the desk was asked belongs to the boot that came of it.
        let mut before: Vec<&Attempt> = vec![];
        for (at, attempt) in attempts.iter().enumerate() {
            let Some(attempt) = attempt else { continue };
            let corrected = matches!(attempts.get(at + 1), Some(None));
            counted.acted += u64::from(attempt.because == "predicted");
            if corrected {
                before.push(attempt);
                continue;
            }
            let tried = std::mem::take(&mut before);
            if attempt.wipes || attempt.persona.is_empty() {
                continue;
            }
            assert!(attempt.ready && attempt.tiers.len() == 3, "{} of {}", attempt.persona, attempt.device);
            counted.boots += 1;
            counted.right += u64::from(attempt.because == "predicted");
            counted.by_hand += u64::from(attempt.because == "assigned");
            counted.staged += u64::from(attempt.tiers.iter().all(|tier| tier != "origin"));
            counted.in_ram += u64::from(attempt.tiers.iter().all(|tier| tier == "ram"));
            counted.waits += attempt.last_file - tried.first().map_or(attempt.began, |first| first.began);
            counted.loading += attempt.took + tried.iter().map(|tried| tried.took).sum::<u64>();
        }
    }
    counted
}

#[test]
fn what_is_printed_is_what_the_facts_say() {
    for (scenario, devices, days, seed) in
        [(Scenario::Office, 40, 4, 1), (Scenario::Classroom, 25, 3, 2), (Scenario::Lab, 20, 3, 3)]
    {
        let (report, lines) = run(&options(scenario, devices, days, seed));
        let row = report.row(Strategy::Learned);
        assert_eq!(row.not_served, 0, "nothing was cut short: these seeds are chosen so");
        let counted = count(&lines);
        assert!(counted.by_hand > 0 && (counted.right > 0 || scenario != Scenario::Office), "{counted:?}");
        let (boots, waits, loading) = (counted.boots, counted.waits, counted.loading);
        assert_eq!((waits / boots, loading / boots), (row.wait_mean, row.loading_mean), "{scenario}");
        let printed = Counted {
            boots: row.boots,
            staged: row.staged,
            in_ram: row.in_ram,
            by_hand: row.by_hand,
            acted: row.acted,
            right: row.right,
            waits,
            loading,
        };
        assert_eq!(counted, printed, "{scenario}");
    }
}
