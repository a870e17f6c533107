//! What people call a field, and what the schema does not say of it: units, which texts are long, which are sizes, and which
//! names may be offered.

use super::{Offer, shape::Sort};

/// Words that are not written as they are in keys.
const WORDS: [(&str, &str); 26] = [
    ("api", "API"),
    ("cpu", "CPU"),
    ("cpus", "Processors"),
    ("dconf", "GNOME settings (dconf)"),
    ("dhcp", "DHCP"),
    ("dns", "DNS servers"),
    ("gateway6", "IPv6 gateway"),
    ("gid", "GID"),
    ("http", "HTTP"),
    ("https", "HTTPS"),
    ("id", "ID"),
    ("io", "I/O"),
    ("ip", "IP addresses"),
    ("ipv6", "IPv6"),
    ("lvm", "LVM"),
    ("mac", "MAC address"),
    ("mtu", "MTU"),
    ("ntp", "Time servers (NTP)"),
    ("os", "Operating system"),
    ("pcrs", "PCRs"),
    ("ssh", "SSH"),
    ("stp", "Spanning tree (STP)"),
    ("tpm2", "TPM 2"),
    ("uid", "UID"),
    ("uri", "URI"),
    ("vlans", "VLANs"),
];

/// What people call a field of this key: `full_name` is "Full name".
pub(super) fn of(key: &str) -> String {
    match key {
        "apiVersion" => return "Schema version".to_owned(),
        "url" => return "URL".to_owned(),
        "apps" => return "Applications".to_owned(),
        _ => {}
    }
    let words = key.split('_').map(|word| match WORDS.iter().find(|(known, _)| *known == word) {
        Some((_, shown)) => (*shown).to_owned(),
        None => word.to_owned(),
    });
    let label = words.collect::<Vec<_>>().join(" ");
    let mut chars = label.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// What one item of a list is called: `users` holds a "user".
pub(super) fn one_of(key: &str) -> String {
    let label = of(key);
    let one = match label.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => label.strip_suffix('s').unwrap_or(&label).to_owned(),
    };
    // `VLAN` stays what it is.
    if one.chars().nth(1).is_some_and(char::is_uppercase) { one } else { one.to_lowercase() }
}

/// What a number of this key counts.
pub(super) fn unit(key: &str) -> &'static str {
    match key {
        "mtu" => "bytes",
        "cpu_percent" => "%",
        "max_days" => "days",
        "min_length" => "characters",
        "min_classes" => "kinds",
        _ => "",
    }
}

/// The last steps of a way.
fn last<'w>(way: &'w [String]) -> (&'w str, &'w str) {
    let step = |back: usize| way.len().checked_sub(back).map_or("", |at| way[at].as_str());
    (step(2), step(1))
}

/// What a text at the end of this way is.
pub(super) fn sort_of_text(way: &[String]) -> Sort {
    match last(way) {
        (_, "memory" | "swap" | "size" | "min_size" | "max_size") | ("requires", "disk") => Sort::Size,
        (_, "passphrase_secret" | "password_secret") => Sort::Secret,
        ("[]", "content" | "key") | ("raw", _) => Sort::LongText,
        _ => Sort::Text,
    }
}

/// What may be offered at the end of this way.
pub(super) fn offer(way: &[String]) -> Option<Offer> {
    match last(way) {
        ("os", "image") => Some(Offer::Images),
        ("", "extends") | ("extends", "[]") => Some(Offer::Documents),
        ("", "supersedes") | ("supersedes", "[]") => Some(Offer::Personas),
        ("os", "arch") | ("arch", "[]") => Some(Offer::Archs),
        (_, "locale") => Some(Offer::Locales),
        (_, "keyboard") => Some(Offer::Keyboards),
        (_, "timezone") => Some(Offer::Timezones),
        (_, "passphrase_secret" | "password_secret") => Some(Offer::Secrets),
        _ => None,
    }
}
