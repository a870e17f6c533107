//! What is counted over all devices, for pages that many look at: one count, kept up with each fact.
//!
//! ```text
//!   facts ──touch──> the devices they name ──┐
//!   a moment has come: a day is over, ... ───┼──look──> row, of one device ──differs──> sums
//!   another library, forecast, configuration ┘
//! ```
//! The fleet keeps a small row of each device, and sums over the rows. Whoever wants the sums has it hear what happened since,
//! looks anew at the devices that this concerns, and has the answer: **what a fact changed is counted for whoever asks after
//! the fact.** A replaced library, forecast or configuration may concern every device. So many are looked at in pieces, a piece
//! by each who asks and the rest by a task beside them; until it is done the rows that were not looked at yet are as they were.
//! A fleet that is smaller than a piece is always exact.
//!
//! The task looks when something happened, and every second, so that little is left for those who ask. Without it they would
//! find the same numbers, later. What changed though no fact says so is told to pages that follow what happens (`live`).

mod fleet;
mod row;
mod sums;
#[cfg(test)]
pub(super) mod tests;
mod touch;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, Weak},
    time::{Duration, Instant},
};

use tokio::{
    sync::{
        broadcast::{
            Receiver,
            error::{RecvError, TryRecvError},
        },
        watch,
    },
    task::spawn_blocking,
    time::sleep,
};

use crate::{
    engine::Handle,
    model::{DeviceId, Moment, Record, Seconds},
    serve::{Context, context::lock},
};

use super::{Trouble, Web};

use fleet::{Fleet, Heard, Looked};

pub(super) use row::{ATTRIBUTES, Row, assigned, has};
pub(super) use sums::{Count, Sums};

/// What is "of late" here.
pub(super) const DAY: Seconds = Seconds(24 * 3600);

/// At how many devices whoever asks looks anew, beside those that facts name. Measured with 1,000 personas and a prediction for
/// each device: 15 ms.
const PIECE: usize = 500;

/// How long the task waits at least between two looks, so that many facts are one.
const GATHER: Duration = Duration::from_millis(50);

/// After how long it looks though nothing happened: something may have become due.
const LATEST: Duration = Duration::from_secs(1);

/// How much longer than it took a piece the task leaves the others alone.
const REST: u32 = 4;

/// The rows of all devices, by name.
pub(super) type Rows = BTreeMap<DeviceId, Row<Arc<str>>>;

/// The count. All clones are one.
#[derive(Clone)]
pub(super) struct Census(Arc<Shared>);

struct Shared {
    engine: Handle,
    clock: fn() -> Moment,
    counting: Mutex<Counting>,
    /// How often something changed though no fact says so.
    turns: watch::Sender<u64>,
}

struct Counting {
    records: Receiver<Arc<Vec<Record>>>,
    fleet: Fleet,
}

impl Census {
    /// A count that is kept up from now on, for as long as anybody has a clone. Called where tasks can be started.
    pub(super) fn begin(context: &Context) -> Self {
        let counting = Counting { records: context.engine.records(), fleet: Fleet::default() };
        let shared = Arc::new(Shared {
            engine: context.engine.clone(),
            clock: context.clock,
            counting: Mutex::new(counting),
            turns: watch::Sender::new(0),
        });
        // If it ended, pages would take longer, and show the same.
        tokio::spawn(keep_up(Arc::downgrade(&shared), shared.engine.clone()));
        Self(shared)
    }

    /// Tells whenever something changed that no fact tells of.
    pub(super) fn turns(&self) -> watch::Receiver<u64> {
        self.0.turns.subscribe()
    }
}

impl Shared {
    /// Looks at what has changed; then has `read` read. Others who ask wait meanwhile. Takes milliseconds: not for an async
    /// task.
    fn look<R>(&self, read: impl FnOnce(&Fleet, Looked) -> R) -> R {
        let mut counting = lock(&self.counting);
        let heard = heard(&mut counting.records);
        // The engine publishes the World before it tells of its facts: this one has all that was heard of, if not more.
        let (world, ground, now) = (self.engine.world(), self.engine.ground(), (self.clock)());
        // A look that panics leaves an empty fleet behind: the next one is at everything.
        let mut fleet = std::mem::take(&mut counting.fleet);
        let looked = fleet.look(&heard, &world, &ground, now, PIECE);
        counting.fleet = fleet;
        if looked.turned {
            self.turns.send_modify(|times| *times += 1);
        }
        read(&counting.fleet, looked)
    }
}

/// What happened since this was last asked.
fn heard(records: &mut Receiver<Arc<Vec<Record>>>) -> Heard {
    let mut batches = vec![];
    loop {
        match records.try_recv() {
            Ok(batch) => batches.push(batch),
            Err(TryRecvError::Empty | TryRecvError::Closed) => return Heard::Facts(batches),
            // Anything may have happened.
            Err(TryRecvError::Lagged(_)) => {
                *records = records.resubscribe();
                return Heard::Anything;
            }
        }
    }
}

/// Looks when something happened, until nobody is left who could ask.
async fn keep_up(census: Weak<Shared>, engine: Handle) {
    let (mut records, mut grounds) = (engine.records(), engine.grounds());
    drop(engine);
    loop {
        // What happens from now on is for the next look; what happened before is for this one.
        records = records.resubscribe();
        grounds.mark_unchanged();
        let Some(shared) = census.upgrade() else { return };
        let looked = spawn_blocking(move || {
            let began = Instant::now();
            let left = shared.look(|_, looked| looked.left);
            (left, began.elapsed())
        });
        let Ok((left, took)) = looked.await else { return };
        sleep(GATHER.max(took * REST)).await;
        if left {
            continue;
        }
        tokio::select! {
            heard = records.recv() => if matches!(heard, Err(RecvError::Closed)) { return },
            changed = grounds.changed() => if changed.is_err() { return },
            () = sleep(LATEST) => {}
        }
    }
}

impl Web {
    /// The sums, after all that happened. Takes milliseconds: not for an async task.
    pub(super) fn sums(&self) -> Sums {
        self.census.0.look(|fleet, _| fleet.sums().clone())
    }

    /// The same for async tasks.
    pub(super) async fn count(&self) -> Result<Sums, Trouble> {
        self.blocking(|web| Ok(web.sums())).await
    }

    /// Has `read` read the rows, after all that happened. Everybody else waits meanwhile: not for long, and not for an async
    /// task.
    pub(super) fn rows<R>(&self, read: impl FnOnce(&Rows) -> R) -> R {
        self.census.0.look(|fleet, _| read(fleet.rows()))
    }
}
