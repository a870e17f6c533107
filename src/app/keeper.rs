//! The keeper's task: turn after turn, for as long as the daemon runs.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    images::{Keeper, keeper::Turn},
    model::Digest,
    serve::{Context, cache},
};

/// What `/healthz` calls it.
const KEEPER: &str = "image cache";

/// How long it rests when there is nothing to do, or nothing that may be done now.
const REST: Duration = Duration::from_secs(1);
/// How long at the most after a bug.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// Has the keeper take its turns. A blob that is wanted and not to be had shows in `/healthz` until it is here.
pub async fn keep(context: Context) {
    let mut said: BTreeSet<Digest> = BTreeSet::new();
    let mut rest = REST;
    loop {
        cache::tell_keeper(&context);
        let keeper = context.keeper.clone();
        // In a task of its own: a bug in one turn is not the end of all turns.
        match tokio::spawn(async move { keeper.turn().await }).await {
            Ok(turn) => {
                rest = REST;
                tell(&context, &mut said);
                if matches!(turn, Turn::Took(_) | Turn::Measured(_) | Turn::Scrubbed(..)) {
                    continue;
                }
            }
            Err(bug) => {
                rest = (rest * 2).min(LONGEST_REST);
                tracing::error!(%bug, "the image cache's keeper stumbled");
                context.trouble(KEEPER, format!("its keeper stumbled: {bug}"));
            }
        }
        context.keeper.rest(rest).await;
    }
}

/// Says what is missing: in the log once, in `/healthz` as long as it is so.
fn tell(context: &Context, said: &mut BTreeSet<Digest>) {
    let keeper: &Keeper = &context.keeper;
    let missing = keeper.missing();
    let words =
        missing.iter().map(|one| format!("{} cannot be fetched: {}", cache::name(context, &one.digest), one.why));
    let words: Vec<String> = words.collect();
    for (one, words) in missing.iter().zip(&words) {
        if !said.contains(&one.digest) {
            tracing::warn!(digest = %one.digest, "an image file that is wanted before it is asked for is missing: {words}");
        }
    }
    *said = missing.iter().map(|one| one.digest).collect();
    match words.is_empty() {
        true => context.well(KEEPER),
        false => context.trouble(KEEPER, words.join("; ")),
    }
}
