//! The writer thread.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, oneshot, watch};

use crate::{
    journal::{Checkpoint, Journal, JournalError},
    model::{Millis, Moment, Record, reply::Reply, request::Request},
    world::{Ground, Stamp, World, decide},
};

use super::handle::{Handle, Shared, Work};

/// How many requests may wait. At 10,000 packets a second this is 0.4 s: longer than a client waits is no use.
const INBOX: usize = 4096;
/// The most that one batch takes, so that the first of it does not wait for too many others.
const BATCH: usize = 512;
/// How often the engine looks after itself: attempts that went silent, facts not yet synced.
const TICK: Duration = Duration::from_secs(1);
/// A clock this far behind the journal is worth a warning; less is what keeping time by NTP does all day.
const BEHIND: Millis = Millis(2000);
/// After so many records a checkpoint is due, or after twice as many as there are devices: writing one takes the longer the more
/// there are. About so many are folded by a restart.
const CHECKPOINT_EVERY: u64 = 50_000;
/// How many batches a slow reader of the tail may be behind.
const TAIL: usize = 1024;

/// What the writer has done since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Batches appended.
    pub batches: AtomicU64,
    /// Batches that were synced.
    pub synced: AtomicU64,
    /// Facts appended.
    pub facts: AtomicU64,
    /// Requests decided.
    pub requests: AtomicU64,
    /// Microseconds spent in the journal: by `batches`, what a promise waits for.
    pub journal_micros: AtomicU64,
}

/// How the engine ended.
pub type Stopped = Result<(), JournalError>;

/// The engine while it runs.
pub struct Engine {
    inbox: SyncSender<Work>,
    ended: oneshot::Receiver<Stopped>,
}

impl Engine {
    /// Starts the writer on a World that the journal was just folded to. `clock` and `dice` are asked once a batch and
    /// once a request.
    pub fn start(
        journal: Journal,
        world: World,
        ground: Ground,
        clock: impl Fn() -> Moment + Send + 'static,
        dice: impl FnMut() -> u64 + Send + 'static,
    ) -> (Handle, Self) {
        let (inbox, work) = sync_channel(INBOX);
        let shared = Arc::new(Shared {
            world: ArcSwap::from_pointee(world.clone()),
            ground: ArcSwap::from_pointee(ground),
            grounds: watch::Sender::new(0),
            tail: broadcast::Sender::new(TAIL),
            // What was read back is on the disk.
            kept: watch::Sender::new(world.seq),
            counters: Counters::default(),
            refused: AtomicU64::new(0),
        });
        let (end, ended) = oneshot::channel();
        let handle = Handle { inbox: inbox.clone(), shared: shared.clone() };
        let writer = Writer {
            work,
            checkpoint: None,
            world,
            shared,
            now: journal.latest(),
            behind: false,
            journal,
            clock: Box::new(clock),
            dice: Box::new(dice),
        };
        thread::Builder::new()
            .name("engine".into())
            // Nobody may be left to hear how it ended: then the process is ending too.
            .spawn(move || drop(end.send(writer.run())))
            .expect("the system can start one thread");
        (handle, Self { inbox, ended })
    }

    /// Waits until the engine ends by itself, which it does only when the journal fails or policy panics.
    pub async fn ended(&mut self) -> Stopped {
        match (&mut self.ended).await {
            Ok(stopped) => stopped,
            // The sender was dropped without a word: the thread panicked, and its message is in the log.
            Err(_) => panic!("the engine's thread panicked: a bug in policy"),
        }
    }

    /// Has the engine finish what it was asked, write a checkpoint, and end.
    pub async fn stop(mut self) -> Stopped {
        let inbox = self.inbox.clone();
        // The inbox may be full: wait for a place on a thread that may block. An engine that ended needs no telling.
        let told = tokio::task::spawn_blocking(move || inbox.send(Work::Stop).is_ok());
        drop(told.await);
        self.ended().await
    }
}

struct Writer {
    work: Receiver<Work>,
    journal: Journal,
    world: World,
    shared: Arc<Shared>,
    /// The next checkpoint, while it is made.
    checkpoint: Option<Receiver<Checkpoint>>,
    /// The latest time that a record carries: time in the journal never runs backwards, whatever the clock does.
    now: Moment,
    /// Whether the clock was behind that at the last look: a warning is given once.
    behind: bool,
    clock: Box<dyn Fn() -> Moment + Send>,
    dice: Box<dyn FnMut() -> u64 + Send>,
}

impl Writer {
    /// The loop. Its pace is the monotonic clock's: the other one may jump, and a promise must not wait for it.
    fn run(mut self) -> Stopped {
        let mut tick_due = Instant::now() + TICK;
        loop {
            let mut batch = vec![];
            match self.work.recv_timeout(tick_due.saturating_duration_since(Instant::now())) {
                Ok(first) => batch.push(first),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => batch.push(Work::Stop),
            }
            batch.extend(self.work.try_iter().take(BATCH - 1));
            let tick = tick_due <= Instant::now();
            if tick {
                batch.insert(0, Work::Ask(Request::Tick, None));
            }
            let stop = self.batch(batch)?;
            if tick {
                self.journal.sync()?;
                self.tell_kept();
                tick_due = Instant::now() + TICK;
            }
            if stop {
                self.journal.checkpoint(&Checkpoint::of(&self.world))?;
                self.tell_kept();
                return Ok(());
            }
            self.checkpoint()?;
        }
    }

    /// Has a checkpoint made when one is due, on a thread of its own, and writes it down when it is ready.
    fn checkpoint(&mut self) -> Result<(), JournalError> {
        let Some(made) = &self.checkpoint else {
            let every = CHECKPOINT_EVERY.max(2 * self.world.devices.size() as u64);
            if self.world.seq - self.journal.checkpointed() >= every {
                let (tell, made) = sync_channel(1);
                let world = self.world.clone();
                // The engine that waits for it may have ended.
                thread::Builder::new()
                    .name("checkpoint".into())
                    .spawn(move || drop(tell.send(Checkpoint::of(&world))))
                    .expect("the system can start one thread");
                self.checkpoint = Some(made);
            }
            return Ok(());
        };
        match made.try_recv() {
            Ok(checkpoint) => {
                self.journal.checkpoint(&checkpoint)?;
                self.tell_kept();
                self.checkpoint = None;
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => {
                panic!("the checkpoint's thread panicked: a World that cannot be written")
            }
        }
        Ok(())
    }

    /// Sets the time of the next batch. While the clock is behind the journal, time stands still: leases last longer than
    /// they should, which is safe, where time running backwards would not be.
    fn tell_time(&mut self) {
        let clock = (self.clock)();
        let lag = self.now.since(clock);
        let behind = lag > BEHIND;
        if behind && !self.behind {
            tracing::warn!(
                "the clock says {clock}, {lag} before the journal's last fact: it was set back, and leases and attempts \
                 stand still until it has caught up"
            );
        }
        self.behind = behind;
        self.now = self.now.max(clock);
    }

    /// Says how far the disk has come, after a sync. A sync brings everything before it along.
    fn tell_kept(&self) {
        let seq = self.world.seq;
        self.shared.kept.send_if_modified(|kept| std::mem::replace(kept, seq) != seq);
    }

    /// Decides, applies, appends, publishes, replies. Returns whether to stop.
    fn batch(&mut self, batch: Vec<Work>) -> Result<bool, JournalError> {
        self.tell_time();
        let ground = self.shared.ground.load_full();
        let mut records = vec![];
        let mut replies: Vec<(oneshot::Sender<Reply>, Reply)> = vec![];
        let mut durable = false;
        let mut stop = false;
        for work in batch {
            let (request, answer) = match work {
                Work::Ask(request, answer) => (request, answer),
                Work::Stop => {
                    stop = true;
                    continue;
                }
            };
            let stamp = Stamp { now: self.now, nonce: (self.dice)() };
            let outcome = decide(&self.world, &ground, &request, stamp);
            durable |= outcome.is_durable();
            for fact in outcome.facts {
                let record = Record { seq: self.world.seq + 1, at: self.now, fact };
                self.world.apply(&record);
                records.push(record);
            }
            replies.extend(answer.map(|answer| (answer, outcome.reply)));
            self.shared.counters.requests.fetch_add(1, Ordering::Relaxed);
        }
        if !records.is_empty() {
            let began = Instant::now();
            self.journal.append(&records, durable)?;
            let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.shared.counters.journal_micros.fetch_add(micros, Ordering::Relaxed);
            self.shared.counters.batches.fetch_add(1, Ordering::Relaxed);
            self.shared.counters.synced.fetch_add(u64::from(durable), Ordering::Relaxed);
            self.shared.counters.facts.fetch_add(records.len() as u64, Ordering::Relaxed);
            self.shared.world.store(Arc::new(self.world.clone()));
            // No reader is no error.
            drop(self.shared.tail.send(Arc::new(records)));
            if durable {
                self.tell_kept();
            }
        }
        for (answer, reply) in replies {
            // A client that has gone away hears nothing.
            drop(answer.send(reply));
        }
        Ok(stop)
    }
}
