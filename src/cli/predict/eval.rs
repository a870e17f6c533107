//! `greenroom predict eval`.

use std::{
    io::Write,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Instant,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::{
    model::site::PredictPolicy,
    predict::{Baseline, Limits, Model, Ranking, Sample, Score, Tally, Visit, score::Bin, train_watched},
};

use super::{
    Done, Failure, Global, out, plot, say, say_json,
    sheet::Sheet,
    task::{ROW_ID, Task},
};

pub(in crate::cli) const ABOUT: &str = "\
Try on tables of your own how well personas can be predicted.

Learns from one CSV file and predicts the rows of another. Every column but the label is used, and none has to be described; \
`row_id` is only a name. What is empty, `NaN`, `NA` or `null` is unknown.

The labels of the test are a column of it, or of the file of --labels, found there by `row_id` (without that column, rows \
count from 0). With --out nobody has to know them. With --time and --group it goes row by row in the order of time: each is \
predicted from what came before it, and then counted.

`top-1` and `top-3` are how often the label was the likeliest, or among three. `log-loss` and `brier` also say how good the \
probabilities are (less is better; a probability counts as at least 0.000001). `ece` is by how much they miss what then \
happens, over 15 bins. `at 90 %` is the largest part of the rows, the surest first, of which 90 % are right. `acted` is the \
part where acting pays if a mistake costs four times what a hit gives, and `right` how much of that is right.";

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The rows to learn from.
    #[arg(long, value_name = "CSV", required = false, required_unless_present = "journal")]
    pub(super) train: PathBuf,
    /// The rows to predict.
    #[arg(long, value_name = "CSV", required = false, required_unless_present = "journal")]
    pub(super) test: PathBuf,
    /// The column to predict.
    #[arg(long, value_name = "COLUMN", required = false, required_unless_present = "journal")]
    pub(super) label: String,
    /// What the rows of the test turned out to be: `row_id` and the label.
    #[arg(long, value_name = "CSV")]
    pub(super) labels: Option<PathBuf>,
    /// When each row was: seconds or milliseconds since 1970, a date, or RFC 3339.
    #[arg(long, value_name = "COLUMN", requires = "group")]
    pub(super) time: Option<String>,
    /// Whose row it is, such as a device; also several.
    #[arg(long, value_name = "COLUMN", requires = "time")]
    pub(super) group: Vec<String>,
    /// Write the predictions here: `row_id,persona,probability`, a line for each candidate.
    #[arg(long, value_name = "CSV")]
    out: Option<PathBuf>,
    /// Draw here how far the probabilities hold, and how many rows can be predicted how well.
    #[arg(long, value_name = "SVG")]
    plot: Option<PathBuf>,
}

/// One way to predict, and how well it did.
#[derive(Serialize)]
struct Line {
    name: String,
    #[serde(flatten)]
    score: Score,
}

#[derive(Serialize)]
struct Report<'r> {
    train_rows: usize,
    test_rows: usize,
    labels: usize,
    train_seconds: f64,
    /// From this probability on acting pays at the default costs.
    threshold: f64,
    results: &'r [Line],
    calibration: Option<[Bin; crate::predict::score::BINS]>,
}

pub(super) fn run(args: &Args, global: &Global) -> Done {
    let (train, test) = (Sheet::read(&args.train)?, Sheet::read(&args.test)?);
    let task = Task::of(args, &train, &test)?;
    let truth = task.truth(args, &test)?;
    if truth.is_none() && (args.out.is_none() || args.time.is_some()) {
        let why = if args.time.is_some() { "to go on from" } else { "to compare with" };
        return Err(Failure::Failed(format!(
            "{} has no column `{}` {why}: name the file that has it with --labels{}",
            test.name,
            args.label,
            if args.time.is_none() { ", or have the predictions written with --out" } else { "" },
        )));
    }
    let (sample, mut past) = task.sample(&train)?;
    let begun = Instant::now();
    let mut model = learn(&sample)?;
    let train_seconds = begun.elapsed().as_secs_f64();
    let mut baselines = Baseline::all(&sample);
    let mut tallies = vec![Tally::default(); 1 + baselines.len()];
    let mut written = args.out.as_ref().map(|path| Predictions::begin(path)).transpose()?;
    let bar = bar("predict", task.order.len() as u64);
    for &at in &task.order {
        let row = task.row(&test, at, &task.test)?;
        let ranking = {
            let visits: Vec<&[Visit]> = past.of(&row);
            let ranking = model.rank(&row, &visits);
            let label = truth.as_ref().and_then(|truth| truth.get(&at)).map(String::as_str);
            if let Some(label) = label {
                tallies[0].add(&ranking, label);
                for (baseline, tally) in baselines.iter_mut().zip(&mut tallies[1..]) {
                    tally.add(&baseline.rank(&row, &visits), label);
                }
                // Only now that the row has been predicted does anybody hear what it was.
                if args.time.is_some() {
                    model.learn(&row, &visits, label);
                    baselines.iter_mut().for_each(|baseline| baseline.learn(&row, &visits, label));
                    past.pass(&row, label);
                }
            }
            ranking
        };
        if let Some(written) = &mut written {
            written.add(&task.id(&test, at), &ranking)?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(written) = written {
        written.finish()?;
    }
    let names: Vec<String> =
        ["model".to_owned()].into_iter().chain(baselines.iter().map(|baseline| baseline.kind().to_string())).collect();
    let lines: Vec<Line> = match &truth {
        Some(_) => names
            .iter()
            .cloned()
            .zip(tallies.iter().map(Tally::score))
            .map(|(name, score)| Line { name, score })
            .collect(),
        None => vec![],
    };
    if let (Some(path), Some(_)) = (&args.plot, &truth) {
        let named: Vec<(&str, &Tally)> = names.iter().map(String::as_str).zip(&tallies).collect();
        std::fs::write(path, plot::draw(&named)).map_err(|error| format!("{}: {error}", path.display()))?;
    } else if args.plot.is_some() {
        out::note("nothing is drawn: without labels it is not known what was right");
    }
    let report = Report {
        train_rows: sample.len(),
        test_rows: test.rows.len(),
        labels: sample.labels().len(),
        train_seconds,
        threshold: PredictPolicy::default().act().get(),
        results: &lines,
        calibration: truth.as_ref().map(|_| tallies[0].bins()),
    };
    if global.json {
        return say_json(&report);
    }
    show(&report);
    Ok(())
}

fn show(report: &Report<'_>) {
    let Report { train_rows, test_rows, labels, train_seconds, .. } = report;
    say(&format!(
        "learned from {train_rows} rows with {labels} labels in {train_seconds:.1} s; predicted {test_rows} rows"
    ));
    if report.results.is_empty() {
        return;
    }
    say("");
    let mut table = out::table(&["method", "top-1", "top-3", "log-loss", "brier", "ece", "at 90 %", "acted", "right"]);
    for Line { name, score } in report.results {
        let number = |value: f64| format!("{value:.3}");
        let share = |value: f64| format!("{:.1} %", 100.0 * value);
        table.add_row([
            name.clone(),
            number(score.top_1),
            number(score.top_3),
            number(score.log_loss),
            number(score.brier),
            number(score.ece),
            share(score.coverage_at_90),
            share(score.acted),
            if score.acted > 0.0 { share(score.acted_right) } else { "-".into() },
        ]);
    }
    out::say_table(&table, "");
}

/// A bar for so many rows, on standard error, where there is a terminal.
fn bar(what: &str, of: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:10} {bar:30} {percent:>3} %  {eta}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(of).with_message(what.to_owned()).with_style(style)
}

fn learn(sample: &Sample) -> Result<Model, Failure> {
    let bar = bar("learn", 1000);
    let model = train_watched(sample, &Limits::default(), &mut |share| {
        bar.set_position((1000.0 * share) as u64);
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    Ok(model.map_err(|error| error.to_string())?)
}

/// The file of predictions, which appears as a whole or not at all.
struct Predictions {
    file: csv::Writer<tempfile::NamedTempFile>,
    path: PathBuf,
}

impl Predictions {
    fn begin(path: &Path) -> Result<Self, String> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = tempfile::NamedTempFile::new_in(folder).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut begun = Self { file: csv::Writer::from_writer(file), path: path.to_owned() };
        begun.write(&[ROW_ID, "persona", "probability"])?;
        Ok(begun)
    }

    fn add(&mut self, id: &str, ranking: &Ranking) -> Result<(), String> {
        for candidate in &ranking.candidates {
            // Rounded down, so that they still add up to no more than one.
            let probability = format!("{:.6}", (candidate.probability * 1e6).floor() / 1e6);
            self.write(&[id, &candidate.label, &probability])?;
        }
        Ok(())
    }

    fn write(&mut self, fields: &[&str]) -> Result<(), String> {
        self.file.write_record(fields).map_err(|error| format!("{}: {error}", self.path.display()))
    }

    fn finish(self) -> Result<(), String> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", self.path.display());
        let mut file = self.file.into_inner().map_err(|error| failed(&error))?;
        file.flush().map_err(|error| failed(&error))?;
        file.persist(&self.path).map(drop).map_err(|error| failed(&error.error))
    }
}
