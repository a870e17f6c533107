//! The trainer at work: it follows the records, keeps the table's rows, and has lessons.

use std::{
    collections::BTreeSet,
    ops::ControlFlow,
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use tokio::{
    sync::{broadcast::error::RecvError, oneshot},
    task::spawn_blocking,
    time::{Instant, sleep_until},
};

use crate::{
    engine::Handle,
    journal::{JournalError, Reader},
    model::{DeviceId, Prediction, Record},
    persona::catalog::Catalog,
    predict::{
        Table,
        learn::{Lesson, LessonError, Version, lesson},
    },
};

use super::{MOST_LESSONS, Taught, Trainer, VersionStatus, rows, shelf::KEPT};

/// How often rows are made anew for devices of which something else is known.
const PACE: Duration = Duration::from_millis(250);

/// How many rows are made in a turn, so that the records are not left alone for long.
const ROWS_A_TURN: usize = 1000;

/// How many records are folded at a time while catching up.
const RECORDS_A_TURN: usize = 1000;

/// How many records may be folded anew at a start, about.
const SAVE_EVERY: u64 = 100_000;

/// How nice a lesson is: devices are served first.
const NICE: i32 = 10;

/// What a lesson gives back: the version and the rows of every device by it.
type Learned = Result<(Lesson, Vec<(DeviceId, Prediction)>), LessonError>;

/// Ends the lesson under way when nobody waits for it any more.
struct Stopper(Arc<Trainer>);

impl Drop for Stopper {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

impl Trainer {
    /// Follows the engine until it stops. `tell` hears of trouble, and with `None` that it is over.
    pub async fn run(
        self: Arc<Self>,
        handle: Handle,
        journal: Reader,
        tell: impl Fn(Option<String>),
    ) -> Result<(), JournalError> {
        self.stop.store(false, Ordering::Relaxed);
        let _stopper = Stopper(self.clone());
        // The records that come meanwhile wait in the tail; those that are in both are folded once.
        let mut records = handle.records();
        self.begin(&handle, &journal).await?;
        tell(None);
        let mut seen = (handle.ground().catalog.clone(), self.hour());
        let mut lesson: Option<oneshot::Receiver<Learned>> = None;
        let (mut wanted, mut due) = (false, Instant::now());
        loop {
            if due <= Instant::now() {
                self.notice(&handle, &mut seen);
                self.make_rows(&handle).await;
                if lesson.is_none() {
                    lesson = self.begin_lesson(&handle, std::mem::take(&mut wanted));
                }
                due = Instant::now() + PACE;
            }
            tokio::select! {
                batch = records.recv() => match batch {
                    Ok(batch) => {
                        if !self.state().fold(&batch, Some(&handle.ground())) {
                            self.catch_up(&journal).await?;
                        }
                    }
                    Err(RecvError::Lagged(_)) => self.catch_up(&journal).await?,
                    Err(RecvError::Closed) => return Ok(()),
                },
                () = self.bell.notified() => wanted = true,
                learned = ended(&mut lesson) => {
                    lesson = None;
                    self.take_over(&handle, learned, &tell).await;
                }
                () = sleep_until(due) => {}
            }
        }
    }

    /// Goes on where the daemon stopped: with the last version, and with what is in the journal since.
    async fn begin(self: &Arc<Self>, handle: &Handle, journal: &Reader) -> Result<(), JournalError> {
        let trainer = self.clone();
        let loaded =
            spawn_blocking(move || (trainer.shelf.versions(), trainer.shelf.experience(), trainer.shelf.lessons()))
                .await;
        let (versions, experience, lessons) = loaded.unwrap_or_default();
        {
            let mut state = self.state();
            if let Some((experience, quality)) = experience {
                // A journal that is behind what was learned is another one.
                if experience.seq() <= handle.world().seq {
                    state.saved = experience.seq();
                    (state.experience, state.quality) = (experience, quality);
                }
            }
            let mut versions = versions.into_iter().map(Arc::new);
            state.in_use = versions.next();
            state.previous = versions.map(|version| VersionStatus::of(&version)).collect();
            state.lessons = lessons;
        }
        self.catch_up(journal).await?;
        let in_use = self.state().in_use.clone();
        if let Some(version) = in_use {
            let until = (self.clock)().plus(Version::lasts(self.every));
            rows::publish(handle, Table::new(version.origin(), until));
            tracing::info!(model = %version, trained = %version.trained, "predictions go on with the last model");
        }
        let mut state = self.state();
        state.changed = state.experience.devices().collect();
        Ok(())
    }

    /// Folds what is in the journal and was not folded yet.
    async fn catch_up(self: &Arc<Self>, journal: &Reader) -> Result<(), JournalError> {
        let (trainer, journal) = (self.clone(), journal.clone());
        let caught = spawn_blocking(move || {
            let from = trainer.state().experience.seq() + 1;
            let mut batch: Vec<Record> = vec![];
            for record in journal.records_from(from)? {
                batch.push(record?);
                if batch.len() == RECORDS_A_TURN {
                    trainer.state().fold(&std::mem::take(&mut batch), None);
                }
            }
            trainer.state().fold(&batch, None);
            Ok(())
        });
        // The fold panicking is a bug, and ends this run as one.
        caught.await.unwrap_or_else(|bug| std::panic::resume_unwind(bug.into_panic()))
    }

    /// The hour of the clock, since 1970.
    fn hour(&self) -> u64 {
        (self.clock)().as_millis() / 3_600_000
    }

    /// Another library, or another hour: every row may name other personas now.
    fn notice(&self, handle: &Handle, seen: &mut (Arc<Catalog>, u64)) {
        let now = (handle.ground().catalog.clone(), self.hour());
        if !Arc::ptr_eq(&now.0, &seen.0) || now.1 != seen.1 {
            *seen = now;
            let mut state = self.state();
            let devices: BTreeSet<DeviceId> = state.experience.devices().collect();
            // The rows that a lesson under way makes may still name what was there before.
            if state.learning.is_some() {
                state.meanwhile.extend(&devices);
            }
            state.changed.extend(devices);
        }
    }

    /// Makes some of the rows that are not what they should be.
    async fn make_rows(self: &Arc<Self>, handle: &Handle) {
        let (version, devices, forgotten) = {
            let mut state = self.state();
            let Some(version) = state.in_use.clone() else {
                state.changed.clear();
                state.forgotten.clear();
                return;
            };
            let devices: Vec<DeviceId> = state.changed.iter().take(ROWS_A_TURN).copied().collect();
            state.changed.retain(|device| devices.binary_search(device).is_err());
            (version, devices, std::mem::take(&mut state.forgotten))
        };
        if devices.is_empty() && forgotten.is_empty() {
            return;
        }
        let (trainer, shared) = (self.clone(), handle.clone());
        let made = spawn_blocking(move || trainer.rows(&shared, &version, &devices)).await;
        let made = made.unwrap_or_else(|bug| std::panic::resume_unwind(bug.into_panic()));
        rows::amend(handle, |table| {
            forgotten.iter().for_each(|device| table.drop(*device));
            made.iter().for_each(|(device, prediction)| table.put(*device, prediction.clone()));
        });
    }

    /// Begins a lesson if one is due, or `wanted`.
    fn begin_lesson(self: &Arc<Self>, handle: &Handle, wanted: bool) -> Option<oneshot::Receiver<Learned>> {
        let now = (self.clock)();
        let mut state = self.state();
        let due = state.looked.is_none_or(|looked| now >= looked.plus(self.every));
        if !(due || wanted) {
            return None;
        }
        state.looked = Some(now);
        if !(wanted || state.has_news()) {
            // Nothing to learn: what is in use is as good as it gets.
            let until = now.plus(Version::lasts(self.every));
            drop(state);
            if handle.ground().forecast.origin().is_some() {
                rows::amend(handle, |table| table.renew(until));
            }
            return None;
        }
        state.learning = Some(now);
        state.meanwhile.clear();
        let examples: Vec<_> = state.experience.examples().cloned().chain(state.experience.unopposed()).collect();
        // A version that still knows what was forgotten does not stay, however well it does.
        let in_use = state.in_use.clone().filter(|_| !state.unlearned);
        state.forgetting = std::mem::take(&mut state.unlearned);
        drop(state);
        self.done.store(0, Ordering::Relaxed);
        let (give, take) = oneshot::channel();
        let (trainer, handle) = (self.clone(), handle.clone());
        let began = thread::Builder::new().name("trainer".into()).spawn(move || {
            // A system that does not let it be nice has it as it is.
            rustix::process::setpriority_process(None, NICE).unwrap_or_default();
            let number = trainer.shelf.numbers().into_iter().max().unwrap_or(0) + 1;
            let mut watch = |done: f64| {
                trainer.done.store((done * 1000.0) as u32, Ordering::Relaxed);
                if trainer.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let learned = lesson(examples, in_use.as_deref(), number, (now, trainer.every), &mut watch).map(|lesson| {
                let devices: Vec<DeviceId> = trainer.state().experience.devices().collect();
                let rows = trainer.rows(&handle, &lesson.version, &devices);
                (lesson, rows)
            });
            // Nobody may be left to hear it.
            drop(give.send(learned));
        });
        match began {
            Ok(_) => Some(take),
            Err(error) => {
                let mut state = self.state();
                state.learning = None;
                state.trouble = Some(format!("the system gives no thread to learn on: {error}"));
                None
            }
        }
    }

    /// Takes over what a lesson gave, or says why it gave nothing.
    async fn take_over(
        self: &Arc<Self>,
        handle: &Handle,
        learned: Result<Learned, oneshot::error::RecvError>,
        tell: &impl Fn(Option<String>),
    ) {
        let now = (self.clock)();
        let learned = match learned {
            Ok(learned) => learned.map_err(|error| (error.to_string(), matches!(error, LessonError::TooFew { .. }))),
            Err(_) => Err(("the lesson ended with a bug, which the log has".to_owned(), false)),
        };
        let (lesson, made) = match learned {
            Ok(learned) => learned,
            Err((why, too_few)) => {
                let mut state = self.state();
                (state.learning, state.looked) = (None, Some(now));
                state.unlearned |= std::mem::take(&mut state.forgetting);
                state.trouble = Some(why.clone());
                drop(state);
                if !too_few {
                    tracing::warn!(why, "nothing was learned: predictions go on as before");
                    tell(Some(why));
                }
                return;
            }
        };
        let version = Arc::new(lesson.version);
        let mut table = Table::new(version.origin(), now.plus(Version::lasts(self.every)));
        made.into_iter().for_each(|(device, prediction)| table.put(device, prediction));
        let forgetting = {
            let mut state = self.state();
            let forgetting = std::mem::take(&mut state.forgetting);
            let before = state.in_use.replace(version.clone()).filter(|before| before.number != version.number);
            if forgetting {
                state.previous.clear();
            } else if let Some(before) = before {
                state.previous.insert(0, VersionStatus::of(&before));
                state.previous.truncate(KEPT - 1);
            }
            (state.learning, state.looked, state.trouble) = (None, Some(now), None);
            state.lessons.push_back(Taught::of(&version, now, lesson.kept));
            let excess = state.lessons.len().saturating_sub(MOST_LESSONS);
            state.lessons.drain(..excess);
            let meanwhile = std::mem::take(&mut state.meanwhile);
            state.changed.extend(meanwhile);
            forgetting
        };
        rows::publish(handle, table);
        tracing::info!(
            model = %version, examples = version.examples, kept = lesson.kept, why = version.report.why,
            "a lesson is over"
        );
        match self.keep(version, forgetting).await {
            Ok(()) => tell(None),
            Err(error) => tell(Some(format!("what was learned cannot be kept on disk: {error}"))),
        }
    }

    /// Keeps a version on disk, and now and then what was learned so far. When something was forgotten, nothing older stays.
    async fn keep(self: &Arc<Self>, version: Arc<Version>, forgetting: bool) -> std::io::Result<()> {
        let trainer = self.clone();
        let kept = spawn_blocking(move || {
            trainer.shelf.keep(&version, if forgetting { 1 } else { KEPT })?;
            let lessons = trainer.state().lessons.clone();
            trainer.shelf.keep_lessons(&lessons)?;
            let (experience, quality) = {
                let state = trainer.state();
                if !forgetting && state.saved > 0 && state.experience.seq() < state.saved + SAVE_EVERY {
                    return Ok(());
                }
                (state.experience.clone(), state.quality.clone())
            };
            trainer.shelf.keep_experience(&experience, &quality)?;
            trainer.state().saved = experience.seq();
            Ok(())
        });
        kept.await.unwrap_or_else(|bug| Err(std::io::Error::other(bug)))
    }
}

/// Waits for the lesson under way, for ever when there is none.
async fn ended(lesson: &mut Option<oneshot::Receiver<Learned>>) -> Result<Learned, oneshot::error::RecvError> {
    match lesson {
        Some(lesson) => lesson.await,
        None => std::future::pending().await,
    }
}
