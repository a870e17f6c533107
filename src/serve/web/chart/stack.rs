//! Lying bars of several parts: how a whole is divided.

use super::{About, Chart, Paper, Series, WIDTH, paper::Anchor};

const LINE: f64 = 46.0;
const THICK: f64 = 18.0;

/// Lying bars, one under the other.
pub(in crate::serve::web) struct Stack {
    pub(in crate::serve::web) about: About,
    /// What the bars are, and what their parts are: the columns of the table.
    pub(in crate::serve::web) columns: [&'static str; 3],
    /// The bars: what each is called, and what it is of. A bar whose whole is nothing is drawn empty.
    pub(in crate::serve::web) bars: Vec<(String, f64, Vec<Part>)>,
}

/// A part of a bar.
pub(in crate::serve::web) struct Part {
    /// Its colour, and what it is.
    pub(in crate::serve::web) series: Series,
    /// How much.
    pub(in crate::serve::web) value: f64,
    /// The same in words.
    pub(in crate::serve::web) told: String,
}

impl Stack {
    /// Draws it.
    pub(in crate::serve::web) fn draw(self) -> Chart {
        let Self { about, columns, bars } = self;
        let height = LINE * bars.len() as f64;
        let mut paper = Paper::new(&about, WIDTH, height.max(1.0));
        let (mut key, mut rows): (Vec<Series>, Vec<Vec<String>>) = (vec![], vec![]);
        for (nth, (name, whole, parts)) in bars.iter().enumerate() {
            let top = nth as f64 * LINE;
            let said: Vec<String> =
                parts.iter().filter(|part| part.value > 0.0).map(|part| part.told.clone()).collect();
            paper.text((0.0, top + 13.0), Anchor::Start, name);
            paper.text((WIDTH, top + 13.0), Anchor::End, &said.join(" · "));
            paper.rect("ground", (0.0, top + 19.0), (WIDTH, THICK), "");
            let mut x = 0.0;
            for part in parts {
                if !key.contains(&part.series) {
                    key.push(part.series.clone());
                }
                rows.push(vec![name.clone(), part.series.name.clone(), part.told.clone()]);
                let wide = if *whole > 0.0 { (WIDTH * part.value / whole).min(WIDTH - x) } else { 0.0 };
                if wide > 0.0 {
                    let tip = format!("{name}, {}: {}", part.series.name, part.told);
                    // What is there is seen, however little it is.
                    paper.rect(part.series.class, (x, top + 19.0), (wide.max(1.5), THICK), &tip);
                }
                x += wide;
            }
        }
        // What is left over is told last.
        key.sort_by_key(|series| series.class == "free");
        Chart {
            svg: paper.done(),
            key: if key.len() > 1 { key } else { vec![] },
            columns: columns.map(str::to_owned).into(),
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
    fn a_bar_of_two_parts_and_an_empty_one() {
        let about = About { id: "tiers", title: "Tiers".into(), said: "RAM is half full".into() };
        let part =
            |class, name, value: f64| Part { series: Series::new(class, name), value, told: format!("{value} GiB") };
        let bars = vec![
            ("RAM".into(), 4.0, vec![part("bar", "pinned", 1.0), part("bar-2", "kept", 1.0)]),
            ("disk".into(), 0.0, vec![part("bar", "pinned", 0.0)]),
        ];
        let chart = Stack { about, columns: ["tier", "what", "how much"], bars }.draw();
        insta::assert_snapshot!(chart.svg);
        assert_eq!(chart.rows[1], ["RAM", "kept", "1 GiB"]);
        assert_eq!(chart.key.len(), 2);
    }
}
