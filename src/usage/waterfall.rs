//! An attempt as a waterfall: one row for each thing that happened, with where in time it lies, and rows for the times in which
//! nothing was heard because something else was at work. Pure: the time is an argument.
//!
//! Steps that belong together share a row: DISCOVERs that were repeated, a file that was asked for in parts or again, the files
//! of the seed. What is repeated after a failure counts as a try.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::{
    Bytes, Decision, Firmware, Millis, Moment,
    image::{Role, Tier},
    timeline::{Boot, Outcome, Phase as Told, Stage, Step, Transfer},
    trouble,
};

use super::timeline;

/// What kind of thing a row is: its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// DHCP.
    Address,
    /// An NBP or script.
    Loader,
    /// A file of the image.
    Image,
    /// The seed, and what the device says of itself.
    System,
    /// Nothing is heard: something else is at work.
    Silence,
    /// It went wrong.
    Trouble,
}

impl Kind {
    /// Every kind, in the order of a legend.
    pub const ALL: [Self; 6] = [Self::Address, Self::Loader, Self::Image, Self::System, Self::Silence, Self::Trouble];

    /// What a legend calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Address => "DHCP",
            Self::Loader => "NBP and script",
            Self::Image => "image files",
            Self::System => "seed and reports",
            Self::Silence => "nothing heard",
            Self::Trouble => "went wrong",
        }
    }

    /// The class of its bars in the style sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Address => "fall-address",
            Self::Loader => "fall-loader",
            Self::Image => "fall-image",
            Self::System => "fall-system",
            Self::Silence => "fall-silence",
            Self::Trouble => "fall-trouble",
        }
    }
}

/// A stretch of time in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// Since the attempt began.
    pub start: Millis,
    /// Likewise.
    pub end: Millis,
    /// Whether it broke off, or was refused.
    pub bad: bool,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What kind of thing.
    pub kind: Kind,
    /// What it is called.
    pub what: String,
    /// The particulars.
    pub detail: String,
    /// Since the attempt began.
    pub start: Millis,
    /// Likewise.
    pub end: Millis,
    /// Bytes that were sent, when it is a transfer.
    pub bytes: Option<Bytes>,
    /// Where they came from.
    pub tier: Option<Tier>,
    /// How often it was tried.
    pub tries: u32,
    /// Whether it is bad news.
    pub bad: bool,
    /// Whether it goes on.
    pub open: bool,
    /// When it went on.
    pub bars: Vec<Bar>,
}

impl Row {
    /// How long it took.
    pub fn took(&self) -> Millis {
        Millis(self.end.0 - self.start.0)
    }
}

/// An attempt, drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waterfall {
    /// From the first packet to the last word, or to now.
    pub whole: Millis,
    /// The rows, by when they began.
    pub rows: Vec<Row>,
}

/// What rows are told apart by.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    Discover(Firmware),
    Address(Firmware),
    Nbp(String),
    Script,
    File(Role),
    Seed,
    Report(Told),
    End,
}

/// An attempt as it stands at `now`.
pub fn waterfall(boot: &Boot, now: Moment) -> Waterfall {
    let ended = boot.stage == Stage::Ended;
    let last = boot.last.since(boot.began);
    let whole = if ended { last } else { Millis(now.since(boot.began).0.max(last.0)) };
    let mut draft = Draft { keyed: vec![], speaker: boot.firmware };
    for moved in &boot.steps {
        draft.step(&moved.step, moved.at.since(boot.began));
    }
    let mut rows: Vec<Row> = draft.keyed.into_iter().map(|(_, row)| row).collect();
    rows.extend(silences(boot, &rows, whole));
    rows.sort_by_key(|row| (row.start, row.kind == Kind::Silence));
    Waterfall { whole, rows }
}

struct Draft {
    keyed: Vec<(Key, Row)>,
    /// Whose DISCOVER was the latest.
    speaker: Firmware,
}

impl Draft {
    fn step(&mut self, step: &Step, at: Millis) {
        let instant = Bar { start: at, end: at, bad: false };
        let moved = |transfer: &Transfer| Bar {
            start: Millis(at.0.saturating_sub(transfer.took.0)),
            end: at,
            bad: !transfer.is_whole(),
        };
        let (what, detail) = timeline::step(step);
        match step {
            Step::Discover { firmware } => {
                self.speaker = *firmware;
                self.put(Key::Discover(*firmware), Kind::Address, what, detail, instant).tries += 1;
            }
            Step::Offer { .. } | Step::Ack { .. } => {
                let row = self.put(Key::Address(self.speaker), Kind::Address, "offer", detail, instant);
                row.tries = 1;
                if matches!(step, Step::Ack { .. }) {
                    row.what = "offer, ack".into();
                }
            }
            Step::Nbp { name, transfer } => {
                let row = self.put(Key::Nbp(name.clone()), Kind::Loader, "NBP", name.clone(), moved(transfer));
                row.transferred(name, transfer, None);
                row.tries += 1;
            }
            Step::Script { decision } => {
                let row = self.put(Key::Script, Kind::Loader, "script", detail, instant);
                row.tries += 1;
                row.bad = matches!(decision, Decision::Refuse { .. });
            }
            Step::Blob { role, tier, transfer, .. } => {
                let row = self.put(Key::File(*role), Kind::Image, role.name(), String::new(), moved(transfer));
                // A loader that reads a file in parts does not try again.
                row.tries = row.tries.max(1) + u32::from(row.bad);
                row.transferred("", transfer, Some(*tier));
            }
            Step::NoBlob { role, why, .. } => {
                let bar = Bar { bad: true, ..instant };
                let detail = format!("not to be had: {}", trouble::all(why));
                let row = self.put(Key::File(*role), Kind::Image, role.name(), detail, bar);
                row.tries += 1;
                row.bad = true;
            }
            Step::Seed { name } => {
                let row = self.put(Key::Seed, Kind::System, what, String::new(), instant);
                let mut names: BTreeSet<&str> = row.detail.split(", ").filter(|name| !name.is_empty()).collect();
                names.insert(name);
                row.detail = names.into_iter().collect::<Vec<_>>().join(", ");
                row.tries = 1;
            }
            Step::Report(report) => {
                let phase = report.phase.to_string();
                let row = self.put(Key::Report(report.phase), Kind::System, &phase, detail, instant);
                row.bad = report.phase == Told::Failed || report.checks.iter().any(|check| !check.ok);
                row.tries += 1;
            }
            Step::GaveUp | Step::Refused { .. } | Step::Stuck { .. } => {
                let bar = Bar { bad: true, ..instant };
                let row = self.put(Key::End, Kind::Trouble, what, detail, bar);
                (row.what, row.bad) = (what.into(), true);
                row.tries += 1;
            }
            // What it found at hand is told beside its files.
            Step::Staged { .. } => {}
        }
    }

    /// The row of this key, with one bar more, and what was said last.
    fn put(&mut self, key: Key, kind: Kind, what: &str, detail: String, bar: Bar) -> &mut Row {
        let at = self.keyed.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
            let row = Row {
                kind,
                what: what.into(),
                detail: String::new(),
                start: bar.start,
                end: bar.end,
                bytes: None,
                tier: None,
                tries: 0,
                bad: false,
                open: false,
                bars: vec![],
            };
            self.keyed.push((key, row));
            self.keyed.len() - 1
        });
        let row = &mut self.keyed[at].1;
        row.start = row.start.min(bar.start);
        row.end = row.end.max(bar.end);
        row.bars.push(bar);
        if !detail.is_empty() {
            row.detail = detail;
        }
        row
    }
}

impl Row {
    /// A transfer of what is called `name`, whose bar is there already.
    fn transferred(&mut self, name: &str, transfer: &Transfer, tier: Option<Tier>) {
        let sent = self.bytes.map_or(0, |bytes| bytes.0) + transfer.bytes.0;
        self.bytes = Some(Bytes(sent));
        self.tier = tier.or(self.tier);
        self.bad = !transfer.is_whole();
        let failed = self.bars.iter().filter(|bar| bar.bad).count();
        let how = match (self.bad, failed) {
            (true, _) => format!("broken off at {} of {}", transfer.bytes, transfer.of),
            (false, 0) => String::new(),
            (false, _) => "came whole in the end".to_owned(),
        };
        self.detail = [name, &how].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    }
}

/// The times in which the device worked without a word: while an NBP, a kernel, a system started.
fn silences(boot: &Boot, rows: &[Row], whole: Millis) -> Vec<Row> {
    let open = boot.stage != Stage::Ended;
    let first = |wanted: &dyn Fn(&Row) -> bool, after: Millis| {
        rows.iter().filter(|row| wanted(row) && row.start >= after).map(|row| row.start).min()
    };
    let end_of = |wanted: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| wanted(row)).map(|row| row.end).max();
    let is_file = |row: &Row, role: Role| row.kind == Kind::Image && row.what == role.name();
    let mut found = vec![];
    let mut add = |what: &str, detail: &str, from: Option<Millis>, to: Option<Millis>| {
        let Some(start) = from else { return };
        let goes_on = to.is_none();
        let end = to.unwrap_or(whole);
        // What takes no time is not worth a row, unless it is what the attempt hangs in.
        if end.0 < start.0 + 50 {
            return;
        }
        let bars = vec![Bar { start, end, bad: false }];
        let (what, detail) = (what.to_owned(), detail.to_owned());
        let (bytes, tier, bad) = (None, None, goes_on && boot.outcome == Some(Outcome::Stuck));
        let open = goes_on && open;
        found.push(Row { kind: Kind::Silence, what, detail, start, end, bytes, tier, tries: 0, bad, open, bars });
    };
    let chained = boot.chainloaded.map(|at| at.since(boot.began));
    let speaks = chained.and_then(|at| first(&|row| row.kind != Kind::Trouble && row.what != "NBP", at));
    add("chainload", "the NBP starts, and asks for an address of its own", chained, speaks);
    let loaded = end_of(&|row| is_file(row, Role::Kernel) || is_file(row, Role::Initrd));
    let runs = |row: &Row| is_file(row, Role::Rootfs) || row.kind == Kind::System;
    let running = loaded.and_then(|at| first(&runs, at));
    add("kernel", "the kernel and its initrd start", loaded, running);
    let asked = end_of(&|row| row.kind == Kind::System && row.what == "seed");
    let reported = asked.and_then(|at| first(&|row| row.kind == Kind::System && row.what != "seed", at));
    let ends_well =
        |row: &Row| row.kind == Kind::System && ["ready", "installed", "failed"].contains(&row.what.as_str());
    let installing = rows.iter().find(|row| row.kind == Kind::System && row.what == "installing").map(|row| row.end);
    match installing {
        Some(at) => add("installation", "the installer works", Some(at), first(&ends_well, at)),
        None => add("system", "the system starts, and does what its seed says", asked, reported),
    }
    found
}

/// Where marks on the axis of an attempt of this length stand: four to eight of them, at round times.
pub fn ticks(whole: Millis) -> Vec<Millis> {
    const ROUND: [u64; 20] = [
        10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000,
        1_200_000, 1_800_000, 3_600_000, 7_200_000,
    ];
    let step = ROUND.into_iter().find(|step| whole.0 / step <= 6).unwrap_or(whole.0 / 6 + 1);
    (0..=whole.0 / step).map(|mark| Millis(mark * step)).collect()
}
