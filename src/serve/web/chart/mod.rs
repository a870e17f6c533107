//! Charts: SVG that the server draws, each with the same numbers as a table.
//!
//! A chart takes its colours from `static/style.css` by class, so it follows the reader's light or dark scheme, and holds no
//! style of its own, which the pages' policy forbids. Texts that people or machines wrote are escaped by [`Paper`], through
//! which everything goes. Drawing is pure: the same numbers give the same picture.

mod bars;
mod calibration;
mod heat;
mod line;
mod paper;
mod stack;

use serde::Serialize;

pub(super) use bars::{Bars, Slot};
pub(super) use calibration::{Calibration, Dot};
pub(super) use heat::Heat;
pub(super) use line::{Curve, Line};
use paper::Paper;
pub(super) use stack::{Part, Stack};

/// How wide every chart is drawn, in pixels of its own; the page scales it.
const WIDTH: f64 = 520.0;

/// A chart as pages show it, by the macro of `html/chart.html`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Chart {
    /// What it shows, in a few words.
    pub(super) title: String,
    /// What is to be seen there, in a sentence.
    pub(super) said: String,
    /// The picture.
    #[serde(skip)]
    pub(super) svg: String,
    /// Which colour is what; none where there is only one.
    #[serde(skip)]
    pub(super) key: Vec<Series>,
    /// The names of the table's columns.
    pub(super) columns: Vec<String>,
    /// The same numbers.
    pub(super) rows: Vec<Vec<String>>,
}

/// A colour, and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Series {
    /// The class in the sheet: `bar`, `bar-2`, `curve`.
    pub(super) class: &'static str,
    /// What it stands for.
    pub(super) name: String,
}

impl Series {
    pub(super) fn new(class: &'static str, name: impl Into<String>) -> Self {
        Self { class, name: name.into() }
    }
}

/// What all charts have: a name for their parts in the page, and what is said of them.
#[derive(Debug, Clone)]
pub(super) struct About {
    /// Unique in its page: letters and dashes.
    pub(super) id: &'static str,
    /// What it shows.
    pub(super) title: String,
    /// What is to be seen.
    pub(super) said: String,
}

/// The round number at the top of an axis, and the step between its lines: at most five steps, none smaller than `least`.
fn scale(most: f64, least: f64) -> (f64, f64) {
    let wanted = (most / 4.0).max(least).max(f64::MIN_POSITIVE);
    let power = 10f64.powf(wanted.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| *step >= wanted * 0.999);
    let step = step.unwrap_or(power * 10.0);
    ((most / step).ceil().max(1.0) * step, step)
}

/// A share in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_on_a_round_number_above_what_it_shows() {
        for (most, least, top) in
            [(0.0, 1.0, 1.0), (1.0, 1.0, 1.0), (7.0, 1.0, 8.0), (83.0, 1.0, 100.0), (0.93, 0.0, 1.0)]
        {
            let (end, step) = scale(most, least);
            assert_eq!(end, top, "{most}");
            assert!(end >= most && end / step <= 5.01);
        }
    }
}
