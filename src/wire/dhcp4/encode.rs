//! [`DhcpAnswer`] -> bytes.

use std::net::Ipv4Addr;

use dhcproto::v4::{
    DhcpOption, Encodable, Encoder, Flags, HType, Message, MessageType, Opcode, OptionCode, UnknownOption,
};

use crate::{
    model::dhcp::{AnswerKind, DhcpAnswer, DhcpAsk, NetworkOptions},
    wire::pxe_options,
};

/// BOOTP's minimum, which some clients still insist on (QUIRKS row 16).
const MIN_PACKET: usize = 300;

/// What a client takes when it does not say (RFC 2131 section 2), and what an Ethernet frame carries whatever it says:
/// OVMF's REQUESTs claim 65280, and a reply by raw frame cannot be fragmented. Both with IP and UDP headers.
const DEFAULT_MAX: usize = 576;
const ETHERNET_MAX: usize = 1500;
const IP_AND_UDP: usize = 28;

/// The header's `file` field, less its closing NUL.
const FILE_ROOM: usize = 127;

/// Options that may be left out of a reply that would be too large, the least needed first; what the client did not ask
/// for goes before all that it did.
const DISPENSABLE: [OptionCode; 6] = [
    OptionCode::NtpServers,
    OptionCode::InterfaceMtu,
    OptionCode::Hostname,
    OptionCode::BroadcastAddr,
    OptionCode::DomainName,
    OptionCode::DomainNameServer,
];

/// Encodes the answer to `ask`. What every reply needs is added here: see [`DhcpAnswer`].
pub fn encode(ask: &DhcpAsk, answer: &DhcpAnswer) -> Vec<u8> {
    let header = header(ask, answer);
    let mut options = options(ask, answer);
    let room = usize::from(ask.max_size.unwrap_or(0)).clamp(DEFAULT_MAX, ETHERNET_MAX) - IP_AND_UDP;
    let mut bytes = to_bytes(&header, &options);
    let asked = |code: &OptionCode| ask.wants.contains(&u8::from(*code));
    let unasked = DISPENSABLE.into_iter().filter(|code| !asked(code));
    for code in unasked.chain(DISPENSABLE.into_iter().filter(asked)) {
        if bytes.len() <= room {
            break;
        }
        options.retain(|option| OptionCode::from(option) != code);
        bytes = to_bytes(&header, &options);
    }
    if bytes.len() < MIN_PACKET {
        bytes.resize(MIN_PACKET, 0);
    }
    bytes
}

/// The header, then the options in the order given. `dhcproto` itself would sort them by number; here what kind of reply
/// it is and whose come first, as every other server sends them, and option 82 comes last (RFC 3046 section 2.2).
fn to_bytes(header: &Message, options: &[DhcpOption]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(DEFAULT_MAX);
    let mut encoder = Encoder::new(&mut bytes);
    header
        .encode(&mut encoder)
        .and_then(|()| options.iter().chain([&DhcpOption::End]).try_for_each(|option| option.encode(&mut encoder)))
        .expect("a reply is built of values that fit their fields, into memory");
    bytes
}

fn header(ask: &DhcpAsk, answer: &DhcpAnswer) -> Message {
    let ciaddr = match answer.kind {
        AnswerKind::Ack => ask.ciaddr,
        AnswerKind::Offer | AnswerKind::Nak => Ipv4Addr::UNSPECIFIED,
    };
    let siaddr = if answer.boot.is_some() { answer.server } else { Ipv4Addr::UNSPECIFIED };
    // A client without an address that gets none either cannot be reached otherwise (QUIRKS row 18). Nor can one whose
    // address is being denied: its relay must broadcast the nak (RFC 2131 section 4.3.2).
    let nowhere = answer.yiaddr.is_unspecified() && ask.ciaddr.is_unspecified();
    let broadcast = ask.broadcast || nowhere || answer.kind == AnswerKind::Nak;
    let flags = if broadcast { Flags::new(0).set_broadcast() } else { Flags::new(0) };
    let mut message = Message::new_with_id(ask.xid, ciaddr, answer.yiaddr, siaddr, ask.giaddr, &ask.mac.octets());
    message.set_opcode(Opcode::BootReply).set_htype(HType::Eth).set_hops(ask.hops).set_flags(flags);
    let bootfile = answer.boot.as_ref().and_then(|boot| boot.bootfile.as_deref());
    if let Some(bootfile) = bootfile.filter(|bootfile| bootfile.len() <= FILE_ROOM) {
        message.set_fname(bootfile.as_bytes());
    }
    message
}

fn options(ask: &DhcpAsk, answer: &DhcpAnswer) -> Vec<DhcpOption> {
    let kind = match answer.kind {
        AnswerKind::Offer => MessageType::Offer,
        AnswerKind::Ack => MessageType::Ack,
        AnswerKind::Nak => MessageType::Nak,
    };
    let mut options = vec![DhcpOption::MessageType(kind), DhcpOption::ServerIdentifier(answer.server)];
    if let Some(message) = &answer.message {
        options.push(DhcpOption::Message(message.clone()));
    }
    if let Some(network) = &answer.network {
        network_options(network, &mut options);
    }
    if let Some(id) = ask.client_id.as_ref().filter(|id| !id.is_empty()) {
        options.push(raw(61, id.clone()));
    }
    boot_options(ask, answer, &mut options);
    if let Some(relay) = &ask.relay_info {
        options.push(raw(82, relay.clone()));
    }
    options
}

fn network_options(network: &NetworkOptions, options: &mut Vec<DhcpOption>) {
    options.push(DhcpOption::SubnetMask(network.mask));
    options.push(DhcpOption::BroadcastAddr(network.broadcast));
    if let Some(lease) = network.lease {
        options.push(DhcpOption::AddressLeaseTime(lease.0));
        options.push(DhcpOption::Renewal(lease.0 / 2));
        options.push(DhcpOption::Rebinding((u64::from(lease.0) * 7 / 8) as u32));
    }
    if let Some(router) = network.router {
        options.push(DhcpOption::Router(vec![router]));
    }
    if !network.dns.is_empty() {
        options.push(DhcpOption::DomainNameServer(network.dns.clone()));
    }
    if let Some(domain) = &network.domain {
        options.push(DhcpOption::DomainName(domain.clone()));
    }
    if !network.ntp.is_empty() {
        options.push(DhcpOption::NtpServers(network.ntp.clone()));
    }
    if let Some(mtu) = network.mtu {
        options.push(DhcpOption::InterfaceMtu(mtu));
    }
    if let Some(hostname) = &network.hostname {
        options.push(DhcpOption::Hostname(hostname.clone()));
    }
}

fn boot_options(ask: &DhcpAsk, answer: &DhcpAnswer, options: &mut Vec<DhcpOption>) {
    let (Some(boot), Some(client)) = (&answer.boot, &ask.boot) else { return };
    options.push(raw(60, pxe_options::vendor_class(boot.flavour).into()));
    if let Some(uuid) = client.uuid_raw.as_ref().filter(|uuid| !uuid.is_empty()) {
        options.push(raw(97, uuid.clone()));
    }
    if let Some(vendor) = pxe_options::vendor_options(boot.vendor, client.firmware) {
        options.push(raw(43, vendor));
    }
    if let Some(bootfile) = boot.bootfile.as_ref().filter(|name| boot.in_option_67 || name.len() > FILE_ROOM) {
        // Old ROMs take option 67 for a C string and append whatever follows (QUIRKS row 14).
        options.push(raw(67, [bootfile.as_bytes(), &[0]].concat()));
    }
    if boot.ipxe_no_proxy {
        options.push(raw(175, pxe_options::IPXE_NO_PROXY.to_vec()));
    }
}

/// An option as bytes: these are built here and must arrive exactly so.
fn raw(code: u8, value: Vec<u8>) -> DhcpOption {
    DhcpOption::Unknown(UnknownOption::new(OptionCode::from(code), value))
}
