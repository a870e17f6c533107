//! Text that was served to a device, without what only that device may know. Secrets of the site are not in it: names stand in
//! their place when it is rendered again (`serve/replay`). What is left are tokens and password hashes.

/// What stands for a password hash.
const HASH: &str = "(password hash)";
/// What stands for a token.
const TOKEN: &str = "(token)";

/// The text without these tokens, and without anything that looks like a password hash.
pub fn mask(text: &str, tokens: &[&str]) -> String {
    let named = tokens.iter().filter(|token| !token.is_empty());
    let text = named.fold(text.to_owned(), |text, token| text.replace(token, TOKEN));
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['$', 'g']) {
        let (before, from) = rest.split_at(at);
        shown.push_str(before);
        match crypt(from).or_else(|| grub(from)) {
            Some(length) => {
                shown.push_str(HASH);
                rest = &from[length..];
            }
            None => {
                let next = from.chars().next().map_or(0, char::len_utf8);
                shown.push_str(&from[..next]);
                rest = &from[next..];
            }
        }
    }
    shown + rest
}

/// How long the hash is that this begins with: `$6$salt$hash` (crypt(5)).
fn crypt(text: &str) -> Option<usize> {
    let id = text.strip_prefix('$')?;
    let end = id.find('$').filter(|end| (1..=12).contains(end))?;
    let plain = id[..end].bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let body = id[end + 1..].find(|c: char| !(c.is_ascii_alphanumeric() || "./$=,+-".contains(c)));
    let body = body.unwrap_or(id.len() - end - 1);
    (plain && body >= 8).then_some(1 + end + 1 + body)
}

/// The same of GRUB's: `grub.pbkdf2.sha512.10000.…`.
fn grub(text: &str) -> Option<usize> {
    text.strip_prefix("grub.pbkdf2.")?;
    Some(text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_hashes_are_left_out_and_nothing_else_is() {
        let text = "s=http://10.0.0.1/seed/x/00ff/ passwd: '$6$salt$hAsh./' $y$j9T$abc$defghij\ngrub.pbkdf2.sha512.1.AB.CD end";
        let masked = "s=http://10.0.0.1/seed/x/(token)/ passwd: '(password hash)' (password hash)\n(password hash) end";
        assert_eq!(mask(text, &["00ff"]), masked);
        for plain in ["iseq ${tries} 5 && goto", "echo $HOME $1 $$ costs $5", "grüße an alle", "$6$x", ""] {
            assert_eq!(mask(plain, &["", "00ff"]), plain);
        }
    }
}
