//! `greenroom persona render`.

use std::collections::BTreeMap;

use crate::{
    model::{MacAddr, PersonaName, site::Mirrors},
    persona::render::sample,
};

use super::{
    super::{Done, Global, say, say_json},
    From,
};

/// The seed as it would be, but for the attempt's name and token, which only a boot has, and for secrets, which
/// nobody needs to see here.
pub(super) fn run(name: &PersonaName, mac: MacAddr, file: Option<String>, from: From, global: &Global) -> Done {
    let mirrors = global.config().map(|config| config.site.mirrors).unwrap_or_else(|_| Mirrors::default());
    let entry = from.entry(name, global)?;
    let rendered = sample(name.as_str(), &entry.persona, mac, &mirrors);
    if let Some(wanted) = &file {
        let Some((_, text)) = rendered.iter().find(|(name, _)| name == wanted) else {
            let names: Vec<&str> = rendered.iter().map(|(name, _)| *name).collect();
            return Err(format!("{name} has no file {wanted}: it has {}", names.join(", ")).into());
        };
        say(text.trim_end());
        return Ok(());
    }
    if global.json {
        return say_json(&rendered.into_iter().collect::<BTreeMap<_, _>>());
    }
    for (name, text) in rendered {
        say(&format!("==> {name} <==\n{}\n", text.trim_end()));
    }
    Ok(())
}
