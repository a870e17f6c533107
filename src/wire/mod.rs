//! Floor 1: bytes and text <-> nouns. Pure, and total: every input has an answer, none panics.

pub mod dhcp4;
pub mod dissect;
pub mod hardware;
pub mod ipxe_script;
pub mod mask;
pub mod option_scan;
pub mod paths;
pub mod pcap;
pub mod pxe_options;
pub mod scim;
pub mod syslog;
pub mod tftp_request;
