//! The releases that distributions have had: what can be meant by a version.
//!
//! Facts: debian.org/releases, releases.ubuntu.com, docs.fedoraproject.org/releases, docs.rockylinux.org, and what Microsoft
//! calls its desktop systems. A table of the past cannot know the next release, so series that go on are open at their end.

use crate::{model::Arch, persona::schema::Distribution};

/// Whether the distribution has or will have a release of this name. Older ones than Greenroom's targets can be installed
/// with (Debian 10, Fedora 38, RHEL 8) are none.
pub fn has_release(distribution: Distribution, version: &str) -> bool {
    let (major, minor) = version.split_once('.').map_or((version, None), |(major, minor)| (major, Some(minor)));
    let (Some(major), Some(minor)) = (number(major), minor.map_or(Some(None), |minor| number(minor).map(Some))) else {
        return match distribution {
            // Flatcar counts 3975.2.1 and has channels; of others nothing is known.
            Distribution::Flatcar => ["stable", "beta", "alpha", "lts"].contains(&version) || is_dotted(version),
            Distribution::Other => true,
            _ => false,
        };
    };
    match distribution {
        Distribution::Debian => (10..=99).contains(&major) && minor.is_none_or(|minor| minor <= 20),
        // Twice a year, in April and October; 18.04 is the first that cloud-init and netplan are of one mind in.
        Distribution::Ubuntu => {
            (18..=99).contains(&major) && (minor == Some(4) || minor == Some(10)) && version.len() == 5
        }
        Distribution::Rocky | Distribution::Alma | Distribution::Rhel => {
            (8..=20).contains(&major) && minor.is_none_or(|minor| minor <= 10)
        }
        Distribution::Centos => (8..=20).contains(&major) && minor.is_none(),
        Distribution::Fedora => (38..=99).contains(&major) && minor.is_none(),
        Distribution::Flatcar => major >= 2000,
        Distribution::Windows => (major == 10 || major == 11) && minor.is_none(),
        Distribution::Other => true,
    }
}

/// How the distribution counts, for a reader who was wrong.
pub fn releases(distribution: Distribution) -> &'static str {
    match distribution {
        Distribution::Debian => "Debian counts 11, 12, 13",
        Distribution::Ubuntu => "Ubuntu counts years and months, April and October: 22.04, 24.04, 24.10",
        Distribution::Rocky | Distribution::Alma | Distribution::Rhel => "it counts 8, 9, 9.4, 10",
        Distribution::Centos => "CentOS Stream counts 9, 10",
        Distribution::Fedora => "Fedora counts 40, 41, 42; older ones than 38 are not supported",
        Distribution::Flatcar => "Flatcar counts 3975.2.1, or write its channel: stable",
        Distribution::Windows => "write 10 or 11",
        Distribution::Other => "any",
    }
}

impl Distribution {
    /// Whether it is made for an architecture.
    pub const fn runs_on(self, arch: Arch) -> bool {
        match self {
            Self::Debian => matches!(arch, Arch::Ia32 | Arch::X64 | Arch::Arm32 | Arch::Arm64 | Arch::Riscv64),
            Self::Ubuntu | Self::Fedora => matches!(arch, Arch::X64 | Arch::Arm64 | Arch::Riscv64),
            Self::Rocky | Self::Alma | Self::Rhel | Self::Centos => {
                matches!(arch, Arch::X64 | Arch::Arm64 | Arch::Riscv64)
            }
            Self::Flatcar | Self::Windows => matches!(arch, Arch::X64 | Arch::Arm64),
            Self::Other => true,
        }
    }
}

/// A number as versions have it: `04`, and never `+4`.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

fn is_dotted(version: &str) -> bool {
    let parts: Vec<_> = version.split('.').map(number).collect();
    parts.len() == 3 && parts.iter().all(Option::is_some) && parts[0] >= Some(2000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_were_and_versions_that_never_were() {
        use Distribution::*;
        let were = [
            (Debian, "12"),
            (Debian, "12.5"),
            (Ubuntu, "24.04"),
            (Ubuntu, "24.10"),
            (Rocky, "9"),
            (Rocky, "9.4"),
            (Alma, "10"),
            (Rhel, "8.10"),
            (Centos, "9"),
            (Fedora, "41"),
            (Flatcar, "stable"),
            (Flatcar, "3975.2.1"),
            (Windows, "11"),
            (Windows, "10"),
            (Other, "whatever"),
        ];
        let never = [
            (Debian, "3"),
            (Debian, "bookworm"),
            (Debian, "12.x"),
            (Debian, ""),
            (Ubuntu, "24.05"),
            (Ubuntu, "24"),
            (Ubuntu, "24.4"),
            (Rocky, "7"),
            (Rocky, "9.99"),
            (Centos, "9.1"),
            (Fedora, "37"),
            (Fedora, "41.1"),
            (Flatcar, "1"),
            (Flatcar, "1.2.3"),
            (Windows, "8"),
            (Windows, "8.1"),
            (Windows, "11.1"),
            (Debian, "+12"),
        ];
        for (distribution, version) in were {
            assert!(has_release(distribution, version), "{distribution} {version}");
        }
        for (distribution, version) in never {
            assert!(!has_release(distribution, version), "{distribution} {version}");
        }
    }
}
