//! Seeds and reports: what an installing or installed device reads of its persona, and what it says of itself.
//!
//! A seed holds password hashes and keys, so its URL carries a token: an HMAC of the attempt's name. Nothing stores it, it
//! never reaches the journal or the log, and it opens nothing once the attempt has been over for a while.

use axum::{
    body::{Body, to_bytes},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    engine::Unavailable,
    library::secrets_of,
    model::{
        BootId, PersonaRef, Seconds,
        plan::Setting,
        request::Request,
        secret::Secrets,
        timeline::{Boot, Report, Stage, Step},
    },
    persona::render::{Subject, seed_file},
    wire::ipxe_script::Links,
};

use super::{
    Context, boot,
    http::{Ends, not_found, text},
    net::peer_ip,
};

/// Reports are small; what is larger is no report.
const MAX_REPORT: usize = 16 << 10;
const MAX_TEXT: usize = 300;
const MAX_CHECKS: usize = 100;

/// How long after an attempt's end its token still opens the seed: an installed device reads and reports at its first boot
/// from the disk.
const GRACE: Seconds = Seconds(3600);

/// The daemon's key. It never leaves the process but for its file, which only root reads.
pub struct SeedKey([u8; 32]);

impl SeedKey {
    /// The key with these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret of an attempt: 32 hexadecimal digits.
    pub fn token(&self, boot: BootId) -> String {
        let code = self.code(boot).finalize().into_bytes();
        code[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A key for something else, from which this one does not follow.
    pub(super) fn derived(&self, purpose: &str) -> [u8; 32] {
        let code = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        // No attempt is called so: names of attempts have ten characters, and no blanks.
        code.chain_update(b"key for ").chain_update(purpose).finalize().into_bytes().into()
    }

    /// Whether `token` is the attempt's secret, in the same time whatever it is.
    fn accepts(&self, boot: BootId, token: &str) -> bool {
        let digits: Option<Vec<u8>> = token.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
        let Some(digits) = digits.filter(|digits| digits.len() == 32) else { return false };
        let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        self.code(boot).verify_truncated_left(&bytes).is_ok()
    }

    fn code(&self, boot: BootId) -> Hmac<Sha256> {
        let code = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        code.chain_update(boot.to_string())
    }
}

/// One file of an attempt's seed; to `deliver` it is a step of the attempt.
pub(super) fn file(context: &Context, ends: Ends, id: BootId, token: &str, name: &str, deliver: bool) -> Response {
    let Some((boot, persona)) = open(context, id, token) else { return not_found() };
    let ground = context.engine.ground();
    // A version that was replaced many edits ago is on disk only.
    let known = ground.catalog.version(&persona).cloned();
    let Some(text_of) = known.or_else(|| context.library.stored(&persona.version).ok()) else { return not_found() };
    // The attempt's own files agree with one another, whatever has been edited since its script.
    let setting = boot.setting.clone().unwrap_or_else(|| setting_now(context, &boot, ends.server_url()));
    let links = Links { server: setting.server.clone(), boot: id, token: token.to_owned(), syslog: None };
    let secrets = match secrets_of(&text_of, &context.secrets_dir) {
        Ok(secrets) => secrets,
        Err(error) => {
            tracing::error!(boot = %id, persona = %persona, "the seed cannot be rendered: {error}");
            return (StatusCode::INTERNAL_SERVER_ERROR, "a secret of this persona is missing on the server\n")
                .into_response();
        }
    };
    let rendering = Rendering { boot: &boot, persona: &persona, setting: &setting, links: &links, secrets: &secrets };
    let Some(rendered) = rendering.with(|subject| seed_file(&text_of, subject, name)) else { return not_found() };
    if deliver {
        context.console.met(peer_ip(ends.peer), id);
        context.engine.note(id, Step::Seed { name: name.to_owned() }, peer_ip(ends.peer));
    }
    text("text/plain; charset=utf-8", rendered)
}

/// What the files of one attempt are rendered with. Serving and replaying share it: they cannot disagree.
pub(super) struct Rendering<'a> {
    pub(super) boot: &'a Boot,
    pub(super) persona: &'a PersonaRef,
    pub(super) setting: &'a Setting,
    pub(super) links: &'a Links,
    pub(super) secrets: &'a Secrets,
}

impl Rendering<'_> {
    /// Renders with it.
    pub(super) fn with<T>(&self, render: impl FnOnce(&Subject<'_>) -> T) -> T {
        render(&Subject {
            persona: self.persona.name.as_str(),
            mac: self.boot.device.mac(),
            hardware: &self.setting.hardware,
            boot: self.boot.id,
            seed_url: &self.links.seed_url(),
            report_url: &self.links.report_url(),
            mirrors: &self.setting.mirrors,
            secrets: self.secrets,
        })
    }
}

/// The setting as it is now: for attempts whose plan was noted without one.
pub(super) fn setting_now(context: &Context, boot: &Boot, server: String) -> Setting {
    let hardware = context.engine.world().devices.get(&boot.device).map(|device| device.hardware.clone());
    let mirrors = context.engine.ground().site.mirrors.clone();
    Setting { server, mirrors, hardware: hardware.unwrap_or_default(), disk: None }
}

/// What a device says of itself.
pub(super) async fn report(context: &Context, ends: Ends, id: BootId, token: &str, body: Body) -> Response {
    if open(context, id, token).is_none() {
        return not_found();
    }
    let Ok(body) = to_bytes(body, MAX_REPORT).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "a report is 16 KiB at most\n").into_response();
    };
    let report: Report = match serde_json::from_slice(&body) {
        Ok(report) => report,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("this is no report: {error}\n")).into_response(),
    };
    let report = bounded(report);
    tracing::info!(boot = %id, phase = %report.phase, hostname = report.hostname.as_deref(), "a device reports");
    // The device believes what it is told here, and asks no second time: "noted" is said when it is.
    let noted = Request::Observe { boot: id, step: Step::Report(report), peer: peer_ip(ends.peer) };
    match context.engine.ask(noted).await {
        Ok(_) => text("text/plain", "noted\n".into()),
        Err(Unavailable::Busy) => boot::busy(),
        Err(Unavailable::Stopped) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// The attempt and its persona, when the token opens it. Everything else looks the same from outside.
fn open(context: &Context, id: BootId, token: &str) -> Option<(Boot, PersonaRef)> {
    let world = context.engine.world();
    let known = context.seed_key.accepts(id, token).then(|| world.boots.get(&id)).flatten()?;
    let lasts = known.stage != Stage::Ended || (context.clock)() < known.last.plus(GRACE);
    let persona = known.kernel.as_ref().filter(|_| lasts)?.persona.clone();
    Some((known.clone(), persona))
}

/// The report without what is too long to keep.
fn bounded(mut report: Report) -> Report {
    let cut = |text: &mut String| {
        let end = text.char_indices().nth(MAX_TEXT).map_or(text.len(), |(at, _)| at);
        text.truncate(end);
        text.retain(|c| !c.is_control());
    };
    for text in [&mut report.hostname, &mut report.kernel, &mut report.cloud_init, &mut report.message] {
        text.iter_mut().for_each(cut);
    }
    report.checks.truncate(MAX_CHECKS);
    for check in &mut report.checks {
        cut(&mut check.name);
        cut(&mut check.saw);
    }
    report
}
