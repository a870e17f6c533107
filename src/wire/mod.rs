//! Floor 1: bytes and text <-> nouns. Pure, and total: every input has an answer, none panics.

pub mod dhcp4;
pub mod hardware;
pub mod ipxe_script;
pub mod option_scan;
pub mod paths;
pub mod pxe_options;
pub mod scim;
pub mod tftp_request;
