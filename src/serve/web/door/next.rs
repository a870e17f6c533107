//! Where to go after signing in: a page of ours, whatever the address said.

use super::super::word::encoded;

/// The longest that is followed.
const LONGEST: usize = 2000;

/// `next`, when it leads to a page of this server; the overview otherwise. Browsers take `\` for `/`, and leave out line ends
/// and tabs: what has any of these goes nowhere.
pub(in crate::serve::web) fn way(next: Option<&str>) -> &str {
    let Some(next) = next else { return "/" };
    let ours = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && next.bytes().all(|byte| byte.is_ascii_graphic())
        && next.len() <= LONGEST;
    let signs = ["/sign-in", "/sign-out", "/invitation"].iter().any(|path| next.starts_with(path));
    if ours && !signs { next } else { "/" }
}

/// The page for whoever is to sign in and wants to go there.
pub(in crate::serve::web) fn to_sign_in(next: &str) -> String {
    format!("/sign-in?next={}", encoded(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_leads_to_our_own_pages_only() {
        for good in ["/", "/devices?q=a%20b", "/boots/0123456789", "/a//b", "/x?to=https://elsewhere"] {
            assert_eq!(way(Some(good)), good);
        }
        for bad in [
            "",
            "//elsewhere",
            "/\\elsewhere",
            "\\\\elsewhere",
            "https://elsewhere",
            "javascript:alert(1)",
            "/\t/elsewhere",
            "/\n/elsewhere",
            " //elsewhere",
            "/ü",
            "elsewhere",
            "/sign-out",
            "/a\r\nSet-Cookie: x",
        ] {
            assert_eq!(way(Some(bad)), "/", "{bad:?}");
        }
        assert_eq!(way(None), "/");
        let long = format!("/{}", "a".repeat(LONGEST));
        assert_eq!(way(Some(&long)), "/");
    }
}
