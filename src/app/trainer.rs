//! The trainer's task: it runs for as long as the daemon does, and is begun again when it stumbles.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::serve::Context;

/// What `/healthz` calls it.
const TRAINER: &str = "predictions";

/// How long it rests after it has stumbled; longer each time.
const REST: Duration = Duration::from_secs(5);
const LONGEST_REST: Duration = Duration::from_secs(600);

/// Has the trainer learn. Devices boot all the same when it does not: their predictions go stale after a day.
pub(super) async fn learn(context: Context) {
    let mut rest = REST;
    loop {
        let (trainer, engine, journal) = (context.trainer.clone(), context.engine.clone(), context.journal.clone());
        let health = context.clone();
        let tell = move |words: Option<String>| match words {
            Some(words) => health.trouble(TRAINER, words),
            None => health.well(TRAINER),
        };
        // In a task of its own: a bug in one lesson is not the end of all lessons. It ends with this one.
        let mut task = JoinSet::new();
        task.spawn(trainer.run(engine, journal, tell));
        let began = Instant::now();
        let why = match task.join_next().await {
            Some(Ok(Ok(()))) | None => return,
            Some(Ok(Err(error))) => error.to_string(),
            Some(Err(bug)) => bug.to_string(),
        };
        tracing::error!(why, "the trainer stumbled, and begins again in {} seconds", rest.as_secs());
        context.trouble(TRAINER, format!("the trainer stumbled: {why}"));
        tokio::time::sleep(rest).await;
        // Who has walked for so long has not stumbled over the same thing.
        rest = if began.elapsed() > LONGEST_REST { REST } else { (rest * 2).min(LONGEST_REST) };
    }
}
