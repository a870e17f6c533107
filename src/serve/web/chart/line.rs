//! Curves over a row of points: how something went from lesson to lesson.

use super::{About, Chart, Paper, Series, WIDTH, paper::Anchor, percent};

const HEIGHT: f64 = 200.0;
const LEFT: f64 = 58.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 24.0;

/// Shares from 0 to 1 over the same points.
pub(in crate::serve::web) struct Line {
    pub(in crate::serve::web) about: About,
    /// What the points are: the first column of the table.
    pub(in crate::serve::web) point: &'static str,
    /// What each point is called.
    pub(in crate::serve::web) points: Vec<String>,
    /// The curves.
    pub(in crate::serve::web) curves: Vec<Curve>,
}

/// A share for each point; where there is none, the curve breaks off.
pub(in crate::serve::web) struct Curve {
    pub(in crate::serve::web) series: Series,
    pub(in crate::serve::web) values: Vec<Option<f64>>,
}

impl Line {
    /// Draws it. The lowest line is the highest fifth that is below everything.
    pub(in crate::serve::web) fn draw(self) -> Chart {
        let Self { about, point, points, curves } = self;
        let all = || curves.iter().flat_map(|curve| curve.values.iter().flatten());
        let least = all().copied().fold(0.8, f64::min);
        let bottom = ((least * 5.0).floor() / 5.0).clamp(0.0, 0.8);
        let y = |share: f64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - (share - bottom) / (1.0 - bottom));
        let wide = (WIDTH - LEFT) / points.len().max(1) as f64;
        let x = |at: usize| LEFT + (at as f64 + 0.5) * wide;
        let mut paper = Paper::new(&about, WIDTH, HEIGHT);
        for part in 0..=4 {
            let share = bottom + (1.0 - bottom) * f64::from(part) / 4.0;
            paper.line(if part == 0 { "axis" } else { "grid-line" }, (LEFT, y(share)), (WIDTH, y(share)));
            paper.text((LEFT - 6.0, y(share) + 4.0), Anchor::End, &format!("{:.0} %", share * 100.0));
        }
        let every = points.len().div_ceil(6).max(1);
        for (at, point) in points.iter().enumerate().filter(|(at, _)| at.is_multiple_of(every)) {
            paper.text((x(at), HEIGHT - 7.0), Anchor::Middle, point);
        }
        // What is named first is drawn last: over the others.
        for curve in curves.iter().rev() {
            let known: Vec<(usize, Option<f64>)> = curve.values.iter().copied().enumerate().collect();
            for run in known.split(|(_, value)| value.is_none()).filter(|run| !run.is_empty()) {
                let run: Vec<(f64, f64)> =
                    run.iter().map(|(at, value)| (x(*at), y(value.unwrap_or_default()))).collect();
                paper.polyline(curve.series.class, &run);
            }
            for (at, value) in known.iter().filter_map(|(at, value)| Some((*at, (*value)?))) {
                let tip = format!("{}, {}: {}", points[at], curve.series.name, percent(value));
                let class = format!("{} point", curve.series.class);
                paper.dot(&class, (x(at), y(value)), if points.len() > 60 { 1.5 } else { 3.0 }, &tip);
            }
        }
        let row = |(at, point): (usize, &String)| {
            let value = |curve: &Curve| curve.values.get(at).copied().flatten().map_or_else(|| "-".into(), percent);
            [point.clone()].into_iter().chain(curves.iter().map(value)).collect()
        };
        Chart {
            svg: paper.done(),
            rows: points.iter().enumerate().map(row).collect(),
            columns: [point.to_owned()]
                .into_iter()
                .chain(curves.iter().map(|curve| curve.series.name.clone()))
                .collect(),
            key: if curves.len() > 1 { curves.into_iter().map(|curve| curve.series).collect() } else { vec![] },
            title: about.title,
            said: about.said,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_with_a_gap_beside_another() {
        let about = About { id: "lessons", title: "Right by lesson".into(), said: "92 % of late".into() };
        let curve =
            |class, name, values: [Option<f64>; 3]| Curve { series: Series::new(class, name), values: values.into() };
        let curves = vec![
            curve("curve", "model", [Some(0.9), None, Some(0.92)]),
            curve("curve-2", "best baseline", [Some(0.7), Some(0.71), Some(0.65)]),
        ];
        let points = ["1", "2", "3"].map(str::to_owned).into();
        let chart = Line { about, point: "lesson", points, curves }.draw();
        insta::assert_snapshot!(chart.svg);
        assert_eq!(chart.rows[1], ["2", "-", "71.0 %"]);
    }
}
