//! What must hold whatever happens: `check` watches, and these runs give it something to see.

use greenroom::sim::{Options, Report, Scenario};

use super::{options, run};

/// All that must hold held, and everybody who switched a device on is accounted for.
fn sound(options: &Options) -> Report {
    let (report, _) = run(options);
    for row in &report.rows {
        let (what, broken) = (format!("{options:?} {:?}", row.strategy), &row.checked.broken);
        assert!(broken.is_empty(), "{what}: {broken:#?}");
        let found = &row.checked;
        assert_eq!(found.attempts, found.served + found.local_disk + found.refused + found.broken_off, "{what}");
        assert_eq!(row.boots + row.disk_boots + row.installs + row.not_served, report.fleet.wants, "{what}");
        assert!(found.bound > 0 && found.replayed > 0, "{what}");
    }
    report
}

#[test]
fn every_scenario_is_sound_with_several_seeds() {
    for scenario in Scenario::ALL {
        for seed in [1, 2, 3] {
            let report = sound(&options(scenario, 20, 2, seed));
            assert!(report.rows.iter().all(|row| row.not_served * 10 <= report.fleet.wants), "{scenario} {seed}");
        }
    }
}

#[test]
fn a_network_that_loses_and_repeats_packets_delays_boots_and_breaks_nothing() {
    for seed in [4, 5] {
        let calm = sound(&options(Scenario::Office, 30, 2, seed));
        let report = sound(&Options { loss: 0.15, ..options(Scenario::Office, 30, 2, seed) });
        for (row, calm) in report.rows.iter().zip(&calm.rows) {
            assert!(row.lost > 20 && row.doubled > 20, "{row:?}");
            assert!(row.wait_mean > calm.wait_mean, "{} {}", row.wait_mean, calm.wait_mean);
        }
    }
}

#[test]
fn a_daemon_that_is_killed_comes_back_to_the_same_world_and_boots_go_on() {
    for seed in [6, 7] {
        let report = sound(&Options { kills: 200, ..options(Scenario::Lab, 16, 2, seed) });
        assert!(report.rows.iter().all(|row| row.not_served * 10 <= report.fleet.wants), "{report:#?}");
        sound(&Options { kills: 100, loss: 0.1, ..options(Scenario::BootStorm, 16, 4, seed) });
    }
}

#[test]
fn disks_are_wiped_in_these_runs_and_only_with_leave() {
    let report = sound(&options(Scenario::Office, 80, 2, 8));
    for row in &report.rows {
        assert!(row.installs > 0 && row.checked.wipes >= row.installs && row.disk_boots > 0, "{row:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run_to_the_byte_and_another_one_another() {
    let told = |seed| {
        let (report, lines) = run(&Options { loss: 0.05, kills: 3, ..options(Scenario::Classroom, 25, 2, seed) });
        (serde_json::to_string(&report).unwrap(), lines)
    };
    let (first, again, other) = (told(9), told(9), told(10));
    assert_eq!(first.0, again.0);
    assert_eq!(first.1, again.1);
    assert_ne!(first.0, other.0);
}
