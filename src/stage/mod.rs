//! Floor 2: which blob should be in which tier.
//!
//! A [`Policy`] hears of every ask, is told what is pinned and what is forecast, and answers two questions: *may this blob come
//! in, and who goes for it* ([`Policy::admit`]), asked by a tier when it needs room; and *where should everything be*
//! ([`Policy::desired`]), asked by the keeper when nobody waits. Time is an argument; nothing here does I/O, so a recorded trace
//! runs through the very policy that serves.

mod admit;
mod heat;
mod panel;
mod place;
mod policy;
mod record;
pub mod replay;
pub mod shadow;
mod step;

pub use admit::{Admission, Candidate, Turned};
pub use panel::Expert;
pub use place::{Known, Rooms};
pub use policy::{Forecast, Policy, Worth};
pub use step::{Standing, Step, StepKind, Why, steps};
