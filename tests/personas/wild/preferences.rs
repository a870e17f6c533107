//! What its user likes.

use std::collections::BTreeMap;

use greenroom::persona::schema::*;
use proptest::{
    collection::btree_map,
    option,
    prelude::*,
    sample::{select, subsequence},
};

pub(super) fn preferences(distribution: Distribution) -> impl Strategy<Value = Preferences> {
    let desktops: Vec<Desktop> = [Desktop::Gnome, Desktop::Kde, Desktop::Xfce]
        .into_iter()
        .filter(|desktop| desktop.package(distribution).is_some())
        .collect();
    let desktop = subsequence(desktops.clone(), 0..=desktops.len().min(1));
    let linux = !matches!(distribution.family(), Family::Windows | Family::Flatcar);
    let dconf = btree_map("org/example/[a-z]{1,6}/[a-z]{1,6}", "'[ -&(-\\[\\]-~]{0,12}'|true|[0-9]{1,3}", 0..3);
    let place = (
        option::of(select(&["de_DE.UTF-8", "en_GB.UTF-8", "C.UTF-8"][..])),
        option::of(select(&["de", "us", "gb"][..])),
        option::of(select(&["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"][..])),
        option::of(select(&["de:en", "en"][..])),
    );
    let taste = (
        option::of(select(&["/bin/bash", "/usr/bin/zsh"][..])),
        option::of(select(&["vim", "nano"][..])),
        option::of(select(&["https://example.org/a%20b.jpg", "/usr/share/backgrounds/x.png"][..])),
        dconf,
    );
    (desktop, place, taste).prop_map(
        move |(desktop, (locale, keyboard, timezone, language), (shell, editor, wallpaper, dconf))| {
            let of_linux = |text: Option<&str>| text.filter(|_| linux).map(str::to_owned);
            let place = |text: Option<&str>| text.filter(|_| distribution != Distribution::Flatcar).map(str::to_owned);
            Preferences {
                desktop: desktop.into_iter().next(),
                language: of_linux(language),
                locale: place(locale),
                keyboard: place(keyboard),
                timezone: timezone.map(str::to_owned),
                shell: of_linux(shell),
                editor: of_linux(editor),
                wallpaper: of_linux(wallpaper),
                dconf: if linux { dconf } else { BTreeMap::new() },
            }
        },
    )
}
