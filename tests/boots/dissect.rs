//! Packets as people read them: goldens of what real firmware sent, held against tshark, and hostile bytes.

use std::{fmt::Write, fs, path::Path};

use greenroom::wire::dissect::{Dissected, Field, dhcp, text, tftp};
use proptest::prelude::*;

pub fn captured(name: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire").join(format!("{name}.hex"));
    let bytes =
        |line: &str| (0..line.len() / 2).map(|at| u8::from_str_radix(&line[2 * at..2 * at + 2], 16).unwrap()).collect();
    fs::read_to_string(path).unwrap().lines().map(bytes).collect()
}

fn told(packet: &Dissected) -> String {
    let mut text = format!("{}\n", packet.kind);
    let mut line = |depth: usize, field: &Field| {
        let code = field.code.map(|code| format!("{code} ")).unwrap_or_default();
        let odd = field.odd.as_ref().map(|odd| format!("  (!) {odd}")).unwrap_or_default();
        writeln!(text, "{:depth$}{code}{}: {}{odd}", "", field.name, field.value, depth = 2 * depth).unwrap();
    };
    for field in &packet.fields {
        line(1, field);
        field.inner.iter().for_each(|sub| line(2, sub));
    }
    text
}

#[test]
fn what_ipxe_sends_on_bios() {
    insta::assert_snapshot!(told(&dhcp(&captured("bios-virtio-rom")[0])));
}

#[test]
fn what_uefi_sends() {
    insta::assert_snapshot!(told(&dhcp(&captured("ovmf-pxe-virtio")[0])));
}

#[test]
fn what_uefi_http_boot_sends() {
    insta::assert_snapshot!(told(&dhcp(&captured("ovmf-http-virtio")[0])));
}

/// A packet with these options behind a good header.
fn packet(options: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; 236];
    (packet[0], packet[1], packet[2]) = (1, 1, 6);
    packet[28..34].copy_from_slice(&[0x52, 0x54, 0, 0x77, 0, 1]);
    packet.extend([99, 130, 83, 99]);
    packet.extend_from_slice(options);
    packet
}

fn value(packet: &Dissected, code: u8) -> (String, Option<String>) {
    let field = packet.fields.iter().find(|field| field.code == Some(code)).unwrap();
    (field.value.clone(), field.odd.clone())
}

#[test]
fn what_is_unusual_is_marked() {
    for (options, code, odd) in [
        (
            &b"\x35\x01\x01\x61\x11\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"[..],
            97,
            "filler",
        ),
        (b"\x35\x01\x01\x5d\x04\0\0\0\x07\xff", 93, "several"),
        (b"\x35\x01\x01\x5d\x02\x12\x34\xff", 93, "no architecture"),
        (b"\x35\x01\x01\x39\x02\x01\0\xff", 57, "less than"),
        (b"\x35\x01\x01\x3d\x07\x01", 61, "past the end"),
        (b"\x35\x01\x01\x3c\x03PXE\x3c\x06Client\xff", 60, "2 parts"),
        (b"\x35\x02\x01\x01\xff", 53, "no length"),
        (b"\x35\x01\x01\x52\x04\x01\x09ab\xff", 82, "cut off"),
    ] {
        let shown = dhcp(&packet(options));
        let said = value(&shown, code).1.unwrap_or_default();
        assert!(said.contains(odd), "{}: {said:?}", told(&shown));
    }
    let unended = dhcp(&packet(b"\x35\x01\x01"));
    assert!(told(&unended).contains("nothing says where the options end"), "{}", told(&unended));
    let pxe = dhcp(&packet(b"\x35\x01\x01\x3c\x09PXEClient\xff"));
    assert!(told(&pxe).contains("93 client architecture: missing"), "{}", told(&pxe));
    assert_eq!(dhcp(&[1; 100]).kind, "no DHCP");
    assert_eq!(dhcp(&packet(b"\xff")).oddities(), 1, "no message type");
}

#[test]
fn what_is_inside_options_is_named() {
    let options = b"\x35\x01\x01\x3c\x09PXEClient\x2b\x0a\x06\x01\x08\x0a\x04\0PXE\xff\x52\x0c\x01\x04eth1\x02\x04\x01\x02\x03\x04\xaf\x06\xb0\x01\x01\xbf\x01x\xff";
    let shown = told(&dhcp(&packet(options)));
    for line in [
        "6 discovery control: skip discovery, use the bootfile (8)",
        "10 menu prompt: PXE, at once",
        "1 circuit id: eth1",
        "2 remote id: 01 02 03 04",
        "176 no-pxedhcp: 1",
        "191 password: (not shown)",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    // Who the vendor is says what is in option 43.
    let other = told(&dhcp(&packet(b"\x35\x01\x01\x3c\x04MSFT\x2b\x03\x06\x01\x08\xff")));
    assert!(other.contains("43 vendor options: 06 01 08"), "{other}");
}

#[test]
fn requests_to_tftp_are_read() {
    let shown = told(&tftp(b"\0\x01k3\\undionly.kpxe\xff\0octet\0tsize\x000\0blksize\x009000\0"));
    for line in ["read request", "mode: octet", "tsize: 0", "granted 1468", "\\xff", "(!) bytes behind the name"] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(told(&tftp(b"\0\x01name")).contains("cut off"));
    assert_eq!(tftp(b"\0").kind, "no TFTP");
}

#[test]
fn nothing_in_a_text_acts_on_whoever_reads_it() {
    assert_eq!(text(b"\x1b[31mred\0\xff\xc3\xa9"), "\\u{1b}[31mred\\u{0}\\xffé");
    assert_eq!(text("a\u{202e}b\u{2066}c\r\n".as_bytes()), "a\\u{202e}b\\u{2066}c\\r\\n");
}

proptest! {
    #[test]
    fn any_bytes_are_taken_apart(bytes in proptest::collection::vec(any::<u8>(), 0..700), options in proptest::collection::vec(any::<u8>(), 0..200)) {
        for shown in [dhcp(&bytes), dhcp(&packet(&options)), tftp(&bytes)] {
            let all = told(&shown);
            prop_assert!(!all.chars().any(|c| c.is_control() && c != '\n'), "{all:?}");
        }
    }
}
