//! A first look at the options of a DHCP packet, before any typed decoder sees them.
//!
//! Boot ROMs send options that a strict decoder gives up on (QUIRKS rows 1, 2, 14), and `dhcproto` 0.15 drops whatever
//! follows such an option. So the raw bytes are cut up here: codes and lengths only, every length checked.

use std::collections::BTreeMap;

/// Offset of the options: the BOOTP header and the magic cookie (RFC 2131 section 2).
pub const OPTIONS_AT: usize = 240;

/// Where `sname` and `file` lie in the header.
const SNAME: std::ops::Range<usize> = 44..108;
const FILE: std::ops::Range<usize> = 108..236;

const COOKIE: [u8; 4] = [99, 130, 83, 99];
const PAD: u8 = 0;
const END: u8 = 255;
const OVERLOAD: u8 = 52;

/// The options of one packet by code. An option that came in several parts is joined (RFC 3396).
pub type Options = BTreeMap<u8, Vec<u8>>;

/// Why some bytes are no DHCP request. The names are labels of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Malformed {
    /// Shorter than a header with its cookie.
    #[error("the packet is shorter than a DHCP header")]
    TooShort,
    /// No DHCP cookie: plain BOOTP or something else altogether.
    #[error("the packet has no DHCP magic cookie")]
    NoCookie,
    /// An option's length points past the end.
    #[error("option {0} is cut off")]
    CutOff(u8),
    /// Not from a client.
    #[error("the packet is no request of a client")]
    NotARequest,
    /// Not Ethernet with a six-byte address.
    #[error("the hardware address is not Ethernet's")]
    NotEthernet,
    /// The hardware address names no client.
    #[error("the hardware address names no client")]
    BadMac,
    /// Option 53 is missing or names nothing that a client may send.
    #[error("the packet says not what it asks")]
    NoKind,
    /// The decoder refused what the scan let pass.
    #[error("the packet does not decode")]
    Undecodable,
}

impl Malformed {
    /// The label of the metric.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooShort => "too-short",
            Self::NoCookie => "no-cookie",
            Self::CutOff(_) => "cut-off-option",
            Self::NotARequest => "not-a-request",
            Self::NotEthernet => "not-ethernet",
            Self::BadMac => "bad-mac",
            Self::NoKind => "no-message-type",
            Self::Undecodable => "undecodable",
        }
    }
}

/// Cuts up the options of a packet, those in an overloaded `file` and `sname` included (option 52; `file` comes first).
pub fn scan(packet: &[u8]) -> Result<Options, Malformed> {
    let body = packet.get(OPTIONS_AT..).ok_or(Malformed::TooShort)?;
    if packet[236..OPTIONS_AT] != COOKIE {
        return Err(Malformed::NoCookie);
    }
    let mut options = Options::new();
    collect(body, &mut options)?;
    let overload = options.get(&OVERLOAD).and_then(|value| value.first().copied()).unwrap_or(0);
    if overload & 1 != 0 {
        collect(&packet[FILE], &mut options)?;
    }
    if overload & 2 != 0 {
        collect(&packet[SNAME], &mut options)?;
    }
    Ok(options)
}

/// Cuts up one run of options such as option 43's and 175's insides, where 0 and 255 mean the same.
pub fn inner(value: &[u8]) -> Result<Options, Malformed> {
    let mut options = Options::new();
    collect(value, &mut options)?;
    Ok(options)
}

fn collect(mut rest: &[u8], options: &mut Options) -> Result<(), Malformed> {
    while let [code, tail @ ..] = rest {
        match *code {
            PAD => rest = tail,
            END => return Ok(()),
            code => {
                let (length, tail) = tail.split_first().ok_or(Malformed::CutOff(code))?;
                let (value, tail) = tail.split_at_checked(usize::from(*length)).ok_or(Malformed::CutOff(code))?;
                options.entry(code).or_default().extend_from_slice(value);
                rest = tail;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(options: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; 236];
        packet.extend_from_slice(&COOKIE);
        packet.extend_from_slice(options);
        packet
    }

    #[test]
    fn parts_of_an_option_are_joined_and_what_follows_the_end_is_not_read() {
        let options = scan(&packet(&[0, 60, 2, b'P', b'X', 60, 1, b'E', 255, 12, 99])).expect("well formed");
        assert_eq!(options, Options::from([(60, b"PXE".to_vec())]));
    }

    #[test]
    fn overloaded_fields_are_read_file_first() {
        let mut packet = packet(&[52, 1, 3, 255]);
        packet[FILE.start..FILE.start + 4].copy_from_slice(&[12, 1, b'a', 255]);
        packet[SNAME.start..SNAME.start + 4].copy_from_slice(&[12, 1, b'b', 255]);
        assert_eq!(scan(&packet).expect("well formed")[&12], b"ab");
    }

    #[test]
    fn a_lying_length_is_named() {
        assert_eq!(scan(&packet(&[53, 1, 1, 61, 7, 1])), Err(Malformed::CutOff(61)));
        assert_eq!(scan(&packet(&[53])), Err(Malformed::CutOff(53)));
        assert_eq!(scan(&[0; 239]), Err(Malformed::TooShort));
        assert_eq!(scan(&[0; 240]), Err(Malformed::NoCookie));
    }
}
