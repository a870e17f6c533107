//! How far probabilities hold what they say: what was told across, what came of it upwards. On the diagonal, what was told came
//! true; below it, too much was promised.

use super::{About, Chart, Paper, Series, paper::Anchor, percent};

const SIDE: f64 = 280.0;
const LEFT: f64 = 62.0;
const TOP: f64 = 22.0;
const BELOW: f64 = 44.0;

/// Dots of one or several kinds.
pub(in crate::serve::web) struct Calibration {
    pub(in crate::serve::web) about: About,
    /// The kinds, and their dots.
    pub(in crate::serve::web) kinds: Vec<(Series, Vec<Dot>)>,
}

/// Predictions of about the same probability.
#[derive(Debug, Clone, Copy)]
pub(in crate::serve::web) struct Dot {
    /// How many.
    pub(in crate::serve::web) rows: u64,
    /// Their mean probability.
    pub(in crate::serve::web) sure: f64,
    /// The share of them that was right.
    pub(in crate::serve::web) right: f64,
}

impl Calibration {
    /// Draws it. A dot's area is the share of its kind's predictions that is in it.
    pub(in crate::serve::web) fn draw(self) -> Chart {
        let Self { about, kinds } = self;
        let place = |dot: &Dot| (LEFT + SIDE * dot.sure, TOP + SIDE * (1.0 - dot.right));
        let mut paper = Paper::new(&about, LEFT + SIDE + 24.0, TOP + SIDE + BELOW);
        for part in 0..=5 {
            let share = f64::from(part) / 5.0;
            let (x, y) = (LEFT + SIDE * share, TOP + SIDE * (1.0 - share));
            let class = if part == 0 { "axis" } else { "grid-line" };
            paper.line(class, (x, TOP), (x, TOP + SIDE));
            paper.line(class, (LEFT, y), (LEFT + SIDE, y));
            paper.text((x, TOP + SIDE + 16.0), Anchor::Middle, &format!("{:.0} %", share * 100.0));
            paper.text((LEFT - 6.0, y + 4.0), Anchor::End, &format!("{:.0} %", share * 100.0));
        }
        paper.line("ideal", (LEFT, TOP + SIDE), (LEFT + SIDE, TOP));
        paper.text((LEFT + SIDE / 2.0, TOP + SIDE + 36.0), Anchor::Middle, "told with this probability");
        paper.text_upright((12.0, TOP + SIDE / 2.0), "came true");
        let mut rows = vec![];
        for (series, dots) in &kinds {
            let all: u64 = dots.iter().map(|dot| dot.rows).sum();
            for dot in dots.iter().filter(|dot| dot.rows > 0) {
                let radius = 3.0 + 15.0 * (dot.rows as f64 / all as f64).sqrt();
                let told = [percent(dot.sure), percent(dot.right), dot.rows.to_string()];
                let tip = format!("{}: {} told with {}, {} came true", series.name, told[2], told[0], told[1]);
                paper.dot(&format!("{} dot", series.class), place(dot), radius, &tip);
                rows.push([series.name.clone()].into_iter().chain(told).collect());
            }
        }
        Chart {
            svg: paper.done(),
            key: if kinds.len() > 1 { kinds.into_iter().map(|(series, _)| series).collect() } else { vec![] },
            columns: ["of", "told with", "came true", "predictions"].map(str::to_owned).into(),
            rows,
            title: about.title,
            said: about.said,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_beside_the_diagonal() {
        let about = About { id: "calibration", title: "Calibration".into(), said: "within 5 points".into() };
        let dots = [
            Dot { rows: 30, sure: 0.55, right: 0.5 },
            Dot { rows: 70, sure: 0.95, right: 0.97 },
            Dot { rows: 0, sure: 0.0, right: 0.0 },
        ];
        let chart = Calibration { about, kinds: vec![(Series::new("bar", "held out"), dots.into())] }.draw();
        insta::assert_snapshot!(chart.svg);
        assert_eq!(chart.rows, [["held out", "55.0 %", "50.0 %", "30"], ["held out", "95.0 %", "97.0 %", "70"]]);
    }
}
