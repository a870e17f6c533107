//! The API: its real router on its real listener, over a daemon's services (`door`), asked by clients that others wrote.
//! Where a restart or a configuration matters, by the real binary (`daemon`).

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests say what they mean by panicking")]

mod assignments;
mod daemon;
mod devices;
mod document;
mod door;
mod forms;
#[path = "../serve/port.rs"]
mod port;
mod reads;
mod tokens;
#[allow(dead_code, reason = "the boot port's tests use the rest")]
#[path = "../serve/world.rs"]
mod world;
