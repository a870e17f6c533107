//! Floor 2: which blob should be in which tier.
//!
//! A [`Policy`] hears of every ask, is told what is pinned and what is forecast, and answers two questions: *may this blob come
//! in, and who goes for it* ([`Policy::admit`]), asked by a tier when it needs room; and *where should everything be*
//! ([`Policy::desired`]), asked by the keeper when nobody waits. Time is an argument; nothing here does I/O, so a recorded trace
//! runs through the very policy that serves.

mod heat;
mod policy;
pub mod replay;
mod step;

pub use policy::{Admission, Candidate, Forecast, Known, Policy, Rooms, Turned, Worth};
pub use step::{Standing, Step, StepKind, Why, steps};
