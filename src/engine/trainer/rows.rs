//! Rows of the table: what is predicted for each device.

use std::sync::{Arc, atomic::Ordering};

use crate::{
    engine::Handle,
    model::{DeviceId, Moment, PersonaName, Prediction, Probability, prediction::Candidate},
    persona::catalog::Catalog,
    predict::{
        Ranking, Table, Visit,
        learn::{Asked, Features, Version},
    },
    world::Ground,
};

use super::Trainer;

/// How many devices are described at a time, so that nobody waits long for what is under the lock.
const AT_A_TIME: usize = 128;

/// How many candidates a row has at the most.
const MOST_CANDIDATES: usize = 8;

/// What is less probable than this is not worth a line.
const LEAST: f64 = 0.005;

/// What is known of one device.
pub(super) struct Described {
    pub(super) device: DeviceId,
    pub(super) features: Features,
    pub(super) user: Option<crate::model::UserName>,
    pub(super) visits: Vec<Visit>,
    pub(super) visits_of_user: Vec<Visit>,
}

impl Described {
    pub(super) fn asked(&self, at: Moment) -> Asked<'_> {
        Asked {
            device: self.device,
            user: self.user.as_ref(),
            features: &self.features,
            at,
            history: [&self.visits, &self.visits_of_user],
        }
    }
}

impl Trainer {
    /// What is known of a device now.
    pub(super) fn described(&self, device: DeviceId) -> Option<Described> {
        let experience = &mut self.state().experience;
        let features = experience.features(device)?;
        let user = experience.user(device);
        let visits_of_user = user.as_ref().map(|user| experience.visits_of(user)).unwrap_or_default();
        Some(Described { device, features, visits: experience.visits(device), user, visits_of_user })
    }

    /// The rows of these devices by this version. Takes a while: not for the threads that serve.
    pub(super) fn rows(&self, handle: &Handle, version: &Version, devices: &[DeviceId]) -> Vec<(DeviceId, Prediction)> {
        let now = (self.clock)();
        let mut rows = Vec::with_capacity(devices.len());
        for devices in devices.chunks(AT_A_TIME) {
            let described: Vec<Described> = devices.iter().filter_map(|device| self.described(*device)).collect();
            let (world, ground) = (handle.world(), handle.ground());
            for described in described {
                let ranking = version.rank(&described.asked(now));
                let known = world.devices.get(&described.device);
                let declined = |persona: &PersonaName| known.is_some_and(|known| known.declined.contains(persona));
                rows.push((described.device, prediction(&ranking, &ground.catalog, declined)));
            }
        }
        self.made.fetch_add(rows.len() as u64, Ordering::Relaxed);
        rows
    }
}

/// A ranking as a prediction: of personas that are in the library, and that no operator declined for this device. What has
/// left the library speaks for its successor, if it has one.
fn prediction(ranking: &Ranking, catalog: &Catalog, declined: impl Fn(&PersonaName) -> bool) -> Prediction {
    let mut candidates: Vec<Candidate> = vec![];
    for candidate in ranking.candidates.iter().take_while(|candidate| candidate.probability >= LEAST) {
        let Ok(named) = candidate.label.parse::<PersonaName>() else { continue };
        let Some(entry) = catalog.persona(&named).or_else(|| catalog.successor(&named)) else { continue };
        let persona = &entry.reference.name;
        if declined(persona) {
            continue;
        }
        let probability = Probability::near(candidate.probability);
        match candidates.iter_mut().find(|candidate| candidate.persona == *persona) {
            Some(candidate) => {
                candidate.probability = Probability::near(candidate.probability.get() + probability.get());
            }
            None => candidates.push(Candidate { persona: persona.clone(), probability }),
        }
        if candidates.len() == MOST_CANDIDATES {
            break;
        }
    }
    Prediction::new(candidates)
}

/// Puts another table under the next decisions.
pub(super) fn publish(handle: &Handle, table: Table) {
    let table = Arc::new(table);
    handle.change_ground(|ground| Ground { forecast: table.clone(), ..ground });
}

/// Changes the table under the next decisions.
pub(super) fn amend(handle: &Handle, mut change: impl FnMut(&mut Table)) {
    // The trainer alone changes the table, and changes are made one after the other.
    let mut table = Table::clone(&handle.ground().forecast);
    change(&mut table);
    publish(handle, table);
}
