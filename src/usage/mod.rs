//! Floor 2: what the facts add up to, for people and for other systems. Pure folds.

pub mod event;
pub mod quality;
pub mod staging;
pub mod timeline;
