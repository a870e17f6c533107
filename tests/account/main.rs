//! Signing in: the real binary, and curl as the browser. What somebody outside must not get past, and what somebody inside
//! must not be kept from.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests say what they mean by panicking")]

mod daemon;
mod first;
mod issuer;
mod oidc;
mod pages;
#[path = "../serve/port.rs"]
mod port;
mod sign_in;
mod terminal;
