//! Who may come in, and who goes for it.

use crate::model::{Digest, Moment, image::Tier};

use super::policy::{Policy, largest};

/// A blob in a tier that wants room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub digest: Digest,
    /// The bytes that come free when it goes.
    pub len: u64,
    /// It is being read, or pinned there: it stays.
    pub fixed: bool,
}

/// Whether a blob may come into a tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It may, when these have gone.
    Admit {
        /// Who goes, in this order.
        evict: Vec<Digest>,
    },
    /// It may not.
    Refuse(Turned),
}

/// Why a blob is turned away from a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turned {
    /// It is larger than what one blob may take of the tier.
    TooLarge,
    /// What would have to go is in use or pinned.
    InUse,
    /// What would have to go is worth more.
    WorthLess,
}

impl Policy {
    /// Whether `digest`, of `len` bytes, may come into a tier of `room` bytes that holds `held`; who goes for it. What is in
    /// use or pinned is never evicted, and nothing is evicted for what is worth less.
    ///
    /// Where there is room, everybody may. Else the policy that leads must keep it; first goes what that one does not keep, and
    /// what else it keeps goes only for what is worth more than all that goes.
    pub fn admit(
        &self,
        tier: Tier,
        digest: &Digest,
        len: u64,
        room: u64,
        held: &[Candidate],
        now: Moment,
    ) -> Admission {
        let pinned = |digest| self.pinned(digest).is_some_and(|to| to <= tier);
        if len > largest(tier, room) && !(pinned(digest) && len <= room) {
            return Admission::Refuse(Turned::TooLarge);
        }
        let used = held.iter().fold(0_u64, |used, held| used.saturating_add(held.len));
        let mut missing = used.saturating_add(len).saturating_sub(room);
        if missing == 0 {
            return Admission::Admit { evict: vec![] };
        }
        let wanted = pinned(digest) || self.orders.contains(digest);
        let kept = self.wanted(tier, digest).map(|(kept, _)| kept);
        if !wanted && kept == Some(false) {
            return Admission::Refuse(Turned::WorthLess);
        }
        let mut loose: Vec<Loose> = held
            .iter()
            .filter(|held| !held.fixed && !pinned(&held.digest) && held.digest != *digest)
            .map(|held| Loose::new(self, tier, held, now))
            .collect();
        loose.sort_by(|a, b| {
            let by_worth = || a.per_byte.total_cmp(&b.per_byte).then(a.digest.cmp(&b.digest));
            a.kept.cmp(&b.kept).then(a.votes.total_cmp(&b.votes)).then_with(by_worth)
        });
        let own = self.worth_of(digest, Some(len), now).per_byte * len as f64;
        let (mut evict, mut lost) = (vec![], 0.0);
        for held in loose {
            if missing == 0 {
                break;
            }
            // What the leader does not keep goes for what it keeps, whatever it is worth.
            let matters = kept.is_none() || held.kept;
            lost += if matters { held.per_byte * held.len as f64 } else { 0.0 };
            if lost > own && !wanted {
                return Admission::Refuse(Turned::WorthLess);
            }
            missing = missing.saturating_sub(held.len);
            evict.push(held.digest);
        }
        if missing > 0 { Admission::Refuse(Turned::InUse) } else { Admission::Admit { evict } }
    }
}

/// A blob that may go.
struct Loose {
    digest: Digest,
    len: u64,
    kept: bool,
    votes: f64,
    per_byte: f64,
}

impl Loose {
    fn new(policy: &Policy, tier: Tier, held: &Candidate, now: Moment) -> Self {
        let (kept, votes) = policy.wanted(tier, &held.digest).unwrap_or((false, 0.0));
        let per_byte = policy.worth_of(&held.digest, Some(held.len), now).per_byte;
        Self { digest: held.digest, len: held.len, kept, votes, per_byte }
    }
}
