//! Floor 2: which persona a device will want, learned from what is known of it.
//!
//! A [`Sample`] is a table: columns of words, the groups (a device, a user) that a row belongs to, when it was, and the label
//! that it turned out to have. [`train()`] makes a [`Model`] of it, and [`Model::rank`] says of a new [`Row`] which labels are
//! likely, with probabilities that can be relied on: of a hundred predictions made with 0.8, eighty are right. Nothing here
//! knows what a persona is; the learner is told no schema and finds out by itself which columns belong together.
//!
//! How it thinks: a *context* is a set of columns (or the labels that a group had before). In each context that a row is in,
//! the labels of earlier rows were counted; the counts, smoothed by those of a wider context, are an opinion. A regression
//! weighs the opinions, more the more rows stand behind each, and the product of them all is the prediction. `train` chooses
//! contexts and weights and is the only room of `smartcore`; [`baseline`] has the plain ways that a model must not lose to,
//! [`score`] says how good either is.
//!
//! [`learn`] makes examples of the facts of a site, [`demand`] says how often each file of an image will be asked for.
//!
//! The packet path knows nothing of all this but the [`Table`], which has a row for each device and is replaced as a whole.

pub mod baseline;
pub mod confusion;
mod context;
pub mod demand;
mod encode;
mod feature;
mod history;
pub mod learn;
mod model;
mod sample;
pub mod score;
mod table;
mod train;

pub use baseline::{Baseline, BaselineKind};
pub use confusion::Confusion;
pub use history::Visit;
pub use model::{Candidate, Driver, FORMAT, Model, Ranking};
pub use sample::{Full, NEVER, Row, Sample};
pub use score::{Score, Tally};
pub use table::{Mark, Origin, Table};
pub use train::{Limits, TrainError, Watch, YOUNG, train, train_watched};
