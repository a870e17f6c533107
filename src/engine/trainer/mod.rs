//! Who learns from the facts what devices will become, and publishes the table that decisions look it up in.
//!
//! **The packet path never waits for it.** It folds the journal at the start, follows the engine's records from then on, and
//! has its lessons on a thread of its own, of low priority. Between lessons a device of which something else is known gets
//! its row anew, within a second; all do when the library changes, and every hour, as the time of day and of the week matter.
//!
//! ```text
//!   records ──> Experience ──examples──> lesson (due: something was learned, and `every` has passed)
//!                   │                       │ what does best: the new model, the one in use, or a baseline
//!                   │ devices that changed  v
//!                   └──────────────────> Version ──a row for each device──> Table ──change_ground──> decide
//! ```
//! A lesson that fails leaves everything as it was, and shows in `/healthz`. The table goes stale when nobody has looked
//! after it for a day: a trainer that died, or fails for so long, steers no device. `shelf` keeps versions on disk, so that a
//! restart goes on with the last one at once.

mod rows;
mod run;
mod shelf;
mod status;

use std::{
    collections::{BTreeSet, VecDeque},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64},
    },
};

use tokio::sync::Notify;

use crate::{
    model::{DeviceId, Moment, Record, Seconds},
    predict::learn::{Experience, News, Source, Version},
    usage::quality::Quality,
    world::Ground,
};

use shelf::Shelf;
pub use status::{Look, Status, Taught, VersionStatus};

/// What how many lessons came to is remembered.
const MOST_LESSONS: usize = 200;

/// How the trainer works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it keeps what it has learned.
    pub dir: PathBuf,
    /// How long at least passes between two lessons.
    pub every: Seconds,
    /// The time.
    pub clock: fn() -> Moment,
}

/// The trainer: what it knows, shared with whoever asks for it.
#[derive(Debug)]
pub struct Trainer {
    shelf: Shelf,
    every: Seconds,
    clock: fn() -> Moment,
    /// Rings when somebody wants a lesson now.
    bell: Notify,
    /// How far the lesson under way is, in thousandths.
    done: AtomicU32,
    /// Whether the lesson under way shall end.
    stop: AtomicBool,
    /// How many predictions were made, a device each.
    made: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    experience: Experience,
    quality: Quality,
    in_use: Option<Arc<Version>>,
    /// The versions before it, the newest first.
    previous: Vec<VersionStatus>,
    /// What the lessons came to: the latest [`MOST_LESSONS`].
    lessons: VecDeque<Taught>,
    /// The devices whose rows are not what they should be.
    changed: BTreeSet<DeviceId>,
    /// The devices whose rows must go.
    forgotten: BTreeSet<DeviceId>,
    /// The devices that have changed since the lesson under way began.
    meanwhile: BTreeSet<DeviceId>,
    /// Whether something that was learned had to be dropped, so that a lesson is due.
    unlearned: bool,
    /// Whether the lesson under way is one.
    forgetting: bool,
    /// When the lesson under way began.
    learning: Option<Moment>,
    /// When a lesson last ended, or there was nothing to learn.
    looked: Option<Moment>,
    /// Why the last lesson came to nothing.
    trouble: Option<String>,
    /// The number of the last record of what is kept on disk.
    saved: u64,
}

impl Trainer {
    /// A trainer that has not begun.
    pub fn new(settings: Settings) -> Self {
        let Settings { dir, every, clock } = settings;
        Self {
            shelf: Shelf::new(dir),
            every,
            clock,
            bell: Notify::new(),
            done: AtomicU32::default(),
            stop: AtomicBool::default(),
            made: AtomicU64::default(),
            state: Mutex::default(),
        }
    }

    /// Has a lesson begin as soon as it can.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is under the lock stays usable after a panic: a fold that stops is one that lags behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Folds records in. Returns whether they follow on what was folded before. With `ground`, they have just happened: what
    /// was predicted is held against what people gave.
    fn fold(&mut self, records: &[Record], ground: Option<&Ground>) -> bool {
        let mut news = News::default();
        for record in records {
            let seq = self.experience.seq();
            // A journal that was trimmed begins later than with the first record.
            if record.seq > seq + 1 && ground.is_some() {
                return false;
            }
            if record.seq > seq {
                self.quality.apply(record.at, &record.fact);
            }
            let (learned, judged) = (news.learned.len(), news.judged.len());
            self.experience.apply(record, &mut news);
            // Somebody who says what a device should have become instead is counted once.
            let objected = news.judged[judged.min(news.judged.len())..].iter().any(|judged| !judged.right);
            for example in news.learned[learned.min(news.learned.len())..].iter() {
                let by_people = matches!(example.source, Source::Assignment | Source::Rule);
                let Some(ground) = ground.filter(|_| by_people) else { continue };
                let predicted = ground.forecast.of(example.device, record.at);
                if let Some(best) = predicted.and_then(|prediction| prediction.ranked().first()) {
                    let act = ground.site.boot.predict.act();
                    self.quality.given(record.at, (&best.persona, best.probability), act, &example.persona);
                    if !objected {
                        self.quality.held(record.at, best.probability, best.persona == example.persona);
                    }
                }
            }
        }
        for judged in &news.judged {
            self.quality.acted(judged.at, judged.right);
            self.quality.held(judged.at, judged.probability, judged.right);
        }
        self.unlearned |= news.unlearned;
        if self.learning.is_some() {
            self.meanwhile.extend(&news.changed);
        }
        self.changed.retain(|device| !news.forgotten.contains(device));
        self.changed.extend(news.changed);
        self.forgotten.extend(news.forgotten);
        true
    }

    /// Whether a lesson would learn anything.
    fn has_news(&self) -> bool {
        let through = self.in_use.as_ref().map_or(0, |version| version.through);
        self.unlearned || self.experience.examples().next_back().is_some_and(|latest| latest.known > through)
    }
}
