//! Floor 2: what the facts add up to, for people and for other systems. Pure folds.

pub mod act;
pub mod cause;
pub mod event;
pub mod filter;
pub mod quality;
pub mod roster;
pub mod staging;
pub mod timeline;
pub mod waterfall;
