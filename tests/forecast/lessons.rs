//! From examples to versions.

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

use greenroom::{
    model::{Moment, Reason, Seconds, timeline::Phase},
    predict::{
        TrainError, Watch,
        learn::{Example, LessonError, Report, Uses, Version, lesson},
    },
};

use super::story::{Story, assigned};

const EVERY: Seconds = Seconds(900);

fn learn(
    story: &Story,
    in_use: Option<&Version>,
    number: u64,
) -> Result<greenroom::predict::learn::Lesson, LessonError> {
    let examples: Vec<Arc<Example>> = story.fold().0.examples().cloned().collect();
    let mut watch = |_| ControlFlow::Continue(());
    let watch: Watch<'_> = &mut watch;
    lesson(examples, in_use, number, (Moment::default(), EVERY), watch)
}

/// Dice that fall the same way each time.
fn dice(seed: &mut u64, sides: u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % sides
}

/// Devices whose role says what they become, but for one room.
fn office(story: &mut Story, from: u32, to: u32) {
    let mut seed = u64::from(from) + 9;
    for n in from..to {
        let role = dice(&mut seed, 3);
        let room = dice(&mut seed, 4);
        story.describe(n, &format!("role=role-{role} location=room-{room}"));
        story.tell(assigned(n, if room == 0 { "rack" } else { ["desk", "lab", "kiosk"][role as usize] }));
        story.pass(600);
    }
}

/// What is in use is what did best on all that was held out.
fn best_is_used(report: &Report) {
    let all: BTreeMap<&str, f64> =
        report.entries.iter().map(|entry| (entry.name.as_str(), entry.score.log_loss)).collect();
    let used = report.entries.iter().find(|entry| entry.in_use).unwrap();
    assert!(all.values().all(|loss| used.score.log_loss <= *loss), "{report:?}");
}

#[test]
fn what_no_column_says_alone_is_found_out() {
    let mut story = Story::new();
    office(&mut story, 0, 200);
    let learned = learn(&story, None, 1).unwrap().version;
    assert_eq!((learned.uses, learned.to_string().as_str(), learned.examples), (Uses::Model, "model 1", 200));
    assert_eq!(learned.report.held_out, 40);
    assert!(learned.report.entries[0].score.top_1 > 0.95, "{:?}", learned.report);
    best_is_used(&learned.report);
    // What it is written as reads as the same.
    let json = serde_json::to_vec(&learned).unwrap();
    let read: Version = serde_json::from_slice(&json).unwrap();
    assert!(read.is_whole() && read.report == learned.report);
}

#[test]
fn when_the_world_changes_a_baseline_speaks_and_it_is_said() {
    let mut story = Story::new();
    (0..12).for_each(|n| story.describe(n, &format!("role=role-{}", n % 3)));
    // For five weeks the role says everything. Then every role becomes something else, and stays it.
    for day in 0..43 {
        for n in 0..12 {
            let persona = ["desk", "lab", "kiosk"][(n as usize + usize::from(day >= 35)) % 3];
            story.boot(n, persona, Reason::Rule { name: "r".into() }, Some(Phase::Ready));
        }
        story.pass(86_400);
    }
    let learned = learn(&story, None, 1).unwrap().version;
    assert!(matches!(learned.uses, Uses::Baseline { .. }), "{:?}", learned.report);
    assert!(
        learned.report.why.starts_with("fell back to the baseline \"last used of device\""),
        "{:?}",
        learned.report
    );
    assert_eq!(learned.to_string(), "baseline \"last used of device\"");
    best_is_used(&learned.report);
}

#[test]
fn the_next_version_has_the_next_number_unless_the_one_in_use_does_better() {
    let mut story = Story::new();
    office(&mut story, 0, 150);
    let first = learn(&story, None, 1).unwrap().version;
    office(&mut story, 150, 220);
    let next = learn(&story, Some(&first), 2).unwrap();
    let before = next.version.report.entries.last().unwrap();
    assert_eq!(before.name, "model 1, in use before");
    assert_eq!(before.score.rows, 44, "those held out that the first version has not seen");
    assert_eq!((next.version.number, before.in_use), if next.kept { (1, true) } else { (2, false) });
    assert!(next.version.through > first.through);
}

#[test]
fn too_few_examples_and_a_lesson_that_is_stopped_teach_nothing() {
    let mut story = Story::new();
    office(&mut story, 0, 9);
    assert_eq!(learn(&story, None, 1).unwrap_err(), LessonError::TooFew { found: 9 });
    assert!(learn(&story, None, 1).unwrap_err().to_string().starts_with("9 of the 10 examples"));
    office(&mut story, 9, 400);
    let examples: Vec<Arc<Example>> = story.fold().0.examples().cloned().collect();
    let stopped = lesson(examples, None, 1, (Moment::default(), EVERY), &mut |_| ControlFlow::Break(()));
    assert_eq!(stopped.unwrap_err(), LessonError::Train(TrainError::Stopped));
}

#[test]
fn odd_histories_are_learned_from_all_the_same() {
    // One persona only.
    let mut story = Story::new();
    (0..30).for_each(|n| story.tell(assigned(n, "desk")));
    assert_eq!(learn(&story, None, 1).unwrap().version.examples, 30);
    // One device, of which people think differently every day.
    let mut story = Story::new();
    for n in 0..60 {
        story.tell(assigned(1, ["desk", "lab"][n % 2]));
        story.pass(86_400);
    }
    best_is_used(&learn(&story, None, 1).unwrap().version.report);
    // More personas than can be told apart: the rarest are left out, and it is said how many.
    let mut story = Story::new();
    for n in 0..1500 {
        story.tell(assigned(n, &format!("p{n}")));
        story.tell(assigned(n, "desk"));
    }
    assert_eq!(learn(&story, None, 1).unwrap().version.report.left_out, 501);
}
