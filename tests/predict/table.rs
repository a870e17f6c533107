//! Tables with a known rule in them, made from a seed.

use std::{fmt::Write, fs, path::PathBuf};

use greenroom::predict::{Row, Sample};

/// A small generator of numbers (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % most
    }

    pub(crate) fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// One row of an organisation: department, team, location, a serial number; and its persona.
pub(crate) type Line = (Vec<String>, String);

pub(crate) const COLUMNS: [&str; 4] = ["department", "team", "location", "serial"];

/// What an organisation is like: the persona follows from department and team together, some locations have their own, and one
/// row in twelve follows no rule.
pub(crate) fn organisation(rows: usize, seed: u64) -> Vec<Line> {
    let mut dice = Dice(seed);
    (0..rows)
        .map(|_| {
            let (department, team, location) = (dice.below(8), dice.below(5), dice.below(6));
            let mut persona = (department * 3 + (team * (department + 1)) % 4) % 12;
            if location == 5 && team > 2 {
                persona = 11;
            }
            if dice.happens(8) {
                persona = dice.below(12);
            }
            let serial = format!("S{:06}", dice.below(1_000_000));
            let team = if dice.happens(4) { String::new() } else { format!("team {team}") };
            (vec![format!("d{department}"), team, format!("l{location}"), serial], format!("p{persona}"))
        })
        .collect()
}

pub(crate) fn values(line: &Line) -> Vec<Option<&str>> {
    line.0.iter().map(|value| Some(value.as_str()).filter(|value| !value.is_empty())).collect()
}

pub(crate) fn sample(lines: &[Line]) -> Sample {
    let mut sample = Sample::new(&COLUMNS, &[]);
    for line in lines {
        sample.push(&Row { values: values(line), ..Row::default() }, &line.1).unwrap();
    }
    sample
}

/// Visits of devices: some stay what they are, some go round among three personas. Time, device, lab; and the persona.
pub(crate) fn visits(rows: usize, seed: u64) -> Vec<Line> {
    let mut dice = Dice(seed);
    let mut at = vec![0_u64; 40];
    (0..rows)
        .map(|row| {
            let device = dice.below(40);
            let (lab, turns) = (device % 4, !device.is_multiple_of(3));
            let place = &mut at[device as usize];
            if turns || dice.happens(5) {
                *place += 1;
            }
            let mut persona = lab * 3 + (*place + device) % 3;
            if dice.happens(4) {
                persona = dice.below(12);
            }
            let time = 1_700_000_000 + row as u64 * 600;
            (vec![time.to_string(), format!("device {device}"), format!("lab {lab}")], format!("p{persona}"))
        })
        .collect()
}

/// Writes a table as CSV, with or without its labels.
pub(crate) fn write(path: PathBuf, columns: &[&str], lines: &[Line], label: Option<&str>) -> String {
    let mut text = columns.join(",");
    if let Some(label) = label {
        write!(text, ",{label}").unwrap();
    }
    for (values, persona) in lines {
        write!(text, "\n{}", values.join(",")).unwrap();
        if label.is_some() {
            write!(text, ",{persona}").unwrap();
        }
    }
    fs::write(&path, text + "\n").unwrap();
    path.display().to_string()
}
