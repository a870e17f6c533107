//! The charts of predictions.

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    engine::trainer::{Status, Taught},
    model::Moment,
    serve::web::{
        census::Sums,
        chart::{About, Bars, Calibration, Chart, Curve, Dot, Heat, Line, Part, Series, Slot, Stack, percent},
    },
    usage::quality::Tally,
};

/// How many personas stand against one another.
const CONFUSED: usize = 10;

/// How many lessons are drawn.
const LESSONS: usize = 40;

fn day(at: Moment) -> String {
    let at = Timestamp::from_millisecond(i64::try_from(at.as_millis()).unwrap_or_default()).unwrap_or_default();
    at.to_zoned(TimeZone::system()).strftime("%d %b").to_string()
}

/// How often the first guess was right from lesson to lesson, beside the best of the plain ways.
pub(super) fn lessons(lessons: &[Taught]) -> Option<Chart> {
    let tried: Vec<&Taught> = lessons.iter().filter(|lesson| lesson.held_out > 0).collect();
    let tried = &tried[tried.len().saturating_sub(LESSONS)..];
    let last = tried.last()?;
    let said = match &last.plain {
        Some((name, score)) => format!(
            "{} right at the first guess when last tried; \u{201c}{name}\u{201d}, the best plain way, {}.",
            percent(last.used.top_1),
            percent(score.top_1)
        ),
        None => format!("{} right at the first guess when last tried.", percent(last.used.top_1)),
    };
    let curve = |class, name: &str, value: &dyn Fn(&Taught) -> Option<f64>| Curve {
        series: Series::new(class, name),
        values: tried.iter().map(|lesson| value(lesson)).collect(),
    };
    let curves = vec![
        curve("curve", "first guess right", &|lesson| Some(lesson.used.top_1)),
        curve("curve-3", "among the first three", &|lesson| Some(lesson.used.top_3)),
        curve("curve-2", "best plain way", &|lesson| lesson.plain.as_ref().map(|(_, score)| score.top_1)),
    ];
    let about = About { id: "lessons", title: "Quality by lesson".into(), said };
    Some(Line { about, point: "lesson", points: tried.iter().map(|lesson| day(lesson.at)).collect(), curves }.draw())
}

/// How far what was told held: in the lesson's trial, and since.
pub(super) fn calibration(status: &Status) -> Option<Chart> {
    let tried: Vec<Dot> = status
        .in_use
        .iter()
        .flat_map(|version| &version.report.bins)
        .map(|bin| Dot { rows: bin.rows as u64, sure: bin.sure, right: bin.right })
        .collect();
    let lived: Vec<Dot> = status
        .cells
        .iter()
        .filter(|cell| cell.rows > 0)
        .map(|cell| {
            let rows = cell.rows as f64;
            Dot { rows: cell.rows, sure: cell.sure as f64 / 1e6 / rows, right: cell.right as f64 / rows }
        })
        .collect();
    let kinds: Vec<(Series, Vec<Dot>)> = [
        (Series::new("bar", "tried in the last lesson"), tried),
        (Series::new("bar-3", "lived through in the last 30 days"), lived),
    ]
    .into_iter()
    .filter(|(_, dots)| !dots.is_empty())
    .collect();
    let (all, off) = kinds.iter().flat_map(|(_, dots)| dots).fold((0.0, 0.0), |(all, off), dot| {
        (all + dot.rows as f64, off + dot.rows as f64 * (dot.sure - dot.right).abs())
    });
    let said = format!(
        "What was told is {:.0} points off what came, on average. On the dashed line it would come true exactly; below it, too \
         much was promised.",
        100.0 * off / all
    );
    let about = About { id: "calibration", title: "Calibration".into(), said };
    (all > 0.0).then(|| Calibration { about, kinds }.draw())
}

/// Which personas are taken for which.
pub(super) fn confusion(status: &Status) -> Option<Chart> {
    let version = status.in_use.as_ref()?;
    let matrix = version.report.confusion.matrix(CONFUSED);
    let (whole, right) = matrix
        .cells
        .iter()
        .enumerate()
        .fold((0, 0), |(whole, right), (at, row)| (whole + row.iter().sum::<u64>(), right + row[at]));
    if whole == 0 {
        return None;
    }
    let more = match matrix.left_out {
        0 => String::new(),
        left_out => format!(" {left_out} more are of rarer personas."),
    };
    let said = format!("{} of {whole} guesses were wrong when {} was last tried.{more}", whole - right, version.name);
    let about = About { id: "confusion", title: "What is taken for what".into(), said };
    Some(Heat { about, sides: ["guessed", "came"], labels: matrix.labels, cells: matrix.cells }.draw())
}

/// For how many devices predictions act.
pub(super) fn coverage(sums: &Sums) -> Chart {
    let (acts, proposed, silent) = (sums.acts(), sums.proposals(), sums.silent());
    let none = sums.devices.saturating_sub(acts + proposed + silent);
    let part = |class, name: &str, value: usize| Part {
        series: Series::new(class, name),
        value: value as f64,
        told: format!("{value} {name}"),
    };
    let parts = vec![
        part("bar", "act", acts),
        part("bar-2", "proposed", proposed),
        part("bar-3", "silent", silent),
        part("free", "unknown", none),
    ];
    let said = "For how many devices a prediction would choose the persona of the next boot, is proposed, keeps silent as \
                somebody spoke first or it is not sure enough, or is not there at all.";
    let about = About { id: "coverage", title: "Coverage".into(), said: said.into() };
    let bars = vec![(format!("{} devices", sums.devices), sums.devices as f64, parts)];
    Stack { about, columns: ["", "what", "devices"], bars }.draw()
}

/// How predictions fared, by day.
pub(super) fn days(by_day: &[(u64, Tally)], quality: &Tally) -> Option<Chart> {
    let counted = |tally: &Tally| {
        let right = tally.acted_right + tally.could_right + tally.unsure_right;
        [right, tally.acted_wrong + tally.could_wrong, tally.unsure_wrong]
    };
    let [right, wrong, unsure] = counted(quality);
    let whole = right + wrong + unsure;
    let (first, last) = (by_day.first()?.0, by_day.last()?.0);
    let every = ((last - first) / 6).max(1);
    let slot = |at: u64| {
        let tally = by_day.iter().find(|(day, _)| *day == at).map(|(_, tally)| *tally).unwrap_or_default();
        let name = day(Moment::from_millis(at * 86_400_000));
        let tick = if (at - first).is_multiple_of(every) { name.clone() } else { String::new() };
        Slot { name, tick, values: counted(&tally).to_vec() }
    };
    let series = vec![
        Series::new("bar", "right"),
        Series::new("bar-bad", "sure and wrong"),
        Series::new("bar-2", "unsure and wrong"),
    ];
    let said =
        format!("Of {whole} predictions that were judged in the last 30 days, {right} were right. Days are UTC's.");
    let about = About { id: "days", title: "Held against what people did".into(), said };
    (whole > 0).then(|| Bars { about, slot: "day", series, slots: (first..=last).map(slot).collect() }.draw())
}
