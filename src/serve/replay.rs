//! What an attempt was served, rendered again: the same version of its persona, the same setting, the same bytes.
//!
//! Secrets are the exception. They are noted nowhere, so a name stands where a secret stood, and the replay says so.

use std::net::{Ipv4Addr, SocketAddrV4};

use serde::{Deserialize, Serialize};

use crate::{
    model::{
        BootId, Decision, PersonaRef,
        plan::{Action, BootPlan},
        secret::Secrets,
        timeline::Boot,
    },
    persona::render::{seed_file, seed_files},
    usage::timeline,
    wire::{
        ipxe_script::{self, Links},
        paths::server_url,
    },
};

use super::{Context, net, seed};

/// The name under which the boot script stands among the files.
const SCRIPT: &str = "script.ipxe";

/// What an attempt was served.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Replay {
    /// Which attempt.
    pub boot: BootId,
    /// What it was planned with.
    pub persona: PersonaRef,
    /// The script and the seed, in the order in which they are read.
    pub files: Vec<ReplayedFile>,
    /// What cannot be as it was, in words.
    pub notes: Vec<String>,
}

/// One file of a replay.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplayedFile {
    /// Its name, the last part of its URL.
    pub name: String,
    /// Its bytes: everything that is served this way is text.
    pub text: String,
}

/// Why there is nothing to replay.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoReplay {
    /// The attempt is not known.
    #[error("no boot {0} is known (any more)")]
    Unknown(BootId),
    /// It was never given a persona.
    #[error("boot {boot} was given no persona: {why}")]
    NoPersona {
        /// Which.
        boot: BootId,
        /// What it was given.
        why: String,
    },
    /// The version is nowhere.
    #[error("{persona} cannot be rendered again: {why}")]
    NoVersion {
        /// Which.
        persona: PersonaRef,
        /// Why not.
        why: String,
    },
}

/// Renders again what attempt `id` was served.
pub(super) fn replay(context: &Context, id: BootId) -> Result<Replay, NoReplay> {
    let world = context.engine.world();
    let boot = world.boots.get(&id).ok_or(NoReplay::Unknown(id))?;
    let reached = |boot: &Boot| match timeline::reason(boot) {
        reason if reason.is_empty() => "it never asked for its script".to_owned(),
        reason => reason,
    };
    let kernel = boot.kernel.as_ref().ok_or_else(|| NoReplay::NoPersona { boot: id, why: reached(boot) })?;
    let persona = kernel.persona.clone();
    let known = context.engine.ground().catalog.version(&persona).cloned();
    let stored = || context.library.stored(&persona.version).map_err(|error| error.to_string());
    let text_of = known.map_or_else(stored, Ok).map_err(|why| NoReplay::NoVersion { persona: persona.clone(), why })?;
    let mut notes = vec![];
    let setting = boot.setting.clone().unwrap_or_else(|| {
        notes.push("the journal did not note mirrors, hardware and server address yet: these are today's".to_owned());
        let address = net::interfaces().ok().and_then(|all| all.first().map(|interface| interface.address));
        let port = context.engine.ground().site.http_port;
        let server = server_url(address.unwrap_or(Ipv4Addr::LOCALHOST), port);
        seed::setting_now(context, boot, server)
    });
    let host = setting.server.trim_start_matches("http://").parse::<SocketAddrV4>().map(|address| *address.ip());
    let host = host.or_else(|_| setting.server.trim_start_matches("http://").parse::<Ipv4Addr>());
    let syslog = host.ok().and_then(|host| context.console.address(host.into()));
    let links = Links { server: setting.server.clone(), boot: id, token: context.seed_key.token(id), syslog };
    let secrets = Secrets::masked(text_of.secret_names());
    let masked: Vec<&str> = text_of.secret_names().collect();
    if !masked.is_empty() {
        notes.push(format!("secrets are noted nowhere: names stand in place of {}", masked.join(", ")));
    }
    let subject = seed::Rendering { boot, persona: &persona, setting: &setting, links: &links, secrets: &secrets };
    let mut files = vec![];
    if let Some(decision @ Decision::Become { .. }) = &boot.decision {
        let action = Action::Kernel(kernel.clone());
        let plan = BootPlan { decision: decision.clone(), action, disk: setting.disk };
        files.push(ReplayedFile { name: SCRIPT.into(), text: ipxe_script::script(&plan, &links) });
    }
    for name in seed_files(&text_of) {
        let text = subject.with(|subject| seed_file(&text_of, subject, name));
        files.extend(text.map(|text| ReplayedFile { name: (*name).to_owned(), text }));
    }
    Ok(Replay { boot: id, persona, files, notes })
}
