//! Images are at hand before they are asked for: the real keeper and the real stager over the real boot port, with origins
//! that give as much as a test lets them; and how well boots are foreseen, on fleets that were made up.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "tests say what they mean by panicking, and use their part of what other tests share"
)]

#[path = "../images/noise.rs"]
mod blob_noise;
#[path = "../serve/origin.rs"]
mod origin;
#[path = "../images/origin_server.rs"]
mod origin_server;
#[path = "../serve/world.rs"]
mod world;

mod arrivals;
mod bounds;
mod forecasts;
mod foresight;
mod habit;
mod past;
