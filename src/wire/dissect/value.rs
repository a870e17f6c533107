//! Values of options, as people say them.

use std::net::Ipv4Addr;

use crate::model::{Seconds, SmbiosUuid};

use super::{Field, hex, name, text};

/// How a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Addresses, four bytes each.
    Ips,
    /// A whole number of up to eight bytes.
    Number,
    /// Seconds.
    Time,
    /// Text.
    Text,
    /// Text when it is printable, else digits (switches write either).
    Readable,
    /// It is there: that is all it says.
    Flag,
    /// Digits.
    Hex,
    /// Not shown.
    Secret,
    /// Numbers with dots between.
    Dotted,
    /// Option 53.
    MessageType,
    /// Option 55.
    Wanted,
    /// Option 52.
    Overload,
    /// Option 61.
    ClientId,
    /// Option 77.
    UserClass,
    /// Option 93.
    Arch,
    /// Option 94.
    Undi,
    /// Option 97.
    Uuid,
    /// Option 43.
    Vendor,
    /// Option 82.
    Relay,
    /// Option 175.
    Ipxe,
    /// 43.6.
    Discovery,
    /// 43.9.
    Menu,
    /// 43.10.
    Prompt,
    /// 175.177.
    Bus,
}

/// What `bytes` say, read as `kind`; whatever is inside goes to the field itself.
pub(super) fn told(field: &mut Field, kind: Kind, bytes: &[u8]) {
    match read(field, kind, bytes) {
        Some(value) => field.value = value,
        None => {
            field.value = hex(bytes);
            field.odd.get_or_insert_with(|| format!("{} bytes are no length for this", bytes.len()));
        }
    }
}

/// `None` when the bytes cannot be of this kind.
fn read(field: &mut Field, kind: Kind, bytes: &[u8]) -> Option<String> {
    Some(match kind {
        Kind::Ips => {
            let ips: Vec<String> = bytes.chunks(4).map(ip).collect::<Option<_>>()?;
            (!ips.is_empty()).then(|| ips.join(", "))?
        }
        Kind::Number => number(bytes)?.to_string(),
        Kind::Time => seconds(u32::try_from(number(bytes)?).ok()?),
        Kind::Text => {
            let ended = bytes.strip_suffix(&[0]);
            let closed = if ended.is_some() { " (closed by NUL)" } else { "" };
            format!("{}{closed}", text(ended.unwrap_or(bytes)))
        }
        Kind::Readable => match bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            true => text(bytes),
            false => hex(bytes),
        },
        Kind::Flag => "yes".into(),
        Kind::Hex => hex(bytes),
        Kind::Secret => "(not shown)".into(),
        Kind::Dotted => bytes.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        Kind::MessageType => {
            let [number] = bytes else { return None };
            format!("{} ({number})", name::message_type(*number).unwrap_or("unknown"))
        }
        Kind::Wanted => {
            let named = |code: &u8| match name::option(*code).0 {
                "option" => code.to_string(),
                name => format!("{code} {name}"),
            };
            bytes.iter().map(named).collect::<Vec<_>>().join(", ")
        }
        Kind::Overload => match bytes {
            [1] => "`file` holds options".into(),
            [2] => "`sname` holds options".into(),
            [3] => "`file` and `sname` hold options".into(),
            _ => return None,
        },
        Kind::ClientId => client_id(bytes)?,
        Kind::UserClass => user_class(field, bytes),
        Kind::Arch => arch(field, bytes)?,
        Kind::Undi => {
            let [1, major, minor] = bytes else { return None };
            format!("UNDI {major}.{minor}")
        }
        Kind::Uuid => uuid(field, bytes)?,
        Kind::Vendor => inside(field, bytes, name::pxe),
        Kind::Relay => inside(field, bytes, name::relay),
        Kind::Ipxe => inside(field, bytes, name::ipxe),
        Kind::Discovery => discovery(bytes)?,
        Kind::Menu => menu(bytes)?,
        Kind::Prompt => {
            let (timeout, prompt) = bytes.split_first()?;
            let wait = match timeout {
                0 => "at once".to_owned(),
                255 => "waits for a key".to_owned(),
                seconds => format!("after {seconds} s"),
            };
            format!("{}, {wait}", text(prompt))
        }
        Kind::Bus => match bytes {
            [1, rest @ ..] if rest.len() == 4 => {
                format!("PCI {:02x}{:02x}:{:02x}{:02x}", rest[0], rest[1], rest[2], rest[3])
            }
            _ => hex(bytes),
        },
    })
}

fn ip(bytes: &[u8]) -> Option<String> {
    <[u8; 4]>::try_from(bytes).ok().map(|octets| Ipv4Addr::from(octets).to_string())
}

fn number(bytes: &[u8]) -> Option<u64> {
    let fits = (1..=8).contains(&bytes.len());
    fits.then(|| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn seconds(seconds: u32) -> String {
    match seconds {
        u32::MAX => "for ever".into(),
        seconds => format!("{} ({seconds} s)", Seconds(seconds)),
    }
}

/// RFC 2132 section 9.14, RFC 4361; iPXE and Linux put a hardware address behind its type.
fn client_id(bytes: &[u8]) -> Option<String> {
    Some(match bytes {
        [] => return None,
        [1, mac @ ..] if mac.len() == 6 => format!("Ethernet {}", colons(mac)),
        [255, iaid @ ..] if iaid.len() > 4 => {
            format!("IAID {}, DUID {}", hex(&iaid[..4]), hex(&iaid[4..]))
        }
        [0, rest @ ..] if rest.iter().all(|byte| (b' '..=b'~').contains(byte)) => text(rest),
        [0, rest @ ..] if rest.len() == 16 => format!("UUID bytes {}", hex(rest)),
        bytes => hex(bytes),
    })
}

/// Six bytes as a MAC address.
pub(super) fn colons(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

/// RFC 3004 has counted texts; iPXE sends a bare one (QUIRKS row 22).
fn user_class(field: &mut Field, bytes: &[u8]) -> String {
    let mut counted = vec![];
    let mut rest = bytes;
    while let Some((length, tail)) = rest.split_first() {
        let Some((class, tail)) = tail.split_at_checked(usize::from(*length)).filter(|_| *length > 0) else {
            if bytes != b"iPXE" {
                field.odd = Some("not counted as RFC 3004 wants it".into());
            }
            return text(bytes);
        };
        counted.push(text(class));
        rest = tail;
    }
    counted.join(", ")
}

fn arch(field: &mut Field, bytes: &[u8]) -> Option<String> {
    let mut codes = vec![];
    for pair in bytes.chunks(2) {
        codes.push(u16::from_be_bytes(pair.try_into().ok()?));
    }
    if codes.is_empty() {
        return None;
    }
    if let Some(unknown) = codes.iter().find(|code| name::arch(**code).is_none()) {
        field.odd = Some(format!("{unknown} is no architecture that IANA lists"));
    } else if codes.len() > 1 {
        field.odd = Some("several: the first known one counts".into());
    }
    let told = |code: &u16| format!("{} ({code})", name::arch(*code).unwrap_or("unknown"));
    Some(codes.iter().map(told).collect::<Vec<_>>().join(", "))
}

fn uuid(field: &mut Field, bytes: &[u8]) -> Option<String> {
    let [0, bytes @ ..] = bytes else { return None };
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    Some(match SmbiosUuid::from_smbios(bytes) {
        Some(uuid) => uuid.to_string(),
        None => {
            field.odd = Some("a filler that many boards share: it identifies nothing".into());
            hex(&bytes)
        }
    })
}

/// Sub-options, as 43, 82 and 175 hold them.
fn inside(field: &mut Field, bytes: &[u8], names: fn(u8) -> (&'static str, Kind)) -> String {
    let (pieces, cut) = pieces(bytes);
    if let (Some(code), true) = (cut, pieces.is_empty()) {
        field.odd = Some(format!("not made of sub-options: {code} is cut off"));
        return text(bytes);
    }
    if let Some(code) = cut {
        field.odd = Some(format!("sub-option {code} is cut off"));
    }
    for (code, value) in &pieces {
        let (name, kind) = names(*code);
        let mut sub = Field { code: Some(*code), name: name.into(), ..Field::default() };
        told(&mut sub, kind, value);
        field.inner.push(sub);
    }
    match pieces.len() {
        1 => "1 sub-option".into(),
        count => format!("{count} sub-options"),
    }
}

/// A run of options in the order they came in, and the one that is cut off, if any.
pub(super) fn pieces(mut rest: &[u8]) -> (Vec<(u8, &[u8])>, Option<u8>) {
    let mut found = vec![];
    while let [code, tail @ ..] = rest {
        match code {
            0 => rest = tail,
            255 => break,
            code => {
                let Some((length, tail)) = tail.split_first() else { return (found, Some(*code)) };
                let Some((value, tail)) = tail.split_at_checked(usize::from(*length)) else {
                    return (found, Some(*code));
                };
                found.push((*code, value));
                rest = tail;
            }
        }
    }
    (found, None)
}

/// PXE_DISCOVERY_CONTROL (QUIRKS row 4).
fn discovery(bytes: &[u8]) -> Option<String> {
    let [bits] = bytes else { return None };
    const BITS: [&str; 4] =
        ["no broadcast", "no multicast", "only the servers listed", "skip discovery, use the bootfile"];
    let set: Vec<&str> = (0..4).filter(|bit| bits >> bit & 1 == 1).map(|bit| BITS[bit]).collect();
    let said = if set.is_empty() { "nothing in particular".to_owned() } else { set.join(", ") };
    Some(format!("{said} ({bits})"))
}

fn menu(bytes: &[u8]) -> Option<String> {
    let mut items = vec![];
    let mut rest = bytes;
    while let [high, low, length, tail @ ..] = rest {
        let (label, tail) = tail.split_at_checked(usize::from(*length))?;
        items.push(format!("{}: {}", u16::from_be_bytes([*high, *low]), text(label)));
        rest = tail;
    }
    rest.is_empty().then(|| items.join("; "))
}
