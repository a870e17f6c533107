//! How many devices there are of each kind, for the links above the list.
//!
//! A small fleet is counted for every page. Of a large one the counts are kept for a few seconds, and counted anew while the
//! page that found them old is shown: no page waits for them but the first.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use serde::Serialize;

use crate::{
    model::{Moment, Seconds},
    serve::context::lock,
    usage::filter::Filter,
    world::World,
};

use super::{super::Web, state::State};

/// Fleets of this many devices are counted each time: it takes less than 2 ms.
const SMALL: usize = 5000;
/// How long the counts of larger ones hold.
const HOLD: Seconds = Seconds(5);
/// How many values of an attribute are shown.
const VALUES: usize = 8;
/// An attribute with more values than this is not one to choose from.
const MOST_VALUES: usize = 1000;
/// The attributes whose values are counted.
const ATTRIBUTES: [&str; 2] = ["role", "location"];

/// A link that narrows the list down.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Facet {
    /// What it is called.
    pub(super) name: String,
    /// The filter behind it.
    pub(super) filter: String,
    /// How many devices it fits.
    pub(super) count: usize,
}

/// An attribute with its commonest values.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Group {
    /// Which attribute.
    pub(super) attribute: &'static str,
    /// Its values, the commonest first.
    pub(super) values: Vec<Facet>,
    /// How many more values there are.
    pub(super) more: usize,
}

/// All of them.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Facets {
    /// How many devices are known.
    pub(super) all: usize,
    /// By how they stand.
    pub(super) standing: Vec<Facet>,
    /// By what is said of them.
    pub(super) groups: Vec<Group>,
}

impl Facets {
    /// Whether the fleet is one that can be counted for every page.
    pub(super) fn is_small(&self) -> bool {
        self.all <= SMALL
    }
}

/// What was counted last.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts(Arc<Mutex<Option<Kept>>>);

#[derive(Debug)]
struct Kept {
    facets: Arc<Facets>,
    at: Moment,
    /// Whether somebody counts anew already.
    counting: bool,
}

impl Web {
    /// The counts, as old as they may be. Counts itself when there are none: not on a thread that others wait for.
    pub(super) fn facets(&self, world: &Arc<World>, now: Moment) -> Arc<Facets> {
        if world.devices.size() <= SMALL {
            return Arc::new(counted(world, now));
        }
        let counts = &self.devices.counts;
        let found = lock(&counts.0).as_mut().map(|kept| {
            let due = now > kept.at.plus(HOLD) && !kept.counting;
            kept.counting |= due;
            (kept.facets.clone(), due)
        });
        let keep = move |counts: &Counts, facets: Arc<Facets>| {
            *lock(&counts.0) = Some(Kept { facets, at: now, counting: false });
        };
        match found {
            Some((facets, false)) => facets,
            Some((facets, true)) => {
                let (counts, world) = (counts.clone(), world.clone());
                tokio::task::spawn_blocking(move || keep(&counts, Arc::new(counted(&world, now))));
                facets
            }
            None => {
                let facets = Arc::new(counted(world, now));
                keep(counts, facets.clone());
                facets
            }
        }
    }
}

/// Counts, in one pass.
fn counted(world: &World, now: Moment) -> Facets {
    let day = Seconds(86_400);
    let (mut armed, mut stuck, mut unassigned, mut today, mut never) = (0, 0, 0, 0, 0);
    let mut values: [HashMap<&str, usize>; ATTRIBUTES.len()] = Default::default();
    for device in world.devices.values() {
        armed += usize::from(device.armed.is_some());
        stuck += usize::from(matches!(State::of_boot(world, device), State::Stuck | State::Failed));
        let assigned = device.assigned.as_ref().filter(|assigned| assigned.expires.is_none_or(|expires| now < expires));
        unassigned += usize::from(assigned.is_none());
        match device.seen {
            Some(seen) => today += usize::from(now < seen.last.plus(day)),
            None => never += 1,
        }
        for (name, values) in ATTRIBUTES.iter().zip(&mut values) {
            if let Some(value) = world.attribute(device, name)
                && (values.len() < MOST_VALUES || values.contains_key(value.as_str()))
            {
                *values.entry(value.as_str()).or_default() += 1;
            }
        }
    }
    let standing = [
        ("armed", "armed", armed),
        ("stuck or failed", "outcome=stuck or outcome=failed", stuck),
        ("unassigned", "not assigned", unassigned),
        ("seen today", "seen<1d", today),
        ("never seen", "not seen", never),
    ];
    let facet = |name: &str, filter: String, count| Facet { name: name.into(), filter, count };
    let groups = ATTRIBUTES.iter().zip(values).filter(|(_, values)| !values.is_empty()).map(|(attribute, values)| {
        let mut values: Vec<(&str, usize)> = values.into_iter().collect();
        values.sort_by(|(a, many), (b, more)| more.cmp(many).then(a.cmp(b)));
        let more = values.len().saturating_sub(VALUES);
        values.truncate(VALUES);
        let values = values.into_iter().map(|(value, count)| facet(value, is(attribute, value), count));
        Group { attribute, values: values.collect(), more }
    });
    Facets {
        all: world.devices.size(),
        standing: standing.map(|(name, filter, count)| facet(name, filter.into(), count)).into(),
        groups: groups.collect(),
    }
}

/// The filter that asks for one value of an attribute.
fn is(attribute: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
    let written = format!("{attribute}=\"{value}\"");
    // Written as everywhere else, without quotes where none are needed.
    written.parse::<Filter>().map(|filter| filter.to_string()).unwrap_or(written)
}
