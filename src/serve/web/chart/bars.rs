//! Bars that stand side by side, each of one or several parts: what happened in each hour.

use super::{About, Chart, Paper, Series, WIDTH, paper::Anchor, scale};

const HEIGHT: f64 = 190.0;
const LEFT: f64 = 40.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 24.0;

/// Bars of these parts, from left to right.
pub(in crate::serve::web) struct Bars {
    pub(in crate::serve::web) about: About,
    /// What the bars stand for: the first column of the table.
    pub(in crate::serve::web) slot: &'static str,
    /// The parts, from the ground up.
    pub(in crate::serve::web) series: Vec<Series>,
    /// The bars.
    pub(in crate::serve::web) slots: Vec<Slot>,
}

/// One bar.
pub(in crate::serve::web) struct Slot {
    /// What it stands for, in full.
    pub(in crate::serve::web) name: String,
    /// What is written under it, if anything is.
    pub(in crate::serve::web) tick: String,
    /// How many of each part.
    pub(in crate::serve::web) values: Vec<u64>,
}

impl Bars {
    /// Draws it.
    pub(in crate::serve::web) fn draw(self) -> Chart {
        let Self { about, slot, series, slots } = self;
        let most = slots.iter().map(|slot| slot.values.iter().sum::<u64>()).max().unwrap_or_default();
        let (top, step) = scale(most as f64, 1.0);
        let (inner, room) = (HEIGHT - TOP - BOTTOM, WIDTH - LEFT);
        let y = |value: f64| TOP + inner * (1.0 - value / top);
        let mut paper = Paper::new(&about, WIDTH, HEIGHT);
        let mut at = 0.0;
        while at <= top {
            paper.line(if at == 0.0 { "axis" } else { "grid-line" }, (LEFT, y(at)), (WIDTH, y(at)));
            paper.text((LEFT - 6.0, y(at) + 4.0), Anchor::End, &format!("{at:.0}"));
            at += step;
        }
        let wide = room / slots.len().max(1) as f64;
        for (nth, slot) in slots.iter().enumerate() {
            let (x, mut below) = (LEFT + nth as f64 * wide, 0.0);
            for (value, series) in slot.values.iter().zip(&series).filter(|(value, _)| **value > 0) {
                let value = *value as f64;
                let tip = format!("{}: {value} {}", slot.name, series.name);
                let size = ((wide * 0.78).max(1.0), y(below) - y(below + value));
                paper.rect(series.class, (x + wide * 0.11, y(below + value)), size, &tip);
                below += value;
            }
            if !slot.tick.is_empty() {
                paper.text((x + wide / 2.0, HEIGHT - 7.0), Anchor::Middle, &slot.tick);
            }
        }
        let row = |slot: &Slot| {
            let values = slot.values.iter().map(ToString::to_string);
            [slot.name.clone()].into_iter().chain(values).collect()
        };
        Chart {
            svg: paper.done(),
            rows: slots.iter().map(row).collect(),
            columns: [slot.to_owned()].into_iter().chain(series.iter().map(|one| one.name.clone())).collect(),
            key: if series.len() > 1 { series } else { vec![] },
            title: about.title,
            said: about.said,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_of_two_hours() {
        let slot = |name: &str, values: [u64; 2]| Slot { name: name.into(), tick: name.into(), values: values.into() };
        let about = About { id: "boots", title: "Boots by hour".into(), said: "7 boots, 2 of them <failed>".into() };
        let series = vec![Series::new("bar", "well"), Series::new("bar-bad", "failed")];
        let chart =
            Bars { about, slot: "hour", series, slots: vec![slot("06:00", [5, 2]), slot("07:00", [0, 0])] }.draw();
        insta::assert_snapshot!(chart.svg);
        assert_eq!(chart.columns, ["hour", "well", "failed"]);
        assert_eq!(chart.rows, [["06:00", "5", "2"], ["07:00", "0", "0"]]);
    }
}
