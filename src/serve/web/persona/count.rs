//! How many devices each persona has: one pass over all of them, for a whole list.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use serde::Serialize;

use crate::{
    model::{Device, Moment, PersonaName},
    serve::context::lock,
    world::World,
};

use super::super::Web;

/// For so long a count is good enough for a list, in milliseconds.
const GOOD: u64 = 1000;

/// How many devices a persona has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Count {
    /// Those that an operator assigned it to.
    pub(super) assigned: usize,
    /// Those that have it: it is what they became last.
    pub(super) has: usize,
}

/// The counts of one moment, kept for the next who asks. All clones are one.
#[derive(Clone, Default)]
pub(in super::super) struct Counted(Arc<Mutex<Option<(u64, Moment, Counts)>>>);

/// The counts of all personas.
pub(super) type Counts = Arc<HashMap<PersonaName, Count>>;

impl Web {
    /// How many devices each persona has. A pass over 100,000 devices takes some milliseconds: not for an async task.
    pub(super) fn counts(&self) -> Counts {
        let (world, now) = (self.context.engine.world(), (self.context.clock)());
        if let Some((seq, at, counts)) = &*lock(&self.counted.0)
            && (*seq == world.seq || now.since(*at).0 < GOOD)
        {
            return counts.clone();
        }
        let counts = Arc::new(counted(&world, now));
        *lock(&self.counted.0) = Some((world.seq, now, counts.clone()));
        counts
    }
}

fn counted(world: &World, now: Moment) -> HashMap<PersonaName, Count> {
    let mut counts: HashMap<&PersonaName, Count> = HashMap::new();
    for device in world.devices.values() {
        if let Some(assigned) = assigned(device, now) {
            counts.entry(assigned).or_default().assigned += 1;
        }
        if let Some(has) = has(device) {
            counts.entry(has).or_default().has += 1;
        }
    }
    counts.into_iter().map(|(name, count)| (name.clone(), count)).collect()
}

/// The persona that an operator gave a device.
pub(super) fn assigned(device: &Device, now: Moment) -> Option<&PersonaName> {
    device.assigned.as_ref().filter(|assigned| assigned.holds(now)).map(|assigned| &assigned.persona)
}

/// What a device became last: what it runs, or what is on its disk.
pub(super) fn has(device: &Device) -> Option<&PersonaName> {
    let last = device.visits.last().map(|visit| &visit.persona);
    last.or_else(|| device.installed.as_ref().map(|installed| &installed.persona.name))
}
