//! The plot of an evaluation, as SVG: on the left how far probabilities hold what they say, on the right how many rows can be
//! predicted how well. It follows the reader's light or dark theme.

use std::fmt::Write;

use crate::predict::Tally;

/// The side of each of the two squares, and the room around them, in pixels.
const SIDE: f64 = 320.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 50.0;
const BETWEEN: f64 = 80.0;

/// The colours of the lines, for light and dark: the model first. They can be told apart by the colour-blind (Okabe and Ito).
const COLOURS: [(&str, &str); 6] = [
    ("#0072b2", "#56b4e9"),
    ("#d55e00", "#e69f00"),
    ("#009e73", "#2fd6a5"),
    ("#aa4488", "#cc79a7"),
    ("#7a6a00", "#f0e442"),
    ("#777777", "#999999"),
];

/// Points of one line at most; more cannot be seen.
const POINTS: usize = 400;

/// Draws these ways to predict, the model first.
pub(super) fn draw(results: &[(&str, &Tally)]) -> String {
    let height = TOP + SIDE + 60.0 + 20.0 * results.len() as f64;
    let width = LEFT + 2.0 * SIDE + BETWEEN + 30.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\" role=\"img\">\n<title>Calibration and coverage</title>\n{}",
        style(),
    );
    add(&mut svg, format_args!("<rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>"));
    let second = LEFT + SIDE + BETWEEN;
    frame(&mut svg, LEFT, "Calibration of the model", "probability of the likeliest label", "share that was right");
    frame(&mut svg, second, "Coverage", "share of rows, the surest first", "share that was right");
    calibration(&mut svg, results);
    for (at, (name, tally)) in results.iter().enumerate() {
        let line = tally.coverage();
        let every = line.len().div_ceil(POINTS).max(1);
        let mut points = String::new();
        for (nth, (part, right)) in line.iter().enumerate() {
            if nth.is_multiple_of(every) || nth + 1 == line.len() {
                // The string takes whatever is written.
                let _ = write!(points, "{:.1},{:.1} ", x(second, *part), y(*right));
            }
        }
        add(
            &mut svg,
            format_args!("<polyline class=\"line c{}\" points=\"{}\"/>", at % COLOURS.len(), points.trim_end()),
        );
        if let [(part, right)] = line[..] {
            let (x, y) = (x(second, part), y(right));
            add(
                &mut svg,
                format_args!("<circle class=\"dot c{}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>", at % COLOURS.len()),
            );
        }
        let (from, base) = (second, TOP + SIDE + 62.0 + 20.0 * at as f64);
        add(
            &mut svg,
            format_args!(
                "<line class=\"line c{}\" x1=\"{from}\" x2=\"{}\" y1=\"{base}\" y2=\"{base}\"/>\n\
             <text x=\"{}\" y=\"{}\">{}</text>",
                at % COLOURS.len(),
                from + 24.0,
                from + 32.0,
                base + 4.0,
                escaped(name),
            ),
        );
    }
    let ninety = y(0.9);
    add(
        &mut svg,
        format_args!("<line class=\"hint\" x1=\"{second}\" x2=\"{}\" y1=\"{ninety}\" y2=\"{ninety}\"/>", second + SIDE),
    );
    svg.push_str("</svg>\n");
    svg
}

fn style() -> String {
    let colours = |pick: fn(&(&'static str, &'static str)) -> &'static str| -> String {
        let rule = |(at, colour): (usize, &(&'static str, &'static str))| {
            format!(".c{at}{{stroke:{0};fill:{0}}}", pick(colour))
        };
        COLOURS.iter().enumerate().map(rule).collect()
    };
    format!(
        "<style>\n.ground{{fill:#fff}}text{{fill:#222}}.axis{{stroke:#888;fill:none}}.grid,.hint{{stroke:#ddd}}\
         .hint{{stroke:#888;stroke-dasharray:4 4}}{}\n\
         @media (prefers-color-scheme:dark){{.ground{{fill:#161a1d}}text{{fill:#e4e4e4}}.grid{{stroke:#333}}{}}}\n\
         .line{{fill:none;stroke-width:2}}.dot{{fill-opacity:.65}}\n</style>\n",
        colours(|colour| colour.0),
        colours(|colour| colour.1),
    )
}

/// The axes of one square.
fn frame(svg: &mut String, left: f64, title: &str, across: &str, up: &str) {
    for tick in 0..=5 {
        let share = f64::from(tick) / 5.0;
        let (x, y) = (x(left, share), y(share));
        add(
            svg,
            format_args!(
                "<line class=\"grid\" x1=\"{x}\" x2=\"{x}\" y1=\"{TOP}\" y2=\"{}\"/>\
             <line class=\"grid\" x1=\"{left}\" x2=\"{}\" y1=\"{y}\" y2=\"{y}\"/>\
             <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{share:.1}</text>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{share:.1}</text>",
                TOP + SIDE,
                left + SIDE,
                TOP + SIDE + 18.0,
                left - 8.0,
                y + 4.0,
            ),
        );
    }
    let (middle, height, beside) = (left + SIDE / 2.0, TOP + SIDE / 2.0, left - 40.0);
    add(
        svg,
        format_args!(
            "<rect class=\"axis\" x=\"{left}\" y=\"{TOP}\" width=\"{SIDE}\" height=\"{SIDE}\"/>\
         <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" font-size=\"15\">{title}</text>\
         <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{across}</text>\
         <text x=\"{beside}\" y=\"{height}\" text-anchor=\"middle\" transform=\"rotate(-90 {beside} {height})\">{up}</text>",
            TOP - 16.0,
            TOP + SIDE + 38.0,
        ),
    );
}

/// A dot for each bin of the model, as large as the share of rows in it.
fn calibration(svg: &mut String, results: &[(&str, &Tally)]) {
    let Some((_, model)) = results.first() else { return };
    let bins = model.bins();
    let rows: usize = bins.iter().map(|bin| bin.rows).sum();
    add(
        svg,
        format_args!(
            "<line class=\"hint\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>",
            x(LEFT, 0.0),
            y(0.0),
            x(LEFT, 1.0),
            y(1.0),
        ),
    );
    for bin in bins.iter().filter(|bin| bin.rows > 0) {
        let radius = 3.0 + 17.0 * (bin.rows as f64 / rows as f64).sqrt();
        let (x, y) = (x(LEFT, bin.sure), y(bin.right));
        add(
            svg,
            format_args!(
                "<circle class=\"dot c0\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\"><title>{} rows: said {:.3}, was {:.3}</title></circle>",
                bin.rows, bin.sure, bin.right,
            ),
        );
    }
    let base = TOP + SIDE + 66.0;
    add(svg, format_args!("<text x=\"{LEFT}\" y=\"{base}\">On the dashed line, what was said came true.</text>"));
    add(
        svg,
        format_args!("<text x=\"{LEFT}\" y=\"{}\">A dot is as large as the share of rows in it.</text>", base + 18.0),
    );
}

fn x(left: f64, share: f64) -> f64 {
    left + SIDE * share
}

fn y(share: f64) -> f64 {
    TOP + SIDE * (1.0 - share)
}

fn add(svg: &mut String, what: std::fmt::Arguments<'_>) {
    // The string takes whatever is written.
    let _ = svg.write_fmt(what);
    svg.push('\n');
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
