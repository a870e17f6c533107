//! Floor 2: what the facts add up to, for people. Pure folds.

pub mod filter;
pub mod roster;
pub mod timeline;
