//! Texts that stay texts: how the languages that several renderers write take a word as it is.

/// A word that `sh` takes as it is.
pub(crate) fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A word of a command line as systemd reads it back (systemd.service(5)): `%` and `$` mean something even in quotes.
pub(super) fn systemd_command_word(text: &str) -> String {
    systemd_word(text).replace('$', "$$")
}

/// A word of any other setting as systemd reads it back (systemd.syntax(7)), where `$` means nothing.
pub(super) fn systemd_word(text: &str) -> String {
    let mut word = String::with_capacity(text.len() + 2);
    word.push('"');
    for c in text.chars() {
        match c {
            '\\' | '"' => word.extend(['\\', c]),
            '%' => word.push_str("%%"),
            c if c.is_ascii_control() => word.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => word.push(c),
        }
    }
    word.push('"');
    word
}

/// A URL of which nothing means anything to a shell, to APT, to DNF or to GNOME: what could is percent-encoded, which is the
/// same URL.
pub(super) fn plain_url(url: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?@[]=,+%#&".contains(&byte);
    url.bytes().map(|byte| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") }).collect()
}

/// The `file:` URL of an absolute path. In a path, `%`, `?` and `#` are only characters.
pub(super) fn file_url(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/+,=:@".contains(&byte);
    let encoded = path.bytes().map(|byte| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") });
    format!("file://{}", encoded.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_word_for_systemd() {
        assert_eq!(systemd_command_word(r#"a "b" 100% $HOME \n"#), r#""a \"b\" 100%% $$HOME \\n""#);
        assert_eq!(systemd_word("a\n$b"), r#""a\x0a$b""#);
    }

    #[test]
    fn what_could_mean_something_is_encoded() {
        assert_eq!(plain_url("http://a:b@p:3128/x?y=%20&z"), "http://a:b@p:3128/x?y=%20&z");
        assert_eq!(plain_url("http://p/$(reboot)'\""), "http://p/%24%28reboot%29%27%22");
        assert_eq!(file_url("/a b/100%/ä"), "file:///a%20b/100%25/%C3%A4");
    }
}
