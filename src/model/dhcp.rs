//! DHCP as policy sees it: what a client asked, and what it shall be answered. Bytes are `wire::dhcp4`'s business.

use std::net::{Ipv4Addr, SocketAddrV4};

use serde::{Deserialize, Serialize};

use super::{Arch, Firmware, MacAddr, Seconds, SmbiosUuid};

/// Where a packet came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingress {
    /// The interface's name; the reply leaves by the same one.
    pub interface: String,
    /// The server's own IPv4 address on that interface: the server identifier and next-server.
    pub local: Ipv4Addr,
    /// The sender's address and port as IP saw them (0.0.0.0:68 from a client without an address).
    pub peer: SocketAddrV4,
    /// Which port it came to.
    pub port: DhcpPort,
}

/// The two ports of a boot server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DhcpPort {
    /// 67: DHCP proper.
    Server,
    /// 4011: the PXE boot server that proxyDHCP redirects to.
    Proxy,
}

/// One packet from a client, decoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DhcpAsk {
    /// Option 53.
    pub kind: AskKind,
    /// Transaction id.
    pub xid: u32,
    /// Seconds since the client began. iPXE puts flags here instead (QUIRKS row 20): for the log only.
    pub secs: u16,
    /// The broadcast flag (0x8000).
    pub broadcast: bool,
    /// The address that the client already uses, or 0.0.0.0.
    pub ciaddr: Ipv4Addr,
    /// The relay, or 0.0.0.0.
    pub giaddr: Ipv4Addr,
    /// Hops, copied back.
    pub hops: u8,
    /// The client's hardware address.
    pub mac: MacAddr,
    /// Option 50.
    pub requested: Option<Ipv4Addr>,
    /// Option 54: which server the client chose.
    pub server_id: Option<Ipv4Addr>,
    /// Option 12.
    pub hostname: Option<String>,
    /// Option 57: the largest reply that the client takes, in bytes.
    pub max_size: Option<u16>,
    /// Option 55, in the client's order; duplicates are kept as sent (UEFI HTTP Boot repeats a code).
    pub wants: Vec<u8>,
    /// Option 61, copied back (RFC 6842).
    pub client_id: Option<Vec<u8>>,
    /// Option 82, echoed last and verbatim.
    pub relay_info: Option<Vec<u8>>,
    /// The switch port, as the relay or switch calls it (82.1, RFC 3046): text, or hexadecimal digits.
    pub circuit: Option<String>,
    /// The switch, as the relay or switch calls it (82.2), likewise.
    pub remote: Option<String>,
    /// The subnet that a relay names (82.5, RFC 3527) or the client (118, RFC 3011), before giaddr.
    pub link: Option<Ipv4Addr>,
    /// Option 60 as text, for rules and the log.
    pub vendor_class: Option<String>,
    /// What the packet says of booting; `None` for an ordinary DHCP client.
    pub boot: Option<BootClient>,
}

impl DhcpAsk {
    /// The barest packet of this kind from this port; everything else is as if it had not been said.
    pub fn new(kind: AskKind, mac: MacAddr) -> Self {
        Self {
            kind,
            xid: 0,
            secs: 0,
            broadcast: false,
            ciaddr: Ipv4Addr::UNSPECIFIED,
            giaddr: Ipv4Addr::UNSPECIFIED,
            hops: 0,
            mac,
            requested: None,
            server_id: None,
            hostname: None,
            max_size: None,
            wants: vec![],
            client_id: None,
            relay_info: None,
            circuit: None,
            remote: None,
            link: None,
            vendor_class: None,
            boot: None,
        }
    }
}

/// Option 53 as a client may send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AskKind {
    /// "Is there a server?"
    Discover,
    /// "I take this address", in any of the four states of RFC 2131 section 4.3.2.
    Request,
    /// "Somebody else uses this address."
    Decline,
    /// "I am done with this address."
    Release,
    /// "I have an address; tell me the rest."
    Inform,
}

/// A client that wants to boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootClient {
    /// What speaks.
    pub firmware: Firmware,
    /// Its instruction set; `None` when option 93 holds no number we know (see `arch_codes`).
    pub arch: Option<Arch>,
    /// Option 93 as sent; it may hold several numbers, of which the first known one counts (QUIRKS row 2).
    pub arch_codes: Vec<u16>,
    /// Which of the two vendor classes must be echoed in option 60.
    pub flavour: BootFlavour,
    /// Option 97 as sent, echoed exactly (QUIRKS row 12).
    pub uuid_raw: Option<Vec<u8>>,
    /// Option 97 when it identifies a device.
    pub uuid: Option<SmbiosUuid>,
    /// Option 43.71 (PXE_BOOT_ITEM) as sent: a question to a boot server on 4011 (QUIRKS row 8).
    pub boot_item: Option<[u8; 4]>,
}

/// `PXEClient` or `HTTPClient`: EDK2 rejects an answer in the other's name (QUIRKS row 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BootFlavour {
    /// `PXEClient`.
    Pxe,
    /// `HTTPClient`.
    Http,
}

/// One packet to a client, before it is bytes. The encoder adds what every reply needs: the cookie, option 97 and 82
/// echoed, the bootfile in the header and in option 67 with a closing NUL, padding to 300 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DhcpAnswer {
    /// Option 53.
    pub kind: AnswerKind,
    /// Option 54 and siaddr: this server, as the client can reach it (QUIRKS row 9: both are set).
    pub server: Ipv4Addr,
    /// The address given, or 0.0.0.0 (proxy, inform, nak).
    pub yiaddr: Ipv4Addr,
    /// What goes with the address; `None` in proxy answers and naks.
    pub network: Option<NetworkOptions>,
    /// What to boot; `None` for ordinary clients, for naks and for refusals.
    pub boot: Option<BootOptions>,
    /// Option 56: why, in a nak.
    pub message: Option<String>,
}

/// Option 53 as a server may send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerKind {
    /// "You could have this."
    Offer,
    /// "It is yours", or the answer to an inform.
    Ack,
    /// "You cannot have it: start over."
    Nak,
}

/// The options that make an address useful.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkOptions {
    /// Option 51, with 58 and 59 at one half and seven eighths; `None` in the answer to an inform.
    pub lease: Option<Seconds>,
    /// Option 1.
    pub mask: Ipv4Addr,
    /// Option 28.
    pub broadcast: Ipv4Addr,
    /// Option 3.
    pub router: Option<Ipv4Addr>,
    /// Option 6.
    pub dns: Vec<Ipv4Addr>,
    /// Option 15.
    pub domain: Option<String>,
    /// Option 42.
    pub ntp: Vec<Ipv4Addr>,
    /// Option 26.
    pub mtu: Option<u16>,
    /// Option 12: the name this device shall have.
    pub hostname: Option<String>,
}

/// The options that make a client boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootOptions {
    /// Option 60.
    pub flavour: BootFlavour,
    /// A TFTP name or a URL, for the header's `file` and option 67; `None` in a proxy offer that only redirects to 4011.
    pub bootfile: Option<String>,
    /// Option 43.
    pub vendor: VendorOptions,
    /// Whether option 67 names the bootfile too: some ROMs take it from the header alone (QUIRKS row 14). A name that is
    /// too long for the header is in option 67 in any case.
    pub in_option_67: bool,
    /// Option 175 with 176 = 1 inside: iPXE shall not wait for a proxyDHCP server (full mode only; QUIRKS row 24).
    pub ipxe_no_proxy: bool,
}

/// Option 43, by school (QUIRKS rows 4 and 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VendorOptions {
    /// Left out: UEFI then calls the offer BINL and takes the bootfile, or asks again on 4011.
    None,
    /// 43 = {6: 8}: skip discovery and use the bootfile. For BIOS ROMs.
    UseBootfile,
    /// 43.71 copied back beside {6: 8}: the answer to a boot item question.
    BootItem([u8; 4]),
}

/// Where a reply goes (RFC 2131 section 4.1; QUIRKS rows 7, 18, 19).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Destination {
    /// To a relay's port 67.
    Relay(Ipv4Addr),
    /// To an address that the client already answers ARP for.
    Unicast(SocketAddrV4),
    /// To 255.255.255.255:68 on the interface that the packet came in on.
    Broadcast,
    /// To an address that the client does not have yet: an Ethernet frame to its MAC address.
    Link(Ipv4Addr, MacAddr),
}
