//! `greenroom persona list`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::library::{History, Library, State, Status};

use super::{
    super::{Done, Global, client::Daemon, out, say_json},
    From,
};

/// The columns that a narrow terminal does without.
const VERSION: usize = 1;
const COMMIT: usize = 2;
const IMAGE: usize = 5;

/// A line of the list.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    status: Status,
    effect: String,
    image: String,
    extends: Vec<String>,
    description: String,
}

pub(super) async fn run(from: From, global: &Global) -> Done {
    let served = match from.library {
        None => served(global).await,
        Some(_) => BTreeMap::new(),
    };
    let library = Library::open(&from.path(global)?);
    let lines = library.statuses().iter().map(|status| {
        let mut status = status.clone();
        // Only the daemon knows what it served before the files were broken.
        if let Some(kept) =
            served.get(&status.name).filter(|kept| kept.state == State::Kept && status.state.is_broken())
        {
            status = kept.clone();
        }
        let persona = status.name.parse().ok().and_then(|name| library.catalog().persona(&name));
        let told = |word: fn(&crate::persona::Persona) -> String| {
            persona.map(|entry| word(&entry.persona)).unwrap_or_default()
        };
        Line {
            effect: told(|persona| persona.effect().to_string()),
            image: told(|persona| persona.image().to_string()),
            extends: persona.map(|entry| entry.persona.extends.clone()).unwrap_or_default(),
            description: told(|persona| persona.description.clone()),
            status,
        }
    });
    let lines: Vec<Line> = lines.collect();
    if global.json {
        return say_json(&lines);
    }
    let mut table = out::table(&["persona", "version", "commit", "state", "effect", "image", "description"]);
    for Line { status, effect, image, description, .. } in lines {
        table.add_row([
            status.name,
            status.version.map(|version| version.to_string()).unwrap_or_default(),
            status.commit.map(|commit| commit.to_string()).unwrap_or_default(),
            status.state.to_string(),
            effect,
            image,
            description,
        ]);
    }
    out::fit(&mut table, &[COMMIT, IMAGE, VERSION]);
    out::say_table(&table, "there is no persona yet");
    match library.history() {
        History::None { why } => out::note(&format!("versions are digests only: {why}")),
        History::Git { commit: None, .. } => out::note("nothing was committed yet: every persona is dirty"),
        History::Git { .. } => {}
    }
    Ok(())
}

/// How the personas stand in the daemon, when one runs.
async fn served(global: &Global) -> BTreeMap<String, Status> {
    let Ok(daemon) = Daemon::new(global) else { return BTreeMap::new() };
    let statuses: Vec<Status> = daemon.get("/library/personas").await.unwrap_or_default();
    statuses.into_iter().map(|status| (status.name.clone(), status)).collect()
}
