//! The rows of all devices and their sums, and which rows must be looked at anew. No clock and no engine: what happened, and
//! when it is, comes from whoever asks.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::Ipv4Addr,
    ops::Bound,
    sync::Arc,
};

use crate::{
    model::{DeviceId, Moment, Record, Seconds, site::Site},
    persona::catalog::Catalog,
    predict::Mark,
    world::{Ground, World},
};

use super::{
    Rows,
    row::{Row, Scene},
    sums::Sums,
};

/// A clock that goes back this far at the most stands still for us, rather than have all devices looked at anew.
const BACK: Seconds = Seconds(2);

/// What happened.
pub(super) enum Heard {
    /// These facts.
    Facts(Vec<Arc<Vec<Record>>>),
    /// More than was heard.
    Anything,
}

/// What came of a look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looked {
    /// Whether sums changed by something that no fact tells of.
    pub(super) turned: bool,
    /// Whether there are devices left that must be looked at anew.
    pub(super) left: bool,
}

/// The fleet as it was last looked at.
#[derive(Default)]
pub(super) struct Fleet {
    rows: Rows,
    sums: Sums,
    /// When rows change by themselves.
    due: BTreeSet<(Moment, DeviceId)>,
    /// Whose row stands on an address.
    pub(super) addresses: HashMap<Ipv4Addr, DeviceId>,
    /// Whose the attempts are that the World keeps, by the number of the fact that began them: one that it drops changes how
    /// its device stands, and no fact says so.
    pub(super) attempts: BTreeMap<u64, DeviceId>,
    /// The devices that facts name.
    pub(super) named: BTreeSet<DeviceId>,
    /// Other devices to be looked at anew.
    waiting: BTreeSet<DeviceId>,
    /// A walk over all that are known: another ground may have made something else of any of them.
    walk: Option<Walk>,
    /// What the rows stand on; `None` before the first look.
    stood: Option<Stood>,
    /// When it was last looked at.
    pub(super) now: Moment,
}

/// A walk over all devices in the World's order, from somewhere and around. While predictions are made anew, which changes them
/// several times a second for a while, it begins again where it is: it costs nothing to begin, and comes to everybody.
#[derive(Default)]
struct Walk {
    /// Whom it looked at last.
    at: Option<DeviceId>,
    /// Where it began.
    from: Option<DeviceId>,
    /// Whether it has been at the last device, and went on with the first.
    around: bool,
}

impl Walk {
    /// The next device; `None` when it is where it began.
    fn next(&mut self, world: &World) -> Option<DeviceId> {
        let after = self.at.map_or(Bound::Unbounded, Bound::Excluded);
        match world.devices.range((after, Bound::Unbounded)).next() {
            Some((device, _)) if self.around && self.from.is_some_and(|from| *device > from) => None,
            Some((device, _)) => {
                self.at = Some(*device);
                self.at
            }
            None if self.around || self.from.is_none() => None,
            None => {
                (self.at, self.around) = (None, true);
                self.next(world)
            }
        }
    }
}

/// What rows stand on beside the World.
struct Stood {
    site: Arc<Site>,
    catalog: Arc<Catalog>,
    forecast: Mark,
}

impl Stood {
    fn on(ground: &Ground) -> Self {
        Self { site: ground.site.clone(), catalog: ground.catalog.clone(), forecast: ground.forecast.mark() }
    }
}

impl Fleet {
    /// The sums as they were last looked at.
    pub(super) fn sums(&self) -> &Sums {
        &self.sums
    }

    /// The rows likewise.
    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Looks at all devices that facts name or whose time has come, and at `most` of those that wait: at all of them the
    /// first time. The World has at least what was heard.
    pub(super) fn look(&mut self, heard: &Heard, world: &World, ground: &Ground, now: Moment, most: usize) -> Looked {
        let most = if self.stood.is_none() { usize::MAX } else { most };
        let now = self.tell_time(world, now);
        let scene = Scene { world, ground, now };
        match heard {
            Heard::Facts(batches) if self.stood.is_some() => {
                let minds = scene.minds_addresses();
                batches.iter().flat_map(|batch| batch.iter()).for_each(|record| self.touch(record, world, minds));
            }
            Heard::Facts(_) | Heard::Anything => self.wait_for_all(world),
        }
        self.stand_on(ground);
        let began = world.boot_order.first().map_or(u64::MAX, |(seq, _)| *seq);
        while let Some(dropped) = self.attempts.first_entry().filter(|attempt| *attempt.key() < began) {
            self.named.insert(dropped.remove());
        }
        let mut turned = false;
        while let Some((_, device)) = self.due.first().copied().filter(|(at, _)| *at <= now) {
            turned |= self.look_at(scene, device);
        }
        while let Some(device) = self.named.pop_first() {
            self.look_at(scene, device);
        }
        for _ in 0..most {
            let walked = |walk: &mut Option<Walk>| {
                let next = walk.as_mut()?.next(world);
                if next.is_none() {
                    *walk = None;
                }
                next
            };
            let Some(device) = self.waiting.pop_first().or_else(|| walked(&mut self.walk)) else { break };
            turned |= self.look_at(scene, device);
        }
        let stale = now > ground.forecast.until();
        turned |= stale != self.sums.stale;
        (self.sums.devices, self.sums.stale) = (world.devices.size(), stale);
        Looked { turned, left: !self.waiting.is_empty() || self.walk.is_some() }
    }

    /// Time does not run backwards by a little; by more, and every row may be another.
    fn tell_time(&mut self, world: &World, now: Moment) -> Moment {
        if now.plus(BACK) < self.now {
            self.wait_for_all(world);
            self.now = now;
        }
        self.now = self.now.max(now);
        self.now
    }

    /// Has every device looked at anew.
    fn wait_for_all(&mut self, world: &World) {
        self.waiting.extend(world.devices.keys().chain(self.rows.keys()));
        let began = world.boot_order.iter();
        self.attempts = began.filter_map(|(seq, boot)| Some((*seq, world.boots.get(boot)?.device))).collect();
    }

    /// Has those devices looked at anew of which another ground makes something else.
    fn stand_on(&mut self, ground: &Ground) {
        let stands = Stood::on(ground);
        let Some(stood) = self.stood.replace(stands) else { return };
        let same = Arc::ptr_eq(&stood.site, &ground.site) && Arc::ptr_eq(&stood.catalog, &ground.catalog);
        match ground.forecast.since(&stood.forecast).filter(|_| same) {
            Some(changed) => self.waiting.extend(changed),
            None => {
                let at = self.walk.take().and_then(|walk| walk.at);
                self.walk = Some(Walk { at, from: at, around: false });
            }
        }
    }

    /// Looks at a device anew. Whether anything is counted otherwise.
    fn look_at(&mut self, scene: Scene<'_>, device: DeviceId) -> bool {
        let fresh = scene.world.devices.get(&device).map(|known| Row::of(scene, known));
        let before = self.rows.get(&device).map(|row| row.with(|name| &**name));
        if before == fresh {
            return false;
        }
        let differs = before.map(Row::counted) != fresh.map(Row::counted);
        if let Some(due) = before.and_then(|row| row.due) {
            self.due.remove(&(due, device));
        }
        if let Some(before) = self.rows.remove(&device) {
            if let Some(address) = before.address.filter(|address| self.addresses.get(address) == Some(&device)) {
                self.addresses.remove(&address);
            }
            self.sums.take(device, &before);
        }
        let Some(fresh) = fresh else { return differs };
        if let Some(due) = fresh.due {
            self.due.insert((due, device));
        }
        if let Some(address) = fresh.address {
            self.addresses.insert(address, device);
        }
        let row = self.sums.add(device, &fresh);
        self.rows.insert(device, row);
        differs
    }
}
