//! A matrix whose cells are the darker the more there is in them: what was taken for what.

use super::{About, Chart, Paper, WIDTH, paper::Anchor};

const LEFT: f64 = 190.0;
const TOP: f64 = 40.0;
const LARGEST: f64 = 44.0;
/// Longer names are cut where they stand beside the matrix; the table has them whole.
const LETTERS: usize = 20;

/// A square matrix.
pub(in crate::serve::web) struct Heat {
    pub(in crate::serve::web) about: About,
    /// What the rows are, and what the columns are.
    pub(in crate::serve::web) sides: [&'static str; 2],
    /// What rows and columns are called.
    pub(in crate::serve::web) labels: Vec<String>,
    /// How many in each cell, row by row.
    pub(in crate::serve::web) cells: Vec<Vec<u64>>,
}

impl Heat {
    /// Draws it. A cell is as dark as its share of its row; those of the diagonal have another colour.
    pub(in crate::serve::web) fn draw(self) -> Chart {
        let Self { about, sides, labels, cells } = self;
        let side = ((WIDTH - LEFT) / labels.len().max(1) as f64).min(LARGEST);
        let mut paper = Paper::new(&about, WIDTH, TOP + side * labels.len() as f64 + 4.0);
        paper.text((LEFT - 8.0, 14.0), Anchor::End, &format!("{} \u{2193}", sides[0]));
        paper.text((LEFT, 14.0), Anchor::Start, &format!("{} \u{2192}", sides[1]));
        for (at, label) in labels.iter().enumerate() {
            let middle = (at as f64 + 0.5) * side;
            let short: String = match label.chars().count() {
                many if many > LETTERS => label.chars().take(LETTERS - 1).chain(['\u{2026}']).collect(),
                _ => label.clone(),
            };
            paper.text((LEFT - 8.0, TOP + middle + 4.0), Anchor::End, &format!("{short} {}", at + 1));
            paper.text((LEFT + middle, TOP - 6.0), Anchor::Middle, &(at + 1).to_string());
        }
        let mut rows = vec![];
        for (row, counts) in cells.iter().enumerate() {
            let whole: u64 = counts.iter().sum();
            for (column, count) in counts.iter().enumerate() {
                let place = (LEFT + column as f64 * side, TOP + row as f64 * side);
                let (this, that) = (&labels[row], &labels[column]);
                if *count == 0 {
                    paper.rect("ground", place, (side - 2.0, side - 2.0), "");
                    continue;
                }
                let class = if row == column { "bar" } else { "bar-bad" };
                let tip = format!("{} {this}, {} {that}: {count}", sides[0], sides[1]);
                paper.cell(class, place, side - 2.0, *count as f64 / whole as f64, &tip);
                rows.push(vec![this.clone(), that.clone(), count.to_string()]);
                if side >= 26.0 {
                    let middle = (place.0 + side / 2.0 - 1.0, place.1 + side / 2.0 + 3.0);
                    paper.text(middle, Anchor::Middle, &count.to_string());
                }
            }
        }
        let columns = [sides[0], sides[1], "how often"].map(str::to_owned).into();
        Chart { svg: paper.done(), key: vec![], columns, rows, title: about.title, said: about.said }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_right_has_another_colour_than_what_is_not() {
        let about = About { id: "confusion", title: "Confusion".into(), said: "1 of 8 was wrong".into() };
        let labels = vec!["desk".into(), "a-persona-with-quite-a-long-name".into()];
        let heat = Heat { about, sides: ["said", "came"], labels, cells: vec![vec![5, 1], vec![0, 2]] };
        let chart = heat.draw();
        insta::assert_snapshot!(chart.svg);
        assert_eq!(chart.rows[1], ["desk", "a-persona-with-quite-a-long-name", "1"]);
    }
}
