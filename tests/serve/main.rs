//! The services on loopback, asked by clients that others wrote (`curl`, `wget`, `tftp-hpa`, `atftp`, `busybox tftp`) and by bare
//! sockets that do what no client should. No namespaces: ports are the system's choice. Only
//! `malformed` needs root.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "tests say what they mean by panicking")]

mod admin;
mod gc;
mod http;
mod malformed;
mod origin;
mod port;
mod ranges;
mod rates;
mod replay;
mod sequence;
mod slow;
mod socket;
mod status;
mod tftp;
mod trouble;
mod world;
