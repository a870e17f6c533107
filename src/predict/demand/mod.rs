//! What will be asked for: which devices are likely to boot within a horizon, as what, and so how often each file of an image
//! is asked for.
//!
//! ```text
//!   a device ── when: its habit, an order that waits, a boot under way ──> probability, and why
//!            └─ what: who names its persona ── surely ──> that one
//!                                            └─ nobody: the forecast's candidates; what they leave, to the default
//!   persona ──the catalog──> image ──> files: asks += probability x share
//! ```
//! It commits nobody: a device of which little is known counts little, and what is expected to be asked for less than once in
//! twenty times is not staged at all. The causes that are no habits (an order that waits, a failed boot) carry numbers that
//! somebody chose: they are named here, in one place.

mod cause;
mod habit;

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::{
    model::{
        Device, DeviceId, Digest, Effect, Moment, PersonaName, Probability, Seconds,
        image::ImageFile,
        prediction::Candidate,
        timeline::{Boot, Stage, Step},
    },
    persona::catalog::Catalog,
};

use super::Table;

pub use cause::Cause;
use habit::Fleet;

/// What is expected to be asked for less often is left alone.
const LEAST_ASKS: f64 = 0.05;
/// Devices that are less likely to boot have no row of their own.
const LEAST_LIKELY: f64 = 0.005;

/// A device, as far as demand goes by it.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// What is remembered of it.
    pub device: &'a Device,
    /// Its latest attempt, while that is remembered.
    pub boot: Option<&'a Boot>,
    /// Who names its persona.
    pub named: Named,
}

/// Which persona a device becomes when it boots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// This one: it is assigned, a rule says so, or the forecast is sure enough to act.
    Surely(PersonaName),
    /// None: it boots its disk, or is refused.
    Nothing,
    /// Nobody names one. What the forecast holds for possible counts, and the rest is the default's, if there is one.
    Open(Option<PersonaName>),
}

/// What demand is reckoned from, beside the devices.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The personas and images.
    pub catalog: &'a Catalog,
    /// The forecast of personas.
    pub table: &'a Table,
    /// The time.
    pub now: Moment,
    /// How far to look ahead.
    pub horizon: Seconds,
}

/// What is expected within the horizon.
#[derive(Debug, Clone, Default)]
pub struct Demand {
    /// When it was reckoned.
    pub at: Moment,
    /// When the horizon ends.
    pub until: Moment,
    /// How many boots are expected.
    pub boots: f64,
    /// The share of all devices that boot at such an hour: what counts for those without a history.
    pub rate: f64,
    /// How often each file is expected to be asked for.
    pub asks: HashMap<Digest, f64>,
    /// The devices that may boot, the most likely first.
    pub rows: Vec<Row>,
}

/// One device that may boot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Which.
    pub device: DeviceId,
    /// How probable it is that it boots within the horizon.
    pub probability: Probability,
    /// What makes it so.
    pub cause: Cause,
    /// What it becomes if it boots, the most probable first.
    pub personas: Vec<Candidate>,
}

impl Demand {
    /// What these devices will ask for.
    pub fn of(subjects: &[Subject<'_>], terms: &Terms<'_>) -> Self {
        let horizon = u64::from(terms.horizon.0) * 1000;
        let fleet = Fleet::new(subjects.iter().map(|subject| subject.device), terms.now, horizon);
        let until = terms.now.plus(terms.horizon);
        let mut demand = Self { at: terms.now, until, rate: fleet.rate, ..Self::default() };
        for subject in subjects {
            let (probability, cause) = cause::strongest(subject, &fleet, terms.now, until);
            if probability < LEAST_LIKELY {
                continue;
            }
            let personas = demand.count(subject, probability, terms);
            demand.boots += probability;
            let probability = Probability::near(probability);
            demand.rows.push(Row { device: subject.device.id, probability, cause, personas });
        }
        demand.asks.retain(|_, asks| *asks >= LEAST_ASKS);
        demand.rows.sort_by(|a, b| b.probability.cmp(&a.probability).then(a.device.cmp(&b.device)));
        demand
    }

    /// Adds the asks of one device; what it may become.
    fn count(&mut self, subject: &Subject<'_>, probability: f64, terms: &Terms<'_>) -> Vec<Candidate> {
        if let Some((kernel, left)) = under_way(subject) {
            left.into_iter().for_each(|digest| *self.asks.entry(digest).or_default() += probability);
            return vec![Candidate { persona: kernel, probability: Probability::near(1.0) }];
        }
        let personas = candidates(subject, terms);
        for candidate in &personas {
            let asks = probability * candidate.probability.get();
            for digest in files(subject.device, &candidate.persona, terms.catalog).map(|file| file.sha256) {
                *self.asks.entry(digest).or_default() += asks;
            }
        }
        personas
    }
}

/// What a device becomes if it boots, the most probable first.
pub fn candidates(subject: &Subject<'_>, terms: &Terms<'_>) -> Vec<Candidate> {
    let default = match &subject.named {
        Named::Surely(persona) => return vec![sure(persona.clone())],
        Named::Nothing => return vec![],
        Named::Open(default) => default,
    };
    let predicted = terms.table.of(subject.device.id, terms.now).map(|prediction| prediction.ranked());
    let mut left = 1.0;
    let mut personas: Vec<Candidate> = vec![];
    // What it may not become leaves its share to what it becomes instead.
    let may = |candidate: &&Candidate| may_become(subject.device, &candidate.persona, terms.catalog);
    for candidate in predicted.into_iter().flatten().filter(may) {
        left -= candidate.probability.get();
        personas.push(candidate.clone());
    }
    if let Some(default) = default {
        let rest = Probability::near(left);
        match personas.iter_mut().find(|candidate| candidate.persona == *default) {
            Some(known) => known.probability = Probability::near(known.probability.get() + rest.get()),
            None => personas.push(Candidate { persona: default.clone(), probability: rest }),
        }
    }
    personas.retain(|candidate| candidate.probability > Probability::ZERO);
    personas.sort_by_key(|candidate| std::cmp::Reverse(candidate.probability));
    personas
}

/// The files that a device loads as a persona: each blob once, in the order in which they are asked for. None when the
/// persona is not for it, or not in the library.
pub fn files<'a>(
    device: &Device,
    persona: &PersonaName,
    catalog: &'a Catalog,
) -> impl Iterator<Item = &'a ImageFile> + use<'a> {
    let entry = catalog.persona(persona).or_else(|| catalog.successor(persona));
    let image = entry.and_then(|entry| catalog.image(entry.persona.image()));
    let image = image.filter(|image| device.arch.is_none_or(|arch| arch == image.arch));
    let mut seen = BTreeSet::new();
    image.into_iter().flat_map(|image| image.files.values()).filter(move |file| seen.insert(file.sha256))
}

/// A persona that wipes the disk is nothing that a device becomes by being predicted: an operator assigns and arms it first.
/// Nor is one that an operator has declined for it.
fn may_become(device: &Device, persona: &PersonaName, catalog: &Catalog) -> bool {
    let entry = catalog.persona(persona).filter(|_| !device.declined.contains(persona));
    entry.is_some_and(|entry| entry.persona.effect() == Effect::Ephemeral || device.armed.is_some())
}

fn sure(persona: PersonaName) -> Candidate {
    Candidate { persona, probability: Probability::near(1.0) }
}

/// Of an attempt whose kernel was planned: the persona, and the files that it has not loaded yet.
fn under_way(subject: &Subject<'_>) -> Option<(PersonaName, BTreeSet<Digest>)> {
    let boot = subject.boot.filter(|boot| boot.stage != Stage::Ended)?;
    let kernel = boot.kernel.as_ref()?;
    let loaded = |digest: &Digest| {
        boot.steps.iter().any(|moved| matches!(&moved.step, Step::Blob { digest: sent, transfer, .. } if sent == digest && transfer.is_whole()))
    };
    let left = kernel.files.iter().map(|file| file.digest).filter(|digest| !loaded(digest)).collect();
    Some((kernel.persona.name.clone(), left))
}
