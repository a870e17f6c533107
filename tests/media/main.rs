//! Adding images from where they are: media made by xorriso, a real registry, lists signed by gpg and minisign, servers that
//! break off. What is asserted is what a person at the command line, or a device, would notice.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it means by panicking; clippy excuses only the test functions"
)]

mod downloading;
mod families;
mod hostile;
#[path = "../images/noise.rs"]
mod noise;
#[path = "../serve/port.rs"]
mod port;
mod reading;
mod registry;
mod stage;
mod vouching;
