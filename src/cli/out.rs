//! What commands print: text, tables, bars.

use std::io::{self, IsTerminal, Write};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};

/// Prints a text and a line end. A reader that has gone away (`| head`) ends the command without a word.
pub(super) fn say(text: &str) {
    let mut out = io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Prints a text as it is, to the byte.
pub(super) fn write(text: &str) {
    let mut out = io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// Says on standard error what is good to know.
pub(super) fn note(text: &str) {
    // With nobody to hear it, there is nothing else to do.
    drop(writeln!(io::stderr().lock(), "note: {text}"));
}

/// Says on standard error what went wrong.
pub(super) fn complain(text: &str) {
    let mark = if text.starts_with("error") { "" } else { "error: " };
    // With nobody to hear it, there is nothing else to do.
    drop(writeln!(io::stderr().lock(), "{mark}{text}"));
}

/// The same for programs.
pub(super) fn complain_json(text: &str) {
    drop(writeln!(io::stderr().lock(), "{}", serde_json::json!({ "error": text })));
}

/// A table with these headings, as wide as the terminal allows; without rules, so that `awk` can read it.
pub(super) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if !io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    table.set_header(headings.iter().map(|heading| heading.to_uppercase()));
    // Blanks stand between columns, and nowhere else.
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    table
}

/// What the last column of a table needs, which may be broken into lines.
const LAST: u16 = 24;

/// Leaves out these columns, one after the other, while the terminal is too narrow for them all. Only the last column is
/// ever broken into lines: names stay whole.
pub(super) fn fit(table: &mut Table, least_important: &[usize]) {
    let Some(width) = table.width().filter(|_| io::stdout().is_terminal()) else { return };
    let mut needed: Vec<u16> = table.column_max_content_widths().iter().map(|width| width + 2).collect();
    if let Some(last) = needed.last_mut() {
        *last = (*last).min(LAST);
    }
    let last = needed.len().saturating_sub(1);
    for column in table.column_iter_mut().take(last) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    for at in least_important {
        if needed.iter().sum::<u16>() > width {
            needed[*at] = 0;
            if let Some(column) = table.column_mut(*at) {
                column.set_constraint(ColumnConstraint::Hidden);
            }
        }
    }
}

/// Prints a table without the blanks at the end of its lines, or a word when it is empty.
pub(super) fn say_table(table: &Table, empty: &str) {
    if table.row_iter().next().is_none() {
        return say(empty);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    say(&lines.join("\n"));
}

/// A bar for so many bytes, on standard error.
pub(super) fn bar(what: &str, of: Option<u64>) -> ProgressBar {
    let bar = ProgressBar::new(of.unwrap_or(0)).with_message(what.to_owned());
    let style = match of {
        Some(_) => "{msg:10} {bar:30} {bytes:>11} of {total_bytes:11} {bytes_per_sec:>13}  {eta}",
        None => "{msg:10} {spinner} {bytes:>11} {bytes_per_sec:>13}",
    };
    bar.with_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Whether colours are wanted on standard output.
pub(super) fn colourful() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Text in one of the eight colours, where colours are wanted.
pub(super) fn coloured(text: &str, colour: u8) -> String {
    match colourful() {
        true => format!("\x1b[{colour}m{text}\x1b[0m"),
        false => text.to_owned(),
    }
}
