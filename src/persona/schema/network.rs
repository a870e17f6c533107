//! How it is connected.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::MacAddr;

/// How it is connected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// The host name; `{{mac}}` is replaced by the last six digits of the MAC address, `{{serial}}` by the serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The ports; without any, the one that was booted from asks DHCP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<Interface>,
    /// VLANs on them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vlans: Vec<Vlan>,
    /// Bonds of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bonds: Vec<Bond>,
    /// Bridges over them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bridges: Vec<Bridge>,
    /// Name servers, for what does not ask DHCP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns: Vec<IpAddr>,
    /// Domains to search.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub search: Vec<String>,
    /// Time servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ntp: Vec<String>,
    /// The proxy to the outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
    /// Whether IPv6 is used at all; it is, when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<bool>,
}

/// A port: `mac` or `name` says which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// Its hardware address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub mac: Option<MacAddr>,
    /// The kernel's name for it; with `mac`, the name that it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its addresses. Without this it asks DHCP, unless it is part of a bond or a bridge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<Ip>,
}

/// The addresses of a port, VLAN, bond or bridge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ip {
    /// Whether it asks DHCP; it does when it has no IPv4 address of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dhcp: Option<bool>,
    /// Fixed addresses with their prefixes: `10.0.0.5/24`, `2001:db8::5/64`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub addresses: Vec<IpNet>,
    /// The default gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Ipv4Addr>,
    /// The default gateway for IPv6, where no router advertises itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway6: Option<Ipv6Addr>,
    /// The largest packet, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u16>,
}

impl Ip {
    /// Whether it asks DHCP.
    pub fn asks_dhcp(&self) -> bool {
        self.dhcp.unwrap_or(!self.addresses.iter().any(|net| matches!(net, IpNet::V4(_))))
    }
}

/// A VLAN.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vlan {
    /// Its name: `vlan20`.
    pub name: String,
    /// Its number, 1 to 4094.
    pub id: u16,
    /// The port or bond that carries it, by its name.
    pub link: String,
    /// Its addresses; it asks DHCP when not given.
    #[serde(default)]
    pub ip: Ip,
}

/// Several ports as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bond {
    /// Its name: `bond0`.
    pub name: String,
    /// The ports, by their names.
    pub members: Vec<String>,
    /// How they share the work.
    #[serde(default)]
    pub mode: BondMode,
    /// Its addresses; it asks DHCP when not given.
    #[serde(default)]
    pub ip: Ip,
}

/// How the ports of a bond share the work, by the kernel's names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BondMode {
    /// One works, the others wait. The switch need not know.
    #[default]
    ActiveBackup,
    /// LACP: the switch must be told.
    #[serde(rename = "802.3ad")]
    Lacp,
    /// Each packet by the next port.
    BalanceRr,
    /// By a hash of the addresses.
    BalanceXor,
    /// By load, what is sent.
    BalanceTlb,
    /// By load, both ways.
    BalanceAlb,
}

impl BondMode {
    /// The kernel's name for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ActiveBackup => "active-backup",
            Self::Lacp => "802.3ad",
            Self::BalanceRr => "balance-rr",
            Self::BalanceXor => "balance-xor",
            Self::BalanceTlb => "balance-tlb",
            Self::BalanceAlb => "balance-alb",
        }
    }
}

/// A bridge, for virtual machines and containers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bridge {
    /// Its name: `br0`.
    pub name: String,
    /// What it joins, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// Whether it speaks the spanning tree protocol.
    #[serde(default)]
    pub stp: bool,
    /// Its addresses; it asks DHCP when not given.
    #[serde(default)]
    pub ip: Ip,
}

/// The proxy to the outside, for package managers, services and logins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// For `http:`, and for `https:` too when that is not given.
    pub http: String,
    /// For `https:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub https: Option<String>,
    /// Hosts, domains and networks that are reached directly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_proxy: Vec<String>,
}

impl Network {
    /// Whether a port, by its name, is part of a bond or a bridge, and so has no addresses of its own.
    pub fn is_member(&self, name: &str) -> bool {
        let bonds = self.bonds.iter().map(|bond| &bond.members);
        bonds.chain(self.bridges.iter().map(|bridge| &bridge.members)).flatten().any(|member| member == name)
    }
}
