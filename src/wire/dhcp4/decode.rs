//! Bytes -> [`DhcpAsk`].

use dhcproto::v4::{Decodable, Decoder, DhcpOption, HType, Message, MessageType, Opcode, OptionCode};

use crate::{
    model::{
        MacAddr,
        dhcp::{AskKind, DhcpAsk},
    },
    wire::{
        option_scan::{Malformed, OPTIONS_AT, Options, scan},
        pxe_options,
    },
};

/// The options that `dhcproto` decodes for us, each with the one length that it has.
///
/// Option 12 is not among them: a host name that is no UTF-8 would take every option behind it along, the message type
/// included. Nor is option 55, which is kept as the bytes it is.
const STANDARD: [(OptionCode, usize); 4] = [
    (OptionCode::RequestedIpAddress, 4),
    (OptionCode::MessageType, 1),
    (OptionCode::ServerIdentifier, 4),
    (OptionCode::MaxMessageSize, 2),
];

/// The longest text that is kept of an option; joined parts can be longer (RFC 3396).
const MAX_TEXT: usize = 255;

/// Decodes a client's packet. Options of a wrong length are as good as absent; only what leaves no request is refused.
pub fn decode(packet: &[u8]) -> Result<DhcpAsk, Malformed> {
    let options = scan(packet)?;
    let message = standard(packet, &options)?;
    if message.opcode() != Opcode::BootRequest {
        return Err(Malformed::NotARequest);
    }
    if message.htype() != HType::Eth || message.hlen() != 6 {
        return Err(Malformed::NotEthernet);
    }
    let octets = message.chaddr().get(..6).and_then(|bytes| bytes.try_into().ok()).ok_or(Malformed::NotEthernet)?;
    let mac = MacAddr::new(octets).map_err(|_| Malformed::BadMac)?;
    let known = message.opts();
    let kind = match known.msg_type() {
        Some(MessageType::Discover) => AskKind::Discover,
        Some(MessageType::Request) => AskKind::Request,
        Some(MessageType::Decline) => AskKind::Decline,
        Some(MessageType::Release) => AskKind::Release,
        Some(MessageType::Inform) => AskKind::Inform,
        _ => return Err(Malformed::NoKind),
    };
    let [circuit, remote] = pxe_options::place(&options);
    Ok(DhcpAsk {
        kind,
        xid: message.xid(),
        secs: message.secs(),
        broadcast: message.flags().broadcast(),
        ciaddr: message.ciaddr(),
        giaddr: message.giaddr(),
        hops: message.hops(),
        mac,
        requested: match known.get(OptionCode::RequestedIpAddress) {
            Some(DhcpOption::RequestedIpAddress(ip)) => Some(*ip),
            _ => None,
        },
        server_id: match known.get(OptionCode::ServerIdentifier) {
            Some(DhcpOption::ServerIdentifier(ip)) => Some(*ip),
            _ => None,
        },
        hostname: hostname(&options),
        max_size: match known.get(OptionCode::MaxMessageSize) {
            Some(DhcpOption::MaxMessageSize(size)) => Some(*size),
            _ => None,
        },
        wants: options.get(&u8::from(OptionCode::ParameterRequestList)).cloned().unwrap_or_default(),
        client_id: options.get(&61).cloned(),
        relay_info: options.get(&82).cloned(),
        circuit,
        remote,
        link: pxe_options::link(&options),
        vendor_class: options.get(&60).map(|value| printable(value)),
        boot: pxe_options::boot_client(mac, &options),
    })
}

/// The header and the standard options, by `dhcproto`: from a packet rebuilt of nothing else.
fn standard(packet: &[u8], options: &Options) -> Result<Message, Malformed> {
    let mut safe = packet[..OPTIONS_AT].to_vec();
    // The strings of the header are read nowhere; garbage in them must not fail the decoder.
    safe[44..236].fill(0);
    for (code, length) in STANDARD {
        let code = u8::from(code);
        if let Some(value) = options.get(&code).filter(|value| value.len() == length) {
            safe.extend([code, length as u8]);
            safe.extend_from_slice(value);
        }
    }
    safe.push(255);
    Message::decode(&mut Decoder::new(&safe)).map_err(|_| Malformed::Undecodable)
}

/// Option 12, when it is text that a person could have typed. Some clients close it with a NUL.
fn hostname(options: &Options) -> Option<String> {
    let value = options.get(&12)?;
    let text = std::str::from_utf8(value).ok()?.trim_end_matches('\0');
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    (!text.is_empty() && text.len() <= MAX_TEXT && text.chars().all(plain)).then(|| text.to_owned())
}

/// Text for people, whatever the bytes.
fn printable(value: &[u8]) -> String {
    let kept = &value[..value.len().min(MAX_TEXT)];
    String::from_utf8_lossy(kept).chars().filter(|c| !c.is_control()).collect()
}
