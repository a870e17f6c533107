//! A lesson: what the examples so far teach, held against what is in use and against the plain ways to predict.

use std::sync::Arc;

use crate::{
    model::{Moment, Seconds},
    predict::{Baseline, Confusion, Limits, Model, Sample, TrainError, Watch, YOUNG, score::Tally, train_watched},
};

use super::{
    Entry, Example, Report, Uses, VERSION_FORMAT, Version, Walk,
    table::{columns, sample},
    temper::{Temper, Trials},
    walk,
    walk::Predictor,
};

/// With fewer examples there is no lesson.
pub const FEWEST: usize = 10;

/// How many examples are learned from: the latest.
const MOST: usize = 100_000;

/// How many are held out at the most.
const MOST_HELD_OUT: usize = 4000;

/// With fewer examples that are new to both, what is in use is not held against what was learned since.
const FEWEST_NEW: usize = 20;

/// How the name of what was in use before ends, among those that were tried.
pub const IN_USE_BEFORE: &str = ", in use before";

/// What came of a lesson.
#[derive(Debug)]
pub struct Lesson {
    /// What predicts from now on.
    pub version: Version,
    /// Whether that is what was in use before, which now also knows the latest examples.
    pub kept: bool,
}

/// Why there was no lesson.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LessonError {
    /// There is too little to learn from.
    #[error("{found} of the {FEWEST} examples that a first lesson needs: assign personas, and let devices boot them")]
    TooFew {
        /// How many examples there are.
        found: usize,
    },
    /// The training failed.
    #[error("the training failed: {0}")]
    Train(#[from] TrainError),
}

/// Learns from these examples, and keeps what does best on the latest of them: the newest fifth, each predicted from what was
/// known before it. Less log-loss is better; of equals, the model goes first.
///
/// The model in use stays when it does better than all that on the examples that are new to both.
///
/// Those that are not known yet are predicted, and not learned from. There is a lesson `every` so often: each example waits for
/// the next one before it is counted, in training and when they are held against one another, as it does in use.
pub fn lesson(
    examples: Vec<Arc<Example>>,
    in_use: Option<&Version>,
    number: u64,
    (now, every): (Moment, Seconds),
    watch: Watch<'_>,
) -> Result<Lesson, LessonError> {
    let examples = latest(examples)?;
    let columns = columns(&examples);
    let trial = Trial::run(&examples, &columns, in_use, every, &mut |done| watch(done * 0.4))?;
    let through =
        examples.iter().map(|example| example.known).filter(|known| *known < u64::MAX).max().unwrap_or_default();
    if let (Some(in_use), Some(learned)) = (in_use, trial.stays()) {
        let (sample, left_out) = sample(&examples, &in_use.columns);
        let version = Version {
            through,
            examples: examples.len(),
            uses: Uses::Model,
            temper: trial.temper(Place::InUse),
            report: trial.report(Place::InUse, left_out),
            model: learned,
            baselines: Baseline::all(&sample),
            ..in_use.clone()
        };
        return Ok(Lesson { version, kept: true });
    }
    let (sample, left_out) = sample(&examples, &columns);
    let model = train(&sample, every, &mut |done| watch(0.5 + done * 0.5))?;
    let best = trial.best();
    let version = Version {
        format: VERSION_FORMAT,
        number,
        trained: now,
        through,
        examples: examples.len(),
        uses: match best {
            Place::Baseline(at) => Uses::Baseline { at },
            Place::New | Place::InUse => Uses::Model,
        },
        temper: trial.temper(best),
        report: trial.report(best, left_out),
        columns,
        model,
        baselines: Baseline::all(&sample),
    };
    Ok(Lesson { version, kept: false })
}

/// How well a model and the baselines would have done on the latest of these examples, with lessons `every` so often: what a
/// lesson would report.
pub fn review(examples: Vec<Arc<Example>>, every: Seconds, watch: Watch<'_>) -> Result<Report, LessonError> {
    let examples = latest(examples)?;
    let columns = columns(&examples);
    let (_, left_out) = sample(&examples, &columns);
    let trial = Trial::run(&examples, &columns, None, every, watch)?;
    Ok(trial.report(trial.best(), left_out))
}

/// The latest examples in the order in which they were planned, if they are enough.
fn latest(mut examples: Vec<Arc<Example>>) -> Result<Vec<Arc<Example>>, LessonError> {
    examples.sort_by_key(|example| (example.planned, example.known));
    let excess = examples.len().saturating_sub(MOST);
    examples.drain(..excess);
    match examples.len() {
        found if found < FEWEST => Err(LessonError::TooFew { found }),
        _ => Ok(examples),
    }
}

/// How many milliseconds after it was known an example is counted: half the time between two lessons, which is how long it waits
/// for the next one on average, and sooner in a young history, as in training.
fn after(examples: &[Arc<Example>], every: Seconds) -> u64 {
    let times = || examples.iter().map(|example| example.at.as_millis());
    let span = times().max().unwrap_or_default() - times().min().unwrap_or_default();
    (u64::from(every.0) * 500).min(span / YOUNG.unsigned_abs())
}

fn train(sample: &Sample, every: Seconds, watch: Watch<'_>) -> Result<Model, TrainError> {
    train_watched(sample, &Limits { reveal_after: Seconds(every.0 / 2), ..Limits::default() }, watch)
}

/// One of those that are held against one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    New,
    Baseline(usize),
    InUse,
}

/// How each of them did.
struct Trial {
    /// On all that was held out: the new model, then the baselines.
    all: Vec<(String, Tally)>,
    /// On those examples that are new to the model in use as well: the same ones, then that model.
    fresh: Vec<Tally>,
    /// How sure each was, and how right: on all that was held out, and the model in use on what is new to it.
    trials: Vec<Trials>,
    /// What each took for what, on the same.
    confusions: Vec<Confusion>,
    /// The model in use: its name, and itself, with all examples learned.
    in_use: Option<(String, Box<Model>)>,
}

impl Trial {
    fn run(
        examples: &[Arc<Example>],
        columns: &[String],
        in_use: Option<&Version>,
        every: Seconds,
        watch: Watch<'_>,
    ) -> Result<Self, TrainError> {
        let held_out = (examples.len() / 5).clamp(1, MOST_HELD_OUT);
        let from = examples.len() - held_out;
        let start = examples[from].planned;
        let before: Vec<Arc<Example>> = examples.iter().filter(|example| example.known < start).cloned().collect();
        let (sample, _) = sample(&before, columns);
        let model = train(&sample, every, &mut |done| watch(done * 0.6))?;
        let baselines = Baseline::all(&sample);
        let names = baselines.iter().map(|baseline| baseline.kind().to_string());
        let all: Vec<(String, Tally)> =
            ["model".to_owned()].into_iter().chain(names).map(|name| (name, Tally::default())).collect();
        let predictors = [Predictor::Model(Box::new(model))]
            .into_iter()
            .chain(baselines.into_iter().map(|baseline| Predictor::Baseline(Box::new(baseline))));
        let mut walks: Vec<Walk> = predictors
            .map(|predictor| Walk { predictor, columns: columns.to_vec(), knows: start.saturating_sub(1) })
            .collect();
        let in_use = in_use.filter(|version| version.uses == Uses::Model);
        walks.extend(in_use.map(|version| Walk {
            predictor: Predictor::Model(Box::new(version.model.clone())),
            columns: version.columns.clone(),
            knows: version.through,
        }));
        let new_from = in_use.map_or(u64::MAX, |version| version.through);
        let after = after(examples, every);
        let trials = vec![Trials::default(); walks.len()];
        let (fresh, confusions) = (vec![Tally::default(); walks.len()], vec![Confusion::default(); walks.len()]);
        let mut trial = Self { all, fresh, trials, confusions, in_use: None };
        let mut stopped = false;
        walk(examples, from, after, &mut walks, |at, nth, ranking| {
            let example = &examples[at];
            let came = example.persona.as_str();
            if let Some((_, tally)) = trial.all.get_mut(nth) {
                tally.add(ranking, came);
            }
            if nth < trial.all.len() || example.planned > new_from {
                trial.trials[nth].add(ranking, example, after);
                if let Some(first) = ranking.candidates.first() {
                    trial.confusions[nth].add(&first.label, came);
                }
            }
            if example.planned > new_from {
                trial.fresh[nth].add(ranking, came);
            }
            stopped |= watch(0.6 + 0.4 * (at - from) as f64 / held_out as f64).is_break();
            !stopped
        });
        if stopped {
            return Err(TrainError::Stopped);
        }
        let learned = walks.pop().filter(|_| in_use.is_some()).map(|walk| walk.predictor);
        trial.in_use = in_use.zip(learned).and_then(|(version, learned)| match learned {
            Predictor::Model(model) => Some((version.to_string(), model)),
            Predictor::Baseline(_) => None,
        });
        Ok(trial)
    }

    /// Which does best on all that was held out.
    fn best(&self) -> Place {
        let loss = |at: &usize| self.all[*at].1.score().log_loss;
        let best = (0..self.all.len()).min_by(|one, other| loss(one).total_cmp(&loss(other))).unwrap_or(0);
        if best == 0 { Place::New } else { Place::Baseline(best - 1) }
    }

    fn place(&self, place: Place) -> usize {
        match place {
            Place::New => 0,
            Place::Baseline(at) => at + 1,
            Place::InUse => self.all.len(),
        }
    }

    /// The model in use, when it does better than the best of the others on what is new to both.
    fn stays(&self) -> Option<Model> {
        let (_, model) = self.in_use.as_ref()?;
        let [best, in_use] = [self.best(), Place::InUse].map(|place| self.fresh[self.place(place)].score());
        let better = in_use.rows >= FEWEST_NEW && in_use.log_loss < best.log_loss;
        better.then(|| (**model).clone())
    }

    /// By how much to temper what is chosen.
    fn temper(&self, chosen: Place) -> Temper {
        self.trials[self.place(chosen)].temper()
    }

    fn report(&self, chosen: Place, left_out: usize) -> Report {
        let entry = |(at, (name, tally)): (usize, &(String, Tally))| Entry {
            name: name.clone(),
            in_use: at == self.place(chosen),
            score: tally.score(),
        };
        let mut entries: Vec<Entry> = self.all.iter().enumerate().map(entry).collect();
        if let (Some((name, _)), Some(tally)) = (&self.in_use, self.fresh.last()) {
            let name = format!("{name}{IN_USE_BEFORE}");
            entries.push(Entry { name, in_use: chosen == Place::InUse, score: tally.score() });
        }
        let temper = self.temper(chosen);
        let tried = match chosen {
            Place::InUse => self.fresh.last().unwrap_or(&self.all[0].1),
            other => &self.all[self.place(other)].1,
        };
        let bins = tried.bins_told(|sure| temper.sure(sure)).into_iter().filter(|bin| bin.rows > 0).collect();
        Report {
            held_out: self.all[0].1.score().rows,
            left_out,
            why: self.why(chosen),
            entries,
            bins,
            confusion: self.confusions[self.place(chosen)].clone(),
        }
    }

    /// Why that one was chosen, in words.
    fn why(&self, chosen: Place) -> String {
        let loss = |at: usize| self.all[at].1.score().log_loss;
        match chosen {
            Place::New => match (1..self.all.len()).min_by(|one, other| loss(*one).total_cmp(&loss(*other))) {
                Some(next) => {
                    let name = &self.all[next].0;
                    format!(
                        "the model's log-loss is {:.3}, that of the best baseline ({name}) {:.3}",
                        loss(0),
                        loss(next)
                    )
                }
                None => "there is no baseline to lose to".into(),
            },
            Place::Baseline(at) => {
                let (name, at) = (&self.all[at + 1].0, at + 1);
                format!(
                    "fell back to the baseline \"{name}\": its log-loss is {:.3}, the model's {:.3}",
                    loss(at),
                    loss(0)
                )
            }
            Place::InUse => {
                let [best, in_use] = [self.place(self.best()), self.all.len()].map(|at| self.fresh[at].score());
                format!(
                    "the model that was in use stays: on the {} examples that are new to both its log-loss is {:.3}, that of \
                     the best of the others {:.3}",
                    in_use.rows, in_use.log_loss, best.log_loss
                )
            }
        }
    }
}
