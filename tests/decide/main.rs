//! Policy as tables: a world, a request, what comes of it. No socket, no clock, no disk.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests say what they mean by panicking")]

mod attempts;
mod choices;
mod demand;
mod foreseen;
mod leases;
mod links;
mod orders;
mod pins;
mod predictions;
mod tokens;
mod world;
