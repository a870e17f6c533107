//! Any TFTP name and URL path parses to one of ours, which reads as itself again, or to nothing.
#![no_main]

use greenroom::wire::paths::{BootPath, TftpName};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|name: &str| {
    if let Some(parsed) = TftpName::parse(name) {
        assert_eq!(TftpName::parse(&parsed.to_string()), Some(parsed));
    }
    if let Some(parsed) = BootPath::parse(name) {
        assert_eq!(BootPath::parse(&parsed.to_string()), Some(parsed));
    }
});
