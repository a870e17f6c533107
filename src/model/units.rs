//! Numbers that carry their unit in the type.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since 1970 (UTC). Policy receives it as an argument; only floor 6 asks a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(u64);

impl Moment {
    /// The point this many milliseconds after 1970.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The point `span` later.
    pub const fn plus(self, span: Seconds) -> Self {
        Self(self.0.saturating_add(span.0 as u64 * 1000))
    }

    /// The time from `earlier` to this; zero when a clock jumped back.
    pub const fn since(self, earlier: Self) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Moment {
    /// RFC 3339 in UTC, to the second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(i64::try_from(self.0).unwrap_or(i64::MAX)) {
            Ok(time) => f.pad(&time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            Err(_) => f.pad("after the year 9999"),
        }
    }
}

/// A span of time in whole seconds, as DHCP counts it. Written `90s`, `30m`, `12h`, `7d` or a bare number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub u32);

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (count, unit) = split_unit(text);
        let scale: u32 = match unit {
            "" | "s" => 1,
            "m" | "min" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return Err(format!("`{text}` is no time span: write 90s, 30m, 12h or 7d")),
        };
        let count: u32 = count.parse().map_err(|_| format!("`{text}` is no time span: write 90s, 30m, 12h or 7d"))?;
        count.checked_mul(scale).map(Self).ok_or_else(|| format!("`{text}` is longer than 136 years"))
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            s if s > 0 && s % 86_400 == 0 => format!("{}d", s / 86_400),
            s if s > 0 && s % 3600 == 0 => format!("{}h", s / 3600),
            s if s > 0 && s % 60 == 0 => format!("{}m", s / 60),
            s => format!("{s}s"),
        };
        f.pad(&text)
    }
}

/// A span of time in milliseconds, as measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl fmt::Display for Millis {
    /// `85 ms`, `2.4 s`, `3 min 05 s`: as precise as a reader needs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            ms if ms < 1000 => format!("{ms} ms"),
            ms if ms < 100_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
            ms => format!("{} min {:02} s", ms / 60_000, ms % 60_000 / 1000),
        };
        f.pad(&text)
    }
}

/// A number of bytes. Written `512MiB`, `20GiB`, `4kB` or a bare number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (count, unit) = split_unit(text);
        let scale: u64 = match unit {
            "" | "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            "TiB" => 1 << 40,
            "kB" | "KB" => 1000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "TB" => 1_000_000_000_000,
            _ => return Err(format!("`{text}` is no size: write 512MiB or 20GiB")),
        };
        let count: u64 = count.parse().map_err(|_| format!("`{text}` is no size: write 512MiB or 20GiB"))?;
        count.checked_mul(scale).map(Self).ok_or_else(|| format!("`{text}` is more than 16 EiB"))
    }
}

impl Bytes {
    /// The shortest way to write exactly this many: `1536MiB`.
    pub fn exact(self) -> String {
        let units = ["", "KiB", "MiB", "GiB", "TiB"];
        let power =
            (1..units.len()).rev().find(|power| self.0 > 0 && self.0.is_multiple_of(1 << (10 * power))).unwrap_or(0);
        format!("{}{}", self.0 >> (10 * power), units[power])
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
        let power = (0..UNITS.len() - 1).take_while(|&p| self.0 >> (10 * (p + 1)) > 0).count();
        let text = match power {
            0 => format!("{} B", self.0),
            _ => format!("{:.1} {}", self.0 as f64 / (1u64 << (10 * power)) as f64, UNITS[power]),
        };
        f.pad(&text)
    }
}

/// `"20GiB"` as `("20", "GiB")`; blanks between the two are allowed.
fn split_unit(text: &str) -> (&str, &str) {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at(digits);
    (count, unit.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sizes_read_as_people_write_them() {
        assert_eq!("12h".parse(), Ok(Seconds(43_200)));
        assert_eq!("90".parse(), Ok(Seconds(90)));
        assert_eq!("20GiB".parse(), Ok(Bytes(20 << 30)));
        assert_eq!("4 kB".parse(), Ok(Bytes(4000)));
        assert!("1.5GiB".parse::<Bytes>().is_err());
        assert!("99999999TiB".parse::<Bytes>().is_err());
        assert!("soon".parse::<Seconds>().is_err());
    }

    #[test]
    fn spans_and_sizes_show_as_people_read_them() {
        assert_eq!(Seconds(43_200).to_string(), "12h");
        assert_eq!(Millis(85).to_string(), "85 ms");
        assert_eq!(Millis(2450).to_string(), "2.4 s");
        assert_eq!(Millis(185_000).to_string(), "3 min 05 s");
        assert_eq!(Bytes(107 << 20).to_string(), "107.0 MiB");
        for text in ["0", "7", "1025", "1536MiB", "2GiB", "3TiB", "1000KiB"] {
            assert_eq!(text.parse().map(Bytes::exact), Ok(text.to_owned()));
        }
        assert_eq!(Moment::from_millis(1_795_520_000_000).to_string(), "2026-11-24T11:33:20Z");
    }
}
