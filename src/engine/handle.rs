//! How services speak to the engine.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, TrySendError},
    },
};

use arc_swap::ArcSwap;
use tokio::sync::{broadcast, oneshot, watch};

use crate::{
    model::{BootId, Record, reply::Reply, request::Request, timeline::Step},
    world::{Ground, World},
};

use super::Counters;

/// One thing for the writer to do.
pub(super) enum Work {
    /// Decide a request, and answer it to whoever still listens.
    Ask(Request, Option<oneshot::Sender<Reply>>),
    /// Finish what is in the inbox, write a checkpoint, and end.
    Stop,
}

/// What readers and the writer share.
pub(super) struct Shared {
    pub(super) world: ArcSwap<World>,
    pub(super) ground: ArcSwap<Ground>,
    /// How often the ground was replaced.
    pub(super) grounds: watch::Sender<u64>,
    pub(super) tail: broadcast::Sender<Arc<Vec<Record>>>,
    pub(super) kept: watch::Sender<u64>,
    pub(super) counters: Counters,
    pub(super) refused: AtomicU64,
}

/// A way to ask the engine. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    pub(super) inbox: SyncSender<Work>,
    pub(super) shared: Arc<Shared>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The inbox is full: DHCP drops the packet, HTTP answers 503.
    #[error("too many requests at once: try again")]
    Busy,
    /// The engine has stopped.
    #[error("the engine has stopped")]
    Stopped,
}

impl Handle {
    /// Asks, and waits for the answer; never for a place in the inbox.
    pub async fn ask(&self, request: Request) -> Result<Reply, Unavailable> {
        let (reply, answer) = oneshot::channel();
        self.put(Work::Ask(request, Some(reply)))?;
        answer.await.map_err(|_| Unavailable::Stopped)
    }

    /// Notes that something happened in an attempt. With a full inbox the note is lost, and counted.
    pub fn note(&self, boot: BootId, step: Step, peer: IpAddr) {
        // Nobody waits for a note: a full inbox was counted, and a stopped engine is reported by the supervisor.
        self.put(Work::Ask(Request::Observe { boot, step, peer }, None)).unwrap_or_default();
    }

    fn put(&self, work: Work) -> Result<(), Unavailable> {
        self.inbox.try_send(work).map_err(|error| match error {
            TrySendError::Full(_) => {
                self.shared.refused.fetch_add(1, Ordering::Relaxed);
                Unavailable::Busy
            }
            TrySendError::Disconnected(_) => Unavailable::Stopped,
        })
    }

    /// The World as last published.
    pub fn world(&self) -> Arc<World> {
        self.shared.world.load_full()
    }

    /// The configuration and library that decisions stand on.
    pub fn ground(&self) -> Arc<Ground> {
        self.shared.ground.load_full()
    }

    /// Puts what `change` makes of the configuration, library and forecast under the next decisions. Several may do so at
    /// once: none undoes what another has done, and `change` may be asked again for that.
    pub fn change_ground(&self, mut change: impl FnMut(Ground) -> Ground) {
        self.shared.ground.rcu(|ground| change(Ground::clone(ground)));
        self.shared.grounds.send_modify(|times| *times += 1);
    }

    /// Tells whenever the configuration, library or forecast was replaced.
    pub fn grounds(&self) -> watch::Receiver<u64> {
        self.shared.grounds.subscribe()
    }

    /// The records from now on, as batches. A reader that falls far behind misses some, and is told.
    pub fn records(&self) -> broadcast::Receiver<Arc<Vec<Record>>> {
        self.shared.tail.subscribe()
    }

    /// The number of the newest fact that is on the disk. What is later can be lost in a crash, and its number be given to
    /// another fact: whoever tells others of facts waits for this. The World shows at least as much.
    pub fn kept(&self) -> watch::Receiver<u64> {
        self.shared.kept.subscribe()
    }

    /// What the writer has done.
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// How many requests found the inbox full.
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }
}
