//! Whether what came to TFTP's port is a request that gets an answer (RFC 1350, 2347).
//!
//! `async-tftp` decides that by itself and drops the rest without a word. This is the same judgement, with the reason, so
//! that the rest can be counted: a test holds the two against each other. It is as lenient as the crate is: RFC 2347 allows
//! a request 512 bytes, and nobody here minds more; options of any name and value are well formed, in any number.

use std::net::SocketAddrV4;

use etherparse::{Ipv4HeaderSlice, UdpHeaderSlice};

/// What the server reads of a datagram: a longer one is cut, and judged by what is left.
pub const MAX_REQUEST: usize = 4096;

/// What has to be seen of an IP packet to judge it: the headers at their longest, and one byte more than the server reads.
pub const MAX_PACKET: usize = 60 + UDP_HEADER + MAX_REQUEST + 1;

const UDP_HEADER: usize = 8;

/// The transfer modes of RFC 1350.
const MODES: [&str; 3] = ["octet", "netascii", "mail"];

/// Why a packet to TFTP's port is no request. The names are labels of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Malformed {
    /// The UDP header claims more than came, or less than itself: the kernel drops it, whatever is in it.
    #[error("the UDP header gives a wrong length")]
    WrongLength,
    /// Not even an opcode.
    #[error("the packet is shorter than an opcode")]
    TooShort,
    /// No opcode of TFTP.
    #[error("{0} is no opcode of TFTP")]
    UnknownOpcode(u16),
    /// Part of a transfer, which has a port of its own.
    #[error("the packet is part of a transfer, and no request")]
    NotARequest,
    /// A name, a mode or an option's value is missing, or not ended by a NUL.
    #[error("the request is cut off")]
    CutOff,
    /// As [`Self::CutOff`], because the server reads no more.
    #[error("the request is longer than {MAX_REQUEST} bytes")]
    TooLong,
    /// A text that is no UTF-8, such as a name with the 0xFF that some ROMs append (QUIRKS row 14).
    #[error("the request holds a text that is not UTF-8")]
    NotUtf8,
    /// A transfer mode that RFC 1350 does not know.
    #[error("the request has an unknown mode")]
    UnknownMode,
}

impl Malformed {
    /// The label of the metric.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WrongLength => "wrong-length",
            Self::TooShort => "too-short",
            Self::UnknownOpcode(_) => "unknown-opcode",
            Self::NotARequest => "not-a-request",
            Self::CutOff => "cut-off",
            Self::TooLong => "too-long",
            Self::NotUtf8 => "not-utf8",
            Self::UnknownMode => "unknown-mode",
        }
    }
}

/// Whether a datagram is a request, to read or to write: writes are refused in words.
pub fn judge(datagram: &[u8]) -> Result<(), Malformed> {
    let read = &datagram[..datagram.len().min(MAX_REQUEST)];
    request(read).map_err(|malformed| match malformed {
        Malformed::CutOff if datagram.len() > MAX_REQUEST => Malformed::TooLong,
        malformed => malformed,
    })
}

fn request(datagram: &[u8]) -> Result<(), Malformed> {
    let [high, low, rest @ ..] = datagram else { return Err(Malformed::TooShort) };
    match u16::from_be_bytes([*high, *low]) {
        // RRQ, WRQ.
        1 | 2 => {}
        // DATA, ACK, ERROR, OACK.
        3..=6 => return Err(Malformed::NotARequest),
        opcode => return Err(Malformed::UnknownOpcode(opcode)),
    }
    let (_name, rest) = text(rest)?;
    let (mode, mut rest) = text(rest)?;
    if !MODES.iter().any(|known| mode.eq_ignore_ascii_case(known)) {
        return Err(Malformed::UnknownMode);
    }
    while !rest.is_empty() {
        let (_option, tail) = text(rest)?;
        let (_value, tail) = text(tail)?;
        rest = tail;
    }
    Ok(())
}

/// A text up to its NUL, and what follows it.
fn text(bytes: &[u8]) -> Result<(&str, &[u8]), Malformed> {
    let end = bytes.iter().position(|byte| *byte == 0).ok_or(Malformed::CutOff)?;
    let text = str::from_utf8(&bytes[..end]).map_err(|_| Malformed::NotUtf8)?;
    Ok((text, &bytes[end + 1..]))
}

/// What an IPv4 packet with UDP carries, as far as it was seen. Packets that are cut at [`MAX_PACKET`] are no lies.
pub fn datagram(packet: &[u8]) -> Result<&[u8], Malformed> {
    let ip = Ipv4HeaderSlice::from_slice(packet).map_err(|_| Malformed::WrongLength)?;
    let carried = packet.get(ip.slice().len()..).ok_or(Malformed::WrongLength)?;
    let udp = UdpHeaderSlice::from_slice(carried).map_err(|_| Malformed::WrongLength)?;
    let (claimed, came) = (usize::from(udp.length()), usize::from(ip.total_len()).saturating_sub(ip.slice().len()));
    if !(UDP_HEADER..=came).contains(&claimed) {
        return Err(Malformed::WrongLength);
    }
    Ok(&carried[UDP_HEADER..claimed.min(carried.len())])
}

/// The ends of an IPv4 packet with UDP, and what it carries.
pub fn addressed(packet: &[u8]) -> Option<(SocketAddrV4, SocketAddrV4, &[u8])> {
    let carried = datagram(packet).ok()?;
    let ip = Ipv4HeaderSlice::from_slice(packet).ok()?;
    let udp = UdpHeaderSlice::from_slice(packet.get(ip.slice().len()..)?).ok()?;
    let from = SocketAddrV4::new(ip.source_addr(), udp.source_port());
    Some((from, SocketAddrV4::new(ip.destination_addr(), udp.destination_port()), carried))
}

/// The file that a request names, also when the request is otherwise none.
pub fn file(datagram: &[u8]) -> Option<String> {
    let [0, 1 | 2, rest @ ..] = datagram else { return None };
    let end = rest.iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(&rest[..end]).into_owned())
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;
    use proptest::prelude::*;

    use super::*;

    const GOOD: &[u8] = b"\0\x01undionly.kpxe\0octet\0blksize\x001432\0tsize\x000\0";

    #[test]
    fn what_roms_send_is_a_request() {
        for request in [
            GOOD,
            b"\0\x01a\0OCTET\0",
            b"\0\x02a\0netascii\0",
            // Answered with "no such file", and without the option: neither is the judge's business.
            b"\0\x01\0mail\0",
            b"\0\x01a\0octet\0blksize\0no number\0\0\0",
        ] {
            assert_eq!(judge(request), Ok(()), "{}", request.escape_ascii());
        }
    }

    #[test]
    fn what_is_no_request_has_its_reason() {
        for (packet, reason) in [
            (&b""[..], Malformed::TooShort),
            (b"\x01", Malformed::TooShort),
            (b"\0\0", Malformed::UnknownOpcode(0)),
            (b"\x01\0a\0octet\0", Malformed::UnknownOpcode(256)),
            (b"\0\x07a\0octet\0", Malformed::UnknownOpcode(7)),
            (b"\0\x03\0\x01data", Malformed::NotARequest),
            (b"\0\x06", Malformed::NotARequest),
            (b"\0\x01", Malformed::CutOff),
            (b"\0\x01name\0octet", Malformed::CutOff),
            (b"\0\x01name\0octet\0blksize\0", Malformed::CutOff),
            // One pad byte behind the mode is an option without a value.
            (b"\0\x01name\0octet\0\0", Malformed::CutOff),
            (b"\0\x01name\xff\0octet\0", Malformed::NotUtf8),
            (b"\0\x01name\0octets\0", Malformed::UnknownMode),
            (b"\0\x01name\0\0octet\0", Malformed::UnknownMode),
        ] {
            assert_eq!(judge(packet), Err(reason), "{}", packet.escape_ascii());
        }
    }

    #[test]
    fn a_long_request_is_judged_by_what_the_server_reads_of_it() {
        let mut long = GOOD.to_vec();
        long.resize(MAX_REQUEST - 4, b'a');
        long.extend(b"\0b\0\0");
        assert_eq!((long.len(), judge(&long)), (MAX_REQUEST, Err(Malformed::CutOff)));
        long.splice(MAX_REQUEST - 4.., *b"\0bb\0");
        assert_eq!(judge(&long), Ok(()));
        long.extend([b'c'; 9000]);
        assert_eq!(judge(&long), Ok(()), "what follows is not read");
        long[MAX_REQUEST - 1] = b'b';
        assert_eq!(judge(&long), Err(Malformed::TooLong));
    }

    fn packet(payload: &[u8]) -> Vec<u8> {
        let builder = PacketBuilder::ipv4([127, 0, 0, 1], [127, 0, 0, 2], 64).udp(2070, 69);
        let mut packet = vec![];
        builder.write(&mut packet, payload).expect("a vector takes everything");
        packet
    }

    #[test]
    fn a_udp_header_that_lies_is_named_and_a_packet_that_was_cut_is_not() {
        let whole = packet(GOOD);
        assert_eq!(datagram(&whole), Ok(GOOD));
        let claiming = |length: usize| {
            let mut packet = whole.clone();
            packet[24..26].copy_from_slice(&u16::try_from(length).expect("it is small").to_be_bytes());
            packet
        };
        for length in [0, 7, GOOD.len() + 9, 0xffff] {
            assert_eq!(datagram(&claiming(length)), Err(Malformed::WrongLength), "{length}");
        }
        assert_eq!(datagram(&claiming(8 + 5)), Ok(&GOOD[..5]), "the kernel cuts it there as well");
        assert_eq!(datagram(&whole[..40]), Ok(&GOOD[..12]));
        assert_eq!(datagram(&whole[..27]), Err(Malformed::WrongLength));
    }

    proptest! {
        #[test]
        fn any_packet_is_judged(bytes in prop::collection::vec(any::<u8>(), 0..80), cut in 0..80_usize) {
            let carried = packet(&bytes);
            prop_assert_eq!(datagram(&carried), Ok(&bytes[..]));
            let mut damaged = carried;
            for (at, byte) in bytes.iter().enumerate().take(cut % 30) {
                damaged[at] ^= byte;
            }
            damaged.truncate(cut);
            if let Ok(datagram) = datagram(&damaged) {
                prop_assert!(datagram.len() + 28 <= damaged.len(), "behind both headers");
                prop_assert!(judge(datagram).is_err() || (datagram.starts_with(&[0]) && datagram.ends_with(&[0])));
            }
        }

        /// A well-formed request stays one with any names and options, and none of its beginnings that ends in the
        /// middle of a text is one.
        #[test]
        fn requests_are_told_from_their_beginnings(
            words in prop::collection::vec("[^\\x00]{0,12}", 1..8),
            mode in "[oO][cC]tet|NETASCII|mail",
        ) {
            let (name, options) = words.split_first().expect("one word at least");
            let mut request = b"\0\x01".to_vec();
            for word in [name, &mode].into_iter().chain(options) {
                request.extend(word.as_bytes());
                request.push(0);
            }
            let paired = options.len() % 2 == 0;
            prop_assert_eq!(judge(&request), if paired { Ok(()) } else { Err(Malformed::CutOff) });
            for end in 2..request.len() {
                if request[end - 1] != 0 || end == 2 {
                    prop_assert_eq!(judge(&request[..end]), Err(Malformed::CutOff));
                }
            }
        }
    }
}
