//! What was just done, said on the next page: a cookie that lives until then.

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The cookie's name.
const COOKIE: &str = "greenroom-notice";
/// Longer words are cut: browsers drop cookies of more than 4 KiB.
const LONGEST: usize = 1500;

/// A sentence about what was done, or why it was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    /// The sentence.
    pub(super) words: String,
    /// Whether it is bad news.
    pub(super) bad: bool,
}

impl Notice {
    /// What was done.
    pub(super) fn done(words: impl Into<String>) -> Self {
        Self { words: words.into(), bad: false }
    }

    /// Why something was not done.
    pub(super) fn refused(words: impl Into<String>) -> Self {
        Self { words: words.into(), bad: true }
    }

    /// On to another page of ours, which shows it. With `303`, a browser asks for it by GET, and reloading does nothing twice.
    pub(super) fn on(self, path: &str) -> Response {
        let Self { mut words, bad } = self;
        let end = (0..=LONGEST.min(words.len())).rev().find(|at| words.is_char_boundary(*at)).unwrap_or_default();
        words.truncate(end);
        let said = URL_SAFE_NO_PAD.encode(format!("{}{words}", if bad { '!' } else { '.' }));
        let cookie = format!("{COOKIE}={said}; Path=/; HttpOnly; SameSite=Strict; Max-Age=60");
        let mut response = Redirect::to(path).into_response();
        response.headers_mut().append(header::SET_COOKIE, header_value(&cookie));
        response
    }

    /// The notice that a request brings.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let said = URL_SAFE_NO_PAD.decode(cookie(headers, COOKIE)?).ok()?;
        let said = String::from_utf8(said).ok()?;
        let words = said.get(1..)?.to_owned();
        Some(Self { words, bad: said.starts_with('!') })
    }

    /// What has the browser forget it: said with the page that shows it.
    pub(super) fn forget() -> HeaderValue {
        header_value(&format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"))
    }
}

/// The value of a cookie.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("a cookie of ours is base64 and plain words")
}
