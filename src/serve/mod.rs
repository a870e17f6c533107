//! Floor 5: sockets. Services translate between bytes and requests, and do nothing else.
//!
//! [`dhcp`] (67 and 4011) · [`tftp`] (69, the only user of `async_tftp`) · [`http`] (the boot port: scripts, NBPs, blobs,
//! seeds, the status page, metrics) · [`admin`] (JSON over a local socket, for the command line).

pub mod admin;
mod blob;
mod boot;
pub mod cache;
mod connection;
pub mod context;
pub mod dhcp;
mod hook;
pub mod http;
mod link_frame;
pub mod metrics;
pub mod net;
mod port_owner;
mod replay;
pub mod seed;
mod status;
mod tap;
pub mod tftp;
mod transfer;

pub use connection::{Connection, Listener as HttpListener};
pub use context::Context;
pub use hook::Hook;
pub use replay::{Replay, ReplayedFile};
