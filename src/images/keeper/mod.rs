//! The keeper: moves reality to where the policy wants it, one step at a time, while no device waits.
//!
//! ```text
//!   told (files, pins) ─┐
//!   census (who is where) ─> stage::steps ──the first──> taken ──> the next turn plans anew
//!                                 │                        └─fails─> left alone for a while; the others go on
//!                                 ├── devices are served: nothing comes in, but what is overfull shrinks
//!                                 └── nothing to do: a blob on disk is looked at for rot
//! ```
//! **No device ever waits for the keeper.** It moves no more bytes in a second than it was told, stops in the middle of a
//! fetch while devices are served, and goes at full speed only when a device joins that fetch or an operator asks for the
//! plan to be carried out now.
//!
//! What surprises: a plan is never kept. What was asked for, pinned or filled meanwhile changes the next one.

mod account;
mod chore;
mod ledger;
mod rush;
mod told;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::{
    model::{
        Bytes, Digest, Millis,
        image::{ImageFile, Tier},
    },
    stage::{Rooms, Standing, Step, StepKind, Why, steps},
};

use super::{Hold, Images, Kept, lock, now, throttle::Throttle};

pub use account::{Account, Gate};
use ledger::Ledger;
pub use ledger::{Found, Staged};
use rush::Rushing;
pub use told::Done;
use told::Told;

/// Keeps the tiers as the policy wants them.
pub struct Keeper {
    images: Images,
    throttle: Arc<Throttle>,
    told: Mutex<Told>,
    done: Done,
    /// What was put there ahead.
    ledger: Mutex<Ledger>,
    rushing: Rushing,
    /// One step at a time, whoever takes it.
    turn: tokio::sync::Mutex<()>,
    woken: Notify,
}

/// What would be done now.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Why they wait, if they do. Tiers that hold too much shrink all the same.
    pub hold: Option<Hold>,
    /// Blobs that are left alone for a while, because a step with them failed.
    pub waiting: Vec<Waiting>,
}

/// A blob that is left alone for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Which.
    pub digest: Digest,
    /// What went wrong.
    pub why: String,
    /// Whether its bytes are not to be had: somebody should look at its origins.
    pub missing: bool,
    /// When it is tried again.
    pub again_in: Millis,
}

/// What a turn came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// A step was taken.
    Took(Step),
    /// A step failed, and why.
    Failed(Step, String),
    /// The length of a blob was asked for, whether or not it was learnt.
    Measured(Digest),
    /// A blob on disk was looked at; whether it was as it should be.
    Scrubbed(Digest, bool),
    /// There is something to do, and devices come first.
    Held(Hold),
    /// There is nothing to do.
    Idle,
}

/// How carrying out a plan goes.
#[derive(Debug, Clone, PartialEq)]
pub enum Carried {
    /// A step begins.
    Begins(Step),
    /// So many bytes of so many are there.
    Moved(Digest, u64, u64),
    /// It is done, or failed with these words.
    Ended(Step, Result<(), String>),
}

impl Keeper {
    /// The keeper of a cache, which moves no more than `rate` bytes in a second.
    pub fn new(images: Images, rate: Bytes) -> Self {
        let throttle = Arc::new(Throttle::new(rate, images.inner.load.clone()));
        Self {
            images,
            throttle,
            told: Mutex::default(),
            done: Done::default(),
            ledger: Mutex::default(),
            rushing: Rushing::new(rate),
            turn: tokio::sync::Mutex::default(),
            woken: Notify::new(),
        }
    }

    /// Says which files the library has, and which blobs are pinned to which tier.
    pub fn tell(&self, files: impl IntoIterator<Item = ImageFile>, pins: BTreeMap<Digest, Tier>) {
        let mut told = self.told();
        told.files = files.into_iter().map(|file| (file.sha256, file)).collect();
        // Who pins something wants it now, whatever was before.
        for digest in pins.keys().filter(|digest| !told.pins.contains_key(digest)).copied().collect::<Vec<_>>() {
            told.troubles.remove(&digest);
        }
        told.pins.clone_from(&pins);
        drop(told);
        self.images.inner.tiers.policy().pin(pins);
    }

    /// Evicts a blob for an operator: see [`Images::evict`]. The keeper does not bring it back for a while; a device that
    /// asks for it does.
    pub fn evict(&self, digest: &Digest, only_ram: bool) -> Result<Bytes, Kept> {
        let freed = self.images.evict(digest, only_ram)?;
        self.told().let_be(*digest, now());
        Ok(freed)
    }

    /// Something changed: there may be a step to take before the rest is over.
    pub fn wake(&self) {
        self.woken.notify_one();
    }

    /// Waits until it is woken, no longer than this.
    pub async fn rest(&self, at_most: Duration) {
        // Not to be woken in time is what the limit is for.
        tokio::time::timeout(at_most, self.woken.notified()).await.unwrap_or_default();
    }

    /// What it has done since the start.
    pub fn done(&self) -> &Done {
        &self.done
    }

    /// What would be done now.
    pub fn plan(&self) -> Plan {
        let (now, standing) = (now(), self.standing());
        let waiting = self.told().waiting(now);
        // Who is left alone is touched by no step, no more than who is being read.
        let left = |one: &Standing| waiting.iter().any(|waiting| waiting.digest == one.digest);
        let standing: Vec<Standing> =
            standing.into_iter().map(|one| Standing { fixed: one.fixed || left(&one), ..one }).collect();
        let rooms = self.images.logical_rooms();
        let steps = steps(&self.images.inner.tiers.policy(), &standing, rooms, now);
        Plan { steps, hold: self.images.hold(), waiting }
    }

    /// Does the one thing that is to be done next, if there is one. Ends when it is done.
    pub async fn turn(&self) -> Turn {
        let _alone = self.turn.lock().await;
        self.forget_what_is_over();
        let hold = self.images.hold();
        // The plan first: what comes to be wanted after it is in no step of it, and what was wanted before is measured.
        let plan = self.plan();
        if hold.is_none()
            && let Some(file) = self.unmeasured(&[])
        {
            self.measure(&file).await;
            return Turn::Measured(file.sha256);
        }
        let planned = !plan.steps.is_empty();
        if let Some(step) = plan.steps.into_iter().find(|step| hold.is_none() || step.why == Why::Overfull) {
            return match self.take(&step, &mut |_, _| ()).await {
                Ok(()) => Turn::Took(step),
                Err(why) => Turn::Failed(step, why),
            };
        }
        match hold {
            Some(hold) if planned => Turn::Held(hold),
            Some(_) => Turn::Idle,
            None => self.scrub().await.unwrap_or(Turn::Idle),
        }
    }

    /// Carries out what is planned now, at full speed and without regard for devices that are served: an operator waits.
    /// Blobs that are left alone are tried again. A step that fails does not keep the others from being taken.
    pub async fn carry_out(&self, mut each: impl FnMut(Carried) + Send) {
        let _urgent = self.throttle.urgent();
        let _alone = self.turn.lock().await;
        self.told().try_again();
        let mut taken = vec![];
        loop {
            // What is wanted and worth more may change while steps are taken. So each time the plan comes first, as in a turn,
            // and nothing is fetched whose length was not asked for. Each is asked for and taken once, so this ends.
            let steps = self.plan().steps;
            if let Some(file) = self.unmeasured(&taken) {
                if !self.measure(&file).await {
                    taken.push((file.sha256, StepKind::Fetch));
                }
                continue;
            }
            let Some(step) = steps.into_iter().find(|step| !taken.contains(&(step.digest, step.kind))) else {
                return;
            };
            taken.push((step.digest, step.kind));
            each(Carried::Begins(step));
            let ended = self.take(&step, &mut |done, of| each(Carried::Moved(step.digest, done, of))).await;
            each(Carried::Ended(step, ended));
        }
    }

    /// Takes one step; in words why it failed.
    async fn take(&self, step: &Step, progress: &mut (impl FnMut(u64, u64) + Send)) -> Result<(), String> {
        let digest = step.digest;
        let known = self.told().files.get(&digest).cloned();
        let file = known.clone().unwrap_or_else(|| nameless(digest));
        let words = |error: super::BlobError| error.to_string();
        let ahead = matches!(step.why, Why::Forecast(_));
        if ahead {
            self.sets_out(digest);
        }
        let taken = match step.kind {
            StepKind::Fetch => match &known {
                Some(file) => self.images.bring(file, Some(&self.throttle), progress).await.map_err(words),
                None => Err("no image of the library says where to fetch it".into()),
            },
            StepKind::Promote => {
                let lifted = self.images.lift(&file).await;
                self.throttle.moved(step.len).await;
                if lifted { Ok(()) } else { Err("RAM does not take it now".into()) }
            }
            StepKind::Demote => match self.images.lower(digest).await {
                Ok(true) => Ok(()),
                Ok(false) => Err("somebody has begun to read it".into()),
                Err(error) => Err(words(error)),
            },
            StepKind::Evict => self.images.evict(&digest, false).map(|_| ()).map_err(|kept| kept.to_string()),
        };
        if ahead {
            self.ends(digest, step.kind, taken.is_ok());
        }
        match &taken {
            Ok(()) => {
                tracing::debug!(%digest, kind = %step.kind, why = %step.why, "the image cache took a step");
                self.done.took(step);
                self.told().troubles.remove(&digest);
            }
            Err(why) => {
                tracing::debug!(%digest, kind = %step.kind, why, "a step of the image cache failed");
                self.done.failed();
                self.told().failed(digest, why.clone(), step.kind == StepKind::Fetch, now());
            }
        }
        taken
    }

    /// A blob that is wanted, that no tier holds, and of whose length nobody has heard. None whose fetch was `taken` already.
    fn unmeasured(&self, taken: &[(Digest, StepKind)]) -> Option<ImageFile> {
        let (census, now) = (self.images.census(), now());
        let told = self.told();
        let unknown = |file: &&ImageFile| {
            let digest = &file.sha256;
            let unknown = told.len(file).is_none() && !census.contains_key(digest);
            let tried = taken.contains(&(*digest, StepKind::Fetch));
            unknown && !tried && !told.is_left_alone(digest, now) && !self.rushing.has(digest)
        };
        told.files.values().filter(unknown).find(|file| self.is_wanted(&file.sha256)).cloned()
    }

    /// Asks an origin for the length of a blob. One that does not say counts as nothing until it is here. Returns whether any
    /// answered.
    async fn measure(&self, file: &ImageFile) -> bool {
        let answer = self.images.ask_len(file).await;
        let measured = answer.is_ok();
        let mut told = self.told();
        match answer {
            Ok(len) => {
                told.lens.insert(file.sha256, len.unwrap_or(0));
                told.troubles.remove(&file.sha256);
            }
            Err(error) => {
                self.done.failed();
                told.failed(file.sha256, error.to_string(), true, now());
            }
        }
        measured
    }

    /// Where everything is that the library names or a tier holds.
    fn standing(&self) -> Vec<Standing> {
        let mut all = self.images.census();
        let told = self.told();
        for file in told.files.values() {
            let absent = Standing { digest: file.sha256, len: 0, ram: false, disk: false, fixed: false };
            let one = all.entry(file.sha256).or_insert(absent);
            if !one.ram && !one.disk {
                one.len = told.len(file).unwrap_or(0);
            }
        }
        all.into_values().collect()
    }

    /// Every blob that a tier holds or a fill brings.
    pub fn known(&self) -> Vec<Digest> {
        self.images.census().into_keys().collect()
    }

    /// How many blobs RAM and the disk have.
    pub fn blobs(&self) -> (usize, usize) {
        let census = self.images.census();
        (census.values().filter(|one| one.ram).count(), census.values().filter(|one| one.disk).count())
    }

    /// The blobs whose bytes are not to be had though they are wanted: somebody should look at their origins.
    pub fn missing(&self) -> Vec<Waiting> {
        self.told().missing(now())
    }

    /// Whether a blob is to be had before anybody asks.
    fn is_wanted(&self, digest: &Digest) -> bool {
        let policy = self.images.inner.tiers.policy();
        policy.pinned(digest).is_some() || policy.worth(digest, now()).forecast > 0.0
    }

    /// What is not wanted any more is missed by nobody, and what was only in the way may have gone.
    fn forget_what_is_over(&self) {
        let now = now();
        self.settle(now);
        self.told().troubles.retain(|digest, trouble| match trouble.missing {
            true => self.is_wanted(digest),
            false => now < trouble.again,
        });
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        lock(&self.told)
    }
}

/// A file that the library does not name any more: a tier has it, and nobody else.
fn nameless(sha256: Digest) -> ImageFile {
    ImageFile { sha256, size: None, origins: vec![], name: None }
}

/// How many bytes a tier takes.
fn room_of(rooms: Rooms, tier: Tier) -> u64 {
    match tier {
        Tier::Ram => rooms.ram,
        Tier::Disk => rooms.disk,
        Tier::Origin => u64::MAX,
    }
}
