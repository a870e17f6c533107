//! `greenroom cache replay`.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use crate::{
    model::{Bytes, Seconds},
    stage::{
        Aim, Expert, Rooms,
        replay::{Comparison, Foresight, Score, Trace, Windows, compare},
    },
};

use super::{Done, Failure, Global, out, percent, say_json};

pub(super) const ABOUT: &str = "\
Run the cache's policy over a trace of requests, beside others.

A line of the trace is `time,object,size`: seconds or RFC 3339; any text; bytes, or 32MiB. A line of a forecast is \
`from,until,object,asks`: so many asks for the object are expected within the window.

`ram hits` is the part of all requests that RAM answered, `hits` what RAM or the disk did; `bytes` are the same, weighed by \
size; `from origin` is what was read there, `ahead` of it what the keeper fetched before anybody asked. A request that has \
to wait for an origin is a miss, the next one a hit: fills take no time here, for no policy.

LRU, S3-FIFO and GDSF see RAM and disk as two caches, one behind the other, and both see every request. The optimum is hard \
to compute where sizes differ. `belady` lets go what is asked for again last, which is close to it in bytes; `belady-size` \
weighs that by size, which is close to it in hits; `bound` is what no policy surpasses that fetches nothing ahead.";

/// Longer lines than this are no request, in bytes: the file is something else.
const LONGEST: u64 = 64 << 10;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The requests; `-` for standard input.
    trace: PathBuf,
    /// The size of the RAM tier.
    #[arg(long, value_name = "SIZE")]
    ram: Bytes,
    /// The size of the disk tier.
    #[arg(long, value_name = "SIZE")]
    disk: Bytes,
    /// What the policy maximises: as many hits as possible, or as few bytes from origins.
    #[arg(long, value_name = "hits|bytes", default_value_t)]
    aim: Aim,
    /// Tell the policy what is expected: lines of `from,until,object,asks`.
    #[arg(long, value_name = "FILE")]
    forecast: Option<PathBuf>,
    /// Tell the policy what the trace will ask for within this time, made anew ten times in it.
    #[arg(long, value_name = "SPAN", conflicts_with = "forecast")]
    perfect_forecast: Option<Seconds>,
}

pub(super) fn run(args: &Args, global: &Global) -> Done {
    let mut trace = Trace::default();
    over_lines(&args.trace, |line| trace.read(line).map(|_| ()).map_err(|error| error.to_string()))?;
    if trace.asks.is_empty() {
        return Err(format!("{}: there is no request in it", args.trace.display()).into());
    }
    if trace.sort() {
        out::note("the requests are not in order of time: they were sorted");
    }
    let foresight = match (&args.forecast, args.perfect_forecast) {
        (Some(path), _) => {
            let mut windows = Windows::default();
            over_lines(path, |line| windows.read(line).map(|_| ()).map_err(|error| error.to_string()))?;
            match windows.strangers(&trace) {
                0 => {}
                1 => out::note("the forecast names an object that the trace does not"),
                count => out::note(&format!("the forecast names {count} objects that the trace does not")),
            }
            Foresight::Given(windows)
        }
        (None, Some(span)) => Foresight::Perfect(span),
        (None, None) => Foresight::None,
    };
    let comparison = compare(&trace, Rooms { ram: args.ram.0, disk: args.disk.0 }, args.aim, &foresight);
    match global.json {
        true => say_json(&comparison),
        false => {
            show(&comparison);
            Ok(())
        }
    }
}

fn show(found: &Comparison) {
    out::say(&format!(
        "{} requests for {} blobs; {} asked for, of {}\n",
        found.asks,
        found.blobs,
        Bytes(found.bytes),
        Bytes(found.blob_bytes),
    ));
    let mut table = out::table(&["policy", "ram hits", "ram bytes", "hits", "bytes", "from origin", "ahead"]);
    let rows = found.rows.iter().map(|row| (row.policy, row.score));
    for (policy, score) in rows.chain([("bound", found.bound)]) {
        let Score { ram_hits, ram_bytes, hits, hit_bytes, origin_bytes, ahead_bytes } = score;
        let ahead = if ahead_bytes > 0 { Bytes(ahead_bytes).to_string() } else { String::new() };
        table.add_row([
            policy.to_owned(),
            percent(ram_hits, found.asks),
            percent(ram_bytes, found.bytes),
            percent(hits, found.asks),
            percent(hit_bytes, found.bytes),
            Bytes(origin_bytes).to_string(),
            ahead,
        ]);
    }
    out::say_table(&table, "");
    let name = |leader: Option<Expert>| leader.map_or("none", Expert::name);
    out::say(&format!("\nled at the end: {} in RAM, {} on disk", name(found.leaders.0), name(found.leaders.1)));
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
        match (&mut file).take(LONGEST).read_until(b'\n', &mut line).map_err(failed)? {
            0 => break,
            read if read as u64 == LONGEST => line.truncate(0),
            _ => {}
        }
        let text = match line.is_empty() {
            true => Err("it is longer than 64 KiB".to_owned()),
            false => std::str::from_utf8(&line).map_err(|_| "it is not UTF-8".to_owned()),
        };
        text.and_then(&mut read).map_err(|error| Failure::Failed(format!("{}:{number}: {error}", path.display())))?;
    }
    Ok(())
}
