//! DHCPv4 packets (RFC 2131): [`decode()`] what clients send, [`encode()`] what they are answered.
//!
//! This folder is the only user of `dhcproto`. Its decoder sees the header and a handful of options whose lengths were
//! checked first; everything that boot ROMs get creative with comes from [`super::option_scan`].

mod decode;
mod encode;

pub use super::option_scan::Malformed;
pub use decode::decode;
pub use encode::encode;
