//! A device as words: what a column is called, and what it says.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use crate::model::{
    Arch, DeviceId, Link, Moment,
    attribute::{Attributes, USER},
    smbios::Hardware,
};

/// What is known of a device: the name of each column that says something, and what it says, in the order of the names.
///
/// The names of attributes have no blanks; those of what the device and the network say of themselves have one, so that no
/// attribute can be taken for them.
pub type Features = Arc<[(Arc<str>, Arc<str>)]>;

/// The columns that every site has, whatever attributes it uses.
pub(super) const OWN: [&str; 9] = [
    "hardware arch",
    "hardware maker",
    "hardware product",
    "hardware memory",
    "network card",
    "network subnet",
    "network relay",
    "network switch",
    "network port",
];

/// The column of the time of day.
pub(super) const HOURS: &str = "time of day";

/// Longer words are cut: what differs only there is one.
const LONGEST: usize = 64;

/// The block of four hours that a moment is in, in UTC.
pub(super) fn hours(at: Moment) -> &'static str {
    const BLOCKS: [&str; 6] = ["00-04", "04-08", "08-12", "12-16", "16-20", "20-24"];
    BLOCKS[(at.as_millis() / 3_600_000 % 24 / 4) as usize]
}

/// What describes a device, where it is known.
pub(super) struct Described<'a> {
    pub(super) device: DeviceId,
    pub(super) arch: Option<Arch>,
    pub(super) hardware: &'a Hardware,
    pub(super) link: &'a Link,
    pub(super) own: &'a Attributes,
    pub(super) users: Option<&'a Attributes>,
}

/// The words of all examples, each kept once.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    all: HashSet<Arc<str>>,
    /// How many there may be before those that nobody uses any more are dropped.
    room: usize,
}

impl Words {
    pub(super) fn of(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.all.get(word) {
            return known.clone();
        }
        if self.all.len() >= self.room {
            self.all.retain(|word| Arc::strong_count(word) > 1);
            self.room = (self.all.len() * 2).max(1024);
        }
        let word: Arc<str> = word.into();
        self.all.insert(word.clone());
        word
    }
}

impl Described<'_> {
    /// Its features.
    pub(super) fn features(&self, words: &mut Words) -> Features {
        let Hardware { manufacturer, product, memory_mib, .. } = self.hardware;
        let Link { subnet, relay, circuit, remote, .. } = self.link;
        let text = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(cut);
        let port = match (text(remote), text(circuit)) {
            (Some(switch), Some(port)) => Some(format!("{switch} {port}")),
            (None, port) => port,
            (Some(_), None) => None,
        };
        let own = [
            self.arch.map(|arch| arch.to_string()),
            text(manufacturer),
            text(product),
            memory_mib.map(memory),
            Some(self.device.mac().oui().to_string()),
            subnet.map(|subnet| subnet.to_string()),
            relay.map(|relay| relay.to_string()),
            text(remote),
            port.map(|port| cut(&port)),
        ];
        let own = OWN.into_iter().zip(own).filter_map(|(name, value)| Some((name, value?)));
        let users = self.users.into_iter().flatten();
        let said = users.chain(self.own).filter(|(name, _)| name.as_str() != USER);
        // What is said of the device itself comes after what is said of its user, and takes its place.
        let mut all: BTreeMap<&str, String> = said.map(|(name, value)| (name.as_str(), cut(value.as_str()))).collect();
        all.extend(own);
        all.iter().map(|(name, value)| (words.of(name), words.of(value))).collect()
    }
}

/// How much memory, by powers of two: what firmware keeps for itself makes no other class.
fn memory(mib: u64) -> String {
    let gib = mib.div_ceil(1024).max(1).checked_next_power_of_two().unwrap_or(u64::MAX);
    format!("{gib} GiB")
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_in_classes_that_firmware_does_not_blur() {
        assert_eq!(
            [0, 900, 7 << 10, 15_900, 16 << 10, (16 << 10) + 1].map(memory).join(", "),
            "1 GiB, 1 GiB, 8 GiB, 16 GiB, 16 GiB, 32 GiB"
        );
        assert!(memory(u64::MAX).ends_with("GiB"));
    }

    #[test]
    fn what_is_said_of_the_device_goes_before_what_is_said_of_its_user() {
        let said = |text: &str| -> Attributes {
            let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.parse().ok(), value.parse().ok()));
            text.split(' ').filter_map(pair).filter_map(|(name, value)| Some((name?, value?))).collect()
        };
        let (own, users) = (said("role=kiosk user=ada"), said("role=engineer team=core"));
        let (hardware, link) = (Hardware::default(), Link::default());
        let device = DeviceId::new("52:54:00:00:00:01".parse().expect("a port"));
        let described =
            Described { device, arch: None, hardware: &hardware, link: &link, own: &own, users: Some(&users) };
        let features = described.features(&mut Words::default());
        let told: Vec<String> = features.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(told, ["network card=52:54:00", "role=kiosk", "team=core"]);
    }
}
