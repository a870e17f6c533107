//! Prediction, as its readers meet it: what is learned from tables, and what `greenroom predict eval` says of it.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests say what they mean by panicking")]

mod command;
mod history;
mod learn;
mod malformed;
mod table;
