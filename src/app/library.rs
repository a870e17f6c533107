//! The library's two tasks: taking up what changes in its folder, and fetching what others committed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use tokio::{sync::mpsc, time::interval};

use crate::{
    document::Problem,
    library::{Library, NotPulled, Pulled, Remote, Store, Watch},
    model::PersonaRef,
    serve::Context,
    world::World,
};

/// What `/healthz` calls the remote.
const REMOTE: &str = "library remote";

/// Opens the library, with the versions that attempts of this World were planned with. Without a store it serves all the
/// same.
pub(super) fn open(dir: &Path, state_dir: &Path, world: &World) -> Library {
    let mut library = match Store::open(&state_dir.join("personas")) {
        Ok(store) => Library::open_with(dir, store),
        Err(error) => {
            tracing::warn!("served versions of personas are not stored, and cannot be replayed later: {error}");
            Library::open(dir)
        }
    };
    let planned: Vec<&PersonaRef> =
        world.boots.values().filter_map(|boot| boot.kernel.as_ref()).map(|kernel| &kernel.persona).collect();
    for (persona, error) in library.recall(planned) {
        tracing::info!("boots of {persona} cannot be replayed: {error}");
    }
    tell(&library.problems().iter().collect::<Vec<_>>());
    library
}

/// Reads the library again whenever it has changed.
pub(super) async fn watch(context: Context, dir: std::path::PathBuf) {
    let (mut watch, trouble) = Watch::new(&dir);
    if let Some(trouble) = trouble {
        tracing::warn!("edits of the library are seen by looking every two seconds only: {trouble}");
    }
    let mut told: BTreeSet<String> = BTreeSet::new();
    loop {
        watch.changed().await;
        if context.read_library(false).await {
            let problems = context.problems();
            tracing::info!(problems = problems.len(), "the library has changed and was read again");
            // What was said before is not said again.
            tell(&problems.iter().filter(|problem| !told.contains(&problem.to_string())).collect::<Vec<_>>());
            told = problems.iter().map(ToString::to_string).collect();
        }
    }
}

/// Every error; of warnings, as there are many of a kind where images are still to come, the first of each.
fn tell(problems: &[&Problem]) {
    let mut alike: BTreeMap<&str, Vec<&Problem>> = BTreeMap::new();
    for problem in problems {
        if problem.is_error() {
            tracing::warn!("the library has a problem\n{problem}");
        } else {
            alike.entry(problem.code).or_default().push(problem);
        }
    }
    for (code, warnings) in alike {
        match &warnings[..] {
            [one] => tracing::warn!("the library has a problem\n{one}"),
            [first, rest @ ..] => tracing::warn!(
                "the library has a problem, and {} more [{code}], which `greenroom persona check` tells\n{first}",
                rest.len()
            ),
            [] => {}
        }
    }
}

/// Pulls now, then every so often, and whenever the webhook rings.
pub(super) async fn pull(context: Context, remote: Remote, every: Duration, mut rings: mpsc::Receiver<()>) {
    let mut times = interval(every);
    times.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut said = None;
    let mut hooked = true;
    loop {
        tokio::select! {
            _ = times.tick() => {}
            rung = rings.recv(), if hooked => hooked = rung.is_some(),
        }
        let asked = remote.clone();
        let pulled = tokio::task::spawn_blocking(move || asked.pull()).await;
        match pulled {
            Ok(Ok(pulled)) => {
                if let Pulled::To(commit) = &pulled {
                    tracing::info!(%commit, "the library was pulled");
                }
                if said.take().is_some() {
                    context.well(REMOTE);
                    tracing::info!("the library can be pulled again");
                }
            }
            Ok(Err(error)) => {
                if said.as_ref() != Some(&error) {
                    tracing::warn!("{error}");
                }
                context.trouble(REMOTE, error.to_string());
                said = Some::<NotPulled>(error);
            }
            Err(panicked) => context.trouble(REMOTE, panicked.to_string()),
        }
    }
}
