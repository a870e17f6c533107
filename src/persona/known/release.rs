//! The releases that distributions have had: what can be meant by a version.
//!
//! Facts: debian.org/releases, releases.ubuntu.com, docs.fedoraproject.org/releases, docs.rockylinux.org, and what Microsoft
//! calls its desktop systems; a test holds Debian's and Ubuntu's against the package `distro-info-data`. A table of the past
//! cannot know the next releases, so series that go on end where they will be in about 2040: a slip of the finger is told.

use crate::{
    model::Arch,
    persona::schema::{Distribution, Family},
};

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
        Distribution::Debian => (10..=20).contains(&major) && minor.is_none_or(|minor| minor <= 20),
        // Twice a year, in April and October; 18.04 is the first that cloud-init and netplan are of one mind in.
        Distribution::Ubuntu => {
            (18..=40).contains(&major) && (minor == Some(4) || minor == Some(10)) && version.len() == 5
        }
        Distribution::Rocky | Distribution::Alma | Distribution::Rhel => {
            (8..=15).contains(&major) && minor.is_none_or(|minor| minor <= 10)
        }
        Distribution::Centos => (8..=15).contains(&major) && minor.is_none(),
        Distribution::Fedora => (38..=75).contains(&major) && minor.is_none(),
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
    /// Whether it is made for an architecture, in this version if one is given.
    pub fn runs_on(self, arch: Arch, version: Option<&str>) -> bool {
        let major = version.and_then(|version| number(version.split('.').next().unwrap_or_default()));
        let (before, since) =
            (|first| major.is_none_or(|major| major < first), |first| major.is_none_or(|major| major >= first));
        match (self.family(), arch) {
            (Family::Other, _) => true,
            (_, Arch::X64 | Arch::Arm64) => true,
            // Debian 13 has packages for PCs of 32 bits, but neither a kernel nor an installer.
            (Family::Debian, Arch::Ia32) => self == Self::Debian && before(13),
            (Family::Debian, Arch::Arm32) => self == Self::Debian,
            (Family::Debian, Arch::Riscv64) => self == Self::Ubuntu || since(13),
            (Family::Redhat, Arch::Riscv64) => self == Self::Fedora || since(10),
            _ => false,
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
    fn architectures_come_and_go() {
        use Distribution::*;
        for (distribution, arch, version, runs) in [
            (Debian, Arch::Ia32, Some("12"), true),
            (Debian, Arch::Ia32, Some("13.1"), false),
            (Debian, Arch::Riscv64, Some("12"), false),
            (Debian, Arch::Riscv64, Some("13"), true),
            (Debian, Arch::Riscv64, None, true),
            (Debian, Arch::Arm32, Some("13"), true),
            (Ubuntu, Arch::Ia32, None, false),
            (Ubuntu, Arch::Riscv64, Some("24.04"), true),
            (Rocky, Arch::Riscv64, Some("9.4"), false),
            (Rocky, Arch::Riscv64, Some("10"), true),
            (Fedora, Arch::Riscv64, Some("42"), true),
            (Flatcar, Arch::Riscv64, Some("stable"), false),
            (Windows, Arch::Arm64, Some("11"), true),
            (Windows, Arch::Arm32, None, false),
            (Other, Arch::Ia32, None, true),
        ] {
            assert_eq!(distribution.runs_on(arch, version), runs, "{distribution} {version:?} {arch}");
        }
    }

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
            (Debian, "21"),
            (Debian, "bookworm"),
            (Debian, "12.x"),
            (Debian, ""),
            (Ubuntu, "42.04"),
            (Ubuntu, "24.05"),
            (Ubuntu, "24"),
            (Ubuntu, "24.4"),
            (Rocky, "7"),
            (Rocky, "9.99"),
            (Rocky, "94"),
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
