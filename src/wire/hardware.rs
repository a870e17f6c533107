//! What a device says of itself when it asks for its script: the query that `boot/start.ipxe` makes. All of it is claimed.
//!
//! The query is no web form. iPXE's `uristring` leaves `&`, `=` and `+` as they are (seen from the build of 2019: QEMU's
//! "i440FX + PIIX", a maker called "A & B"), so a plus is a plus, and a piece that begins with no field's name goes on
//! with the field before it.

use crate::model::{SmbiosUuid, smbios::Hardware};

/// The fields, in the order that the script sends them.
const FIELDS: [&str; 7] = ["manufacturer", "product", "serial", "asset", "uuid", "memory", "ranges"];

/// The longest text that is kept of a field, in characters.
const MAX_FIELD: usize = 128;

/// Reads the query. What is empty, a filler or nonsense is `None`.
pub fn parse_hardware(query: &str) -> Hardware {
    let fields = fields(query);
    // Should a field hold another one's name, the real one comes later.
    let raw = |name: &str| fields.iter().rev().find(|(field, _)| *field == name).map(|(_, value)| value.as_str());
    let text = |name: &str| {
        let decoded = percent_decoded(raw(name)?);
        let kept: String = decoded.trim().chars().filter(|c| !c.is_control()).take(MAX_FIELD).collect();
        (!kept.is_empty()).then_some(kept)
    };
    Hardware {
        manufacturer: text("manufacturer"),
        product: text("product"),
        serial: text("serial"),
        asset: text("asset"),
        uuid: text("uuid").and_then(|uuid| uuid.parse::<SmbiosUuid>().ok()),
        memory_mib: text("memory").and_then(|memory| memory.parse().ok()).or_else(|| mapped_mib(raw("ranges")?)),
    }
}

fn fields(query: &str) -> Vec<(&'static str, String)> {
    let mut fields: Vec<(&'static str, String)> = vec![];
    for piece in query.split('&') {
        let named = piece.split_once('=').and_then(|(name, value)| {
            let field = FIELDS.iter().find(|field| **field == name)?;
            Some((*field, value.to_owned()))
        });
        match (named, fields.last_mut()) {
            (Some(field), _) => fields.push(field),
            (None, Some((_, value))) => *value = format!("{value}&{piece}"),
            (None, None) => {}
        }
    }
    fields
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = vec![];
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &rest[3..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|digit| digit as u8)
}

/// Memory by SMBIOS type 19 ("memory array mapped address"): `memsize` is not in every iPXE build, Debian's among them.
/// Each range is two little-endian numbers, its first and last KiB, in hexadecimal; dots lie between ranges.
fn mapped_mib(ranges: &str) -> Option<u64> {
    let kib: u64 = ranges.split('.').filter_map(range_kib).sum();
    (kib >= 1024).then_some(kib / 1024)
}

fn range_kib(range: &str) -> Option<u64> {
    let bytes = u64::from_str_radix(range, 16).ok().filter(|_| range.len() == 16)?.to_be_bytes();
    let [first, last] = [0, 4].map(|at| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]));
    // All ones: the range is too large for these fields, and described elsewhere.
    (first <= last && last != u32::MAX).then(|| u64::from(last - first) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_qemu_and_ipxe_of_2019_sent() {
        let query = "manufacturer=A%20&%20B%20%231+2&product=Standard%20PC%20(i440FX%20+%20PIIX,%201996)%20%2541\
                     &serial=S%20N=1;x&asset=&uuid=11223344-5566-7788-99aa-bbccddeeff00&memory=\
                     &ranges=00000000ffff2f00.00004000ff1f5e00..";
        let hardware = parse_hardware(query);
        assert_eq!(hardware.manufacturer.as_deref(), Some("A & B #1+2"));
        assert_eq!(hardware.product.as_deref(), Some("Standard PC (i440FX + PIIX, 1996) %41"));
        assert_eq!(hardware.serial.as_deref(), Some("S N=1;x"));
        assert_eq!(hardware.asset, None);
        assert_eq!(hardware.uuid.map(|uuid| uuid.to_string()), Some("11223344-5566-7788-99aa-bbccddeeff00".into()));
        assert_eq!(hardware.memory_mib, Some(5000), "QEMU with -m 5000: 3 GiB below the hole, the rest above");
    }

    #[test]
    fn memsize_counts_where_ipxe_has_it() {
        assert_eq!(parse_hardware("memory=4096&ranges=00000000ffff0700").memory_mib, Some(4096));
    }

    #[test]
    fn nonsense_is_nothing() {
        for query in ["", "&&&=", "x=y", "serial=", "serial=%00%0a%20", "uuid=00000000-0000-0000-0000-000000000000"] {
            assert_eq!(parse_hardware(query), Hardware::default(), "{query}");
        }
        for ranges in ["ffffffffffffffff", "00000000", "ff0000000000000000", "01000000", "zz", "ff00000001000000", "."]
        {
            assert_eq!(parse_hardware(&format!("ranges={ranges}")).memory_mib, None, "{ranges}");
        }
        let long = parse_hardware(&format!("serial={}%", "%c3%a4".repeat(500)));
        assert_eq!(long.serial.map(|serial| serial.chars().count()), Some(MAX_FIELD));
        assert_eq!(parse_hardware("serial=%4").serial.as_deref(), Some("%4"));
        assert_eq!(parse_hardware("serial=%ff").serial.as_deref(), Some("\u{fffd}"));
    }

    #[test]
    fn a_field_cannot_take_the_place_of_the_real_one() {
        let hardware = parse_hardware("manufacturer=x&serial=forged&product=p&serial=real");
        assert_eq!(hardware.serial.as_deref(), Some("real"));
    }
}
