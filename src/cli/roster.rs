//! What `device` and `user` have in common: attributes on the command line, rosters in and out, and what they change.

use std::{fs, io, io::Read, path::Path, path::PathBuf};

use clap::{Args, ValueEnum};

use crate::{
    model::attribute::{AttributeName, AttributeValue, Changes},
    serve::roster::{ExportAsk, ImportAsk, Imported},
    usage::{
        filter::Filter,
        roster::{self, Difference, Kind, LARGEST, Row, State},
    },
};

use super::{
    Done, Failure, Global,
    client::{Daemon, operator},
    out, say, say_json,
};

/// How many rows of a difference are shown: the whole of it is in `--json`.
const SHOWN: usize = 60;

/// Something that is said, or taken back: `role=developer`, `note-`.
#[derive(Debug, Clone)]
pub(super) struct Saying(AttributeName, Option<AttributeValue>);

/// Reads one; for `clap`.
pub(super) fn saying(text: &str) -> Result<Saying, String> {
    if let Some((name, value)) = text.split_once('=') {
        let name = name.parse().map_err(|bad| format!("`{name}`: {bad}"))?;
        let value = value.parse().map_err(|bad| format!("{bad}; to take it away write {name}-"))?;
        return Ok(Saying(name, Some(value)));
    }
    let Some(name) = text.strip_suffix('-') else { return Err("write name=value, or name- to take it away".into()) };
    Ok(Saying(name.parse().map_err(|bad| format!("`{name}`: {bad}"))?, None))
}

/// All that is said. What is said twice differently is a mistake.
pub(super) fn changes(sayings: Vec<Saying>) -> Result<Changes, Failure> {
    let mut changes = Changes::new();
    for Saying(name, value) in sayings {
        if changes.insert(name.clone(), value.clone()).is_some_and(|before| before != value) {
            return Err(Failure::Wrong(format!("`{name}` is given twice")));
        }
    }
    Ok(changes)
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// Comma-separated values.
    Csv,
    /// A JSON list of objects.
    Json,
}

impl From<Format> for roster::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Csv => Self::Csv,
            Format::Json => Self::Json,
        }
    }
}

/// What `import` is told.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Import {
    /// The file: CSV or JSON, by its name's end. `-` is standard input.
    file: PathBuf,
    /// Only show what would change.
    #[arg(long)]
    dry_run: bool,
    /// Take away the attributes that the file does not name, of those who are in it.
    #[arg(long)]
    prune: bool,
    /// How the file is written, when its name does not say.
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// What `export` is told.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Export {
    /// How it is written.
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
}

/// Takes a file over, or shows what that would change.
pub(super) async fn import(kind: Kind, import: Import, daemon: &Daemon, global: &Global) -> Done {
    let Import { file, dry_run, prune, format } = import;
    let shown = file.display().to_string();
    let format = match (format, file.extension().and_then(|end| end.to_str())) {
        (Some(format), _) => format.into(),
        (None, Some("json")) => roster::Format::Json,
        (None, Some("csv" | "tsv")) => roster::Format::Csv,
        (None, _) => {
            return Err(Failure::Wrong(format!("{shown}: say --format csv or --format json")));
        }
    };
    let bytes = bytes(&file).map_err(|error| Failure::Failed(format!("{shown}: {error}")))?;
    let rows = roster::read(kind, format, &bytes).map_err(|problems| {
        let mut lines: Vec<String> = problems.told.iter().map(|problem| format!("{shown}: {problem}")).collect();
        let more = if problems.count > lines.len() { ", the first are shown" } else { "" };
        lines.push(format!("{} problem{}{more}: nothing was done", problems.count, s(problems.count)));
        Failure::Failed(lines.join("\n"))
    })?;
    let ask = ImportAsk { by: operator(), rows, prune, dry_run };
    let imported: Imported = daemon.post("/roster/import", &ask).await.map_err(|failure| match failure {
        Failure::Failed(said) => {
            let lines: Vec<String> = said.lines().map(|line| format!("{shown}: {line}")).collect();
            Failure::Failed(format!("{}\nnothing was done", lines.join("\n")))
        }
        failure => failure,
    })?;
    tell(&imported, dry_run, global)
}

/// A file of at most [`LARGEST`] bytes; one more is read of a larger one, so that it is seen to be one.
fn bytes(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    let most = LARGEST as u64 + 1;
    match file.to_str() {
        Some("-") => io::stdin().lock().take(most).read_to_end(&mut bytes)?,
        _ => fs::File::open(file)?.take(most).read_to_end(&mut bytes)?,
    };
    Ok(bytes)
}

/// Shows what changed, or would.
pub(super) fn tell(imported: &Imported, dry_run: bool, global: &Global) -> Done {
    if global.json {
        say_json(imported)?;
    } else {
        let mut table = out::table(&["", "who", "what", "before", "after"]);
        for difference in imported.differences.iter().take(SHOWN) {
            rows(&mut table, difference);
        }
        if !imported.differences.is_empty() {
            out::say_table(&table, "");
        }
        let more = imported.differences.len().saturating_sub(SHOWN);
        if more > 0 {
            say(&format!("... and {more} more: --json shows them all"));
        }
        let Imported { new, changed, unchanged, .. } = imported;
        let note = if dry_run { ": a dry run, nothing was done" } else { "" };
        say(&format!("{new} new, {changed} changed, {unchanged} unchanged{note}"));
        imported.notes.iter().for_each(|note| out::note(note));
    }
    match &imported.stopped {
        None => Ok(()),
        Some(why) => {
            let (done, of) = (imported.done, imported.differences.len());
            Err(Failure::Failed(format!(
                "{done} of {of} rows were taken, the rest was not: {why}\nrun it again: what is done is no change then"
            )))
        }
    }
}

fn rows(table: &mut comfy_table::Table, difference: &Difference) {
    let mark = match difference.state {
        State::New => "new",
        State::Changed => "changed",
        State::Unchanged => "",
    };
    let mut head = (mark.to_owned(), difference.name.to_string());
    if difference.changes.is_empty() {
        table.add_row([head.0.clone(), head.1.clone()]);
    }
    for change in &difference.changes {
        let after = change.after.clone().unwrap_or_else(|| "(taken away)".into());
        let (mark, who) = std::mem::take(&mut head);
        table.add_row([mark, who, change.what.clone(), change.before.clone().unwrap_or_else(|| "-".into()), after]);
    }
}

/// Prints a roster that imports back to no change.
pub(super) async fn export(
    kind: Kind,
    export: Export,
    filter: Option<&Filter>,
    daemon: &Daemon,
    global: &Global,
) -> Done {
    let ask = ExportAsk { kind, filter: filter.map(ToString::to_string) };
    let rows: Vec<Row> = daemon.post("/roster/export", &ask).await?;
    let format = if global.json { Format::Json } else { export.format };
    out::write(&match format {
        Format::Csv => roster::to_csv(kind, &rows),
        Format::Json => roster::to_json(kind, &rows),
    });
    Ok(())
}

fn s(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
