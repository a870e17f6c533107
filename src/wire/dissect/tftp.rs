//! TFTP requests, taken apart (RFC 1350, 2347-2349, 7440).

use super::{Dissected, Field, hex, text};

/// Takes a TFTP packet apart, the payload of its UDP datagram.
pub fn tftp(packet: &[u8]) -> Dissected {
    let (opcode, rest) = match packet {
        [high, low, rest @ ..] => (u16::from_be_bytes([*high, *low]), rest),
        _ => {
            let bytes = Field::new("bytes", hex(packet)).odd("shorter than an opcode");
            return Dissected { kind: "no TFTP".into(), fields: vec![bytes] };
        }
    };
    let kind = match opcode {
        1 => "read request",
        2 => "write request",
        3 => "data",
        4 => "acknowledgement",
        5 => "error",
        6 => "option acknowledgement",
        _ => "unknown",
    };
    let mut fields = vec![Field::new("opcode", format!("{kind} ({opcode})"))];
    if !matches!(opcode, 1 | 2) {
        fields.push(Field::new("bytes", hex(rest)));
        return Dissected { kind: kind.into(), fields };
    }
    let mut parts: Vec<&[u8]> = rest.split(|byte| *byte == 0).collect();
    // What follows the last NUL is empty, when all is well.
    let cut = parts.pop().is_some_and(|rest| !rest.is_empty());
    let mut parts = parts.into_iter();
    let name = parts.next().unwrap_or_default();
    let mut file = Field::new("file", text(name));
    if name.iter().any(|byte| *byte >= 0x80) {
        file = file.odd("bytes behind the name: this ROM takes option 67 for longer than it is");
    } else if name.contains(&b'\\') {
        file = file.odd("written with backslashes");
    }
    fields.push(file);
    fields.push(Field::new("mode", text(parts.next().unwrap_or_default())));
    while let Some(option) = parts.next() {
        let mut field = Field::new(text(option), text(parts.next().unwrap_or_default()));
        if option.eq_ignore_ascii_case(b"blksize") && field.value.parse().is_ok_and(|size: u32| size > 1468) {
            field = field.odd("larger than an Ethernet frame carries: it is granted 1468");
        }
        fields.push(field);
    }
    if cut {
        fields.push(Field::new("end", "missing").odd("the request is cut off"));
    }
    Dissected { kind: kind.into(), fields }
}
