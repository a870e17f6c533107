//! `greenroom persona schema`.

use crate::persona::schema::{Shape, json_schema, reference};

use super::super::{Done, say, say_json};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The schema of composed personas, in which whatever is required is there.
    #[arg(long, conflicts_with = "markdown")]
    composed: bool,
    /// A table of every field instead, as Markdown.
    #[arg(long)]
    markdown: bool,
}

pub(super) fn run(args: &Args) -> Done {
    if args.markdown {
        say(reference().trim());
        return Ok(());
    }
    say_json(&json_schema(if args.composed { Shape::Composed } else { Shape::Written }))
}
