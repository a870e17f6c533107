//! `greenroom simulate`.

use std::{
    fs::File,
    io::{BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    library::Library,
    model::{Bytes, Record, Seconds},
    persona::catalog::Catalog,
    sim::{Options, Report, Scenario, Sink, Strategy, chart, plot, simulate},
    stage::Rooms,
};

use super::{Done, Failure, Global, out, say_json};

pub(super) const ABOUT: &str = "\
Try the idea on a fleet that is not there: predict, stage, measure.

Devices and their people are made up; what serves them is not. Every packet goes through the daemon's own decisions, the \
forecast is learned from the facts that these leave behind, and the cache's own policy says what is fetched ahead. Four runs \
over the same days show what that is worth:

  no prediction      somebody chooses at every boot, nothing is staged
  last used          a device is expected to be what it was last
  greenroom          what the site's own facts teach, trained each night
  perfect foresight  the plan itself: what no prediction can surpass

A prediction acts from 0.8 on, where being wrong costs four times what being right gains; below it, somebody chooses, which \
takes --desk. WAIT is the time from a device's first DISCOVER to the last byte of what was wanted, wrong boots and choosing \
among it; FILES is what of it was waiting for files. STAGED are the boots that found every file in RAM or on disk.

What must never happen is watched for, whatever happens: an address bound twice, an attempt that loops, a disk wiped without \
leave, a World that its journal does not lead to.";

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom simulate
  greenroom simulate --scenario classroom --devices 200 --days 21
  greenroom simulate --scenario boot-storm --origin 50Mbit --plot storm.svg
  greenroom simulate --personas ./personas --desk 2m --json
  greenroom simulate --loss 3 --kills 5 --journal facts.jsonl";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many devices.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    devices: u32,
    /// How many days.
    #[arg(long, default_value_t = 14, value_name = "D", value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    /// What kind of place: office, lab, classroom or boot-storm.
    #[arg(long, default_value = "office", value_name = "SCENARIO")]
    scenario: Scenario,
    /// What chance goes by: the same number, the same run.
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// The size of the RAM tier.
    #[arg(long, default_value = "8GiB", value_name = "SIZE")]
    ram: Bytes,
    /// The size of the disk tier.
    #[arg(long, default_value = "40GiB", value_name = "SIZE")]
    disk: Bytes,
    /// What the images' origin gives: 100Mbit, 1Gbit, or bytes as in 12MiB.
    #[arg(long, default_value = "100Mbit", value_name = "RATE", value_parser = rate)]
    origin: u64,
    /// How long somebody takes to choose a persona by hand.
    #[arg(long, default_value = "60s", value_name = "SPAN")]
    desk: Seconds,
    /// How many of 100 DHCP packets are lost; as many come twice.
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=50))]
    loss: u8,
    /// How often the daemon is killed along the way.
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10_000))]
    kills: u32,
    /// A library whose personas are wanted, in place of the scenario's own.
    #[arg(long, value_name = "DIR")]
    personas: Option<PathBuf>,
    /// Draw the waits and the staged boots to a file.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Write the facts of Greenroom's own run, as `greenroom journal export` prints them.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

pub(super) fn run(args: &Args, global: &Global) -> Done {
    let library = args.personas.as_deref().map(catalog).transpose()?;
    let options = Options {
        devices: args.devices,
        days: args.days,
        scenario: args.scenario,
        seed: args.seed,
        rooms: Rooms { ram: args.ram.0, disk: args.disk.0 },
        origin: args.origin,
        desk: args.desk,
        loss: f64::from(args.loss) / 100.0,
        kills: args.kills,
    };
    let mut journal = args.journal.as_deref().map(Journal::create).transpose()?;
    let bar = bar(&options, global);
    let report = {
        let sink: Option<Sink<'_>> =
            journal.as_mut().map(|journal| Box::new(|record: &Record| journal.write(record)) as Sink<'_>);
        simulate(&options, library.as_ref(), &|| bar.inc(1), sink).map_err(|error| error.to_string())?
    };
    bar.finish_and_clear();
    journal.map(Journal::finish).transpose()?;
    if let Some(path) = &args.plot {
        std::fs::write(path, plot::svg(&report)).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    match global.json {
        true => say_json(&report)?,
        false => show(&report),
    }
    if report.is_sound() { Ok(()) } else { Err(Failure::Wanting) }
}

/// Days that are over, of all four runs: on a terminal.
fn bar(options: &Options, global: &Global) -> ProgressBar {
    if global.json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let all = u64::from(options.days) * Strategy::ALL.len() as u64;
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos} of {len} days  {eta}");
    let bar = ProgressBar::new(all).with_message(format!("simulating {} devices", options.devices));
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// The personas and images of a library that are good.
fn catalog(path: &Path) -> Result<Catalog, Failure> {
    if !path.is_dir() {
        return Err(format!("there is no library at {}", path.display()).into());
    }
    let library = Library::open(path);
    let broken = library.problems().iter().filter(|problem| problem.is_error()).count();
    if broken > 0 {
        out::note(&format!("{broken} errors in the library: run `greenroom persona check {}`", path.display()));
    }
    Ok(library.catalog().clone())
}

/// `100Mbit` or `12MiB`, as bytes per second.
fn rate(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no rate: write 100Mbit, 1Gbit, or bytes per second, as in 12MiB");
    let bits = [("Gbit", 1_000_000_000), ("Mbit", 1_000_000), ("kbit", 1000)];
    let found = bits.into_iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?.trim(), scale)));
    let bytes = match found {
        Some((count, scale)) => {
            count.parse::<u64>().ok().and_then(|count| count.checked_mul(scale)).map(|bits| bits / 8)
        }
        None => text.parse::<Bytes>().ok().map(|bytes| bytes.0),
    };
    bytes.filter(|bytes| *bytes > 0).ok_or_else(wrong)
}

/// Facts, as lines.
struct Journal {
    file: BufWriter<File>,
    path: String,
    failed: Option<String>,
}

impl Journal {
    fn create(path: &Path) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let file = File::create(path).map_err(|error| format!("{shown}: {error}"))?;
        Ok(Self { file: BufWriter::new(file), path: shown, failed: None })
    }

    fn write(&mut self, record: &Record) {
        let line = serde_json::to_string(record).map_err(|error| error.to_string());
        let written = line.and_then(|line| writeln!(self.file, "{line}").map_err(|error| error.to_string()));
        if let (Err(error), None) = (written, &self.failed) {
            self.failed = Some(error);
        }
    }

    fn finish(mut self) -> Result<(), Failure> {
        let flushed = self.file.flush().map_err(|error| error.to_string());
        match self.failed.or(flushed.err()) {
            Some(error) => Err(Failure::Failed(format!("{}: {error}", self.path))),
            None => Ok(()),
        }
    }
}

fn show(report: &Report) {
    out::say(&format!("{}\n{}.\n", report.fleet.told(), report.fleet.scenario.about()));
    let mut table = out::table(&chart::HEADINGS);
    for row in &report.rows {
        table.add_row(chart::cells(row));
    }
    out::fit(&mut table, &[2, 10, 5]);
    out::say_table(&table, "");
    out::say("");
    out::say(&chart::days(report, out::colourful()));
    out::say("");
    chart::told(report).iter().for_each(|line| out::say(line));
    out::say(&format!("\n{}", chart::sound(report)));
    for row in &report.rows {
        for broken in &row.checked.broken {
            out::complain(&format!("{}: {broken}", row.strategy.name()));
        }
    }
}
