//! Floor 2: from a sighting to a boot plan. Pure.
//!
//! [`identify`](identify::identify) says which device speaks, [`choose`](choose::choose) what it shall become and why,
//! [`plan`](plan::plan) what its boot script does, [`bootfile`](bootfile::bootfile) what its firmware is told to fetch;
//! [`foresee`](foresee::foresee) says what a prediction may do, for people.

pub mod bootfile;
pub mod choose;
pub mod foresee;
pub mod identify;
pub mod matching;
pub mod plan;
