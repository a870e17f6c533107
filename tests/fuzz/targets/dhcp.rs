//! Any packet on port 67 or 4011 decodes or is named malformed; what decodes can be answered, whatever it wants back.
#![no_main]

use std::net::Ipv4Addr;

use greenroom::{
    model::dhcp::{AnswerKind, BootFlavour, BootOptions, DhcpAnswer, VendorOptions},
    wire::{
        dhcp4::{decode, encode},
        option_scan::scan,
    },
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|packet: &[u8]| {
    let Ok(ask) = decode(packet) else { return };
    let boot = BootOptions {
        flavour: BootFlavour::Pxe,
        bootfile: Some("0123456789/undionly.kpxe".into()),
        vendor: VendorOptions::UseBootfile,
        in_option_67: true,
        ipxe_no_proxy: true,
    };
    let answer = DhcpAnswer {
        kind: AnswerKind::Ack,
        server: Ipv4Addr::new(10, 77, 0, 1),
        yiaddr: Ipv4Addr::new(10, 77, 0, 100),
        network: None,
        boot: Some(boot),
        message: None,
    };
    let options = scan(&encode(&ask, &answer)).expect("a reply is well formed");
    assert_eq!(options.get(&82), ask.relay_info.as_ref().filter(|relay| !relay.is_empty()));
});
