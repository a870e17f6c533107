//! What holds whatever is asked for, pinned and forecast.

use std::collections::{BTreeMap, BTreeSet};

use greenroom::{
    model::{Digest, Moment, image::Tier},
    stage::{Admission, Aim, Candidate, Forecast, Known, Policy, Rooms, Standing, Step, StepKind, steps},
};
use proptest::{collection::vec, prelude::*};

const ROOMS: Rooms = Rooms { ram: 300, disk: 1000 };

const fn digest(n: u8) -> Digest {
    Digest::new([n; 32])
}

/// Blob n of a library of sixty.
fn len(n: u8) -> u64 {
    10 + u64::from(n) * 37 % 190
}

#[derive(Debug, Clone)]
struct History {
    asks: Vec<(u8, u32)>,
    pins: Vec<(u8, bool)>,
    forecast: Vec<(u8, u8)>,
    shadows: bool,
}

fn history() -> impl Strategy<Value = History> {
    let parts =
        (vec((0..60_u8, 0..600_000_u32), 0..300), vec((0..60_u8, any::<bool>()), 0..4), vec((0..60_u8, 0..9_u8), 0..8));
    (parts, any::<bool>()).prop_map(|((asks, pins, forecast), shadows)| History { asks, pins, forecast, shadows })
}

fn lived(history: &History) -> (Policy, Moment) {
    let mut policy = if history.shadows { Policy::new(ROOMS, Aim::Hits) } else { Policy::default() };
    let mut now = 1_000_000;
    let asks = history.forecast.iter().map(|(n, asks)| (digest(*n), f64::from(*asks))).collect();
    for (n, wait) in &history.asks {
        now += u64::from(*wait);
        policy.met(digest(*n), len(*n));
        policy.asked(digest(*n), Moment::from_millis(now));
    }
    policy.expect(Forecast { asks, until: Moment::from_millis(now + 3_600_000) });
    let pins = history.pins.iter().map(|(n, ram)| (digest(*n), if *ram { Tier::Ram } else { Tier::Disk }));
    policy.pin(pins.collect());
    (policy, Moment::from_millis(now))
}

/// What a tier may hold: distinct blobs that fit, some of them in use.
fn held(picks: &[(u8, bool)], room: u64) -> Vec<Candidate> {
    let (mut seen, mut left) = (BTreeSet::new(), room);
    let mut held = vec![];
    for (n, fixed) in picks {
        if len(*n) <= left && seen.insert(*n) {
            left -= len(*n);
            held.push(Candidate { digest: digest(*n), len: len(*n), fixed: *fixed });
        }
    }
    held
}

proptest! {
    #[test]
    fn who_comes_in_fits_and_nobody_goes_who_is_read_or_pinned(
        history in history(), picks in vec((0..60_u8, proptest::bool::weighted(0.2)), 0..40), n in 0..60_u8, ram: bool, order: bool,
    ) {
        let (mut policy, now) = lived(&history);
        if order {
            policy.order(digest(n));
        }
        let (tier, room) = if ram { (Tier::Ram, ROOMS.ram) } else { (Tier::Disk, ROOMS.disk) };
        let held: Vec<Candidate> = held(&picks, room).into_iter().filter(|held| held.digest != digest(n)).collect();
        let admission = policy.admit(tier, &digest(n), len(n), room, &held, now);
        prop_assert_eq!(&admission, &policy.admit(tier, &digest(n), len(n), room, &held, now), "the same again");
        let mut other_way_round = held.clone();
        other_way_round.reverse();
        prop_assert_eq!(&admission, &policy.admit(tier, &digest(n), len(n), room, &other_way_round, now));
        if let Admission::Admit { evict } = admission {
            let mut left: BTreeMap<Digest, Candidate> = held.iter().map(|held| (held.digest, *held)).collect();
            for digest in &evict {
                let gone = left.remove(digest).expect("it was there, and goes once");
                prop_assert!(!gone.fixed, "it is being read");
                prop_assert!(policy.pinned(digest).is_none_or(|to| to > tier), "it is pinned here");
            }
            prop_assert!(left.values().map(|held| held.len).sum::<u64>() + len(n) <= room);
        }
    }

    #[test]
    fn what_is_desired_fits_and_is_the_same_for_the_same(history in history()) {
        let (policy, now) = lived(&history);
        let mut known: Vec<Known> = (0..60).map(|n| Known { digest: digest(n), len: len(n) }).collect();
        let desired = policy.desired(&known, ROOMS, now);
        let bytes = |tiers: &[Tier]| -> u64 {
            known.iter().filter(|known| desired.get(&known.digest).is_some_and(|tier| tiers.contains(tier))).map(|known| known.len).sum()
        };
        prop_assert!(bytes(&[Tier::Ram]) <= ROOMS.ram && bytes(&[Tier::Disk]) <= ROOMS.disk);
        known.reverse();
        prop_assert_eq!(desired, policy.desired(&known, ROOMS, now));
    }

    #[test]
    fn steps_can_be_taken_one_by_one_and_come_to_an_end(
        history in history(), ram in vec((0..60_u8, proptest::bool::weighted(0.2)), 0..20), disk in vec((0..60_u8, Just(false)), 0..40),
    ) {
        let (policy, now) = lived(&history);
        let (ram, disk) = (held(&ram, ROOMS.ram), held(&disk, ROOMS.disk));
        let mut all: Vec<Standing> = (0..60).map(|n| Standing {
            digest: digest(n),
            len: len(n),
            ram: ram.iter().any(|held| held.digest == digest(n)),
            disk: disk.iter().any(|held| held.digest == digest(n)),
            fixed: ram.iter().any(|held| held.digest == digest(n) && held.fixed),
        }).collect();
        for _round in 0..4 {
            let plan = steps(&policy, &all, ROOMS, now);
            prop_assert_eq!(&plan, &steps(&policy, &all, ROOMS, now));
            for step in &plan {
                take(step, &mut all);
                let sum = |on: fn(&Standing) -> bool| all.iter().filter(|one| on(one)).map(|one| one.len).sum::<u64>();
                prop_assert!(sum(|one| one.ram) <= ROOMS.ram && sum(|one| one.disk) <= ROOMS.disk, "{:?}", step);
            }
            if plan.is_empty() {
                return Ok(());
            }
        }
        prop_assert!(false, "it never comes to rest");
    }
}

fn take(step: &Step, all: &mut [Standing]) {
    let one = all.iter_mut().find(|one| one.digest == step.digest).unwrap();
    assert!(!one.fixed, "{step:?}");
    (one.ram, one.disk) = match step.kind {
        StepKind::Fetch => (one.ram, true),
        StepKind::Promote => (true, one.disk),
        StepKind::Demote => (false, true),
        StepKind::Evict => (false, false),
    };
}

#[test]
fn one_more_ask_moves_little() {
    let (mut policy, mut millis, mut moved, mut placed) = (Policy::new(ROOMS, Aim::Hits), 1_000_000, 0, 0);
    let known: Vec<Known> = (0..60).map(|n| Known { digest: digest(n), len: len(n) }).collect();
    for n in 0..4_000_u32 {
        // Mostly the first ones, in no order that repeats soon.
        let wanted = (n.wrapping_mul(2_654_435_761) >> 16) % 60 * (n.wrapping_mul(40_503) >> 8 & 63) / 64;
        let (wanted, now) = (u8::try_from(wanted).unwrap(), Moment::from_millis(millis));
        let before = policy.desired(&known, ROOMS, now);
        policy.met(digest(wanted), len(wanted));
        policy.asked(digest(wanted), now);
        let after = policy.desired(&known, ROOMS, now);
        moved += known.iter().filter(|known| before.get(&known.digest) != after.get(&known.digest)).count();
        placed += after.len();
        millis += 20_000;
    }
    assert!(moved * 25 < placed, "{moved} of {placed} moved");
}
