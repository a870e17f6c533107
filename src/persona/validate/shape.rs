//! Shapes of names that more than one rule asks for.

/// A login or group as `useradd` takes it.
pub(super) fn is_login(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

/// An account as Windows takes it.
pub(super) fn is_windows_account(name: &str) -> bool {
    let forbidden = |c: char| c.is_control() || "\"/\\[]:;|=,+*?<>@".contains(c);
    (1..=20).contains(&name.chars().count()) && !name.contains(forbidden) && !name.ends_with('.')
}

/// A host or domain name (RFC 1123), in any case.
pub(super) fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    // All digits and dots was meant as an address.
    name.len() <= 253 && name.split('.').all(label) && name.bytes().any(|b| b.is_ascii_alphabetic())
}

/// A host name or an address.
pub(super) fn is_host_or_address(text: &str) -> bool {
    is_host(text) || text.parse::<std::net::IpAddr>().is_ok()
}

/// An `http(s):` URL with a host that can be one.
pub(super) fn is_web(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let plain = |c: char| c.is_ascii_graphic() && !"\"'`<>\\^{|}".contains(c);
    rest.is_some_and(|rest| url.chars().all(plain) && is_authority(rest.split(['/', '?', '#']).next().unwrap_or("")))
}

/// `user@host:port`, of which the host is required.
fn is_authority(text: &str) -> bool {
    let place = text.rsplit_once('@').map_or(text, |(_, place)| place);
    let (host, port) = match place.strip_prefix('[') {
        Some(inside) => match inside.split_once(']') {
            Some((address, rest)) if address.parse::<std::net::Ipv6Addr>().is_ok() => {
                ("localhost", rest.strip_prefix(':'))
            }
            _ => return false,
        },
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    is_host_or_address(host) && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// An absolute path without `..`, that a line of a configuration file can hold.
pub(super) fn is_absolute(path: &str) -> bool {
    path.starts_with('/') && !path.split('/').any(|part| part == "..") && !path.contains(char::is_control)
}

/// Whether `path` is `folder` or lies in it.
pub(super) fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The kinds of unit that systemd knows.
const UNIT_KINDS: [&str; 9] = ["service", "socket", "timer", "target", "mount", "path", "slice", "automount", "swap"];

/// Whether a unit's name says of which kind it is.
pub(super) fn has_unit_kind(unit: &str) -> bool {
    unit.rsplit_once('.').is_some_and(|(name, kind)| !name.is_empty() && UNIT_KINDS.contains(&kind))
}

/// Whether systemd takes this as a unit's name, its kind aside.
pub(super) fn is_unit(unit: &str) -> bool {
    (1..=255).contains(&unit.len()) && unit.chars().all(|c| c.is_ascii_alphanumeric() || "@._:-\\".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_urls() {
        for good in ["a", "Debian.org", "0.pool.ntp.org", "xn--bcher-kva.example"] {
            assert!(is_host(good), "{good}");
        }
        for bad in ["", "-a", "a-", "a..b", "a_b", "10.0.0.1", "a b", "bücher.example"] {
            assert!(!is_host(bad), "{bad}");
        }
        for good in
            ["http://proxy:3128", "https://10.0.0.1/x?y", "http://[2001:db8::1]:80/", "http://u:p@proxy.example"]
        {
            assert!(is_web(good), "{good}");
        }
        for bad in ["proxy:3128", "ftp://x", "http://", "http://a:0", "http://a:http", "http://[x]/", "http://a b"] {
            assert!(!is_web(bad), "{bad}");
        }
    }
}
