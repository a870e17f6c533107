//! A page of the devices that a filter fits: one pass over the World, which clones no device and sorts no more than the page.
//! What all devices are sorted by, the census has at hand.

use std::{cmp::Ordering, ops::Range};

use serde::{Deserialize, Serialize};

use crate::{
    model::{Device, DeviceId, Moment, PersonaName},
    usage::filter::{Filter, persona},
    world::World,
};

use super::{super::census::Rows, state::State};

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Sort {
    /// Its name: the order in which the World has them.
    #[default]
    Name,
    /// When it last spoke.
    Seen,
    /// What it is or shall be.
    Persona,
    /// How it stands: what needs somebody first.
    State,
}

impl Sort {
    /// The word of the address.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Seen => "seen",
            Self::Persona => "persona",
            Self::State => "state",
        }
    }
}

/// Which page of a list.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) sort: Sort,
    /// Whether the other way round. What has nothing to be sorted by comes last either way.
    pub(super) down: bool,
    /// The places of its rows.
    pub(super) rows: Range<usize>,
}

/// The page, and how many devices fit in all.
pub(super) struct Found<'a> {
    pub(super) rows: Vec<&'a Device>,
    pub(super) count: usize,
}

/// The same by name.
pub(super) struct Named {
    names: Vec<DeviceId>,
    count: usize,
}

impl Named {
    /// The devices of these names.
    pub(super) fn of(self, world: &World) -> Found<'_> {
        let rows = self.names.iter().filter_map(|name| world.devices.get(name)).collect();
        Found { rows, count: self.count }
    }
}

/// The devices that fit, in the World's order.
pub(super) fn fitting<'a>(
    world: &'a World,
    filter: Option<&'a Filter>,
    now: Moment,
) -> Box<dyn Iterator<Item = &'a Device> + 'a> {
    match filter {
        None => Box::new(world.devices.values()),
        Some(filter) => {
            let over = filter.over(world, now);
            Box::new(world.devices.values().filter(move |device| over.fits(device)))
        }
    }
}

/// Finds a page.
pub(super) fn find<'a>(world: &'a World, filter: Option<&'a Filter>, wanted: &Wanted, now: Moment) -> Found<'a> {
    let all = || fitting(world, filter, now);
    match wanted.sort {
        Sort::Name => by_name(world, filter, wanted, now),
        Sort::Seen => by(all().map(|device| (device.seen.map(|seen| seen.last), device.id)), wanted).of(world),
        Sort::Persona => {
            let name = |device| persona(world, device, now).map(|(name, _): (&PersonaName, _)| name);
            by(all().map(|device| (name(device), device.id)), wanted).of(world)
        }
        Sort::State => by(all().map(|device| (Some(State::of(world, device)), device.id)), wanted).of(world),
    }
}

/// A page of all devices, by what was counted of them.
pub(super) fn sorted(rows: &Rows, wanted: &Wanted) -> Named {
    match wanted.sort {
        Sort::Name => by(rows.keys().map(|device| (Some(device), *device)), wanted),
        Sort::Seen => by(rows.iter().map(|(device, row)| (row.seen, *device)), wanted),
        Sort::Persona => by(rows.iter().map(|(device, row)| (row.persona.as_deref(), *device)), wanted),
        Sort::State => by(rows.iter().map(|(device, row)| (Some(row.stands()), *device)), wanted),
    }
}

/// In the World's own order nothing is sorted, and without a filter nothing even looked at.
fn by_name<'a>(world: &'a World, filter: Option<&'a Filter>, wanted: &Wanted, now: Moment) -> Found<'a> {
    let Range { start, end } = wanted.rows;
    if filter.is_none() {
        let (devices, size) = (world.devices.values(), end.saturating_sub(start));
        let rows = match wanted.down {
            true => devices.rev().skip(start).take(size).collect(),
            false => devices.skip(start).take(size).collect(),
        };
        return Found { rows, count: world.devices.size() };
    }
    let mut all: Vec<&Device> = fitting(world, filter, now).collect();
    if wanted.down {
        all.reverse();
    }
    let count = all.len();
    Found { rows: all.get(start.min(count)..end.min(count)).unwrap_or_default().to_vec(), count }
}

/// The page by some key. What is before it and behind it is told apart from it, and left as it is.
fn by<K: Ord>(devices: impl Iterator<Item = (Option<K>, DeviceId)>, wanted: &Wanted) -> Named {
    let mut all: Vec<(Option<K>, DeviceId)> = devices.collect();
    let order = |(a, one): &(Option<K>, DeviceId), (b, other): &(Option<K>, DeviceId)| {
        let keys = match (a, b) {
            (Some(a), Some(b)) if wanted.down => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        keys.then_with(|| one.cmp(other))
    };
    let count = all.len();
    let (start, end) = (wanted.rows.start.min(count), wanted.rows.end.min(count));
    if end < count {
        all.select_nth_unstable_by(end, order);
        all.truncate(end);
    }
    if 0 < start && start < end {
        all.select_nth_unstable_by(start, order);
    }
    let page = all.get_mut(start..end).unwrap_or_default();
    page.sort_unstable_by(order);
    Named { names: page.iter().map(|(_, device)| *device).collect(), count }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Fact, Firmware, MacAddr, Record},
        serve::web::census::tests::rows_of,
    };

    fn world() -> World {
        let mut world = World::default();
        for n in 0..40_u8 {
            let mac = MacAddr::new([2, 0, 0, 0, 0, n]).expect("a port");
            let device = DeviceId::new(mac);
            let fact = match n % 4 {
                0 => Fact::DeviceArmed { device, by: "op".into() },
                _ => Fact::DeviceSeen { device, mac, uuid: None, arch: None, firmware: Firmware::EfiPxe },
            };
            // The later its name, the longer ago it was seen; some at the same time.
            let at = Moment::from_millis(1000 - u64::from(n / 2));
            world.apply(&Record { seq: u64::from(n) + 1, at, fact });
        }
        world
    }

    /// Whatever the page, it is that part of the whole list.
    #[test]
    fn pages_are_parts_of_one_order() {
        let world = world();
        let now = Moment::from_millis(2000);
        let seen: Filter = "seen".parse().expect("a filter");
        for sort in [Sort::Name, Sort::Seen, Sort::Persona, Sort::State] {
            for (down, filter) in [(false, None), (true, None), (false, Some(&seen)), (true, Some(&seen))] {
                let names = |rows: Range<usize>| {
                    let found = find(&world, filter, &Wanted { sort, down, rows }, now);
                    (found.rows.iter().map(|device| device.id).collect::<Vec<_>>(), found.count)
                };
                let (whole, count) = names(0..1000);
                assert_eq!(whole.len(), count);
                assert_eq!(count, if filter.is_some() { 30 } else { 40 });
                let pages: Vec<_> = (0..5).flat_map(|page| names(page * 9..page * 9 + 9).0).collect();
                assert_eq!(pages, whole, "{sort:?} {down}");
                assert!(names(1000..1009).0.is_empty(), "there is no such page");
            }
        }
        // What the census has at hand is in the same order.
        let rows = rows_of(&world, now);
        for sort in [Sort::Name, Sort::Seen, Sort::Persona, Sort::State] {
            for (down, rows_of) in [(false, 0..40), (true, 0..40), (true, 9..18)] {
                let wanted = Wanted { sort, down, rows: rows_of };
                let names = |found: Found<'_>| found.rows.iter().map(|device| device.id).collect::<Vec<_>>();
                assert_eq!(
                    names(sorted(&rows, &wanted).of(&world)),
                    names(find(&world, None, &wanted, now)),
                    "{wanted:?}"
                );
            }
        }
        let wanted = Wanted { sort: Sort::Seen, down: true, rows: 0..40 };
        let all = find(&world, None, &wanted, now).rows;
        let last = |n: usize| all[n].seen.map(|seen| seen.last);
        assert!(last(0) > last(29) && all[30..].iter().all(|device| device.seen.is_none()));
    }
}
