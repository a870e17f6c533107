//! What the policy makes of a recorded trace, beside others.
//!
//! The trace is held as numbers, 16 bytes an ask: the optimum needs to know the future.

mod score;
mod tiers;
mod trace;

pub use score::{Score, ratio};
pub use tiers::run;
pub use trace::{Ask, BadLine, Trace};
