//! The fold: records in, examples out.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use crate::{
    model::{
        Arch, BootId, DeviceId, Fact, Link, Moment, PersonaName, Probability, Record, Seconds, UserName,
        attribute::{self, Attributes, USER},
        decision::{Decision, Voice},
        smbios::Hardware,
        timeline::{Phase, Step},
    },
    predict::Visit,
};

use super::{
    Example, Features, Source,
    attempt::{Attempt, Named, Pending, Planned},
    describe::{Described, Words},
};

/// How many examples are kept, the latest ones.
pub const MOST_EXAMPLES: usize = 200_000;

/// How many visits of one device or person are kept.
pub(super) const MOST_VISITS: usize = 64;

/// How long nobody may object before a prediction that ended well is taken for right.
const GRACE: Seconds = Seconds(24 * 3600);

/// Everything that was learned so far: a fold over records.
#[derive(Debug, Clone, Default)]
pub struct Experience {
    /// The number of the last record folded in.
    pub(super) seq: u64,
    pub(super) known: BTreeMap<DeviceId, Known>,
    pub(super) people: BTreeMap<UserName, Attributes>,
    /// The devices that each person uses.
    pub(super) using: BTreeMap<UserName, BTreeSet<DeviceId>>,
    /// Whose each attempt is that a device is in.
    pub(super) attempts: HashMap<BootId, DeviceId>,
    pub(super) pending: VecDeque<Pending>,
    pub(super) examples: VecDeque<Arc<Example>>,
    /// What each device and each person became.
    pub(super) visits: BTreeMap<DeviceId, VecDeque<Visit>>,
    pub(super) visits_of: BTreeMap<UserName, VecDeque<Visit>>,
    pub(super) words: Words,
}

/// What is known of one device.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) arch: Option<Arch>,
    pub(super) hardware: Hardware,
    pub(super) link: Link,
    pub(super) attributes: Attributes,
    pub(super) attempt: Option<Attempt>,
    /// What was assigned and has not booted since: the boot that follows is the same want, and teaches nothing more.
    pub(super) said: Option<PersonaName>,
    /// The same as words, until something changes.
    pub(super) features: Option<Features>,
}

/// What some records changed.
#[derive(Debug, Default)]
pub struct News {
    /// The devices of which something else is known now.
    pub changed: BTreeSet<DeviceId>,
    /// The devices of which nothing is known any more.
    pub forgotten: BTreeSet<DeviceId>,
    /// What was learned.
    pub learned: Vec<Arc<Example>>,
    /// Predictions that acted, and how they turned out.
    pub judged: Vec<Judged>,
    /// Whether something that was learned had to be dropped again.
    pub unlearned: bool,
}

/// How a prediction that acted turned out.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// When it acted.
    pub at: Moment,
    /// How sure it was.
    pub probability: Probability,
    /// What predicted: a version of the model, or a baseline.
    pub model: String,
    /// Whether it was right.
    pub right: bool,
}

impl Experience {
    /// The number of the last record folded in.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// What was learned, by when it became known: the latest [`MOST_EXAMPLES`].
    pub fn examples(&self) -> impl ExactSizeIterator<Item = &Arc<Example>> + DoubleEndedIterator {
        self.examples.iter()
    }

    /// Predictions that acted, ended well, and met no objection so far, as examples that are not known yet: nobody may learn
    /// from them, but to judge predictions by those alone that were objected to would be unfair.
    pub fn unopposed(&self) -> impl Iterator<Item = Arc<Example>> {
        self.pending.iter().map(|Pending { planned, .. }| {
            let Planned { seq, at, device, user, features, persona, .. } = planned.clone();
            Arc::new(Example {
                planned: seq,
                known: u64::MAX,
                at,
                known_at: Moment::from_millis(u64::MAX),
                device,
                user,
                features,
                persona,
                source: Source::Confirmed,
            })
        })
    }

    /// Every device of which something is known.
    pub fn devices(&self) -> impl Iterator<Item = DeviceId> {
        self.known.keys().copied()
    }

    /// What is known of a device now, as words.
    pub fn features(&mut self, device: DeviceId) -> Option<Features> {
        self.known.contains_key(&device).then(|| self.described(device))
    }

    /// Who uses a device.
    pub fn user(&self, device: DeviceId) -> Option<UserName> {
        self.known.get(&device).and_then(|known| user_in(&known.attributes))
    }

    /// What a device became, the oldest first.
    pub fn visits(&self, device: DeviceId) -> Vec<Visit> {
        self.visits.get(&device).into_iter().flatten().cloned().collect()
    }

    /// What the devices of a person became, the oldest first.
    pub fn visits_of(&self, user: &UserName) -> Vec<Visit> {
        self.visits_of.get(user).into_iter().flatten().cloned().collect()
    }

    /// Folds one record in. Records come in the order of their numbers; one that was folded in already changes nothing.
    pub fn apply(&mut self, record: &Record, news: &mut News) {
        let Record { seq, at, fact } = record;
        if *seq <= self.seq {
            return;
        }
        self.seq = *seq;
        self.confirm(*at, news);
        match fact {
            Fact::DeviceSeen { device, arch, .. } => {
                let known = self.known.get(device);
                let arch = arch.or(known.and_then(|known| known.arch));
                if known.is_none_or(|known| known.arch != arch) {
                    self.change(*device, news, |known| known.arch = arch);
                }
            }
            Fact::HardwareReported { device, hardware } => {
                self.change(*device, news, |known| known.hardware = hardware.clone());
            }
            Fact::DevicePlaced { device, link } => self.change(*device, news, |known| known.link = link.clone()),
            Fact::DeviceDescribed { device, changes, .. } => {
                let before = self.user(*device);
                self.change(*device, news, |known| attribute::change(&mut known.attributes, changes));
                self.used_by(*device, before);
            }
            Fact::UserDescribed { user, changes, .. } => {
                attribute::change(self.people.entry(user.clone()).or_default(), changes);
                self.told_of(user, news);
            }
            Fact::UserForgotten { user, .. } => {
                self.people.remove(user);
                self.visits_of.remove(user);
                self.unlearn(
                    news,
                    |example| example.user.as_ref() == Some(user),
                    |planned| planned.user.as_ref() == Some(user),
                );
                self.told_of(user, news);
            }
            Fact::DeviceForgotten { device, .. } => self.forget(*device, news),
            Fact::PersonaAssigned { device, persona, .. } => self.assigned(*device, persona, *at, news),
            Fact::ProposalDeclined { device, persona, .. } => {
                self.judge(*device, *at, news, |planned| (planned == persona).then_some(false));
                news.changed.insert(*device);
            }
            Fact::BootStarted { boot, device, .. } => {
                let before = self.known.entry(*device).or_default().attempt.replace(Attempt::new(*boot));
                before.map(|before| self.attempts.remove(&before.boot));
                self.attempts.insert(*boot, *device);
            }
            Fact::BootPlanned { boot, kernel, .. } => self.planned(*boot, &kernel.persona.name, *at),
            Fact::BootMoved { boot, step } => self.moved(*boot, step, *at, news),
            Fact::LeaseOffered { .. }
            | Fact::LeaseBound { .. }
            | Fact::LeaseReleased { .. }
            | Fact::LeaseDeclined { .. }
            | Fact::OrdersTaken { .. }
            | Fact::TokenCreated { .. }
            | Fact::TokenRevoked { .. }
            | Fact::AccountCreated { .. }
            | Fact::AccountChanged { .. }
            | Fact::AccountRemoved { .. }
            | Fact::PersonaUnassigned { .. }
            | Fact::DeviceArmed { .. }
            | Fact::DeviceDisarmed { .. }
            | Fact::DeviceInstalled { .. }
            | Fact::ImagePinned { .. }
            | Fact::ImageUnpinned { .. }
            | Fact::ImageEvicted { .. } => {}
        }
    }

    /// What was predicted, ended well and met no objection for long enough by `now` was right.
    fn confirm(&mut self, now: Moment, news: &mut News) {
        // Attempts end in another order than they are planned in, but time only goes forward: the due ones are in front.
        while self.pending.front().is_some_and(|pending| pending.due <= now) {
            let Some(pending) = self.pending.pop_front() else { break };
            self.right(pending.planned, now, news);
        }
    }

    fn right(&mut self, planned: Planned, now: Moment, news: &mut News) {
        news.judged.extend(judged(&planned, true));
        self.learn(planned, now, Source::Confirmed, news);
    }

    fn assigned(&mut self, device: DeviceId, persona: &PersonaName, at: Moment, news: &mut News) {
        self.judge(device, at, news, |planned| Some(planned == persona));
        let named = Named { voice: Voice::Assigned, predicted: None };
        let planned = self.plan(device, persona, at, named);
        self.known.entry(device).or_default().said = Some(persona.clone());
        self.learn(planned, at, Source::Assignment, news);
    }

    /// Somebody said what they think of what was predicted for a device: `says` whether it was right.
    fn judge(&mut self, device: DeviceId, now: Moment, news: &mut News, says: impl Fn(&PersonaName) -> Option<bool>) {
        let of_device = |pending: &Pending| pending.planned.device == device;
        for at in (0..self.pending.len()).rev().filter(|at| of_device(&self.pending[*at])).collect::<Vec<_>>() {
            let Some(right) = says(&self.pending[at].planned.persona) else { continue };
            let Some(pending) = self.pending.remove(at) else { continue };
            match right {
                true => self.right(pending.planned, now, news),
                false => news.judged.extend(judged(&pending.planned, false)),
            }
        }
        // One that still boots is judged when it is rejected; whether it is right shows when it has ended.
        let attempt = self.known.get_mut(&device).and_then(|known| known.attempt.as_mut());
        let Some(attempt) = attempt else { return };
        let wrong = attempt
            .planned
            .take_if(|planned| planned.named.voice == Voice::Predicted && says(&planned.persona) == Some(false));
        news.judged.extend(wrong.and_then(|planned| judged(&planned, false)));
    }

    fn plan(&mut self, device: DeviceId, persona: &PersonaName, at: Moment, named: Named) -> Planned {
        let features = self.described(device);
        let user = self.user(device);
        Planned { seq: self.seq, at, device, user, features, persona: persona.clone(), named }
    }

    fn planned(&mut self, boot: BootId, persona: &PersonaName, at: Moment) {
        let Some(device) = self.attempts.get(&boot).copied() else { return };
        let attempt = self.known.get_mut(&device).and_then(|known| known.attempt.as_mut());
        let Some(attempt) = attempt.filter(|attempt| !attempt.was_planned) else { return };
        attempt.was_planned = true;
        let Some(named) = attempt.named.clone() else { return };
        let planned = self.plan(device, persona, at, named);
        if let Some(attempt) = self.known.get_mut(&device).and_then(|known| known.attempt.as_mut()) {
            attempt.planned = Some(planned);
        }
    }

    fn moved(&mut self, boot: BootId, step: &Step, now: Moment, news: &mut News) {
        let Some(device) = self.attempts.get(&boot).copied() else { return };
        let Some(Known { attempt: Some(attempt), said, .. }) = self.known.get_mut(&device) else { return };
        match step {
            Step::Script { decision: Decision::Become { reason, .. } } if !attempt.was_planned => {
                attempt.named = Named::by(reason);
            }
            Step::Report(report) => match report.phase {
                Phase::Installing => {}
                Phase::Failed => attempt.planned = None,
                Phase::Installed | Phase::Ready => {
                    let Some(planned) = attempt.planned.take() else { return };
                    match planned.named.voice {
                        Voice::Predicted => {
                            let last = self.pending.back().map_or(Moment::default(), |pending| pending.due);
                            let due = planned.at.plus(GRACE).max(last);
                            self.pending.push_back(Pending { due, planned });
                        }
                        Voice::Rule => self.learn(planned, now, Source::Rule, news),
                        _ if said.take().is_some_and(|said| said == planned.persona) => {}
                        _ => self.learn(planned, now, Source::Assigned, news),
                    }
                }
            },
            Step::GaveUp => attempt.planned = None,
            // A silent device may still report: then it was only slow.
            _ => {}
        }
    }

    fn learn(&mut self, planned: Planned, known_at: Moment, source: Source, news: &mut News) {
        let Planned { seq, at, device, user, features, persona, .. } = planned;
        let visit = Visit { label: persona.to_string(), at: i64::try_from(at.as_millis()).ok() };
        remember(self.visits.entry(device).or_default(), visit.clone());
        news.changed.insert(device);
        if let Some(user) = &user {
            remember(self.visits_of.entry(user.clone()).or_default(), visit);
            news.changed.extend(self.using.get(user).into_iter().flatten());
        }
        let (planned, known) = (seq, self.seq);
        let example = Arc::new(Example { planned, known, at, known_at, device, user, features, persona, source });
        news.learned.push(example.clone());
        self.examples.push_back(example);
        let excess = self.examples.len().saturating_sub(MOST_EXAMPLES);
        self.examples.drain(..excess);
    }

    fn change(&mut self, device: DeviceId, news: &mut News, change: impl FnOnce(&mut Known)) {
        let known = self.known.entry(device).or_default();
        change(known);
        known.features = None;
        news.changed.insert(device);
    }

    /// Somebody else may use a device than `before`.
    fn used_by(&mut self, device: DeviceId, before: Option<UserName>) {
        let now = self.user(device);
        if before == now {
            return;
        }
        if let Some(devices) = before.as_ref().and_then(|before| self.using.get_mut(before)) {
            devices.remove(&device);
        }
        if let Some(now) = now {
            self.using.entry(now).or_default().insert(device);
        }
    }

    /// Something else is known of a person: it holds for what they use.
    fn told_of(&mut self, user: &UserName, news: &mut News) {
        for device in self.using.get(user).into_iter().flatten() {
            self.known.entry(*device).or_default().features = None;
            news.changed.insert(*device);
        }
    }

    fn forget(&mut self, device: DeviceId, news: &mut News) {
        let before = self.user(device);
        if let Some(known) = self.known.remove(&device) {
            known.attempt.map(|attempt| self.attempts.remove(&attempt.boot));
        }
        self.used_by(device, before);
        self.visits.remove(&device);
        self.unlearn(news, |example| example.device == device, |planned| planned.device == device);
        news.changed.remove(&device);
        news.forgotten.insert(device);
    }

    /// Drops what was learned of a device or person that was forgotten, and what was about to be.
    fn unlearn(&mut self, news: &mut News, is: impl Fn(&Example) -> bool, will_be: impl Fn(&Planned) -> bool) {
        let before = self.examples.len();
        self.examples.retain(|example| !is(example));
        self.pending.retain(|pending| !will_be(&pending.planned));
        for attempt in self.known.values_mut().filter_map(|known| known.attempt.as_mut()) {
            attempt.planned.take_if(|planned| will_be(planned));
        }
        news.learned.retain(|example| !is(example));
        news.unlearned |= self.examples.len() < before;
    }

    /// A device's features; they are remembered until something changes.
    fn described(&mut self, device: DeviceId) -> Features {
        let known = self.known.entry(device).or_default();
        if let Some(features) = &known.features {
            return features.clone();
        }
        let users = user_in(&known.attributes).and_then(|user| self.people.get(&user));
        let Known { arch, hardware, link, attributes: own, .. } = &*known;
        let described = Described { device, arch: *arch, hardware, link, own, users };
        let features = described.features(&mut self.words);
        known.features = Some(features.clone());
        features
    }
}

/// Who the attributes of a device say uses it.
fn user_in(attributes: &Attributes) -> Option<UserName> {
    attributes.iter().find(|(name, _)| name.as_str() == USER)?.1.as_str().parse().ok()
}

fn remember(visits: &mut VecDeque<Visit>, visit: Visit) {
    visits.push_back(visit);
    let excess = visits.len().saturating_sub(MOST_VISITS);
    visits.drain(..excess);
}

fn judged(planned: &Planned, right: bool) -> Option<Judged> {
    let (probability, model) = planned.named.predicted.clone()?;
    Some(Judged { at: planned.at, probability, model, right })
}
