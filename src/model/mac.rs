//! Link-layer addresses of devices.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The address of one network port: six bytes, unicast and not all zero. Shown as `52:54:00:77:00:02`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MacAddr([u8; 6]);

impl MacAddr {
    /// Refuses multicast addresses and the all-zero address: no client can have either.
    pub fn new(bytes: [u8; 6]) -> Result<Self, BadMac> {
        if bytes == [0; 6] {
            return Err(BadMac::Zero);
        }
        if bytes[0] & 1 == 1 {
            return Err(BadMac::Multicast);
        }
        Ok(Self(bytes))
    }

    /// The six bytes in the order they travel.
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// The vendor's half of the address.
    pub const fn oui(self) -> Oui {
        Oui([self.0[0], self.0[1], self.0[2]])
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        f.pad(&format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}"))
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for MacAddr {
    type Err = BadMac;

    /// Reads the forms that tools print: `52:54:00:77:00:02`, `52-54-00-77-00-02`, `5254.0077.0002`, `525400770002`.
    fn from_str(text: &str) -> Result<Self, BadMac> {
        Self::new(hex_octets(text).ok_or(BadMac::Form)?)
    }
}

impl TryFrom<String> for MacAddr {
    type Error = BadMac;

    fn try_from(text: String) -> Result<Self, BadMac> {
        text.parse()
    }
}

impl From<MacAddr> for String {
    fn from(mac: MacAddr) -> Self {
        mac.to_string()
    }
}

/// The first three bytes of a [`MacAddr`]: who made the port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Oui([u8; 3]);

impl Oui {
    /// The vendor with these bytes.
    pub const fn new(bytes: [u8; 3]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Oui {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.0;
        f.pad(&format!("{a:02x}:{b:02x}:{c:02x}"))
    }
}

impl fmt::Debug for Oui {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Oui {
    type Err = BadMac;

    fn from_str(text: &str) -> Result<Self, BadMac> {
        hex_octets(text).map(Self).ok_or(BadMac::Form)
    }
}

impl TryFrom<String> for Oui {
    type Error = BadMac;

    fn try_from(text: String) -> Result<Self, BadMac> {
        text.parse()
    }
}

impl From<Oui> for String {
    fn from(oui: Oui) -> Self {
        oui.to_string()
    }
}

/// Reads exactly `N` bytes of hexadecimal, ignoring the separators `:`, `-` and `.`.
fn hex_octets<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !matches!(c, ':' | '-' | '.'))
        .map(|c| c.to_digit(16).map(|d| d as u8))
        .collect::<Option<_>>()?;
    let octets: Vec<u8> = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, d| byte << 4 | d)).collect();
    (digits.len() == 2 * N).then_some(octets)?.try_into().ok()
}

/// Why some text or bytes are no address of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadMac {
    /// Not the right number of hexadecimal digits.
    #[error("not a MAC address: write it as 52:54:00:77:00:02")]
    Form,
    /// 00:00:00:00:00:00 names no port.
    #[error("the all-zero MAC address names no device")]
    Zero,
    /// The group bit is set; only a unicast address names one port.
    #[error("a multicast MAC address names no single device")]
    Multicast,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_form_reads_as_the_same_address() {
        let forms = ["52:54:00:77:00:02", "52-54-00-77-00-02", "5254.0077.0002", "525400770002", "52:54:00:77:00:02"];
        for form in forms {
            assert_eq!(form.parse::<MacAddr>().map(|m| m.to_string()), Ok("52:54:00:77:00:02".into()), "{form}");
        }
    }

    #[test]
    fn what_names_no_port_is_refused() {
        assert_eq!("00:00:00:00:00:00".parse::<MacAddr>(), Err(BadMac::Zero));
        assert_eq!("ff:ff:ff:ff:ff:ff".parse::<MacAddr>(), Err(BadMac::Multicast));
        for form in ["", "52:54", "52:54:00:77:00:0g", "52:54:00:77:00:02:03", "é2:54:00:77:00:02"] {
            assert_eq!(form.parse::<MacAddr>(), Err(BadMac::Form), "{form}");
        }
    }
}
