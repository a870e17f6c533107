//! [`DhcpAnswer`] -> bytes.

use std::net::Ipv4Addr;

use dhcproto::v4::{
    DhcpOption, DhcpOptions, Encodable, Encoder, Flags, HType, Message, MessageType, Opcode, OptionCode, UnknownOption,
};

use crate::{
    model::dhcp::{AnswerKind, DhcpAnswer, DhcpAsk, NetworkOptions},
    wire::pxe_options,
};

/// BOOTP's minimum, which some clients still insist on (QUIRKS row 16).
const MIN_PACKET: usize = 300;

/// What a client takes when it does not say (RFC 2131 section 2): 576 bytes with IP and UDP headers.
const DEFAULT_MAX: usize = 576;
const IP_AND_UDP: usize = 28;

/// The header's `file` field, less its closing NUL.
const FILE_ROOM: usize = 127;

/// Options that may be left out of a reply that would be too large, the least needed first.
const DISPENSABLE: [OptionCode; 7] = [
    OptionCode::NtpServers,
    OptionCode::InterfaceMtu,
    OptionCode::Hostname,
    OptionCode::ClientIdentifier,
    OptionCode::BroadcastAddr,
    OptionCode::DomainName,
    OptionCode::DomainNameServer,
];

/// Encodes the answer to `ask`. What every reply needs is added here: see [`DhcpAnswer`].
pub fn encode(ask: &DhcpAsk, answer: &DhcpAnswer) -> Vec<u8> {
    let mut message = header(ask, answer);
    message.set_opts(options(ask, answer));
    let room = usize::from(ask.max_size.unwrap_or(0)).max(DEFAULT_MAX) - IP_AND_UDP;
    let mut bytes = to_bytes(&message);
    for code in DISPENSABLE {
        if bytes.len() <= room {
            break;
        }
        message.opts_mut().remove(code);
        bytes = to_bytes(&message);
    }
    if bytes.len() < MIN_PACKET {
        bytes.resize(MIN_PACKET, 0);
    }
    bytes
}

fn to_bytes(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(DEFAULT_MAX);
    message.encode(&mut Encoder::new(&mut bytes)).expect("a reply is built of values that fit their fields");
    bytes
}

fn header(ask: &DhcpAsk, answer: &DhcpAnswer) -> Message {
    let ciaddr = match answer.kind {
        AnswerKind::Ack => ask.ciaddr,
        AnswerKind::Offer | AnswerKind::Nak => Ipv4Addr::UNSPECIFIED,
    };
    let siaddr = if answer.boot.is_some() { answer.server } else { Ipv4Addr::UNSPECIFIED };
    // A client without an address that gets none either cannot be reached otherwise (QUIRKS row 18; RFC 2131 section
    // 4.3.2 for naks through a relay).
    let nowhere = answer.yiaddr.is_unspecified() && ask.ciaddr.is_unspecified();
    let flags = Flags::new(0);
    let flags = if ask.broadcast || nowhere { flags.set_broadcast() } else { flags };
    let mut message = Message::new_with_id(ask.xid, ciaddr, answer.yiaddr, siaddr, ask.giaddr, &ask.mac.octets());
    message.set_opcode(Opcode::BootReply).set_htype(HType::Eth).set_hops(ask.hops).set_flags(flags);
    let bootfile = answer.boot.as_ref().and_then(|boot| boot.bootfile.as_deref());
    if let Some(bootfile) = bootfile.filter(|bootfile| bootfile.len() <= FILE_ROOM) {
        message.set_fname(bootfile.as_bytes());
    }
    message
}

fn options(ask: &DhcpAsk, answer: &DhcpAnswer) -> DhcpOptions {
    let mut options = DhcpOptions::new();
    let kind = match answer.kind {
        AnswerKind::Offer => MessageType::Offer,
        AnswerKind::Ack => MessageType::Ack,
        AnswerKind::Nak => MessageType::Nak,
    };
    options.insert(DhcpOption::MessageType(kind));
    options.insert(DhcpOption::ServerIdentifier(answer.server));
    if let Some(message) = &answer.message {
        options.insert(DhcpOption::Message(message.clone()));
    }
    if let Some(network) = &answer.network {
        network_options(network, &mut options);
    }
    if let Some(id) = ask.client_id.as_ref().filter(|id| !id.is_empty()) {
        options.insert(raw(61, id.clone()));
    }
    boot_options(ask, answer, &mut options);
    if let Some(relay) = &ask.relay_info {
        options.insert(raw(82, relay.clone()));
    }
    options
}

fn network_options(network: &NetworkOptions, options: &mut DhcpOptions) {
    options.insert(DhcpOption::SubnetMask(network.mask));
    options.insert(DhcpOption::BroadcastAddr(network.broadcast));
    if let Some(lease) = network.lease {
        options.insert(DhcpOption::AddressLeaseTime(lease.0));
        options.insert(DhcpOption::Renewal(lease.0 / 2));
        options.insert(DhcpOption::Rebinding((u64::from(lease.0) * 7 / 8) as u32));
    }
    if let Some(router) = network.router {
        options.insert(DhcpOption::Router(vec![router]));
    }
    if !network.dns.is_empty() {
        options.insert(DhcpOption::DomainNameServer(network.dns.clone()));
    }
    if let Some(domain) = &network.domain {
        options.insert(DhcpOption::DomainName(domain.clone()));
    }
    if !network.ntp.is_empty() {
        options.insert(DhcpOption::NtpServers(network.ntp.clone()));
    }
    if let Some(mtu) = network.mtu {
        options.insert(DhcpOption::InterfaceMtu(mtu));
    }
    if let Some(hostname) = &network.hostname {
        options.insert(DhcpOption::Hostname(hostname.clone()));
    }
}

fn boot_options(ask: &DhcpAsk, answer: &DhcpAnswer, options: &mut DhcpOptions) {
    let (Some(boot), Some(client)) = (&answer.boot, &ask.boot) else { return };
    options.insert(raw(60, pxe_options::vendor_class(boot.flavour).into()));
    if let Some(uuid) = client.uuid_raw.as_ref().filter(|uuid| !uuid.is_empty()) {
        options.insert(raw(97, uuid.clone()));
    }
    if let Some(vendor) = pxe_options::vendor_options(boot.vendor, client.firmware) {
        options.insert(raw(43, vendor));
    }
    if let Some(bootfile) = &boot.bootfile {
        // Old ROMs take option 67 for a C string and append whatever follows (QUIRKS row 14).
        options.insert(raw(67, [bootfile.as_bytes(), &[0]].concat()));
    }
    if boot.ipxe_no_proxy {
        options.insert(raw(175, pxe_options::IPXE_NO_PROXY.to_vec()));
    }
}

/// An option as bytes: these are built here and must arrive exactly so.
fn raw(code: u8, value: Vec<u8>) -> DhcpOption {
    DhcpOption::Unknown(UnknownOption::new(OptionCode::from(code), value))
}
