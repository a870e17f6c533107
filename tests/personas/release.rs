//! The releases that Greenroom knows, held against a list that Debian keeps (package `distro-info-data`).

use std::collections::BTreeSet;

use super::stage::found;

/// The versions that the list has of a distribution.
fn listed(distribution: &str) -> BTreeSet<String> {
    let path = format!("/usr/share/distro-info/{distribution}.csv");
    let text =
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}; `make setup` installs it"));
    let versions = text.lines().skip(1).filter_map(|line| line.split([',', ' ']).next());
    versions.filter(|version| !version.is_empty()).map(str::to_owned).collect()
}

/// Whether a persona may say this version.
fn is_known(distribution: &str, version: &str) -> bool {
    let text = format!(
        "apiVersion: greenroom/v1\ndescription: x\neffect: ephemeral\n\
         os: {{image: x, distribution: {distribution}, version: \"{version}\"}}\n"
    );
    !found(&text).iter().any(|problem| problem.code == "GR018")
}

#[test]
fn every_release_of_debian_from_10_on_is_known_and_no_other() {
    let listed = listed("debian");
    let newest = listed.iter().filter_map(|version| version.parse::<u32>().ok()).max().unwrap();
    assert!(newest >= 13 && listed.contains("1.1"), "{listed:?}");
    for version in &listed {
        let installs = version.parse::<f32>().unwrap() >= 10.0;
        assert_eq!(is_known("debian", version), installs, "Debian {version}");
    }
    for version in 1..=newest {
        assert_eq!(is_known("debian", &version.to_string()), version >= 10, "Debian {version}");
    }
}

#[test]
fn every_release_of_ubuntu_from_18_04_on_is_known_and_no_other_month_is() {
    let listed = listed("ubuntu");
    let newest: u32 = listed.iter().filter_map(|version| version.split('.').next()?.parse().ok()).max().unwrap();
    assert!(newest >= 25 && listed.contains("6.06"), "{listed:?}");
    for year in 4..newest {
        for month in 1..=12 {
            let version = format!("{year}.{month:02}");
            assert_eq!(is_known("ubuntu", &version), year >= 18 && listed.contains(&version), "Ubuntu {version}");
        }
    }
}
