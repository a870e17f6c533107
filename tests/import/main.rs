//! Importers: what comes out of folders as other boot servers keep them, what an admin is told, and what bad input does.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests say what they mean by panicking")]

mod bad_input;
mod goldens;
mod stage;
mod write;
