//! The report as a terminal shows it: bars by day, with a row of marks for what was staged, and what it means in words.

use crate::model::{Bytes, Millis};

use super::{Bin, Report, Row, Strategy, report::percent};

/// Lines of the bars.
const HEIGHT: u64 = 9;
/// The most groups of bars: more days are put together.
const MOST_GROUPS: usize = 15;
/// Eighths of a line.
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// What stands for each strategy where there are no colours.
const FILLS: [char; 4] = ['░', '▒', '█', '▌'];
/// The colours: dim grey, yellow, green, cyan.
const COLOURS: [&str; 4] = ["90", "33", "1;32", "36"];

/// How the bars are drawn.
#[derive(Debug, Clone, Copy)]
struct Brush {
    colours: bool,
}

impl Brush {
    fn paint(self, text: &str, strategy: usize) -> String {
        match self.colours {
            true => format!("\x1b[{}m{text}\x1b[0m", COLOURS[strategy]),
            false => text.to_owned(),
        }
    }

    /// One line of a bar that has `eighths` of a line there.
    fn cell(self, eighths: u64, strategy: usize) -> String {
        match self.colours {
            true => self.paint(&EIGHTHS[eighths.min(8) as usize].to_string(), strategy),
            false => if eighths >= 4 { FILLS[strategy] } else { ' ' }.to_string(),
        }
    }
}

/// Waits and staged boots by day, for a terminal of 80 columns.
pub fn days(report: &Report, colours: bool) -> String {
    let brush = Brush { colours };
    let groups: Vec<Vec<Bin>> = report.rows.iter().map(|row| grouped(&row.days)).collect();
    let count = groups.first().map_or(0, Vec::len);
    let legend: Vec<String> = report
        .rows
        .iter()
        .enumerate()
        .map(|(at, row)| {
            format!("{} {}", brush.paint(&FILLS[if colours { 2 } else { at }].to_string(), at), row.strategy.name())
        })
        .collect();
    let highest = groups.iter().flatten().map(|bin| bin.wait_mean).max().unwrap_or(0).max(1);
    let mut lines = vec!["  mean wait per boot, by day".to_owned(), format!("  {}", legend.join("  ")), String::new()];
    for line in (0..HEIGHT).rev() {
        let label = match line {
            line if line == HEIGHT - 1 => Millis(highest).to_string(),
            line if line == HEIGHT / 2 => Millis(highest / 2).to_string(),
            _ => String::new(),
        };
        let mut text = format!("{label:>12} │");
        for group in 0..count {
            text.push(' ');
            for (at, bins) in groups.iter().enumerate() {
                let eighths = (bins[group].wait_mean * HEIGHT * 8).div_ceil(highest);
                text.push_str(&brush.cell(eighths.saturating_sub(line * 8), at));
            }
        }
        lines.push(text.trim_end().to_owned());
    }
    lines.push(format!("{:>12} ┴{}", "", "─".repeat(count * 5 + 1)));
    lines.push(format!("{:>12}  {}", "", labels(report.fleet.days as usize)));
    lines.push(String::new());
    lines.push("  boots that found all their files staged, in percent, by day".to_owned());
    lines.push(String::new());
    for (at, (row, bins)) in report.rows.iter().zip(&groups).enumerate() {
        let mut text = format!("{:>12}  ", short(row.strategy));
        for bin in bins {
            let share = percent(bin.staged, bin.boots).floor();
            text.push_str(&if bin.boots == 0 {
                format!("{:>4} ", "·")
            } else {
                brush.paint(&format!("{share:>4.0} "), at)
            });
        }
        lines.push(text.trim_end().to_owned());
    }
    lines.join("\n")
}

fn short(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Nothing => "no predict.",
        Strategy::Foresight => "foresight",
        other => other.name(),
    }
}

/// How many days are put together.
fn step(days: usize) -> usize {
    days.div_ceil(MOST_GROUPS).max(1)
}

fn grouped(days: &[Bin]) -> Vec<Bin> {
    let sum = |days: &[Bin]| {
        let boots: u64 = days.iter().map(|day| day.boots).sum();
        let wait: u64 = days.iter().map(|day| day.boots * day.wait_mean).sum();
        Bin { boots, staged: days.iter().map(|day| day.staged).sum(), wait_mean: wait.checked_div(boots).unwrap_or(0) }
    };
    days.chunks(step(days.len())).map(sum).collect()
}

/// The weekdays below the bars, or the numbers of the first days where several are put together.
fn labels(days: usize) -> String {
    const WEEK: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let step = step(days);
    let label = |day: usize| match step {
        1 => format!(" {:<4}", WEEK[day % 7]),
        _ => format!(" {:<4}", day + 1),
    };
    (0..days).step_by(step).map(label).collect::<String>().trim_end().to_owned()
}

/// What it means, in sentences.
pub fn told(report: &Report) -> Vec<String> {
    let [nothing, ours, best] =
        [Strategy::Nothing, Strategy::Learned, Strategy::Foresight].map(|strategy| report.row(strategy));
    let mut told = vec![];
    if nothing.boots > 0 && ours.boots > 0 {
        told.push(format!(
            "With Greenroom a boot waits {} instead of {}: {} saved in all, {:.0} % of what perfect foresight saves.",
            Millis(ours.wait_mean),
            Millis(nothing.wait_mean),
            hours(ours.saved),
            if best.saved > 0 { ours.saved as f64 * 100.0 / best.saved as f64 } else { 0.0 },
        ));
        told.push(format!(
            "{:.1} % of the boots found every file staged ({:.1} % without, {:.1} % with foresight).",
            ours.staged_percent(),
            nothing.staged_percent(),
            best.staged_percent(),
        ));
        told.push(format!(
            "It acted {} times and was right {:.1} % of them; {} boots it left to somebody's choice.",
            ours.acted,
            ours.right_percent(),
            ours.abstained,
        ));
    }
    told
}

/// Whether what must hold held, in a sentence.
pub fn sound(report: &Report) -> String {
    let sum = |count: fn(&Row) -> u64| report.rows.iter().map(count).sum::<u64>();
    format!(
        "Watched: {} facts of {} attempts, {} served, {} sent to their disk, {} refused, {} broken off. {} addresses bound, \
         none twice; {} disks wiped, none without leave; {} facts read back from their text lead to the same World.",
        sum(|row| row.checked.facts),
        sum(|row| row.checked.attempts),
        sum(|row| row.checked.served),
        sum(|row| row.checked.local_disk),
        sum(|row| row.checked.refused),
        sum(|row| row.checked.broken_off),
        sum(|row| row.checked.bound),
        sum(|row| row.checked.wipes),
        sum(|row| row.checked.replayed),
    )
}

/// The headings of [`cells`].
pub const HEADINGS: [&str; 11] =
    ["prediction", "staged", "in ram", "files", "wait", "p95", "saved", "right", "wrong", "by hand", "origin"];

/// A row of the table.
pub fn cells(row: &Row) -> [String; 11] {
    let acted = |text: String| if row.acted == 0 { "-".to_owned() } else { text };
    [
        row.strategy.name().to_owned(),
        format!("{:.1} %", row.staged_percent()),
        format!("{:.1} %", percent(row.in_ram, row.boots)),
        seconds(row.loading_mean),
        seconds(row.wait_mean),
        seconds(row.wait_p95),
        if row.strategy == Strategy::Nothing { "-".to_owned() } else { hours(row.saved) },
        acted(format!("{:.1} %", row.right_percent())),
        acted(row.wrong.to_string()),
        row.by_hand.to_string(),
        Bytes(row.origin_bytes).to_string(),
    ]
}

pub(super) fn seconds(millis: u64) -> String {
    format!("{:.1} s", millis as f64 / 1000.0)
}

fn hours(millis: i64) -> String {
    let hours = millis as f64 / 3_600_000.0;
    if hours.abs() < 100.0 { format!("{hours:.1} h") } else { format!("{hours:.0} h") }
}
