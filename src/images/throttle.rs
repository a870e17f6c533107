//! How fast the keeper moves bytes: no faster than it was told, and not at all while devices are served. Who waits for a
//! device is never held up here.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use crate::model::Bytes;

use super::{load::Load, lock};

/// How often a keeper that gives way looks whether it may go on.
const LOOK: Duration = Duration::from_millis(250);

/// Slows down what nobody waits for.
pub(super) struct Throttle {
    /// Bytes in a second.
    rate: f64,
    load: Arc<Load>,
    /// When the next bytes may be moved.
    next: Mutex<Instant>,
    /// How many operators want it done now.
    urgent: watch::Sender<usize>,
}

/// While it lives, nothing is slowed down.
pub(super) struct Urgent<'a>(&'a Throttle);

impl Throttle {
    /// One that lets so many bytes pass in a second.
    pub(super) fn new(rate: Bytes, load: Arc<Load>) -> Self {
        let (urgent, _) = watch::channel(0);
        // Nothing would ever move at a rate of zero.
        Self { rate: rate.0.max(1) as f64, load, next: Mutex::new(Instant::now()), urgent }
    }

    /// An operator waits: what was held up goes on at once.
    pub(super) fn urgent(&self) -> Urgent<'_> {
        self.urgent.send_modify(|count| *count += 1);
        Urgent(self)
    }

    /// Waits as long as so many bytes take, and until devices are served.
    pub(super) async fn moved(&self, bytes: u64) {
        let until = {
            let mut next = lock(&self.next);
            *next = (*next).max(Instant::now()) + Duration::from_secs_f64(bytes as f64 / self.rate);
            *next
        };
        let wait = async {
            sleep_until(until).await;
            while self.load.hold().is_some() {
                sleep(LOOK).await;
            }
        };
        let mut urgent = self.urgent.subscribe();
        let hurried = tokio::select! {
            () = wait => false,
            // The sender is a part of this, so it does not go before this.
            _ = urgent.wait_for(|count| *count > 0) => true,
        };
        if hurried {
            // What was moved for somebody who waits is not paid for later.
            *lock(&self.next) = Instant::now();
        }
    }
}

impl Drop for Urgent<'_> {
    fn drop(&mut self) {
        self.0.urgent.send_modify(|count| *count -= 1);
    }
}
