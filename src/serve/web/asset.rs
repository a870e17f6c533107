//! What browsers load beside pages: style, scripts, the icon. They are in the binary, under a name that changes with what is in
//! any of them, so a browser keeps them for ever, and a new version is seen at once.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use super::Trouble;

/// The files: name, type, text.
const FILES: &[(&str, &str, &str)] = &[
    ("devices.js", SCRIPT, include_str!("static/devices.js")),
    ("boot.js", SCRIPT, include_str!("static/boot.js")),
    ("code.js", SCRIPT, include_str!("static/code.js")),
    ("colour.js", SCRIPT, include_str!("static/colour.js")),
    ("editor.js", SCRIPT, include_str!("static/editor.js")),
    ("editor_complete.js", SCRIPT, include_str!("static/editor_complete.js")),
    ("editor_form.js", SCRIPT, include_str!("static/editor_form.js")),
    ("editor_morph.js", SCRIPT, include_str!("static/editor_morph.js")),
    ("editor_preview.js", SCRIPT, include_str!("static/editor_preview.js")),
    ("editor_text.js", SCRIPT, include_str!("static/editor_text.js")),
    ("icon.svg", SVG, include_str!("static/icon.svg")),
    ("live.js", SCRIPT, include_str!("static/live.js")),
    ("page.js", SCRIPT, include_str!("static/page.js")),
    ("prose.js", SCRIPT, include_str!("static/prose.js")),
    ("style.css", STYLE, include_str!("static/style.css")),
];
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// What the files' addresses begin with.
pub(super) static PLACE: LazyLock<String> = LazyLock::new(|| {
    let all = FILES.iter().fold(Sha256::new(), |hash, (name, _, text)| hash.chain_update(name).chain_update(text));
    let print: String = all.finalize()[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("/static/{print}")
});

/// `GET /static/VERSION/FILE`. Another version's address gives this one's file: a page that was open during an update.
pub(super) async fn file(Path((version, name)): Path<(String, String)>) -> Result<Response, Trouble> {
    let (_, kind, text) = FILES.iter().find(|file| file.0 == name).ok_or_else(|| Trouble::not_found("file", &name))?;
    let known = PLACE.ends_with(&version);
    let lasts = if known { "public, max-age=31536000, immutable" } else { "no-cache" };
    Ok(([(CONTENT_TYPE, *kind), (CACHE_CONTROL, lasts)], *text).into_response())
}
