//! DHCP, taken apart: header, options in the order they were sent, what is inside them.

use std::net::Ipv4Addr;

use super::{
    Dissected, Field, hex, name, text,
    value::{Kind, colons, pieces, told},
};

/// Where the parts of the header lie (RFC 2131 section 2).
const CHADDR: usize = 28;
const SNAME: std::ops::Range<usize> = 44..108;
const FILE: std::ops::Range<usize> = 108..236;
const COOKIE_AT: usize = 236;
const OPTIONS_AT: usize = 240;
const COOKIE: [u8; 4] = [99, 130, 83, 99];

/// What a message must be able to hold at least (RFC 2132 section 9.10).
const LEAST_MESSAGE: u16 = 576;

/// Takes a DHCP packet apart, the payload of its UDP datagram.
pub fn dhcp(packet: &[u8]) -> Dissected {
    if packet.len() < OPTIONS_AT || packet[COOKIE_AT..OPTIONS_AT] != COOKIE {
        let why = match packet.len() < OPTIONS_AT {
            true => "shorter than a DHCP header",
            false => "without DHCP's magic cookie: BOOTP, or something else",
        };
        let bytes = Field::new("bytes", hex(packet)).odd(why);
        return Dissected { kind: "no DHCP".into(), fields: vec![bytes] };
    }
    let options = options(packet);
    let ipxe = options.iter().any(|field| field.code == Some(175));
    let mut fields = header(packet, ipxe);
    let kind = options.iter().find(|field| field.code == Some(53)).map(|field| field.value.clone());
    let kind = kind.map(|value| value.split(' ').next().unwrap_or_default().to_owned());
    fields.extend(options);
    if kind.is_none() {
        fields.push(Field::new("message type", "none").odd("option 53 is missing: nothing says what this asks"));
    }
    missing(packet[0] == 1, &mut fields);
    Dissected { kind: kind.unwrap_or_else(|| "BOOTP".into()), fields }
}

fn header(packet: &[u8], ipxe: bool) -> Vec<Field> {
    let two = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
    let address = |at: usize| Ipv4Addr::new(packet[at], packet[at + 1], packet[at + 2], packet[at + 3]);
    let operation = match packet[0] {
        1 => Field::new("operation", "request (1)"),
        2 => Field::new("operation", "reply (2)"),
        other => Field::new("operation", other.to_string()).odd("neither a request (1) nor a reply (2)"),
    };
    let (kind, length) = (packet[1], packet[2]);
    let mut hardware = Field::new("client's port", colons(&packet[CHADDR..CHADDR + usize::from(length).clamp(1, 16)]));
    if (kind, length) != (1, 6) {
        hardware = hardware.odd(format!("hardware type {kind} with {length} bytes is not Ethernet"));
    }
    let mut fields = vec![operation, hardware];
    fields.push(Field::new(
        "transaction",
        format!("{:08x}", u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]])),
    ));
    if packet[3] > 0 {
        fields.push(Field::new("hops", packet[3].to_string()));
    }
    let secs = two(8);
    fields.push(match ipxe {
        // QUIRKS row 20: iPXE keeps its state here, not seconds.
        true => Field::new(
            "secs",
            format!(
                "try {}{}{} ({secs}, as iPXE counts)",
                secs >> 2,
                if secs & 2 > 0 { ", has an offer" } else { "" },
                if secs & 1 > 0 { ", has a proxy's offer" } else { "" }
            ),
        ),
        false => Field::new("secs", format!("{secs} s")),
    });
    let flags = two(10);
    let said = if flags & 0x8000 > 0 { "broadcast" } else { "unicast" };
    let mut field = Field::new("flags", format!("{said} ({flags:#06x})"));
    if flags & 0x7fff > 0 {
        field = field.odd("bits that must be zero are set");
    }
    fields.push(field);
    for (at, name) in [(12, "client's address (ciaddr)"), (16, "your address (yiaddr)"), (20, "next server (siaddr)")] {
        if !address(at).is_unspecified() {
            fields.push(Field::new(name, address(at).to_string()));
        }
    }
    if !address(24).is_unspecified() {
        fields.push(Field::new("relay (giaddr)", address(24).to_string()).odd("it came by a relay"));
    }
    fields
}

/// The header's texts, and the options, those in overloaded fields behind the others.
fn options(packet: &[u8]) -> Vec<Field> {
    let (found, cut) = pieces(&packet[OPTIONS_AT..]);
    let overload =
        found.iter().find(|(code, _)| *code == 52).and_then(|(_, value)| value.first()).copied().unwrap_or(0);
    let mut fields = vec![];
    for (range, bit, name) in [(SNAME, 2, "server name (sname)"), (FILE, 1, "bootfile (file)")] {
        let bytes = &packet[range];
        if overload & bit == 0 && bytes[0] != 0 {
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            fields.push(Field::new(name, text(&bytes[..end])));
        }
    }
    add(&mut fields, &found, cut);
    for (range, bit) in [(FILE, 1), (SNAME, 2)] {
        if overload & bit > 0 {
            let (found, cut) = pieces(&packet[range]);
            add(&mut fields, &found, cut);
        }
    }
    if cut.is_none() && !ended(&packet[OPTIONS_AT..]) {
        fields.push(Field::new("end", "missing").odd("nothing says where the options end"));
    }
    fields
}

fn add(fields: &mut Vec<Field>, found: &[(u8, &[u8])], cut: Option<u8>) {
    // What came in several parts is one value (RFC 3396), where its first part stood.
    let mut joined: Vec<(u8, Vec<u8>, usize)> = vec![];
    for (code, value) in found {
        match joined.iter_mut().find(|(known, ..)| known == code) {
            Some((_, bytes, parts)) => {
                bytes.extend_from_slice(value);
                *parts += 1;
            }
            None => joined.push((*code, value.to_vec(), 1)),
        }
    }
    let class = joined.iter().find(|(code, ..)| *code == 60).map(|(_, bytes, _)| bytes.clone()).unwrap_or_default();
    for (code, bytes, parts) in &joined {
        let (name, mut kind) = name::option(*code);
        // What is in option 43 depends on whose it is (RFC 2132 section 8.4).
        if *code == 43 && !class.is_empty() && !class.starts_with(b"PXEClient") {
            kind = Kind::Hex;
        }
        let mut field = Field { code: Some(*code), name: name.into(), ..Field::default() };
        told(&mut field, kind, bytes);
        if *parts > 1 && field.odd.is_none() {
            field.odd = Some(format!("came in {parts} parts"));
        }
        if *code == 57 && bytes.len() == 2 && u16::from_be_bytes([bytes[0], bytes[1]]) < LEAST_MESSAGE {
            field.odd = Some(format!("less than the {LEAST_MESSAGE} that everybody must take"));
        }
        fields.push(field);
    }
    if let Some(code) = cut {
        let (name, _) = name::option(code);
        let cut = Field { code: Some(code), name: name.into(), value: "cut off".into(), ..Field::default() };
        fields.push(cut.odd("its length points past the end of the packet"));
    }
}

/// Whether an end mark comes before the bytes do.
fn ended(mut rest: &[u8]) -> bool {
    while let [code, tail @ ..] = rest {
        match code {
            0 => rest = tail,
            255 => return true,
            _ => match tail.split_first().and_then(|(length, tail)| tail.get(usize::from(*length)..)) {
                Some(tail) => rest = tail,
                None => return false,
            },
        }
    }
    false
}

/// Marks what a boot client should have said.
fn missing(is_request: bool, fields: &mut Vec<Field>) {
    let has = |code: u8| fields.iter().any(|field| field.code == Some(code));
    let class =
        fields.iter().find(|field| field.code == Some(60)).map(|field| field.value.as_str()).unwrap_or_default();
    if !is_request || !(class.starts_with("PXEClient") || class.starts_with("HTTPClient")) {
        return;
    }
    let lacks: Vec<(u8, &str)> = [(93, "without it, nobody knows what it can run"), (97, "bad ROMs leave it out")]
        .into_iter()
        .filter(|(code, _)| !has(*code))
        .collect();
    for (code, why) in lacks {
        let field =
            Field { code: Some(code), name: name::option(code).0.into(), value: "missing".into(), ..Field::default() };
        fields.push(field.odd(why));
    }
}
