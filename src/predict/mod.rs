//! Floor 2: which persona a device will want.
//!
//! The packet path knows one thing of it: the [`Table`], which has a row for each device and is replaced as a whole.

mod table;

pub use table::{Origin, Table};
