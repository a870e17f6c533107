//! The library over time: versions, edits, merges, pulls, and what is kept of what was served. Real git, in folders of their
//! own.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "tests say what they mean by panicking")]

mod command;
mod daemon;
mod desk;
mod glance;
mod growth;
mod hook;
mod owner;
#[path = "../serve/port.rs"]
mod port;
mod reload;
mod remote;
mod stage;
mod store;
mod versions;
