//! How long training takes, and how long one prediction: `cargo bench --bench predict`.
//!
//! The table is made up: 26,000 rows of 8 columns, 50 labels. On one core; the best of three runs.

#![allow(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::{hint::black_box, time::Instant};

use greenroom::predict::{Limits, Model, Row, Sample, train};

const RUNS: usize = 3;

/// The mixer of SplitMix64, as a source of numbers.
fn below(state: &mut u64, most: u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bits = *state;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ (bits >> 31)) % most
}

/// Departments of teams, with titles, places and hardware; the label follows from the first three, nine times out of ten.
fn rows(count: usize) -> Vec<(Vec<String>, String)> {
    let mut state = 1;
    (0..count)
        .map(|_| {
            let (department, team, title) = (below(&mut state, 30), below(&mut state, 6), below(&mut state, 8));
            let usual = department * 7 + title * (1 + department % 3) + if team == 5 { 3 } else { 0 };
            let label = if below(&mut state, 10) == 0 { below(&mut state, 50) } else { usual % 50 };
            let mut values = vec![format!("d{department}"), format!("team {team}"), format!("d{department}-{title}")];
            values.extend([14, 5, 90, 20].map(|several| below(&mut state, several).to_string()));
            values.push(format!("S{}", below(&mut state, 1_000_000)));
            (values, format!("p{label}"))
        })
        .collect()
}

fn row(values: &[String]) -> Row<'_> {
    Row { values: values.iter().map(|value| Some(value.as_str())).collect(), ..Row::default() }
}

fn main() {
    let quick = std::env::var("GREENROOM_BENCH_QUICK").is_ok_and(|quick| !quick.is_empty());
    let count = if quick { 5_000 } else { 26_000 };
    let rows = rows(count + 2000);
    let (known, asked) = rows.split_at(count);
    let mut sample =
        Sample::new(&["department", "team", "title", "place", "site", "centre", "hardware", "serial"], &[]);
    for (values, label) in known {
        sample.push(&row(values), label).expect("the table is narrow and short");
    }
    let mut best = f64::INFINITY;
    let mut model: Option<Model> = None;
    for _ in 0..RUNS {
        let begun = Instant::now();
        model = Some(train(&sample, &Limits::default()).expect("there is something to learn"));
        best = best.min(begun.elapsed().as_secs_f64());
    }
    println!("train, {count} rows x 8 columns x 50 labels   {best:>9.2} s");
    let model = model.expect("it was trained above");
    let begun = Instant::now();
    let right = asked.iter().filter(|(values, label)| {
        let ranking = model.rank(black_box(&row(values)), &[]);
        ranking.candidates.first().is_some_and(|first| first.label == *label)
    });
    let right = right.count();
    let each = begun.elapsed().as_secs_f64() * 1e6 / asked.len() as f64;
    println!(
        "rank one row, with reasons                    {each:>9.1} us   ({right} of {} right; 1,820 can be)",
        asked.len()
    );
}
