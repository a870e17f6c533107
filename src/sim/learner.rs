//! Greenroom's own way: what the daemon's trainer does, in virtual time. It folds the site's facts, has a lesson each night,
//! and says of each device what it is likely to become.

use std::{ops::ControlFlow, sync::Arc};

use crate::{
    model::{
        DeviceId, Moment, Probability, Record, Seconds,
        prediction::{Candidate, Prediction},
    },
    predict::{
        Ranking,
        learn::{Asked, Example, Experience, News, Version, lesson},
    },
};

/// How many examples a lesson takes at the most, the latest: what a night of a simulated year may cost.
const MOST: usize = 12_000;
/// How often the daemon has a lesson, as in a configuration that says nothing of it.
const EVERY: Seconds = Seconds(900);
/// How many candidates a prediction has at the most.
const MOST_CANDIDATES: usize = 8;
/// What is less probable than this is not worth a line.
const LEAST: f64 = 0.005;

/// The learner of the site.
#[derive(Debug, Default)]
pub(super) struct Learner {
    experience: Experience,
    version: Option<Version>,
    /// How many examples there were at the last lesson.
    known: usize,
    /// How many there were so far.
    learned: usize,
}

impl Learner {
    /// Folds a record in: the devices of which something else is known now.
    pub(super) fn hear(&mut self, record: &Record) -> Vec<DeviceId> {
        let mut news = News::default();
        self.experience.apply(record, &mut news);
        self.learned += news.learned.len();
        news.changed.into_iter().collect()
    }

    /// Every device of which something is known.
    pub(super) fn devices(&self) -> Vec<DeviceId> {
        self.experience.devices().collect()
    }

    /// Whether it is time for a lesson: a fifth more is known, or it is night and anything is new. The daemon has one every
    /// quarter of an hour; here that would be most of what a run takes.
    pub(super) fn is_due(&self, night: bool) -> bool {
        let new = self.learned - self.known;
        new > 0 && (night || new * 5 >= self.known)
    }

    /// A lesson. With too little to learn from, there is none: `false`.
    pub(super) fn train(&mut self, now: Moment) -> bool {
        self.known = self.learned;
        let examples = self.experience.examples();
        let old = examples.len().saturating_sub(MOST);
        let mut examples: Vec<Arc<Example>> = examples.skip(old).cloned().collect();
        examples.extend(self.experience.unopposed());
        let number = self.version.as_ref().map_or(1, |version| version.number + 1);
        let learned = lesson(examples, self.version.as_ref(), number, (now, EVERY), &mut |_| ControlFlow::Continue(()));
        match learned {
            Ok(lesson) => {
                self.version = Some(lesson.version);
                true
            }
            Err(_) => false,
        }
    }

    /// What predicts.
    pub(super) fn name(&self) -> Option<String> {
        self.version.as_ref().map(ToString::to_string)
    }

    /// What a device is likely to become, if it boots at `at`.
    pub(super) fn rank(&mut self, device: DeviceId, at: Moment) -> Option<Prediction> {
        let version = self.version.as_ref()?;
        let features = self.experience.features(device)?;
        let user = self.experience.user(device);
        let visits = self.experience.visits(device);
        let of_user = user.as_ref().map(|user| self.experience.visits_of(user)).unwrap_or_default();
        let asked = Asked { device, user: user.as_ref(), features: &features, at, history: [&visits, &of_user] };
        Some(prediction(&version.rank(&asked)))
    }
}

fn prediction(ranking: &Ranking) -> Prediction {
    let likely = ranking.candidates.iter().take_while(|candidate| candidate.probability >= LEAST);
    let named = |candidate: &crate::predict::Candidate| {
        let persona = candidate.label.parse().ok()?;
        Some(Candidate { persona, probability: Probability::near(candidate.probability) })
    };
    Prediction::new(likely.take(MOST_CANDIDATES).filter_map(named).collect())
}
