//! Any packet on port 67 or 4011 decodes or is named malformed.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|packet: &[u8]| drop(greenroom::wire::dhcp4::decode(packet)));
