//! The cache as it travels: with names, for people and programs.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use serde::{Deserialize, Serialize};

use crate::{
    images::{
        Hold,
        keeper::{Account, Done, Gate, Waiting},
    },
    model::{
        Bytes, Digest, Millis,
        image::{ImageName, Tier},
    },
    serve::Context,
    stage::{Step, StepKind, Why},
};

use super::{
    Explained,
    find::{name, names},
};

/// What the cache holds and has done since the start.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CacheStatus {
    /// The tiers, the nearest first.
    pub tiers: Vec<TierView>,
    /// What was asked of origins.
    pub origin: OriginView,
    /// Blobs and chunks on disk that had changed by themselves.
    pub rot: u64,
    /// Chunks of these that were fetched again.
    pub repaired: u64,
    /// What is being fetched.
    pub coming: Vec<ComingView>,
    /// The images that are pinned.
    pub pins: BTreeMap<ImageName, Tier>,
    /// What the keeper does.
    pub keeper: KeeperView,
}

/// One tier.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TierView {
    /// Which.
    pub tier: Tier,
    /// How many bytes it takes; the origin has no end.
    pub size: Option<Bytes>,
    /// How many it has.
    pub held: Option<Bytes>,
    /// How many blobs.
    pub blobs: Option<usize>,
    /// How many asks found their blob there.
    pub hits: u64,
    /// How many bytes readers took of these.
    pub served: Bytes,
}

/// What was asked of origins.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OriginView {
    /// Bytes that they gave.
    pub bytes: Bytes,
    /// Fetches begun.
    pub fills: u64,
    /// Fetches that failed.
    pub failures: u64,
    /// How often an origin did not answer, broke off or gave wrong bytes.
    pub errors: u64,
    /// Asks that were passed through, for want of room.
    pub passed: u64,
}

/// A fetch under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ComingView {
    /// What it is called.
    pub name: String,
    /// What is known of it.
    #[serde(flatten)]
    pub coming: crate::images::Coming,
}

/// What the keeper does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeeperView {
    /// Why it does nothing, if it gives way.
    pub hold: Option<Hold>,
    /// How many steps it would take now.
    pub planned: usize,
    /// The steps that it took, with the bytes of their blobs.
    pub done: BTreeMap<StepKind, (u64, Bytes)>,
    /// How many failed.
    pub failures: u64,
    /// Bytes on disk that it looked at for rot.
    pub scrubbed: Bytes,
    /// Blobs that it leaves alone for a while.
    pub waiting: Vec<WaitingView>,
}

/// A blob that is left alone for a while.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WaitingView {
    /// Which.
    pub digest: Digest,
    /// What it is called.
    pub name: String,
    /// What went wrong.
    pub why: String,
    /// When it is tried again.
    pub again_in: Millis,
}

/// What the keeper would do now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanView {
    /// The steps, in order.
    pub steps: Vec<StepView>,
    /// Why they wait, if they do.
    pub hold: Option<Hold>,
    /// Blobs that are left alone for a while.
    pub waiting: Vec<WaitingView>,
}

/// One step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StepView {
    /// What is done.
    pub kind: StepKind,
    /// With which blob.
    pub digest: Digest,
    /// What it is called.
    pub name: String,
    /// Its length; zero when nobody has said it.
    pub len: Bytes,
    /// Why.
    pub why: String,
}

pub(super) fn status(context: &Context) -> CacheStatus {
    let (images, counters) = (&context.images, context.images.counters());
    let (rooms, plan, now) =
        (images.rooms(), context.keeper.plan(), |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed));
    let (ram, disk) = images.held();
    let (ram_blobs, disk_blobs) = context.keeper.blobs();
    let tier = |tier, size: Option<u64>, held, blobs, hits| TierView {
        tier,
        size: size.map(Bytes),
        held,
        blobs,
        hits: now(hits),
        served: Bytes(now(counters.served(tier))),
    };
    let done = context.keeper.done();
    CacheStatus {
        tiers: vec![
            tier(Tier::Ram, Some(rooms.ram), Some(ram), Some(ram_blobs), &counters.ram_hits),
            tier(Tier::Disk, Some(rooms.disk), Some(disk), Some(disk_blobs), &counters.disk_hits),
            tier(Tier::Origin, None, None, None, &counters.misses),
        ],
        origin: OriginView {
            bytes: Bytes(now(&counters.origin_bytes)),
            fills: now(&counters.fills),
            failures: now(&counters.failures),
            errors: now(&counters.origin_errors),
            passed: now(&counters.passed),
        },
        rot: now(&counters.rot),
        repaired: now(&counters.repaired),
        coming: images
            .coming()
            .into_iter()
            .map(|coming| ComingView { name: name(context, &coming.digest), coming })
            .collect(),
        pins: context.engine.world().pins.iter().map(|(image, tier)| (image.clone(), *tier)).collect(),
        keeper: KeeperView {
            hold: plan.hold,
            planned: plan.steps.len(),
            done: Done::KINDS.into_iter().map(|kind| (kind, (done.of(kind).0, Bytes(done.of(kind).1)))).collect(),
            failures: done.failures(),
            scrubbed: Bytes(done.scrubbed()),
            waiting: plan.waiting.iter().map(|waiting| self::waiting(context, waiting)).collect(),
        },
    }
}

pub(super) fn plan(context: &Context) -> PlanView {
    let plan = context.keeper.plan();
    PlanView {
        steps: plan.steps.iter().map(|step| self::step(context, step)).collect(),
        hold: plan.hold,
        waiting: plan.waiting.iter().map(|waiting| self::waiting(context, waiting)).collect(),
    }
}

pub(super) fn step(context: &Context, step: &Step) -> StepView {
    let why = match step.why {
        Why::RoomFor(digest) => format!("makes room for {}", name(context, &digest)),
        why => why.to_string(),
    };
    StepView { kind: step.kind, digest: step.digest, name: name(context, &step.digest), len: Bytes(step.len), why }
}

fn waiting(context: &Context, waiting: &Waiting) -> WaitingView {
    let Waiting { digest, why, again_in, .. } = waiting.clone();
    WaitingView { digest, name: name(context, &digest), why, again_in }
}

pub(super) fn explained(context: &Context, account: Account) -> Explained {
    let others = [&account.to_ram, &account.to_disk].into_iter().flat_map(|gate| match gate {
        Gate::InPlaceOf { evict } => evict.clone(),
        _ => vec![],
    });
    Explained {
        names: names(context).remove(&account.digest).unwrap_or_default(),
        others: others.map(|digest| (digest, name(context, &digest))).collect(),
        step: account.step.as_ref().map(|step| self::step(context, step)),
        account,
    }
}
