//! The report as a picture: the wait by hour of the day, the staged boots by day, and the figures that count, as SVG without
//! anything from elsewhere.

use std::fmt::Write;

use crate::model::Bytes;

use super::{Bin, Report, Row, Strategy, chart, report::percent};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 740.0;
/// The colours of the strategies: Okabe and Ito's palette, which people tell apart who see few colours.
const COLOURS: [&str; 4] = ["#8a8f98", "#e69f00", "#009e73", "#56b4e9"];

/// A place to draw a curve in.
struct Panel {
    title: &'static str,
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    /// The values at the bottom and at the top.
    bottom: f64,
    top: f64,
}

/// As SVG.
pub fn svg(report: &Report) -> String {
    let mut out = String::new();
    let fleet = &report.fleet;
    let title = format!("Greenroom, simulated: {} devices, {} days, {}", fleet.devices, fleet.days, fleet.scenario);
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"13\">\n<title>{title}</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    text(&mut out, 40.0, 42.0, "start", "font-size=\"22\" font-weight=\"700\" fill=\"#1b1f24\"", &title);
    text(&mut out, 40.0, 64.0, "start", "fill=\"#57606a\"", &sentence(report));
    tiles(&mut out, report);
    legend(&mut out, report);
    let highest = report.rows.iter().flat_map(|row| &row.hours).map(|bin| bin.wait_mean).max().unwrap_or(0);
    let hours = Panel {
        title: "Mean wait per boot, by hour of the day",
        x: 100.0,
        y: 232.0,
        width: 820.0,
        height: 190.0,
        bottom: 0.0,
        top: nice(highest),
    };
    frame(&mut out, &hours, |value| span(value as u64));
    for hour in (0..24).step_by(3) {
        let x = hours.x + (f64::from(hour) + 0.5) * hours.width / 24.0;
        text(&mut out, x, hours.y + hours.height + 20.0, "middle", "fill=\"#57606a\"", &format!("{hour:02}:00"));
    }
    let shares = || report.rows.iter().flat_map(|row| &row.days).filter(|day| day.boots > 0);
    let lowest = shares().map(|day| percent(day.staged, day.boots)).fold(100.0, f64::min);
    let lowest = ((lowest / 20.0).floor() * 20.0).min(80.0);
    let days = Panel {
        title: "Boots that found all their files staged, by day",
        x: 100.0,
        y: 496.0,
        width: 820.0,
        height: 170.0,
        bottom: lowest,
        top: 100.0,
    };
    frame(&mut out, &days, |value| format!("{value:.0} %"));
    let count = fleet.days as usize;
    for day in (0..count).step_by(count.div_ceil(15).max(1)) {
        let x = days.x + (day as f64 + 0.5) * days.width / count as f64;
        text(&mut out, x, days.y + days.height + 20.0, "middle", "fill=\"#57606a\"", &format!("day {}", day + 1));
    }
    // What matters most is drawn last.
    for at in [3, 0, 1, 2] {
        let (row, colour) = (&report.rows[at], COLOURS[at]);
        curve(&mut out, &hours, &row.hours, colour, row.strategy, |bin| bin.wait_mean as f64);
        curve(&mut out, &days, &row.days, colour, row.strategy, |bin| percent(bin.staged, bin.boots));
    }
    let note = "Made by `greenroom simulate`: the daemon's own decisions, learner and cache, over made-up devices.";
    text(&mut out, 40.0, HEIGHT - 18.0, "start", "fill=\"#8a8f98\" font-size=\"12\"", note);
    out.push_str("</svg>\n");
    out
}

fn sentence(report: &Report) -> String {
    let fleet = &report.fleet;
    format!(
        "{} boots of {} personas ({} of images), {} of RAM and {} of disk, an origin at {}/s, seed {}",
        fleet.wants,
        fleet.personas,
        Bytes(fleet.image_bytes),
        Bytes(fleet.ram),
        Bytes(fleet.disk),
        Bytes(fleet.origin),
        fleet.seed,
    )
}

/// The figures that count, large.
fn tiles(out: &mut String, report: &Report) {
    let [nothing, ours, best] =
        [Strategy::Nothing, Strategy::Learned, Strategy::Foresight].map(|strategy| report.row(strategy));
    let tiles = [
        (format!("{:.1} %", ours.staged_percent()), format!("staged; {:.1} % without", nothing.staged_percent())),
        (chart::seconds(ours.wait_mean), format!("mean wait; {} without", chart::seconds(nothing.wait_mean))),
        (format!("{:.1} %", ours.right_percent()), format!("of {} predictions right", ours.acted)),
        (chart::cells(ours)[6].clone(), format!("saved; {} with foresight", chart::cells(best)[6])),
    ];
    for (at, (figure, what)) in tiles.iter().enumerate() {
        let x = 40.0 + at as f64 * 222.0;
        let _ = writeln!(out, "<rect x=\"{x}\" y=\"82\" width=\"212\" height=\"74\" rx=\"10\" fill=\"#f3f7f5\"/>");
        text(out, x + 16.0, 117.0, "start", "font-size=\"25\" font-weight=\"700\" fill=\"#00724f\"", figure);
        text(out, x + 16.0, 141.0, "start", "fill=\"#57606a\"", what);
    }
}

fn legend(out: &mut String, report: &Report) {
    for (at, (row, colour)) in report.rows.iter().zip(COLOURS).enumerate() {
        let x = 100.0 + at as f64 * 160.0;
        let _ = writeln!(
            out,
            "<line x1=\"{x}\" y1=\"182\" x2=\"{}\" y2=\"182\" stroke=\"{colour}\" stroke-width=\"{}\"{}/>",
            x + 24.0,
            width(row),
            dash(row.strategy)
        );
        text(out, x + 32.0, 186.5, "start", "fill=\"#1b1f24\"", row.strategy.name());
    }
}

fn width(row: &Row) -> f64 {
    if row.strategy == Strategy::Learned { 3.5 } else { 2.2 }
}

fn dash(strategy: Strategy) -> &'static str {
    if strategy == Strategy::Foresight { " stroke-dasharray=\"6 4\"" } else { "" }
}

fn frame(out: &mut String, panel: &Panel, label: impl Fn(f64) -> String) {
    let Panel { title, x, y, width, height, bottom, top } = *panel;
    text(out, x, y - 14.0, "start", "font-weight=\"600\" fill=\"#1b1f24\"", title);
    for part in 0..=4 {
        let share = f64::from(part) / 4.0;
        let at = y + height * (1.0 - share);
        let stroke = if part == 0 { "#8a8f98" } else { "#e4e7eb" };
        let _ = writeln!(
            out,
            "<line x1=\"{x}\" y1=\"{at:.1}\" x2=\"{:.1}\" y2=\"{at:.1}\" stroke=\"{stroke}\"/>",
            x + width
        );
        text(out, x - 10.0, at + 4.5, "end", "fill=\"#57606a\"", &label(bottom + (top - bottom) * share));
    }
}

/// A line through the bins that have boots; a gap is a gap.
fn curve(out: &mut String, panel: &Panel, bins: &[Bin], colour: &str, strategy: Strategy, value: impl Fn(&Bin) -> f64) {
    let place = |at: usize, bin: &Bin| {
        let x = panel.x + (at as f64 + 0.5) * panel.width / bins.len() as f64;
        (x, panel.y + panel.height * (1.0 - ((value(bin) - panel.bottom) / (panel.top - panel.bottom)).clamp(0.0, 1.0)))
    };
    let wide = if strategy == Strategy::Learned { 3.5 } else { 2.2 };
    for run in
        bins.iter().enumerate().collect::<Vec<_>>().split(|(_, bin)| bin.boots == 0).filter(|run| !run.is_empty())
    {
        let points: Vec<(f64, f64)> = run.iter().map(|(at, bin)| place(*at, bin)).collect();
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{wide}\" stroke-linejoin=\"round\" \
             stroke-linecap=\"round\"{}/>",
            path.join(" "),
            dash(strategy),
        );
        for (x, y) in points {
            let _ = writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{:.1}\" fill=\"{colour}\"/>", wide * 0.9);
        }
    }
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, style: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {style}>{text}</text>");
}

/// A time on an axis.
fn span(millis: u64) -> String {
    match millis {
        millis if millis > 0 && millis.is_multiple_of(60_000) => format!("{} min", millis / 60_000),
        millis => format!("{} s", millis / 1000),
    }
}

/// The next round time above so many milliseconds.
fn nice(millis: u64) -> f64 {
    const STEPS: [u64; 12] =
        [4000, 8000, 20_000, 40_000, 60_000, 120_000, 240_000, 480_000, 960_000, 1_920_000, 3_600_000, 14_400_000];
    STEPS.into_iter().find(|step| *step >= millis).unwrap_or(millis.max(1)) as f64
}
