//! What was learned, in a form that can be kept: every word, and every set of features, written once.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    model::{Arch, BootId, DeviceId, Link, Moment, PersonaName, UserName, attribute::Attributes, smbios::Hardware},
    predict::Visit,
};

use super::{
    Example, Experience, Features, Source,
    attempt::{Attempt, Named, Pending, Planned},
    experience::Known,
};

/// What this version writes.
const FORMAT: u16 = 2;

#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    format: u16,
    seq: u64,
    words: Vec<String>,
    /// Pairs of words, for each set of features.
    features: Vec<Vec<(u32, u32)>>,
    known: Vec<SavedKnown>,
    people: Vec<(UserName, Attributes)>,
    pending: Vec<(Moment, SavedPlanned)>,
    examples: Vec<SavedExample>,
    visits: Vec<(DeviceId, Vec<Visit>)>,
    visits_of: Vec<(UserName, Vec<Visit>)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedKnown {
    device: DeviceId,
    arch: Option<Arch>,
    hardware: Hardware,
    link: Link,
    attributes: Attributes,
    attempt: Option<SavedAttempt>,
    said: Option<PersonaName>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedAttempt {
    boot: BootId,
    named: Option<Named>,
    planned: Option<SavedPlanned>,
    was_planned: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedPlanned {
    seq: u64,
    at: Moment,
    device: DeviceId,
    user: Option<UserName>,
    features: u32,
    persona: PersonaName,
    named: Named,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedExample {
    planned: u64,
    known: u64,
    at: Moment,
    known_at: Moment,
    device: DeviceId,
    user: Option<UserName>,
    features: u32,
    persona: PersonaName,
    source: Source,
}

/// Why what was kept does not read.
#[derive(Debug, thiserror::Error)]
pub enum BadExperience {
    /// It is no JSON of this form.
    #[error("it does not read: {0}")]
    Json(#[from] serde_json::Error),
    /// Another version wrote it.
    #[error("it has format {0}, and this version reads {FORMAT}")]
    Format(u16),
    /// It names words that it does not hold.
    #[error("it names words that it does not hold")]
    Torn,
}

impl Experience {
    /// Everything that was learned, as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        let pending: Vec<_> =
            self.pending.iter().map(|pending| (pending.due, writer.planned(&pending.planned))).collect();
        let known = self.known.iter().map(|(device, known)| writer.known(*device, known)).collect();
        let examples = self.examples.iter().map(|example| writer.example(example)).collect();
        let saved = Saved {
            format: FORMAT,
            seq: self.seq,
            words: writer.words,
            features: writer.features,
            known,
            people: self.people.iter().map(|(user, said)| (user.clone(), said.clone())).collect(),
            pending,
            examples,
            visits: self.visits.iter().map(|(device, all)| (*device, all.iter().cloned().collect())).collect(),
            visits_of: self.visits_of.iter().map(|(user, all)| (user.clone(), all.iter().cloned().collect())).collect(),
        };
        serde_json::to_vec(&saved).expect("it is plain data with text keys")
    }

    /// What [`to_json`](Self::to_json) wrote.
    pub fn from_json(json: &[u8]) -> Result<Self, BadExperience> {
        let saved: Saved = serde_json::from_slice(json)?;
        if saved.format != FORMAT {
            return Err(BadExperience::Format(saved.format));
        }
        let mut all = Self { seq: saved.seq, people: saved.people.into_iter().collect(), ..Self::default() };
        let word = |at: &u32| saved.words.get(*at as usize).ok_or(BadExperience::Torn);
        let mut features: Vec<Features> = Vec::with_capacity(saved.features.len());
        for pairs in &saved.features {
            let pair = |(name, value): &(u32, u32)| Ok((all.words.of(word(name)?), all.words.of(word(value)?)));
            features.push(pairs.iter().map(pair).collect::<Result<_, BadExperience>>()?);
        }
        let set = |at: u32| features.get(at as usize).cloned().ok_or(BadExperience::Torn);
        let planned = |saved: SavedPlanned| -> Result<Planned, BadExperience> {
            let SavedPlanned { seq, at, device, user, features, persona, named } = saved;
            Ok(Planned { seq, at, device, user, features: set(features)?, persona, named })
        };
        for known in saved.known {
            let SavedKnown { device, arch, hardware, link, attributes, attempt, said } = known;
            let attempt = match attempt {
                None => None,
                Some(SavedAttempt { boot, named, planned: was, was_planned }) => {
                    all.attempts.insert(boot, device);
                    Some(Attempt { boot, named, planned: was.map(planned).transpose()?, was_planned })
                }
            };
            all.known.insert(device, Known { arch, hardware, link, attributes, attempt, said, features: None });
            if let Some(user) = all.user(device) {
                all.using.entry(user).or_default().insert(device);
            }
        }
        for (due, saved) in saved.pending {
            all.pending.push_back(Pending { due, planned: planned(saved)? });
        }
        for example in saved.examples {
            let SavedExample { planned, known, at, known_at, device, user, features, persona, source } = example;
            let features = set(features)?;
            let example = Example { planned, known, at, known_at, device, user, features, persona, source };
            all.examples.push_back(Arc::new(example));
        }
        all.visits = saved.visits.into_iter().map(|(device, visits)| (device, visits.into())).collect();
        all.visits_of = saved.visits_of.into_iter().map(|(user, visits)| (user, visits.into())).collect();
        Ok(all)
    }
}

/// Gives words and sets of features their numbers.
#[derive(Default)]
struct Writer {
    words: Vec<String>,
    word: HashMap<Arc<str>, u32>,
    features: Vec<Vec<(u32, u32)>>,
    /// The sets that have a number, by their content: what is equal is written once.
    set: HashMap<Features, u32>,
}

impl Writer {
    fn word(&mut self, word: &Arc<str>) -> u32 {
        if let Some(known) = self.word.get(word) {
            return *known;
        }
        let number = self.words.len() as u32;
        self.words.push(word.to_string());
        self.word.insert(word.clone(), number);
        number
    }

    fn set(&mut self, features: &Features) -> u32 {
        if let Some(known) = self.set.get(features) {
            return *known;
        }
        let pairs = features.iter().map(|(name, value)| (self.word(name), self.word(value))).collect();
        let number = self.features.len() as u32;
        self.features.push(pairs);
        self.set.insert(features.clone(), number);
        number
    }

    fn planned(&mut self, planned: &Planned) -> SavedPlanned {
        let Planned { seq, at, device, user, features, persona, named } = planned.clone();
        SavedPlanned { seq, at, device, user, features: self.set(&features), persona, named }
    }

    fn known(&mut self, device: DeviceId, known: &Known) -> SavedKnown {
        let Known { arch, hardware, link, attributes, attempt, said, features: _ } = known.clone();
        let attempt = attempt.map(|Attempt { boot, named, planned, was_planned }| {
            let planned = planned.map(|planned| self.planned(&planned));
            SavedAttempt { boot, named, planned, was_planned }
        });
        SavedKnown { device, arch, hardware, link, attributes, attempt, said }
    }

    fn example(&mut self, example: &Example) -> SavedExample {
        let Example { planned, known, at, known_at, device, user, features, persona, source } = example.clone();
        SavedExample { planned, known, at, known_at, device, user, features: self.set(&features), persona, source }
    }
}
