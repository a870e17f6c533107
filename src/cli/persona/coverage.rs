//! `greenroom persona coverage`.

use crate::persona::coverage::{Cell, markdown, table};

use super::super::{Done, Global, out, say, say_json};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only fields that begin so: `preferences`, `security.users[]`.
    field: Option<String>,
    /// The whole table as Markdown, as it is in the library's COVERAGE.md.
    #[arg(long, conflicts_with = "field")]
    markdown: bool,
}

pub(super) fn run(args: &Args, global: &Global) -> Done {
    let mut table = table()?;
    if args.markdown {
        say(markdown(&table).trim_end());
        return Ok(());
    }
    if let Some(prefix) = &args.field {
        table.retain(|row| row.field.starts_with(prefix.as_str()));
    }
    if global.json {
        return say_json(&table);
    }
    let mut lines = out::table(&["field", "target", "what becomes of it"]);
    for row in &table {
        for (target, cell) in &row.cells {
            let what = match cell {
                Cell::Renders(files) => files.join(", "),
                Cell::Boot => "decides the boot itself".into(),
                Cell::Library => "for people and the library".into(),
                Cell::Refused(why) => format!("refused: {why}"),
                Cell::Told(code) => format!("validation points to it: {code}"),
                Cell::Nothing => "nothing".into(),
            };
            lines.add_row([row.field.clone(), target.to_string(), what]);
        }
    }
    out::say_table(&lines, "no field begins so");
    Ok(())
}
