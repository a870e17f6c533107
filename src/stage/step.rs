//! From where everything is to where it should be: the steps of the keeper, in order.
//!
//! Room is made for what comes, just before it comes, and for nothing else: a tier that is full of what nobody asks for costs
//! nothing, and what was read in once may be asked for again. Nothing that is being read is touched, and nothing goes that
//! should stay. So every step can be carried out in its turn, and the plan may be left after any of them.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use serde::{Deserialize, Serialize, Serializer};

use crate::model::{Digest, Moment, image::Tier};

use super::{Known, Policy, Rooms};

/// A blob that nobody waits for is fetched only when it is worth so many times what would go for it: else forecasts that come
/// and go would have the origin read again and again.
const CALM: f64 = 2.0;

/// Where a blob is now. What the library names and no tier holds is told as well: it may have to be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub digest: Digest,
    /// Its length in bytes.
    pub len: u64,
    /// RAM holds it.
    pub ram: bool,
    /// The disk holds it.
    pub disk: bool,
    /// It is being read, filled or moved: no step touches it.
    pub fixed: bool,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepKind {
    /// From an origin to the disk.
    Fetch,
    /// From the disk to RAM as well.
    Promote,
    /// Out of RAM; it is on disk, or is written there first.
    Demote,
    /// Out of both tiers.
    Evict,
}

impl StepKind {
    /// Its name, as people and programs read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Promote => "promote",
            Self::Demote => "demote",
            Self::Evict => "evict",
        }
    }
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Why a step is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Why {
    /// It is pinned.
    Pinned,
    /// So many asks are forecast.
    Forecast(f64),
    /// It was asked for so much of late.
    Hot(f64),
    /// Its room is wanted by a blob that is worth more.
    RoomFor(Digest),
    /// The tier holds more than it has room for.
    Overfull,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pinned => f.write_str("it is pinned"),
            Self::Forecast(asks) => write!(f, "{asks:.1} asks are forecast"),
            Self::Hot(heat) => write!(f, "its heat is {heat:.1}"),
            Self::RoomFor(digest) => write!(f, "makes room for {}", digest.short()),
            Self::Overfull => f.write_str("the tier holds more than its size"),
        }
    }
}

impl Serialize for Why {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One step of the keeper.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Step {
    /// Which blob.
    pub digest: Digest,
    /// Its length in bytes.
    pub len: u64,
    /// What is done.
    pub kind: StepKind,
    /// Why.
    pub why: Why,
}

/// The steps from `standing` to what `policy` desires, in an order in which each has the room that it needs. The same input
/// gives the same steps.
pub fn steps(policy: &Policy, standing: &[Standing], rooms: Rooms, now: Moment) -> Vec<Step> {
    let known: Vec<Known> = standing.iter().map(|one| Known { digest: one.digest, len: one.len }).collect();
    let mut plan = Plan::new(policy, standing, policy.desired(&known, rooms, now), rooms, now);
    plan.shrink();
    let mut wanted: Vec<(bool, f64, &Standing)> = standing
        .iter()
        .filter(|one| !one.fixed && plan.desired.contains_key(&one.digest))
        .map(|one| (policy.pinned(&one.digest).is_some(), policy.worth(&one.digest, now).per_byte, one))
        .collect();
    wanted.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.digest.cmp(&b.2.digest)));
    for (_, _, one) in wanted {
        plan.bring(&one.digest);
    }
    plan.steps
}

/// What is free and who may go, while the steps are made.
struct Plan<'a> {
    policy: &'a Policy,
    desired: BTreeMap<Digest, Tier>,
    now: Moment,
    standing: HashMap<Digest, Standing>,
    /// Bytes that are free in RAM; less than nothing when it is overfull.
    ram: i128,
    /// The same on disk.
    disk: i128,
    /// Who may leave RAM, the one that is worth least last.
    ram_leavers: Vec<Digest>,
    /// Who may leave both tiers, the same.
    disk_leavers: Vec<Digest>,
    steps: Vec<Step>,
}

impl<'a> Plan<'a> {
    fn new(
        policy: &'a Policy,
        standing: &[Standing],
        desired: BTreeMap<Digest, Tier>,
        rooms: Rooms,
        now: Moment,
    ) -> Self {
        let held = |in_tier: fn(&Standing) -> bool| -> i128 {
            standing.iter().filter(|one| in_tier(one)).map(|one| i128::from(one.len)).sum()
        };
        let leavers = |may_go: &dyn Fn(&Standing) -> bool| -> Vec<Digest> {
            let mut leavers: Vec<(f64, Digest)> = standing
                .iter()
                .filter(|one| !one.fixed && may_go(one))
                .map(|one| (policy.worth(&one.digest, now).per_byte, one.digest))
                .collect();
            leavers.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
            leavers.into_iter().map(|(_, digest)| digest).collect()
        };
        Self {
            policy,
            now,
            standing: standing.iter().map(|one| (one.digest, *one)).collect(),
            ram: i128::from(rooms.ram) - held(|one| one.ram),
            disk: i128::from(rooms.disk) - held(|one| one.disk),
            ram_leavers: leavers(&|one| one.ram && desired.get(&one.digest) != Some(&Tier::Ram)),
            disk_leavers: leavers(&|one| one.disk && !desired.contains_key(&one.digest)),
            desired,
            steps: vec![],
        }
    }

    /// Brings tiers that hold too much back to their size, as far as what is not desired goes.
    fn shrink(&mut self) {
        let disk = self.leaving(Tier::Disk, 0);
        self.let_go(Tier::Disk, disk, Why::Overfull);
        let ram = self.leaving(Tier::Ram, 0);
        self.let_go(Tier::Ram, ram, Why::Overfull);
    }

    /// The steps that bring one blob where it should be; none when room cannot be made.
    fn bring(&mut self, digest: &Digest) {
        // It may have left RAM for another one meanwhile.
        let Some(one) = self.standing.get(digest).copied() else { return };
        let mut on_disk = one.disk;
        if !one.disk && !one.ram {
            // An origin is not asked because of what was: only for what is pinned or expected.
            let Some(why) = self.reason(&one.digest).filter(|why| !matches!(why, Why::Hot(_))) else { return };
            if !self.enter(&one, Tier::Disk, StepKind::Fetch, why) {
                return;
            }
            on_disk = true;
        }
        if on_disk && !one.ram && self.desired.get(&one.digest) == Some(&Tier::Ram) {
            let why = self.reason(&one.digest).unwrap_or(Why::Hot(0.0));
            self.enter(&one, Tier::Ram, StepKind::Promote, why);
        }
    }

    fn enter(&mut self, one: &Standing, tier: Tier, kind: StepKind, why: Why) -> bool {
        let leaving = self.leaving(tier, one.len);
        let free = if tier == Tier::Ram { self.ram } else { self.disk };
        let freed: i128 =
            leaving.iter().filter_map(|digest| self.standing.get(digest)).map(|one| i128::from(one.len)).sum();
        if free + freed < i128::from(one.len) {
            return false;
        }
        let worth = |digest, len: u64| self.policy.worth_of(digest, Some(len), self.now).per_byte * len as f64;
        let lost: f64 =
            leaving.iter().filter_map(|digest| self.standing.get(digest)).map(|one| worth(&one.digest, one.len)).sum();
        if kind == StepKind::Fetch && why != Why::Pinned && lost * CALM > worth(&one.digest, one.len) {
            return false;
        }
        self.let_go(tier, leaving, Why::RoomFor(one.digest));
        match tier {
            Tier::Ram => self.ram -= i128::from(one.len),
            _ => self.disk -= i128::from(one.len),
        }
        self.steps.push(Step { digest: one.digest, len: one.len, kind, why });
        true
    }

    /// Who would leave a tier, so that `len` bytes are free there: as many as there are.
    fn leaving(&self, tier: Tier, len: u64) -> Vec<Digest> {
        let (mut free, leavers) = match tier {
            Tier::Ram => (self.ram, &self.ram_leavers),
            _ => (self.disk, &self.disk_leavers),
        };
        let mut leaving = vec![];
        for one in leavers.iter().rev().filter_map(|digest| self.standing.get(digest)) {
            if free >= i128::from(len) {
                break;
            }
            if if tier == Tier::Ram { one.ram } else { one.disk } {
                free += i128::from(one.len);
                leaving.push(one.digest);
            }
        }
        leaving
    }

    fn let_go(&mut self, tier: Tier, leaving: Vec<Digest>, why: Why) {
        for digest in leaving {
            let Some(one) = self.standing.get_mut(&digest) else { continue };
            let len = i128::from(one.len);
            let written = !one.disk && self.desired.contains_key(&digest) && self.disk >= len;
            let kind = match tier == Tier::Ram && (one.disk || written) {
                true => StepKind::Demote,
                false => StepKind::Evict,
            };
            self.ram += if one.ram { len } else { 0 };
            match kind {
                StepKind::Demote => self.disk -= if written { len } else { 0 },
                _ => self.disk += if one.disk { len } else { 0 },
            }
            (one.ram, one.disk) = (false, kind == StepKind::Demote);
            self.steps.push(Step { digest, len: one.len, kind, why });
        }
    }

    fn reason(&self, digest: &Digest) -> Option<Why> {
        let worth = self.policy.worth(digest, self.now);
        match self.policy.pinned(digest) {
            Some(_) => Some(Why::Pinned),
            None if worth.forecast > 0.0 => Some(Why::Forecast(worth.forecast)),
            None => Some(Why::Hot(worth.heat)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Forecast;

    const NOW: Moment = Moment::from_millis(10_000_000);

    const fn digest(n: u8) -> Digest {
        Digest::new([n; 32])
    }

    fn standing(n: u8, len: u64, ram: bool, disk: bool) -> Standing {
        Standing { digest: digest(n), len, ram, disk, fixed: false }
    }

    fn asked(times: &[(u8, u32)]) -> Policy {
        let mut policy = Policy::default();
        times.iter().for_each(|(n, times)| (0..*times).for_each(|_| policy.asked(digest(*n), NOW)));
        policy
    }

    fn told(steps: &[Step]) -> Vec<String> {
        steps.iter().map(|step| format!("{} {}: {}", step.kind, step.digest.bytes()[0], step.why)).collect()
    }

    #[test]
    fn a_hot_blob_takes_the_place_of_a_cold_one_in_ram() {
        let here = [standing(1, 40, true, true), standing(2, 40, false, true), standing(3, 40, true, true)];
        let policy = asked(&[(1, 1), (2, 9), (3, 5)]);
        let plan = steps(&policy, &here, Rooms { ram: 80, disk: 200 }, NOW);
        assert_eq!(told(&plan), ["demote 1: makes room for 020202020202", "promote 2: its heat is 9.0"]);
        let read = [Standing { fixed: true, ..here[0] }, here[1], here[2]];
        assert_eq!(steps(&policy, &read, Rooms { ram: 80, disk: 200 }, NOW), [], "what is being read stays");
    }

    #[test]
    fn an_origin_is_asked_for_what_is_pinned_or_forecast_and_for_nothing_else() {
        let here = [standing(1, 40, false, false), standing(2, 40, false, false), standing(3, 40, false, true)];
        let rooms = Rooms { ram: 0, disk: 100 };
        let mut policy = asked(&[(1, 50)]);
        assert_eq!(steps(&policy, &here, rooms, NOW), [], "only hot");
        policy.expect(Forecast { asks: [(digest(2), 7.0)].into(), until: Moment::from_millis(20_000_000) });
        assert_eq!(told(&steps(&policy, &here, rooms, NOW)), ["fetch 2: 7.0 asks are forecast"]);
        policy.pin([(digest(1), Tier::Disk)].into());
        let both = told(&steps(&policy, &here, rooms, NOW));
        assert_eq!(both[..1], ["fetch 1: it is pinned"]);
        assert_eq!(both[1..], ["evict 3: makes room for 020202020202", "fetch 2: 7.0 asks are forecast"]);
    }

    #[test]
    fn a_tier_that_became_smaller_lets_go_and_what_is_pinned_stays() {
        let here = [standing(1, 40, true, true), standing(2, 40, true, true), standing(3, 40, false, true)];
        let mut policy = asked(&[(2, 3)]);
        policy.pin([(digest(1), Tier::Ram)].into());
        let plan = steps(&policy, &here, Rooms { ram: 40, disk: 80 }, NOW);
        assert_eq!(
            told(&plan),
            ["evict 3: the tier holds more than its size", "demote 2: the tier holds more than its size"]
        );
    }

    #[test]
    fn what_only_ram_holds_is_written_to_disk_before_it_leaves() {
        let here = [standing(1, 40, true, false), standing(2, 40, false, true), standing(3, 40, true, true)];
        let policy = asked(&[(1, 1), (2, 9), (3, 5)]);
        let plan = steps(&policy, &here, Rooms { ram: 120, disk: 120 }, NOW);
        assert_eq!(told(&plan), ["promote 2: its heat is 9.0"], "there is room for all");
        let plan = steps(&policy, &here, Rooms { ram: 80, disk: 120 }, NOW);
        assert_eq!(told(&plan), ["demote 1: makes room for 020202020202", "promote 2: its heat is 9.0"]);
        let plan = steps(&policy, &here, Rooms { ram: 80, disk: 119 }, NOW);
        assert_eq!(
            told(&plan),
            ["evict 1: makes room for 020202020202", "promote 2: its heat is 9.0"],
            "no room on disk"
        );
    }

    #[test]
    fn nothing_is_fetched_ahead_for_what_is_not_worth_much_more() {
        let here = [standing(1, 40, false, true), standing(2, 40, false, false)];
        let told_of = |asks| {
            let mut policy = asked(&[(1, 3)]);
            policy.expect(Forecast { asks: [(digest(2), asks)].into(), until: Moment::from_millis(20_000_000) });
            told(&steps(&policy, &here, Rooms { ram: 0, disk: 40 }, NOW))
        };
        assert_eq!(told_of(5.0), Vec::<String>::new());
        assert_eq!(told_of(6.0), ["evict 1: makes room for 020202020202", "fetch 2: 6.0 asks are forecast"]);
    }
}
