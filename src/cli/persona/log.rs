//! `greenroom persona log`.

use crate::{library::Past, model::PersonaName};

use super::{
    super::{Done, Global, out, say_json},
    From, failed,
};

pub(super) fn run(name: Option<PersonaName>, limit: usize, from: From, global: &Global) -> Done {
    let changes = Past::of(&from.path(global)?).and_then(|past| past.log(name.as_ref(), limit)).map_err(failed)?;
    if global.json {
        return say_json(&changes);
    }
    let mut table = out::table(&["date", "commit", "persona", "version", "author", "subject"]);
    for change in &changes {
        let version = match (&change.version, change.broken) {
            (Some(version), _) => version.to_string(),
            (None, true) => "broken".into(),
            (None, false) => "removed".into(),
        };
        table.add_row([
            change.at.to_string(),
            change.commit.to_string(),
            change.persona.to_string(),
            version,
            change.author.clone(),
            change.subject.clone(),
        ]);
    }
    let empty = match &name {
        Some(name) => format!("no commit ever held a persona {name}"),
        None => "no commit ever held a persona".into(),
    };
    out::say_table(&table, &empty);
    Ok(())
}
