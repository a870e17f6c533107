//! Floor 2: which persona a device will want.
//!
//! [`demand`] says how often each file of an image will be asked for.
//!
//! The packet path knows one thing of it: the [`Table`], which has a row for each device and is replaced as a whole.

pub mod demand;
mod table;

pub use table::{Origin, Table};
