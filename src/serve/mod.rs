//! Floor 5: sockets. Services translate between bytes and requests, and do nothing else.
//!
//! [`dhcp`] (67 and 4011) · [`tftp`] (69, the only user of `async_tftp`) · [`http`] (the boot port: scripts, NBPs, blobs,
//! seeds, the status page, metrics) · [`admin`] (JSON over a local socket, for the command line) · [`api`] (REST for other
//! programs, on a listener of its own) · [`web`] (the pages, on that listener too) · [`webhook`] (other systems, told of what
//! happened).
//!
//! The boot port's own loop is in `port`: hyper reads requests and writes what is small, `parcel` has the kernel send blobs,
//! `pace` says how fast.

pub mod account;
pub mod admin;
pub mod api;
pub mod audit;
mod blob;
mod boot;
pub mod cache;
mod callers;
pub mod capture;
mod connection;
pub mod console;
pub mod context;
pub mod dhcp;
pub mod directory;
mod exit;
pub mod explain;
mod gc;
mod hook;
pub mod http;
pub mod image;
mod link_frame;
pub mod metrics;
pub mod net;
mod pace;
mod parcel;
mod password;
mod port;
mod port_owner;
pub mod predict;
mod range;
mod replay;
mod ring;
pub mod roster;
pub mod seed;
pub mod staging;
mod status;
mod tap;
pub mod tftp;
pub mod token;
mod transfer;
mod trouble;
pub mod web;
pub mod webhook;

pub use callers::Callers;
pub use capture::Capture;
pub use connection::Listener as HttpListener;
pub use console::Console;
pub use context::Context;
pub use hook::Hook;
pub use pace::Pacer;
pub use password::Passwords;
pub use port::serve as serve_http;
pub use replay::{Replay, ReplayedFile};
pub use ring::Kept;
