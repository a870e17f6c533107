//! Pulling up what a device is about to ask for: its first packet has come, its kernel is some seconds away.
//!
//! The steps are those that the keeper would take for these blobs anyhow, taken now: before all others, at full speed, and
//! while devices are served, as one of them is about to wait. What bounds it:
//!
//! * a blob is pulled up once, however many devices want it;
//! * room is made only as the policy makes it: what is read or pinned never goes, and nothing goes for what is worth less;
//! * no more comes from origins within a minute than the keeper's rate gives in one. Who is held back loses nothing: the
//!   device's own ask fetches the blob a moment later;
//! * a blob that could not be had is left alone for a while, as by the keeper.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::Semaphore;

use crate::{
    images::BlobError,
    model::{Bytes, Digest, Moment, image::ImageFile},
    stage::{Step, StepKind, Why},
};

use super::{super::now, Keeper, ledger::ARRIVING, lock};

/// So many blobs come from origins at the same time.
const AT_ONCE: usize = 4;
/// So many seconds of the keeper's rate may be taken at once.
const BURST: f64 = 60.0;

/// What is being pulled up, and how much still may be.
pub(super) struct Rushing {
    under_way: Mutex<BTreeSet<Digest>>,
    budget: Mutex<Budget>,
    seats: Semaphore,
    held_back: AtomicU64,
}

/// Bytes that may come from origins; they grow back at a rate.
struct Budget {
    /// Bytes in a second.
    rate: f64,
    left: f64,
    at: Moment,
}

impl Budget {
    /// Whether so many bytes may come. A blob that is larger than all that is left may, when anything is left: it is paid
    /// for afterwards.
    fn spend(&mut self, bytes: u64, now: Moment) -> bool {
        let grown = self.rate * now.since(self.at).0 as f64 / 1000.0;
        self.left = (self.left + grown).min(self.rate * BURST);
        self.at = now;
        let may = self.left > 0.0;
        if may {
            self.left -= bytes as f64;
        }
        may
    }
}

impl Rushing {
    pub(super) fn new(rate: Bytes) -> Self {
        let rate = rate.0.max(1) as f64;
        Self {
            under_way: Mutex::default(),
            budget: Mutex::new(Budget { rate, left: rate * BURST, at: now() }),
            seats: Semaphore::new(AT_ONCE),
            held_back: AtomicU64::new(0),
        }
    }

    pub(super) fn held_back(&self) -> u64 {
        self.held_back.load(Ordering::Relaxed)
    }

    pub(super) fn has(&self, digest: &Digest) -> bool {
        lock(&self.under_way).contains(digest)
    }
}

impl Keeper {
    /// Devices have come that will ask for these blobs, so often each: they are pulled up at once, what is on disk first, the
    /// rest in this order. Returns at once; how many blobs are on their way because of it.
    pub fn rush(self: &Arc<Self>, wishes: &[(Digest, f64)]) -> usize {
        let now = now();
        // First of all: the keeper does not ask how long something is that comes already.
        let taken: Vec<UnderWay> = wishes.iter().filter_map(|(digest, _)| UnderWay::begin(self, *digest)).collect();
        self.images.inner.tiers.policy().expect_also(wishes.iter().copied(), now, now.plus(ARRIVING));
        lock(&self.ledger).arrive(wishes.iter().map(|(digest, _)| *digest), now);
        let (plan, census) = (self.plan(), self.images.census());
        let mut begun: Vec<(bool, UnderWay, ImageFile, Vec<Step>)> = vec![];
        for under_way in taken {
            let digest = &under_way.digest;
            let (in_ram, on_disk) = census.get(digest).map_or((false, false), |one| (one.ram, one.disk));
            let own = |step: &&Step| step.digest == *digest || step.why == Why::RoomFor(*digest);
            let steps: Vec<Step> = plan.steps.iter().filter(own).copied().collect();
            let known = {
                let told = self.told();
                let file = told.files.get(digest).filter(|_| !told.is_left_alone(digest, now));
                file.map(|file| (file.clone(), told.len(file).unwrap_or(0)))
            };
            let Some((file, len)) = known else { continue };
            // What is on disk climbs when the policy wants it nearer; what is in no tier is fetched in any case.
            if in_ram || (on_disk && steps.is_empty()) {
                continue;
            }
            if !on_disk && !lock(&self.rushing.budget).spend(len, now) {
                self.rushing.held_back.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            begun.push((!on_disk, under_way, file, steps));
        }
        begun.sort_by_key(|(fetched, ..)| *fetched);
        let count = begun.len();
        for (fetched, under_way, file, steps) in begun {
            tokio::spawn(async move {
                match fetched {
                    true => under_way.keeper.pull_up(&file, &steps).await,
                    false => under_way.keeper.climb(&file, &steps).await,
                }
            });
        }
        count
    }

    /// From an origin.
    async fn pull_up(&self, file: &ImageFile, steps: &[Step]) {
        let digest = file.sha256;
        let Ok(_seat) = self.rushing.seats.acquire().await else { return };
        self.make_room(digest, steps).await;
        self.sets_out(digest);
        let brought = self.images.bring(file, None, &mut |_, _| ()).await;
        self.ends(digest, StepKind::Fetch, brought.is_ok());
        match brought {
            Ok(()) => {
                self.told().troubles.remove(&digest);
                self.rushed(digest, StepKind::Fetch);
            }
            Err(error) => {
                tracing::debug!(%digest, %error, "an image file was not pulled up for a device that has come");
                self.done.failed();
                let missing = !matches!(error, BlobError::NoRoom { .. } | BlobError::Disk(_));
                self.told().failed(digest, error.to_string(), missing, now());
            }
        }
    }

    /// From the disk into RAM.
    async fn climb(&self, file: &ImageFile, steps: &[Step]) {
        self.make_room(file.sha256, steps).await;
        self.sets_out(file.sha256);
        let lifted = self.images.lift(file).await;
        self.ends(file.sha256, StepKind::Promote, lifted);
        if lifted {
            self.rushed(file.sha256, StepKind::Promote);
        }
    }

    /// Has those go that the policy has make room. One that is being read meanwhile stays, and so the blob may not come in.
    async fn make_room(&self, digest: Digest, steps: &[Step]) {
        for step in steps.iter().filter(|step| step.digest != digest) {
            if let Err(why) = self.take(step, &mut |_, _| ()).await {
                tracing::debug!(digest = %step.digest, why, "a blob did not make room");
            }
        }
    }

    fn rushed(&self, digest: Digest, kind: StepKind) {
        let len = self.images.status(&digest).len.unwrap_or_default().0;
        self.done.took(&Step { digest, len, kind, why: Why::Forecast(1.0) });
    }

    /// What is being pulled up now, with how much of it has come.
    pub fn rushing(&self) -> BTreeMap<Digest, Bytes> {
        let under_way = lock(&self.rushing.under_way).clone();
        under_way.into_iter().map(|digest| (digest, self.images.status(&digest).filling.unwrap_or_default())).collect()
    }
}

/// While it lives, a blob is not pulled up a second time.
struct UnderWay {
    keeper: Arc<Keeper>,
    digest: Digest,
}

impl UnderWay {
    /// `None` when it is pulled up already.
    fn begin(keeper: &Arc<Keeper>, digest: Digest) -> Option<Self> {
        let first = lock(&keeper.rushing.under_way).insert(digest);
        first.then(|| Self { keeper: keeper.clone(), digest })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        lock(&self.keeper.rushing.under_way).remove(&self.digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Seconds;

    #[test]
    fn a_minute_of_the_rate_may_come_at_once_and_then_what_grows_back() {
        let began = Moment::from_millis(1_000_000);
        let mut budget = Budget { rate: 10.0, left: 600.0, at: began };
        assert!(budget.spend(500, began) && budget.spend(300, began), "the second is larger than what is left");
        assert!(!budget.spend(1, began) && !budget.spend(1, began.plus(Seconds(20))));
        assert!(budget.spend(1, began.plus(Seconds(21))));
        assert!(budget.spend(600, began.plus(Seconds(4000))) && !budget.spend(1, began.plus(Seconds(4000))));
    }
}
