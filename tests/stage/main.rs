//! The staging policy: what always holds, and what it makes of traces beside others.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests say what they mean by panicking")]

mod command;
mod properties;
mod replay;
