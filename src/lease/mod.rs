//! Floor 2: who may use which address. Pure; absent in proxy mode.
//!
//! [`Table`] is the state, [`address`] finds one, [`transition`] holds RFC 2131's rules for each message.

pub mod address;
pub mod table;
pub mod transition;

pub use table::Table;
