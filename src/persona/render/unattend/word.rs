//! Languages, keyboards and time zones, as Windows calls them.

use crate::persona::Persona;

/// Time zones: a line for each of Windows', with the IANA zones that it stands for.
const ZONES: &str = include_str!("../../known/windows_zones.txt");

/// Keyboard layouts by the names that Linux uses: Windows' numbers of the language and of the layout.
const KEYBOARDS: [(&str, &str); 33] = [
    ("us", "0409:00000409"),
    ("gb", "0809:00000809"),
    ("ie", "1809:00001809"),
    ("de", "0407:00000407"),
    ("at", "0c07:00000407"),
    ("ch", "0807:00000807"),
    ("fr", "040c:0000040c"),
    ("be", "080c:0000080c"),
    ("ca", "0c0c:00001009"),
    ("es", "0c0a:0000040a"),
    ("latam", "080a:0000080a"),
    ("it", "0410:00000410"),
    ("pt", "0816:00000816"),
    ("br", "0416:00000416"),
    ("nl", "0413:00000413"),
    ("dk", "0406:00000406"),
    ("se", "041d:0000041d"),
    ("no", "0414:00000414"),
    ("fi", "040b:0000040b"),
    ("is", "040f:0000040f"),
    ("pl", "0415:00000415"),
    ("cz", "0405:00000405"),
    ("sk", "041b:0000041b"),
    ("hu", "040e:0000040e"),
    ("ro", "0418:00010418"),
    ("hr", "041a:0000041a"),
    ("si", "0424:00000424"),
    ("ru", "0419:00000419"),
    ("ua", "0422:00000422"),
    ("gr", "0408:00000408"),
    ("tr", "041f:0000041f"),
    ("il", "040d:0000040d"),
    ("ee", "0425:00000425"),
];

/// Windows' name of the persona's time zone; `None` when there is none.
pub(super) fn time_zone(persona: &Persona) -> Option<&'static str> {
    let wanted = persona.preferences.timezone.as_deref()?;
    let mut zones = ZONES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    zones.find(|(_, known)| known.split(' ').any(|zone| zone == wanted)).map(|(name, _)| name)
}

/// Windows' numbers of the persona's keyboard; `None` when there are none.
pub(super) fn keyboard(persona: &Persona) -> Option<&'static str> {
    let wanted = persona.preferences.keyboard.as_deref()?;
    KEYBOARDS.iter().find(|(layout, _)| *layout == wanted).map(|(_, numbers)| *numbers)
}

/// The persona's locale as a language tag: `de_DE.UTF-8` is `de-DE`; `None` when it has no such form.
pub(super) fn locale(persona: &Persona) -> Option<String> {
    let locale = persona.preferences.locale.as_deref()?;
    let (name, _) = locale.split_once('.').unwrap_or((locale, ""));
    tag(name)
}

/// The language of menus and messages: the first one named, with the region of the locale where it names none; that of the
/// locale without one; English without either. The installation medium has to bring it.
pub(super) fn ui_language(persona: &Persona) -> String {
    named_language(persona).or_else(|| locale(persona)).unwrap_or_else(|| "en-US".into())
}

/// The first language named; `None` when there is none, or when its region is not known.
pub(super) fn named_language(persona: &Persona) -> Option<String> {
    let first = persona.preferences.language.as_deref()?.split(':').next()?;
    match first.contains('_') {
        true => tag(first),
        false => locale(persona).filter(|tag| tag.split('-').next() == Some(first)),
    }
}

fn tag(name: &str) -> Option<String> {
    let (language, region) = name.split_once('_')?;
    let plain = |text: &str| text.len() >= 2 && text.chars().all(|c| c.is_ascii_alphabetic());
    (plain(language) && plain(region)).then(|| format!("{language}-{region}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_stands_in_one_line() {
        let lines = ZONES.lines().filter(|line| !line.starts_with('#'));
        let zones: Vec<&str> = lines.flat_map(|line| line.split_once(" = ").unwrap().1.split(' ')).collect();
        let mut once = zones.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(zones.len(), once.len());
        assert!(zones.len() > 500, "{} zones", zones.len());
    }

    #[test]
    fn names_are_windows_own() {
        assert_eq!(tag("pt_BR").as_deref(), Some("pt-BR"));
        assert_eq!((tag("sr_RS@latin"), tag("C")), (None, None));
    }
}
