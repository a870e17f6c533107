//! The configuration as it is written: what is read from a file, and what `greenroom config show` prints.

mod api;
mod syslog;

use std::{collections::BTreeMap, fmt::Display, net::Ipv4Addr, path::PathBuf, str::FromStr};

use ipnet::Ipv4Net;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    images::OriginSettings,
    model::{
        Arch, Bytes, MacAddr, Oui, PersonaName, Probability, Seconds,
        attribute::AttributeName,
        dhcp::VendorOptions,
        plan::DiskExit,
        site::{ArmPredicted, DhcpMode, Match, Mirrors, PredictPolicy},
    },
    persona::schema::text,
    stage::Aim,
};

use super::Directory;

pub(super) use api::Api;
pub(super) use syslog::Syslog;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
    pub(super) state_dir: PathBuf,
    pub(super) library: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) library_remote: Option<LibraryRemote>,
    pub(super) secrets_dir: PathBuf,
    pub(super) admin_socket: PathBuf,
    pub(super) log: Log,
    pub(super) dhcp: Dhcp,
    pub(super) tftp: Tftp,
    pub(super) http: Http,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) api: Option<Api>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) syslog: Option<Syslog>,
    pub(super) boot: Boot,
    pub(super) images: Images,
    pub(super) predict: Predict,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) webhooks: Vec<super::webhook::Written>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) directory: Option<Directory>,
    pub(super) site: Place,
}

impl Default for File {
    fn default() -> Self {
        Self {
            user: None,
            state_dir: "/var/lib/greenroom".into(),
            library: "/etc/greenroom/personas".into(),
            library_remote: None,
            secrets_dir: "/etc/greenroom/secrets".into(),
            admin_socket: super::DEFAULT_SOCKET.into(),
            log: Log::default(),
            dhcp: Dhcp::default(),
            tftp: Tftp::default(),
            http: Http::default(),
            api: None,
            syslog: None,
            boot: Boot::default(),
            images: Images::default(),
            predict: Predict::default(),
            webhooks: vec![],
            directory: None,
            site: Place::default(),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LibraryRemote {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) branch: Option<String>,
    #[serde(deserialize_with = "text", serialize_with = "written")]
    pub(super) every: Seconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) webhook_secret: Option<String>,
}

impl Default for LibraryRemote {
    fn default() -> Self {
        Self { url: None, branch: None, every: Seconds(300), webhook_secret: None }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Log {
    pub(super) level: String,
    pub(super) format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Dhcp {
    pub(super) mode: DhcpMode,
    #[serde(deserialize_with = "many")]
    pub(super) interfaces: Vec<String>,
    pub(super) authoritative: bool,
    pub(super) subnets: Vec<Subnet>,
}

impl Default for Dhcp {
    fn default() -> Self {
        Self { mode: DhcpMode::Proxy, interfaces: vec![], authoritative: true, subnets: vec![] }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subnet {
    pub(super) subnet: Ipv4Net,
    #[serde(default, deserialize_with = "many")]
    pub(super) pools: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) router: Option<Ipv4Addr>,
    #[serde(default, deserialize_with = "many")]
    pub(super) dns: Vec<Ipv4Addr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) domain: Option<String>,
    #[serde(default, deserialize_with = "many")]
    pub(super) ntp: Vec<Ipv4Addr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mtu: Option<u16>,
    #[serde(default = "half_a_day", deserialize_with = "text", serialize_with = "written")]
    pub(super) lease: Seconds,
    #[serde(default)]
    pub(super) reservations: Vec<Reservation>,
}

fn half_a_day() -> Seconds {
    Seconds(12 * 3600)
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reservation {
    pub(super) mac: MacAddr,
    pub(super) ip: Ipv4Addr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hostname: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Tftp {
    pub(super) enabled: bool,
}

impl Default for Tftp {
    fn default() -> Self {
        Self { enabled: true }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Http {
    pub(super) port: u16,
    #[serde(deserialize_with = "some_text", serialize_with = "some_size", skip_serializing_if = "Option::is_none")]
    pub(super) client_rate: Option<Bytes>,
    #[serde(deserialize_with = "some_text", serialize_with = "some_size", skip_serializing_if = "Option::is_none")]
    pub(super) total_rate: Option<Bytes>,
}

impl Default for Http {
    fn default() -> Self {
        Self { port: 80, client_rate: None, total_rate: None }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Boot {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nbp_dir: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default: Option<PersonaName>,
    pub(super) rules: Vec<Rule>,
    pub(super) uefi_nbp: Vec<NbpRule>,
    pub(super) quirks: Vec<Quirk>,
    #[serde(deserialize_with = "text", serialize_with = "written")]
    pub(super) chain_window: Seconds,
    #[serde(deserialize_with = "text", serialize_with = "written")]
    pub(super) stuck_after: Seconds,
    pub(super) installs_per_hour: u32,
}

impl Default for Boot {
    fn default() -> Self {
        Self {
            nbp_dir: None,
            default: None,
            rules: vec![],
            uefi_nbp: vec![],
            quirks: vec![],
            chain_window: Seconds(60),
            stuck_after: Seconds(900),
            installs_per_hour: 3,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) name: String,
    #[serde(rename = "match")]
    pub(super) when: When,
    pub(super) persona: PersonaName,
    #[serde(default)]
    pub(super) armed: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NbpRule {
    #[serde(rename = "match")]
    pub(super) when: When,
    pub(super) nbp: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Quirk {
    #[serde(rename = "match")]
    pub(super) when: When,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) option_43: Option<Option43>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) option_67: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) disk: Option<DiskExit>,
    #[serde(
        default,
        deserialize_with = "some_text",
        serialize_with = "some_size",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) rate: Option<Bytes>,
}

/// What the configuration can say of option 43.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Option43 {
    None,
    UseBootfile,
}

impl From<Option43> for VendorOptions {
    fn from(said: Option43) -> Self {
        match said {
            Option43::None => Self::None,
            Option43::UseBootfile => Self::UseBootfile,
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct When {
    #[serde(deserialize_with = "many", skip_serializing_if = "Vec::is_empty")]
    mac: Vec<MacAddr>,
    #[serde(deserialize_with = "many", skip_serializing_if = "Vec::is_empty")]
    oui: Vec<Oui>,
    #[serde(deserialize_with = "many", skip_serializing_if = "Vec::is_empty")]
    arch: Vec<Arch>,
    #[serde(deserialize_with = "many", skip_serializing_if = "Vec::is_empty")]
    subnet: Vec<Ipv4Net>,
    #[serde(deserialize_with = "many", skip_serializing_if = "Vec::is_empty")]
    manufacturer: Vec<String>,
    #[serde(deserialize_with = "many", skip_serializing_if = "Vec::is_empty")]
    product: Vec<String>,
    #[serde(deserialize_with = "many", skip_serializing_if = "Vec::is_empty")]
    serial: Vec<String>,
    #[serde(deserialize_with = "many", skip_serializing_if = "Vec::is_empty")]
    asset: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<AttributeName, Patterns>,
    #[serde(deserialize_with = "many", skip_serializing_if = "Vec::is_empty")]
    circuit: Vec<String>,
    #[serde(deserialize_with = "many", skip_serializing_if = "Vec::is_empty")]
    remote: Vec<String>,
    #[serde(deserialize_with = "many", skip_serializing_if = "Vec::is_empty")]
    relay: Vec<Ipv4Addr>,
}

/// One pattern or several.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Patterns(#[serde(deserialize_with = "many")] Vec<String>);

impl From<When> for Match {
    fn from(when: When) -> Self {
        let When { mac, oui, arch, subnet, manufacturer, product, serial, asset, attributes, circuit, remote, relay } =
            when;
        let attributes = attributes.into_iter().map(|(name, Patterns(patterns))| (name, patterns)).collect();
        Self { mac, oui, arch, subnet, manufacturer, product, serial, asset, attributes, circuit, remote, relay }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Images {
    #[serde(deserialize_with = "text", serialize_with = "size")]
    pub(super) ram: Bytes,
    #[serde(deserialize_with = "text", serialize_with = "size")]
    pub(super) disk: Bytes,
    pub(super) aim: Aim,
    #[serde(deserialize_with = "text", serialize_with = "written")]
    pub(super) patience: Seconds,
    #[serde(deserialize_with = "text", serialize_with = "size")]
    pub(super) keeper_rate: Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) s3: Option<S3>,
}

impl Default for Images {
    fn default() -> Self {
        let patience = Seconds(OriginSettings::PATIENCE.as_secs() as u32);
        Self {
            ram: Bytes(1 << 30),
            disk: Bytes(50 << 30),
            aim: Aim::Hits,
            patience,
            keeper_rate: Bytes(32 << 20),
            s3: None,
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct S3 {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) access_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret_key: Option<String>,
    pub(super) instance: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path_style: Option<bool>,
}

/// What predictions may do, and what is ahead of time.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Predict {
    pub(super) choose: bool,
    pub(super) cost_of_wrong: u32,
    pub(super) propose: Probability,
    pub(super) arm: ArmPredicted,
    #[serde(deserialize_with = "text", serialize_with = "written")]
    pub(super) every: Seconds,
    #[serde(deserialize_with = "text", serialize_with = "written")]
    pub(super) horizon: Seconds,
}

impl Default for Predict {
    fn default() -> Self {
        let PredictPolicy { choose, cost_of_wrong, propose, arm } = PredictPolicy::default();
        Self { choose, cost_of_wrong, propose, arm, every: Seconds(900), horizon: Seconds(3600) }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Place {
    pub(super) mirrors: Mirrors,
}

/// A list, or a single value in place of a list of one.
fn many<'de, D, T>(reader: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: Display,
{
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "this is a text or a list of texts: put numbers in quotes")]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    let texts = match OneOrMany::deserialize(reader)? {
        OneOrMany::One(text) => vec![text],
        OneOrMany::Many(texts) => texts,
    };
    texts.iter().map(|text| text.parse().map_err(|error| D::Error::custom(format!("`{text}`: {error}")))).collect()
}

/// A value as people write it: `12h`.
pub(super) fn written<T: Display, S: Serializer>(value: &T, writer: S) -> Result<S::Ok, S::Error> {
    writer.collect_str(value)
}

/// A size as people write it, when that is exact: `50GiB`; else its bytes.
fn size<S: Serializer>(size: &Bytes, writer: S) -> Result<S::Ok, S::Error> {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    match units.into_iter().find(|(shift, _)| size.0 > 0 && size.0.trailing_zeros() >= *shift) {
        Some((shift, unit)) => writer.collect_str(&format_args!("{}{unit}", size.0 >> shift)),
        None => writer.serialize_u64(size.0),
    }
}

/// A value that may be left out.
fn some_text<'de, D, T>(reader: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: Display,
{
    text(reader).map(Some)
}

/// A size that may be left out.
fn some_size<S: Serializer>(value: &Option<Bytes>, writer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => size(value, writer),
        None => writer.serialize_none(),
    }
}
