//! `greenroom persona render`.

use std::collections::BTreeMap;

use crate::{
    model::{BootId, MacAddr, PersonaName, secret::Secrets, site::Mirrors, smbios::Hardware},
    persona::render::{Subject, seed_file, seed_files},
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
    let seed_url = "http://greenroom.example/seed/0000000000/token/";
    let subject = Subject {
        persona: name.as_str(),
        mac,
        hardware: &Hardware::default(),
        boot: BootId::new(0),
        seed_url,
        report_url: &format!("{seed_url}report"),
        mirrors: &mirrors,
        secrets: &Secrets::masked(entry.persona.secret_names()),
    };
    let names = seed_files(&entry.persona);
    if let Some(wanted) = &file {
        let Some(text) = seed_file(&entry.persona, &subject, wanted) else {
            return Err(format!("{name} has no file {wanted}: it has {}", names.join(", ")).into());
        };
        say(text.trim_end());
        return Ok(());
    }
    let rendered = names.iter().filter_map(|name| Some((*name, seed_file(&entry.persona, &subject, name)?)));
    if global.json {
        return say_json(&rendered.collect::<BTreeMap<_, _>>());
    }
    for (name, text) in rendered {
        say(&format!("==> {name} <==\n{}\n", text.trim_end()));
    }
    Ok(())
}
