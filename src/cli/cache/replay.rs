//! `greenroom cache replay`.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use crate::{
    model::Bytes,
    stage::{
        Policy, Rooms,
        replay::{self, Trace, ratio},
    },
};

use super::{Done, Failure, Global, out, say_json};

/// Longer lines than this are no request, in bytes: the file is something else.
const LONGEST: u64 = 64 << 10;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The requests: lines of `time,object,size`; `-` for standard input.
    trace: PathBuf,
    /// The size of the RAM tier.
    #[arg(long, value_name = "SIZE")]
    ram: Bytes,
    /// The size of the disk tier.
    #[arg(long, value_name = "SIZE")]
    disk: Bytes,
}

pub(super) fn run(args: &Args, global: &Global) -> Done {
    let mut trace = Trace::default();
    over_lines(&args.trace, |line| trace.read(line).map(|_| ()).map_err(|error| error.to_string()))?;
    if trace.sort() {
        out::note("the lines are not in order of time: they were sorted");
    }
    let rooms = Rooms { ram: args.ram.0, disk: args.disk.0 };
    let score = replay::run(Policy::default(), &trace, rooms);
    if global.json {
        return say_json(&score);
    }
    let mut table = out::table(&["policy", "ram hits", "ram bytes", "hits", "bytes"]);
    let percent = |part, whole| format!("{:.1} %", 100.0 * ratio(part, whole));
    table.add_row([
        "greenroom".into(),
        percent(score.ram_hits, score.asks),
        percent(score.ram_bytes, score.bytes),
        percent(score.hits, score.asks),
        percent(score.hit_bytes, score.bytes),
    ]);
    out::say_table(&table, "");
    Ok(())
}

/// Reads a file line by line; an error says in which one.
fn over_lines(path: &Path, mut read: impl FnMut(&str) -> Result<(), String>) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Failed(format!("{}: {error}", path.display()));
    let mut file: Box<dyn BufRead> = match path.as_os_str() == "-" {
        true => Box::new(io::stdin().lock()),
        false => Box::new(BufReader::with_capacity(1 << 20, File::open(path).map_err(failed)?)),
    };
    let mut line = vec![];
    for number in 1_u64.. {
        line.clear();
        if io::Read::take(&mut file, LONGEST).read_until(b'\n', &mut line).map_err(failed)? == 0 {
            break;
        }
        let text = std::str::from_utf8(&line).map_err(|_| "it is not UTF-8".to_owned());
        text.and_then(&mut read).map_err(|error| Failure::Failed(format!("{}:{number}: {error}", path.display())))?;
    }
    Ok(())
}
