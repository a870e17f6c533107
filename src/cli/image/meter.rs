//! How far the work on a file is: a bar on a terminal, a line now and then elsewhere, JSON lines for programs.

use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use indicatif::ProgressBar;
use serde::Serialize;

use crate::model::{Bytes, Digest};

use super::{out, say};

/// How often a program hears of it, and how often a log does.
const FOR_PROGRAMS: Duration = Duration::from_secs(1);
const FOR_LOGS: Duration = Duration::from_secs(10);

/// The work on one file.
pub(super) struct Meter {
    what: String,
    shown: Shown,
    began: Instant,
    said: Instant,
    /// How much was there before: no merit of the rate.
    before: Option<u64>,
}

enum Shown {
    Bar(ProgressBar),
    Lines,
    Json,
}

/// What programs hear.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case", tag = "progress")]
enum Line<'a> {
    Moved { role: &'a str, done: u64, of: Option<u64>, bytes_per_second: u64, seconds_left: Option<u64> },
    Finished { role: &'a str, digest: Digest, size: u64, message: &'a str },
}

impl Meter {
    pub(super) fn new(what: &str, json: bool) -> Self {
        let shown = match (json, io::stderr().is_terminal()) {
            (true, _) => Shown::Json,
            (false, true) => Shown::Bar(out::bar(what, Some(0))),
            (false, false) => Shown::Lines,
        };
        let now = Instant::now();
        Self { what: what.to_owned(), shown, began: now, said: now, before: None }
    }

    /// So much of so much is done.
    pub(super) fn moved(&mut self, done: u64, of: Option<u64>) {
        if let Shown::Bar(bar) = &self.shown {
            bar.set_length(of.unwrap_or(done));
            if self.before.is_none() {
                // What an earlier run left is neither quick nor slow.
                bar.reset_eta();
            }
            bar.set_position(done);
        }
        let before = *self.before.get_or_insert(done);
        let pause = if matches!(self.shown, Shown::Json) { FOR_PROGRAMS } else { FOR_LOGS };
        if self.said.elapsed() < pause {
            return;
        }
        self.said = Instant::now();
        let rate = (done.saturating_sub(before) as f64 / self.began.elapsed().as_secs_f64()) as u64;
        let left = of.filter(|_| rate > 0).map(|of| of.saturating_sub(done) / rate.max(1));
        match self.shown {
            Shown::Bar(_) => {}
            Shown::Json => {
                let role = &self.what;
                self.line(&Line::Moved { role, done, of, bytes_per_second: rate, seconds_left: left });
            }
            Shown::Lines => {
                let of = of.map(|of| format!(" of {}", Bytes(of))).unwrap_or_default();
                let left = left.map(|left| format!(", {left} s left")).unwrap_or_default();
                out::note(&format!("{}: {}{of}, {}/s{left}", self.what, Bytes(done), Bytes(rate)));
            }
        }
    }

    /// It is done.
    pub(super) fn finished(self, digest: Digest, size: Bytes, message: &str) {
        match &self.shown {
            Shown::Bar(bar) => bar.finish_and_clear(),
            Shown::Json => self.line(&Line::Finished { role: &self.what, digest, size: size.0, message }),
            Shown::Lines => {}
        }
        if !matches!(self.shown, Shown::Json) {
            let line = format!("{:8} {:>10}  {}  {message}", self.what, size.to_string(), digest.short());
            say(line.trim_end());
        }
    }

    fn line(&self, line: &Line<'_>) {
        say(&serde_json::to_string(line).unwrap_or_default());
    }
}
