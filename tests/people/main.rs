//! Devices and people: what is said of them, by the real command line and a real daemon, from files that spreadsheets and vandals
//! wrote, and from a directory that others wrote (`scim2-server`).

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests say what they mean by panicking")]

mod directory;
mod inventory;
mod large;
#[path = "../serve/port.rs"]
mod port;
mod roster;
mod stage;
