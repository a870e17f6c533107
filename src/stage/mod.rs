//! Floor 2: which blob should be in which tier.
//!
//! A [`Policy`] hears of every ask, is told what is pinned and what is forecast, and answers two questions: *may this blob come
//! in, and who goes for it* ([`Policy::admit`]), asked by a tier when it needs room; and *where should everything be*
//! ([`Policy::desired`]), asked by the keeper when nobody waits; [`steps`] leads there. Time is an argument; nothing here does
//! I/O, so a recorded trace runs through the very policy that serves ([`replay`]).
//!
//! No fixed policy is best for every site. So eight of them run as [`shadow`]s of each tier, without bytes, and the one whose
//! hits were worth most of late is followed: `panel` has the seats, `aim` says what a hit is worth, `record` remembers
//! blobs also when they are gone. A forecast is one of the eight: it leads while it is not proved wrong.

mod admit;
mod aim;
mod heat;
mod panel;
mod place;
mod policy;
mod record;
pub mod replay;
pub mod shadow;
mod step;

pub use admit::{Admission, Candidate, Turned};
pub use aim::Aim;
pub use panel::Expert;
pub use place::{Known, Rooms};
pub use policy::{Forecast, Policy, Worth};
pub use step::{Standing, Step, StepKind, Why, steps};
