//! Whether a device is one that a rule means.

use std::net::Ipv4Addr;

use crate::model::{
    Device,
    attribute::AttributeValue,
    site::{BootPolicy, Match, Quirk},
};

/// Whether every field that `when` gives fits the device. A rule without any field fits none: `config` refuses to load it.
///
/// `address` is what the device uses now; `device.attributes` are those that it has of its user, too
/// ([`World::whole`](crate::world::World::whole)). What the device has not reported, and what nobody says of it, fits nothing.
pub fn fits(when: &Match, device: &Device, address: Option<Ipv4Addr>) -> bool {
    fits_with(when, device, address, |name| device.attributes.get(name))
}

/// The same of a device that takes what is `said` of it from elsewhere, too: no copy of it is made to look at it.
pub fn fits_with<'a>(
    when: &Match,
    device: &Device,
    address: Option<Ipv4Addr>,
    said: impl Fn(&str) -> Option<&'a AttributeValue>,
) -> bool {
    let (hardware, link) = (&device.hardware, &device.link);
    let attributes = when.attributes.iter().map(|(name, patterns)| {
        one_of(patterns, |pattern| said(name.as_str()).is_some_and(|value| resembles(pattern, value.as_str())))
    });
    let fields = [
        one_of(&when.mac, |mac| device.macs.contains(mac)),
        one_of(&when.oui, |oui| device.macs.iter().any(|mac| mac.oui() == *oui)),
        one_of(&when.arch, |arch| device.arch == Some(*arch)),
        one_of(&when.subnet, |net| address.is_some_and(|ip| net.contains(&ip))),
        one_of(&when.manufacturer, |pattern| reported(pattern, &hardware.manufacturer)),
        one_of(&when.product, |pattern| reported(pattern, &hardware.product)),
        one_of(&when.serial, |pattern| reported(pattern, &hardware.serial)),
        one_of(&when.asset, |pattern| reported(pattern, &hardware.asset)),
        one_of(&when.circuit, |pattern| reported(pattern, &link.circuit)),
        one_of(&when.remote, |pattern| reported(pattern, &link.remote)),
        one_of(&when.relay, |relay| link.relay == Some(*relay)),
    ];
    let mut given = fields.into_iter().chain(attributes).flatten().peekable();
    given.peek().is_some() && given.all(|fits| fits)
}

/// What the first quirk of this device says of one thing. Its address is not known when most of them are asked for.
pub fn quirk<T>(policy: &BootPolicy, device: &Device, field: impl Fn(&Quirk) -> Option<T>) -> Option<T> {
    policy.quirks.iter().filter(|quirk| fits(&quirk.when, device, None)).find_map(field)
}

/// `None` when the field is not given, else whether one of its values fits.
fn one_of<T>(values: &[T], fits: impl Fn(&T) -> bool) -> Option<bool> {
    (!values.is_empty()).then(|| values.iter().any(fits))
}

fn reported(pattern: &str, value: &Option<String>) -> bool {
    value.as_deref().is_some_and(|value| resembles(pattern, value))
}

/// Whether `text`, without the blanks around it, is `pattern`, in which each `*` stands for any run of characters. Upper and
/// lower case are the same.
pub fn resembles(pattern: &str, text: &str) -> bool {
    let text = text.trim();
    if pattern.is_ascii() && text.is_ascii() {
        // Almost everything is: a search over the whole fleet makes no copy of either.
        return resembles_ascii(pattern.as_bytes(), text.as_bytes());
    }
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The same of ASCII, without copies.
fn resembles_ascii(pattern: &[u8], text: &[u8]) -> bool {
    let mut parts = pattern.split(|byte| *byte == b'*');
    let first = parts.next().unwrap_or_default();
    let Some((start, mut rest)) = text.split_at_checked(first.len()) else { return false };
    if !start.eq_ignore_ascii_case(first) {
        return false;
    }
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts.filter(|part| !part.is_empty()) {
        // Most places are told by their first letter alone.
        let letters = [part[0].to_ascii_lowercase(), part[0].to_ascii_uppercase()];
        let here = |window: &[u8]| letters.contains(&window[0]) && window.eq_ignore_ascii_case(part);
        match rest.windows(part.len()).position(here) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    let end = rest.len().checked_sub(last.len()).map(|at| &rest[at..]);
    end.is_some_and(|end| end.eq_ignore_ascii_case(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Arch, MacAddr};

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, text) in
            [("dell inc.", " Dell Inc. "), ("dell*", "dell inc."), ("*740*", "r740xd"), ("a*b*c", "abbc")]
        {
            assert!(resembles(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("dell", "dell inc."), ("*740", "r740xd"), ("ab*ba", "aba"), ("", "x")] {
            assert!(!resembles(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn every_given_field_must_fit_and_one_value_of_it_is_enough() {
        let mac: MacAddr = "52:54:00:00:00:01".parse().expect("a port");
        let mut device = Device::new(mac);
        device.arch = Some(Arch::X64);
        device.hardware.product = Some("OptiPlex 7090".into());
        let address = Some(Ipv4Addr::new(10, 1, 0, 9));
        let when = Match {
            arch: vec![Arch::Arm64, Arch::X64],
            product: vec!["optiplex*".into()],
            subnet: vec!["10.1.0.0/16".parse().expect("a subnet")],
            ..Match::default()
        };
        assert!(fits(&when, &device, address));
        assert!(!fits(&when, &device, None), "no address known: no subnet fits");
        assert!(!fits(&Match { asset: vec!["*".into()], ..when.clone() }, &device, address), "not reported");
        assert!(!fits(&Match { oui: vec![mac.oui()], arch: vec![Arch::Arm64], ..Match::default() }, &device, address));
        assert!(!fits(&Match::default(), &device, address), "a rule without a field means nobody");
        device.attributes.insert("role".parse().expect("a name"), "Developer".parse().expect("a value"));
        device.link.circuit = Some("Gi1/0/7".into());
        let role = |patterns: &[&str]| {
            let patterns = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
            Match { attributes: [("role".parse().expect("a name"), patterns)].into(), ..when.clone() }
        };
        assert!(fits(&role(&["ops", "dev*"]), &device, address));
        assert!(!fits(&role(&["ops"]), &device, address));
        assert!(fits(&Match { circuit: vec!["gi1/*".into()], ..role(&["*"]) }, &device, address));
        assert!(!fits(&Match { relay: vec![Ipv4Addr::LOCALHOST], ..role(&["*"]) }, &device, address), "through none");
    }
}
