//! Lines of dnsmasq's configuration, and the files that they include.

/// One option.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) place: String,
    pub(super) key: String,
    pub(super) value: String,
}

/// The options of a text, in order.
pub(super) fn lines<'a>(path: &'a str, text: &'a str) -> impl Iterator<Item = Line> + 'a {
    text.lines().enumerate().filter_map(move |(at, line)| {
        let line = plain(line);
        let (key, value) = line.split_once('=').unwrap_or((&line, ""));
        let key = key.trim().trim_start_matches("--").to_owned();
        (!key.is_empty()).then(|| Line { place: format!("{path}:{}", at + 1), key, value: value.trim().to_owned() })
    })
}

/// A line without its comment and its quotes. `#` begins a comment at the start of a word, outside of quotes; `\` keeps what
/// follows it within them.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let (mut quoted, mut before) = (false, ' ');
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' if quoted => text.extend(chars.next()),
            '#' if !quoted && before.is_whitespace() => break,
            // A comma within quotes does not separate: it is kept apart until the values are split.
            ',' if quoted => text.push(QUOTED_COMMA),
            c => text.push(c),
        }
        before = c;
    }
    text.trim().to_owned()
}

/// Stands for a comma within quotes.
const QUOTED_COMMA: char = '\u{e000}';

impl Line {
    /// The values between commas.
    pub(super) fn values(&self) -> Vec<String> {
        self.value.split(',').map(|value| value.trim().replace(QUOTED_COMMA, ",")).collect()
    }

    /// The line as people know it.
    pub(super) fn shown(&self) -> String {
        let value = self.value.replace(QUOTED_COMMA, ",");
        if value.is_empty() { self.key.clone() } else { format!("{}={value}", self.key) }
    }

    /// A line of a hosts file (`dhcp-hostsfile`) as the option that it stands for.
    pub(super) fn into_host(self) -> Self {
        self.of_file("dhcp-host")
    }

    /// A line of an options file (`dhcp-optsfile`), likewise.
    pub(super) fn into_option(self) -> Self {
        self.of_file("dhcp-option")
    }

    fn of_file(self, key: &str) -> Self {
        let value = if self.value.is_empty() { self.key } else { format!("{}={}", self.key, self.value) };
        Self { key: key.to_owned(), value, ..self }
    }

    /// What it includes, when it does.
    pub(super) fn include(&self) -> Option<Include> {
        let values = self.values();
        let path = values.first().filter(|path| !path.is_empty())?.trim_end_matches('/').to_owned();
        match self.key.as_str() {
            "conf-file" => Some(Include::File(path)),
            "conf-dir" => {
                let (only, not): (Vec<_>, Vec<_>) = values
                    .into_iter()
                    .skip(1)
                    .filter(|suffix| !suffix.is_empty())
                    .partition(|suffix| suffix.starts_with('*'));
                let only = only.into_iter().map(|suffix| suffix.trim_start_matches('*').to_owned()).collect();
                Some(Include::Dir { path, only, not })
            }
            "dhcp-hostsfile" => Some(Include::Hosts(path)),
            "dhcp-hostsdir" => Some(Include::HostsDir(path)),
            "dhcp-optsfile" => Some(Include::Options(path)),
            _ => None,
        }
    }
}

/// Something that a line includes, by its path as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Include {
    /// More configuration.
    File(String),
    /// Every file of a folder.
    Dir {
        /// The folder.
        path: String,
        /// Only files that end in one of these, when there are any.
        only: Vec<String>,
        /// No files that end in one of these.
        not: Vec<String>,
    },
    /// A file of hosts, or a folder of such files.
    Hosts(String),
    /// A folder of files of hosts.
    HostsDir(String),
    /// A file of options.
    Options(String),
}

impl Include {
    /// The path.
    pub fn path(&self) -> &str {
        match self {
            Self::File(path)
            | Self::Dir { path, .. }
            | Self::Hosts(path)
            | Self::HostsDir(path)
            | Self::Options(path) => path,
        }
    }

    /// Whether a file of an included folder is meant: as dnsmasq has it, not what editors leave behind.
    pub fn takes(&self, name: &str) -> bool {
        let hidden = name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'));
        match self {
            Self::Dir { only, not, .. } => {
                let ends = |suffixes: &[String]| suffixes.iter().any(|suffix| name.ends_with(suffix.as_str()));
                !hidden && (only.is_empty() || ends(only)) && !ends(not)
            }
            _ => !hidden,
        }
    }

    /// Those of these files that are meant.
    pub(super) fn among<'a>(&'a self, paths: impl Iterator<Item = &'a String>) -> impl Iterator<Item = &'a str> {
        let path = self.path();
        paths.map(String::as_str).filter(move |candidate| {
            let within = candidate.strip_prefix(path).and_then(|rest| rest.strip_prefix('/'));
            match self {
                Self::File(_) | Self::Options(_) => *candidate == path,
                Self::Hosts(_) | Self::HostsDir(_) if *candidate == path => true,
                _ => within.is_some_and(|name| !name.contains('/') && self.takes(name)),
            }
        })
    }
}

/// What a text includes, with the place of each line.
pub fn includes(path: &str, text: &str) -> Vec<(String, Include)> {
    lines(path, text).filter_map(|line| Some((line.place.clone(), line.include()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_dnsmasq_reads_them() {
        let text =
            "# all\n\ninterface=eth0 # trunk\n  dhcp-option = 6 , 10.0.0.1,10.0.0.2\ndhcp-boot=\"a,b#c\",d\nlog-dhcp\n";
        let read: Vec<_> = lines("x", text).map(|line| (line.place.clone(), line.key.clone(), line.values())).collect();
        let line = |place: &str, key: &str, values: &[&str]| {
            (place.to_owned(), key.to_owned(), values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(
            read,
            [
                line("x:3", "interface", &["eth0"]),
                line("x:4", "dhcp-option", &["6", "10.0.0.1", "10.0.0.2"]),
                line("x:5", "dhcp-boot", &["a,b#c", "d"]),
                line("x:6", "log-dhcp", &[""]),
            ]
        );
    }

    #[test]
    fn a_folder_is_included_but_for_what_its_suffixes_leave_out() {
        let [(_, conf), (_, all)] = &includes("x", "conf-dir=/d/,*.conf\nconf-dir=/d,.bak\n")[..] else {
            panic!("two")
        };
        assert!(conf.takes("a.conf") && !conf.takes("README") && !conf.takes(".a.conf"));
        assert!(all.takes("a.conf") && all.takes("README") && !all.takes("a.bak") && !all.takes("a~"));
    }
}
