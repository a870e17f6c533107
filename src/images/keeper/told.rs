//! What the keeper was told, has learnt and has done.

use std::{
    collections::{BTreeMap, HashMap},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{
    model::{
        Digest, Millis, Moment, Seconds,
        image::{ImageFile, Tier},
    },
    stage::{Step, StepKind},
};

use super::Waiting;

/// How long a blob is left alone after the first failure; it doubles.
const FIRST_PAUSE: Seconds = Seconds(5);
/// How long at the most.
const LONGEST_PAUSE: Seconds = Seconds(600);

/// What the keeper knows of the library's files.
#[derive(Default)]
pub(super) struct Told {
    /// The files that the library has.
    pub(super) files: BTreeMap<Digest, ImageFile>,
    /// What is pinned.
    pub(super) pins: BTreeMap<Digest, Tier>,
    /// What origins said of the lengths that manifests do not say.
    pub(super) lens: HashMap<Digest, u64>,
    /// What failed.
    pub(super) troubles: BTreeMap<Digest, Trouble>,
    /// When each blob on disk was looked at for rot.
    pub(super) scrubbed: HashMap<Digest, Moment>,
}

/// A blob with which a step failed.
pub(super) struct Trouble {
    why: String,
    pub(super) missing: bool,
    times: u32,
    pub(super) again: Moment,
}

impl Told {
    /// The length of a file, if the manifest or an origin said it.
    pub(super) fn len(&self, file: &ImageFile) -> Option<u64> {
        file.size.map(|size| size.0).or_else(|| self.lens.get(&file.sha256).copied())
    }

    /// A step failed, because the bytes are `missing` or otherwise. Its blob is left alone, for longer each time.
    pub(super) fn failed(&mut self, digest: Digest, why: String, missing: bool, now: Moment) {
        let times = self.troubles.get(&digest).map_or(0, |trouble| trouble.times);
        let pause = (FIRST_PAUSE.0 << times.min(10)).min(LONGEST_PAUSE.0);
        let again = now.plus(Seconds(pause));
        self.troubles.insert(digest, Trouble { why, missing, times: times.saturating_add(1), again });
    }

    /// An operator evicted it: it does not come back by itself for a while.
    pub(super) fn let_be(&mut self, digest: Digest, now: Moment) {
        let why = "an operator evicted it".into();
        self.troubles.insert(digest, Trouble { why, missing: false, times: 0, again: now.plus(LONGEST_PAUSE) });
    }

    pub(super) fn is_left_alone(&self, digest: &Digest, now: Moment) -> bool {
        self.troubles.get(digest).is_some_and(|trouble| now < trouble.again)
    }

    /// Those that are left alone. A failure is told until a step has gone well.
    pub(super) fn waiting(&self, now: Moment) -> Vec<Waiting> {
        let left = self.troubles.iter().filter(|(digest, _)| self.is_left_alone(digest, now));
        left.map(|(digest, trouble)| told(digest, trouble, now)).collect()
    }

    /// Those whose bytes are not to be had.
    pub(super) fn missing(&self, now: Moment) -> Vec<Waiting> {
        let missing = self.troubles.iter().filter(|(_, trouble)| trouble.missing);
        missing.map(|(digest, trouble)| told(digest, trouble, now)).collect()
    }

    /// Nobody is left alone any more.
    pub(super) fn try_again(&mut self) {
        self.troubles.values_mut().for_each(|trouble| trouble.again = Moment::default());
    }
}

fn told(digest: &Digest, trouble: &Trouble, now: Moment) -> Waiting {
    let again_in: Millis = trouble.again.since(now);
    Waiting { digest: *digest, why: trouble.why.clone(), missing: trouble.missing, again_in }
}

/// What the keeper has done since the start.
#[derive(Debug, Default)]
pub struct Done {
    taken: [(AtomicU64, AtomicU64); 4],
    failures: AtomicU64,
    scrubbed: AtomicU64,
}

impl Done {
    /// The kinds of steps, in the order of the reports.
    pub const KINDS: [StepKind; 4] = [StepKind::Fetch, StepKind::Promote, StepKind::Demote, StepKind::Evict];

    /// How many steps of a kind were taken, and the bytes of their blobs.
    pub fn of(&self, kind: StepKind) -> (u64, u64) {
        let (steps, bytes) = &self.taken[place(kind)];
        (steps.load(Ordering::Relaxed), bytes.load(Ordering::Relaxed))
    }

    /// How many steps failed.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Bytes on disk that were looked at for rot.
    pub fn scrubbed(&self) -> u64 {
        self.scrubbed.load(Ordering::Relaxed)
    }

    pub(super) fn took(&self, step: &Step) {
        let (steps, bytes) = &self.taken[place(step.kind)];
        steps.fetch_add(1, Ordering::Relaxed);
        bytes.fetch_add(step.len, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn looked_at(&self, bytes: u64) {
        self.scrubbed.fetch_add(bytes, Ordering::Relaxed);
    }
}

const fn place(kind: StepKind) -> usize {
    match kind {
        StepKind::Fetch => 0,
        StepKind::Promote => 1,
        StepKind::Demote => 2,
        StepKind::Evict => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_fails_is_left_alone_for_longer_each_time_and_for_ten_minutes_at_the_most() {
        let (mut told, digest, now) = (Told::default(), Digest::new([1; 32]), Moment::from_millis(1_000_000));
        let pauses: Vec<u64> = (0..12)
            .map(|_| {
                told.failed(digest, "away".into(), true, now);
                told.waiting(now)[0].again_in.0
            })
            .collect();
        assert_eq!(pauses[..4], [5_000, 10_000, 20_000, 40_000]);
        assert_eq!(pauses[7..], [600_000; 5]);
        let later = now.plus(Seconds(600));
        assert_eq!((told.waiting(later).len(), told.missing(later).len()), (0, 1), "tried again, and still told");
        told.try_again();
        assert!(!told.is_left_alone(&digest, now));
    }
}
