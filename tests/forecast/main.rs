//! Predictions of the site's own devices: from facts to examples, from examples to versions, from versions to the table that
//! decisions look up; and what people see of it.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests say what they mean by panicking")]

mod bursts;
mod command;
mod examples;
mod lessons;
mod living;
mod story;
#[path = "../serve/world.rs"]
#[allow(dead_code, reason = "the house of the services' tests, of which these use a few rooms")]
mod world;
