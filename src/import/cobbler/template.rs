//! Answer files (Kickstart and preseed): what of them holds whatever Cheetah makes of the rest.
//!
//! A line is taken when it stands outside of every `#if` and `#for` and holds no `$`.

use crate::persona::{Persona, schema::Filesystem};

use super::super::draft::disk_path;

/// What an answer file plainly says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answers {
    timezone: Option<String>,
    locale: Option<String>,
    keyboard: Option<String>,
    packages: Vec<String>,
    pub(super) filesystem: Option<Filesystem>,
    pub(super) disk: Option<String>,
}

/// Whether Cheetah does something with a line.
pub(super) fn is_cheetah(line: &str) -> bool {
    let directive = line.trim_start().strip_prefix('#').is_some_and(|rest| {
        let word: String = rest.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
        [
            "if",
            "else",
            "elif",
            "end",
            "for",
            "set",
            "raw",
            "include",
            "silent",
            "errorCatcher",
            "while",
            "def",
            "import",
            "from",
        ]
        .contains(&word.as_str())
    });
    directive || line.contains('$')
}

/// Reads an answer file of either kind.
pub(super) fn read(text: &str) -> Answers {
    let mut answers = Answers::default();
    let (mut depth, mut section) = (0_usize, String::new());
    for line in text.lines() {
        let bare = line.trim();
        let directive = bare.strip_prefix('#').map(str::trim_start).unwrap_or_default();
        if ["if ", "for ", "while ", "def "].iter().any(|word| directive.starts_with(word)) {
            depth += 1;
        } else if directive.starts_with("end ") {
            depth = depth.saturating_sub(1);
        }
        if bare.starts_with('%') {
            section = bare.split_whitespace().next().filter(|word| *word != "%end").unwrap_or_default().to_owned();
        } else if depth == 0 && !bare.is_empty() && !bare.starts_with('#') && !bare.contains(['$', '@']) {
            match section.as_str() {
                "" => answers.command(bare),
                "%packages" => answers.package(bare),
                _ => {}
            }
        }
    }
    answers
}

impl Answers {
    fn command(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let plain =
            words.iter().skip(1).find(|word| !word.starts_with('-')).map(|word| word.trim_matches('"').to_owned());
        let option = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        match words.as_slice() {
            ["d-i", question, _, rest @ ..] if !rest.is_empty() => self.preseed(question, &rest.join(" ")),
            ["timezone", ..] => self.timezone = plain,
            ["lang", ..] => self.locale = plain.map(|locale| with_charset(&locale)),
            ["keyboard", ..] => {
                let layouts = option("--vckeymap").or_else(|| option("--xlayouts"));
                self.keyboard = layouts.map(|layout| layout.trim_matches(['"', '\'']).to_owned()).or(plain);
            }
            // The one disk that the others are kept from.
            ["ignoredisk", ..] => self.disk = option("--only-use").and_then(one_disk),
            ["clearpart", ..] if self.disk.is_none() => self.disk = option("--drives").and_then(one_disk),
            ["autopart" | "part" | "logvol", ..] if self.filesystem.is_none() => {
                self.filesystem = match option("--fstype") {
                    Some("xfs") => Some(Filesystem::Xfs),
                    Some("btrfs") => Some(Filesystem::Btrfs),
                    Some("ext4") => Some(Filesystem::Ext4),
                    _ => None,
                };
            }
            _ => {}
        }
    }

    fn preseed(&mut self, question: &str, answer: &str) {
        match question {
            "time/zone" => self.timezone = Some(answer.to_owned()),
            "debian-installer/locale" => self.locale = Some(with_charset(answer)),
            "keyboard-configuration/xkb-keymap" => self.keyboard = Some(answer.to_owned()),
            "pkgsel/include" => answer.split_whitespace().for_each(|package| self.package(package)),
            "partman-auto/disk" => self.disk = one_disk(answer),
            _ => {}
        }
    }

    /// A package; not a group (`@core`, `^environment`), and not one that is kept out.
    fn package(&mut self, line: &str) {
        let name = line.split_whitespace().next().unwrap_or_default();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b);
        let fits = name.len() >= 2 && name.bytes().all(plain) && name.as_bytes()[0].is_ascii_alphanumeric();
        if fits && !self.packages.iter().any(|known| known == name) {
            self.packages.push(name.to_owned());
        }
    }

    /// Puts the answers into a persona, and says which there were.
    pub(super) fn apply(self, persona: &mut Persona) -> Vec<&'static str> {
        let mut taken = vec![];
        let preferences = &mut persona.preferences;
        for (name, from, to) in [
            ("time zone", self.timezone, &mut preferences.timezone),
            ("locale", self.locale, &mut preferences.locale),
            ("keyboard", self.keyboard, &mut preferences.keyboard),
        ] {
            if from.is_some() {
                *to = from;
                taken.push(name);
            }
        }
        if !self.packages.is_empty() {
            persona.apps.packages.native = self.packages;
            taken.push("packages");
        }
        taken.extend(self.disk.is_some().then_some("disk"));
        taken.extend(self.filesystem.is_some().then_some("file system"));
        taken
    }
}

/// `en_US` as `en_US.UTF-8`: locales of today are in UTF-8.
fn with_charset(locale: &str) -> String {
    if locale.contains('.') || locale.len() < 5 { locale.to_owned() } else { format!("{locale}.UTF-8") }
}

/// The path of a disk, when there is one only.
fn one_disk(text: &str) -> Option<String> {
    (!text.contains([',', ' ', '|', '*'])).then(|| disk_path(text)).flatten()
}
