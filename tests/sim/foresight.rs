//! Who knows more has more staged.

use greenroom::sim::{Options, Report, Scenario, Strategy};

use super::{options, run};

fn staged(report: &Report) -> [f64; 4] {
    Strategy::ALL.map(|strategy| report.row(strategy).staged_percent())
}

#[test]
fn perfect_foresight_stages_no_less_than_greenroom_and_greenroom_more_than_nothing() {
    for (scenario, devices, days, seed) in [
        (Scenario::Office, 40, 4, 1),
        (Scenario::Lab, 24, 4, 2),
        (Scenario::Classroom, 50, 3, 3),
        (Scenario::BootStorm, 30, 4, 4),
    ] {
        let (report, _) = run(&options(scenario, devices, days, seed));
        let [nothing, _, ours, best] = staged(&report);
        assert!(best >= ours && ours > nothing, "{scenario}: {nothing:.1} {ours:.1} {best:.1}");
    }
}

#[test]
fn who_knows_the_plan_is_never_wrong_and_asks_nobody() {
    let (report, _) = run(&options(Scenario::Lab, 20, 2, 5));
    let best = report.row(Strategy::Foresight);
    assert_eq!((best.wrong, best.by_hand, best.acted), (0, 0, best.boots));
    let nothing = report.row(Strategy::Nothing);
    assert_eq!((nothing.acted, nothing.by_hand, nothing.ahead_bytes), (0, nothing.boots, 0));
}

#[test]
fn a_cache_without_room_stages_nothing() {
    let mut small = options(Scenario::Office, 20, 2, 6);
    (small.rooms.ram, small.rooms.disk) = (1 << 20, 1 << 20);
    let (report, _) = run(&small);
    assert_eq!(staged(&report), [0.0; 4]);
    assert!(report.is_sound());
}

#[test]
fn an_origin_that_is_slow_is_waited_for_less_when_it_is_asked_ahead() {
    let slow = Options { origin: 3_000_000, ..options(Scenario::Office, 30, 4, 7) };
    let (report, _) = run(&slow);
    let [nothing, ours] = [Strategy::Nothing, Strategy::Learned].map(|strategy| report.row(strategy).loading_mean);
    assert!(ours < nothing, "{ours} {nothing}");
}

#[test]
fn rooms_that_change_at_once_make_nobody_overconfident() {
    for seed in [1, 2] {
        let (report, _) = run(&options(Scenario::Classroom, 50, 4, seed));
        let ours = report.row(Strategy::Learned);
        assert!(ours.acted < 30 || ours.right * 4 >= ours.acted * 3, "{seed}: {} of {}", ours.right, ours.acted);
    }
}
