//! The task that looks through the journal for what people did, so that nobody who asks for it waits.

use std::time::Duration;

use crate::{
    journal::JournalError,
    serve::{Context, audit::Index},
};

/// What `/healthz` calls it.
const ACTS: &str = "audit";

/// Between two steps: who asks comes first.
const PAUSE: Duration = Duration::from_millis(1);
/// How often what is new is looked at, when nobody asks.
const REST: Duration = Duration::from_secs(10);
/// How long it rests when the journal cannot be read: the engine has the same trouble then, and says so.
const LONG_REST: Duration = Duration::from_secs(60);

/// Keeps the index of acts complete for as long as the daemon runs.
pub(super) async fn look(context: Context) {
    loop {
        let looking = context.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let index: &Index = &looking.acts;
            index.further(&looking.journal, looking.engine.world().seq)
        });
        let rest = match looked.await {
            Ok(Ok(more)) => {
                context.well(ACTS);
                if more { PAUSE } else { REST }
            }
            Ok(Err(JournalError::Closed { .. })) => return,
            Ok(Err(error)) => stumbled(&context, &error.to_string()),
            Err(bug) => stumbled(&context, &bug.to_string()),
        };
        tokio::time::sleep(rest).await;
    }
}

fn stumbled(context: &Context, why: &str) -> Duration {
    tracing::error!(why, "what people did cannot be looked for");
    context.trouble(ACTS, format!("what people did cannot be looked for: {why}"));
    LONG_REST
}
