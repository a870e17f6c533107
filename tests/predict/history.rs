//! What is learned of devices that become one thing after another.

use greenroom::predict::{Baseline, Limits, Row, Sample, Tally, Visit, train};

use crate::table::{Line, visits};

fn row(line: &Line) -> Row<'_> {
    Row {
        values: vec![Some(&line.0[2])],
        groups: vec![Some(&line.0[1])],
        at: Some(line.0[0].parse::<i64>().unwrap() * 1000),
    }
}

fn sample(lines: &[Line]) -> Sample {
    let mut sample = Sample::new(&["lab"], &["device"]);
    lines.iter().for_each(|line| sample.push(&row(line), &line.1).unwrap());
    sample
}

fn past(lines: &[Line], device: &str) -> Vec<Visit> {
    let of = lines.iter().filter(|line| line.0[1] == device);
    of.map(|line| Visit { label: line.1.clone(), at: None }).collect()
}

#[test]
fn turns_and_habits_are_found_where_the_last_and_the_most_frequent_fail() {
    let lines = visits(1000, 1);
    let (before, after) = lines.split_at(800);
    let mut model = train(&sample(before), &Limits::default()).unwrap();
    let mut baselines = Baseline::all(&sample(before));
    let mut tallies = vec![Tally::default(); baselines.len() + 1];
    for (at, line) in after.iter().enumerate() {
        let visits = past(&lines[..800 + at], &line.0[1]);
        tallies[0].add(&model.rank(&row(line), &[&visits]), &line.1);
        for (baseline, tally) in baselines.iter_mut().zip(&mut tallies[1..]) {
            tally.add(&baseline.rank(&row(line), &[&visits]), &line.1);
            baseline.learn(&row(line), &[&visits], &line.1);
        }
        model.learn(&row(line), &[&visits], &line.1);
    }
    let scores: Vec<_> = tallies.iter().map(Tally::score).collect();
    assert_eq!(scores.len(), 5, "the majority, the lab, the device's most frequent, and its last");
    for (baseline, score) in baselines.iter().zip(&scores[1..]) {
        let name = baseline.kind();
        assert!(scores[0].top_1 > score.top_1 + 0.2, "{name}: {:?} {score:?}", scores[0]);
        assert!(scores[0].log_loss < 0.6 * score.log_loss, "{name}: {:?} {score:?}", scores[0]);
    }
    assert!(scores[0].top_1 > 0.8, "{:?}", scores[0]);
}

#[test]
fn a_device_that_nobody_knows_is_predicted_from_its_lab() {
    let model = train(&sample(&visits(600, 2)), &Limits::default()).unwrap();
    let unknown = Row { values: vec![Some("lab 2")], groups: vec![Some("a new device")], at: Some(0) };
    let ranking = model.rank(&unknown, &[&[]]);
    let mut first: Vec<&str> = ranking.candidates[..3].iter().map(|candidate| candidate.label.as_str()).collect();
    first.sort_unstable();
    assert_eq!(first, ["p6", "p7", "p8"], "{ranking:?}");
    assert_eq!(model.rank(&unknown, &[]).candidates, ranking.candidates, "no history is an empty one");
}

#[test]
fn a_group_in_data_without_times_has_no_history_and_does_no_harm() {
    let mut sample = Sample::new(&["lab"], &["device"]);
    for line in visits(300, 3) {
        sample.push(&Row { at: None, ..row(&line) }, &line.1).unwrap();
    }
    assert!(!sample.is_timed());
    let ranking = train(&sample, &Limits::default()).unwrap().rank(&row(&visits(1, 4)[0]), &[&[]]);
    assert!(ranking.candidates.iter().map(|candidate| candidate.probability).sum::<f64>() <= 1.0 + 1e-9);
}
