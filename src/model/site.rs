//! What the configuration says of this place, validated: subnets, rules, policy. `config::` makes it; policy reads it.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::{
    Arch, Bytes, MacAddr, Oui, PersonaName, Probability, Seconds, attribute::AttributeName, dhcp::VendorOptions,
    plan::DiskExit,
};

/// The place that this daemon serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Whether addresses are given.
    pub mode: DhcpMode,
    /// The subnets; none in proxy mode.
    pub subnets: Vec<Subnet>,
    /// Whether requests for leases that we do not know are refused outright (full mode).
    pub authoritative: bool,
    /// The port of the boot URLs.
    pub http_port: u16,
    /// This server's own addresses, on every interface that it serves: filled in at start.
    pub addresses: BTreeSet<Ipv4Addr>,
    /// Policy of booting.
    pub boot: BootPolicy,
    /// Where installed systems get their packages.
    pub mirrors: Mirrors,
}

/// Whether this daemon gives addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DhcpMode {
    /// It is the DHCP server.
    Full,
    /// Another server gives addresses; this one only adds what to boot.
    Proxy,
    /// It does not speak DHCP.
    Off,
}

/// One subnet that this daemon gives addresses of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    /// Its range.
    pub net: Ipv4Net,
    /// The addresses to give; disjoint, inside `net`, in ascending order.
    pub pools: Vec<Pool>,
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
    /// How long a lease lasts.
    pub lease: Seconds,
    /// Addresses kept for one device each.
    pub reservations: BTreeMap<MacAddr, Reservation>,
}

/// A run of addresses, both ends included; `first <= last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// The lowest address.
    pub first: Ipv4Addr,
    /// The highest address.
    pub last: Ipv4Addr,
}

impl Pool {
    /// How many addresses it holds.
    pub fn size(self) -> u32 {
        (u32::from(self.last) - u32::from(self.first)).saturating_add(1)
    }

    /// Whether `ip` is one of them.
    pub fn contains(self, ip: Ipv4Addr) -> bool {
        (self.first..=self.last).contains(&ip)
    }
}

/// An address kept for one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The address.
    pub ip: Ipv4Addr,
    /// The name that goes with it (option 12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
}

/// Policy of booting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootPolicy {
    /// The rules, in the order they are tried.
    pub rules: Vec<Rule>,
    /// The persona of devices that nothing else names.
    pub default: Option<PersonaName>,
    /// The NBPs at hand, by file name.
    pub nbps: BTreeSet<String>,
    /// The NBP for UEFI x64: the first policy that matches decides; `snponly.efi` when none does.
    pub uefi_nbp: Vec<NbpRule>,
    /// What single models need otherwise than their kind: of each field the first that matches and gives it.
    pub quirks: Vec<Quirk>,
    /// Within how long a firmware that asks again for an NBP that it has got is taken for a loop.
    pub chain_window: Seconds,
    /// After how long a silent attempt is given up.
    pub stuck_after: Seconds,
    /// How many installations of one device may begin within an hour.
    pub installs_per_hour: u32,
    /// What predictions may do.
    #[serde(default)]
    pub predict: PredictPolicy,
}

/// What predictions may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PredictPolicy {
    /// Whether a prediction may choose a persona at all. Without it, predictions only warm the cache.
    pub choose: bool,
    /// How many times more a wrong persona costs than a right one gains: at 4, a prediction acts from 0.8 on.
    pub cost_of_wrong: u32,
    /// From which probability on a prediction that may not act is proposed to the operators.
    pub propose: Probability,
    /// Which devices a prediction may wipe.
    pub arm: ArmPredicted,
}

impl PredictPolicy {
    /// From which probability on a prediction acts.
    pub fn act(&self) -> Probability {
        Probability::worth_acting(self.cost_of_wrong)
    }
}

impl Default for PredictPolicy {
    fn default() -> Self {
        Self { choose: true, cost_of_wrong: 4, propose: Probability::near(0.5), arm: ArmPredicted::Never }
    }
}

/// Which devices a prediction may wipe.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArmPredicted {
    /// None: what is predicted and wipes the disk is only proposed.
    #[default]
    Never,
    /// Those that Greenroom has never installed.
    NewDevices,
}

/// Which UEFI NBP for which devices: some firmware's network stack is better than iPXE's drivers, some worse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NbpRule {
    /// Which devices.
    pub when: Match,
    /// The file name.
    pub nbp: String,
}

/// What a model of device needs otherwise than its kind. Where firmware is of two schools (QUIRKS rows 5, 14 and 40), this
/// is how the operator says which devices are of the other one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quirk {
    /// Which devices.
    pub when: Match,
    /// Option 43 of their answers.
    pub option_43: Option<VendorOptions>,
    /// Whether option 67 names the bootfile, or the header alone.
    pub option_67: Option<bool>,
    /// How they go on to their disk.
    pub disk: Option<DiskExit>,
    /// How many bytes of image files a second they get at most: some iPXE drivers stall at line rate.
    #[serde(default)]
    pub rate: Option<Bytes>,
}

/// A rule that gives devices a persona.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What reasons call it.
    pub name: String,
    /// Which devices.
    pub when: Match,
    /// The persona they get.
    pub persona: PersonaName,
    /// Whether the operator armed the rule: it may then wipe devices that were never installed.
    pub armed: bool,
}

/// Which devices are meant. Every field that is given must fit; one of the values of a field is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    /// Any of the device's ports.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mac: Vec<MacAddr>,
    /// The vendor part of any of its ports.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub oui: Vec<Oui>,
    /// Its architecture.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arch: Vec<Arch>,
    /// The subnet that it has its lease in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subnet: Vec<Ipv4Net>,
    /// SMBIOS fields; `*` stands for any run of characters, letters match in either case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub manufacturer: Vec<String>,
    /// SMBIOS product name, likewise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub product: Vec<String>,
    /// SMBIOS serial number, likewise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub serial: Vec<String>,
    /// SMBIOS asset tag, likewise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asset: Vec<String>,
    /// What the organisation says of it or of its user, likewise: of each attribute that is named one value must fit.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<AttributeName, Vec<String>>,
    /// The switch port that it is on, likewise, as the relay or switch calls it (option 82.1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub circuit: Vec<String>,
    /// The switch that it is on, likewise (option 82.2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remote: Vec<String>,
    /// The relay that passes its packets on (giaddr).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub relay: Vec<Ipv4Addr>,
}

/// Where installed systems get their packages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mirrors {
    /// A Debian mirror: `http://deb.debian.org/debian` when not set.
    pub debian: Option<String>,
    /// A mirror of Debian's security updates. With `debian` set and this not, systems get no security updates.
    pub debian_security: Option<String>,
}
