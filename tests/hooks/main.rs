//! Webhooks out: the real stack (and the real binary, killed) against a web server that does what receivers do: it takes, is
//! slow, fails, hangs up, hangs, redirects, talks too much, and says that it is gone. Signatures are verified by the Standard
//! Webhooks' own library.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests say what they mean by panicking"
)]

mod answers;
mod daemon;
mod order;
#[path = "../serve/port.rs"]
mod port;
mod receiver;
mod shape;
mod site;
#[path = "../serve/world.rs"]
mod world;
