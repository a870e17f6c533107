//! What the policy makes of a recorded trace, beside others.
//!
//! The trace is held as numbers, 16 bytes an ask: the optimum needs to know the future.

mod bare_tier;
mod belady;
mod compare;
mod foresight;
mod sample;
mod score;
mod tiers;
mod trace;

pub use bare_tier::{BareTier, standing, take};
pub use belady::{Farthest, belady, bound, next_asks};
pub use compare::{Comparison, Row, compare};
pub use foresight::{BadWindow, Foresight, Windows};
pub use sample::{Dice, Request, Sample, zipf};
pub use score::Score;
pub use tiers::run;
pub use trace::{Ask, BadLine, Trace};
