//! Why a device did not boot: causes from attempts, packets taken apart, captures that other tools read, consoles.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests say what they mean by panicking")]

mod attempt;
mod capture;
mod cause;
mod console;
mod dissect;
mod waterfall;
