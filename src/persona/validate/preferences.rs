//! Language, keyboard, time zone, desktop.

use crate::{
    document::Check,
    persona::{
        Persona,
        known::{Known, did_you_mean, is_locale},
        schema::Desktop,
    },
};

use super::{
    brief,
    shape::{is_absolute, is_web},
};

pub(super) fn check(check: &mut Check<'_>, persona: &Persona) {
    let preferences = &persona.preferences;
    if let Some(locale) = &preferences.locale {
        let meant = if is_locale(locale) { None } else { Known::locales().nearest(locale) };
        let help = did_you_mean(meant, "write it as in glibc's list, in UTF-8: de_DE.UTF-8");
        let message = format!("there is no locale `{}`", brief(locale));
        check.require(is_locale(locale), "GR050", "preferences.locale", message, &help);
    }
    if let Some(zone) = &preferences.timezone {
        let known = Known::timezones().has(zone);
        let meant = if known { None } else { Known::timezones().nearest(zone) };
        let help = did_you_mean(meant, "write it as in /usr/share/zoneinfo: Europe/Berlin");
        check.require(
            known,
            "GR051",
            "preferences.timezone",
            format!("there is no time zone `{}`", brief(zone)),
            &help,
        );
    }
    if let Some(layout) = &preferences.keyboard {
        let known = Known::keyboards().has(layout);
        let meant = match layout.as_str() {
            "uk" => Some("gb"),
            "en" => Some("us"),
            _ if known => None,
            other => Known::keyboards().nearest(other),
        };
        // `uk` is the country's name and, for X, nothing; `ua` has Ukrainian.
        let help = did_you_mean(meant.filter(|_| !known), "write the country's two letters: us, gb, de");
        let message = format!("there is no keyboard layout `{}`", brief(layout));
        check.require(known, "GR052", "preferences.keyboard", message, &help);
    }
    if let Some(language) = &preferences.language {
        let message = format!("`{}` is no list of languages", brief(language));
        check.require(is_languages(language), "GR231", "preferences.language", message, "write de:en, or pt_BR:pt:en");
    }
    if let Some(editor) = &preferences.editor {
        let plain = editor.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
            && editor.chars().all(|c| c.is_ascii_alphanumeric() || "._/+-".contains(c));
        let message = format!("`{}` is no program", brief(editor));
        check.require(plain, "GR233", "preferences.editor", message, "write one word: vim, or /usr/bin/nano");
    }
    desktop(check, persona);
}

/// `de:en`, `pt_BR:pt`: languages, with a country or a variant.
fn is_languages(text: &str) -> bool {
    text.split(':').all(|language| {
        let (tag, _) = language.split_once('@').unwrap_or((language, ""));
        let (code, country) = tag.split_once('_').map_or((tag, None), |(code, country)| (code, Some(country)));
        (2..=3).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_lowercase())
            && country.is_none_or(|country| country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase()))
            && language.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'@')
    })
}

fn desktop(check: &mut Check<'_>, persona: &Persona) {
    let preferences = &persona.preferences;
    let distribution = persona.os.distribution();
    if let Some(desktop) = preferences.desktop {
        let all = [Desktop::Gnome, Desktop::Kde, Desktop::Xfce];
        let there: Vec<&str> =
            all.into_iter().filter(|other| other.package(distribution).is_some()).map(Desktop::name).collect();
        let help = match there.is_empty() {
            true => "remove it".to_owned(),
            false => format!("it has {}", there.join(", ")),
        };
        let message = format!("{distribution} has no {} to install", desktop.name());
        check.require(desktop.package(distribution).is_some(), "GR057", "preferences.desktop", message, &help);
    }
    let gnome = preferences.desktop == Some(Desktop::Gnome)
        // Windows has wallpapers of its own.
        || (distribution.manager().is_some_and(|manager| manager.name() == "winget") && preferences.dconf.is_empty())
        // Somebody may list GNOME, or a part of it, by its packages.
        || persona.packages().any(|package| package.contains("gnome") || package.contains("gdm") || package.contains("dconf"));
    let unread = [("wallpaper", preferences.wallpaper.is_some()), ("dconf", !preferences.dconf.is_empty())];
    for (field, _) in unread.into_iter().filter(|(_, written)| *written) {
        let message = format!("only GNOME reads `{field}`, and there is none here");
        let help = "add `desktop: gnome`, or remove it";
        check.warn(gnome, "GR230", &format!("preferences.{field}"), message, help);
    }
    if let Some(wallpaper) = &preferences.wallpaper {
        let place = is_web(wallpaper) || is_absolute(wallpaper) || wallpaper.contains(":\\");
        let message = format!("`{}` is no picture's place", brief(wallpaper));
        let help = "write the absolute path of a file on the device, or an http(s) URL";
        check.require(place, "GR234", "preferences.wallpaper", message, help);
    }
    for (path, value) in &preferences.dconf {
        let plain = path.contains('/')
            && !path.starts_with('/')
            && path
                .split('/')
                .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c)));
        let fits = plain && !value.trim().is_empty() && !value.contains(['\n', '\r']);
        let message = format!("`{}: {}` is no dconf setting", brief(path), brief(value));
        let help = "write folder/key: value, without a leading `/`, as `dconf dump /` shows them";
        check.require(fits, "GR235", &format!("preferences.dconf.{path}"), message, help);
    }
}
