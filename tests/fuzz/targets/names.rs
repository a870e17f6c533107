//! Any TFTP name and URL path parses to one of ours, which reads as itself again, or to nothing. Any query is some
//! hardware, with texts of bounded length.
#![no_main]

use greenroom::wire::{
    hardware::parse_hardware,
    paths::{BootPath, TftpName},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|name: &str| {
    if let Some(parsed) = TftpName::parse(name) {
        assert_eq!(TftpName::parse(&parsed.to_string()), Some(parsed));
    }
    if let Some(parsed) = BootPath::parse(name) {
        assert_eq!(BootPath::parse(&parsed.to_string()), Some(parsed));
    }
    let hardware = parse_hardware(name);
    let texts = [hardware.manufacturer, hardware.product, hardware.serial, hardware.asset];
    assert!(texts.iter().flatten().all(|text| (1..=128).contains(&text.chars().count())));
});
