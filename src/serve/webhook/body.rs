//! What a post says: an event, read from the journal whenever it is sent, or a ping.

use std::time::{Duration, Instant};

use crate::{
    journal::JournalError,
    serve::Context,
    usage::event::{self, About},
    wire::paths::server_url,
};

use super::{
    Line,
    place::Waiting,
    post::{Try, post},
};

/// Why an event cannot be sent at all.
pub(super) enum NoBody {
    /// The journal does not hold its fact any more.
    Dropped,
    /// The journal cannot be read.
    Unreadable(JournalError),
}

/// The body of an event: read from the journal whenever it is sent.
pub(super) async fn body(context: &Context, waiting: &Waiting) -> Result<String, NoBody> {
    let (journal, seq) = (context.journal.clone(), waiting.seq);
    let read = tokio::task::spawn_blocking(move || journal.records_from(seq)?.next().transpose()).await;
    let read = read.unwrap_or_else(|bug| std::panic::resume_unwind(bug.into_panic()));
    let record = read.map_err(NoBody::Unreadable)?.filter(|record| record.seq == seq).ok_or(NoBody::Dropped)?;
    let (world, ground) = (context.engine.world(), context.engine.ground());
    let id = event::boot_of(&record.fact);
    let boot = id.and_then(|id| world.boots.get(&id));
    let about = About::of(waiting.device, world.devices.get(&waiting.device));
    let server = ground.site.addresses.first().map(|ip| server_url(*ip, ground.site.http_port));
    let event = event::event(&record, boot, Some(about), server.as_deref()).ok_or(NoBody::Dropped)?;
    let json = serde_json::to_string(&event).expect("an event is plain data with text keys");
    // A device says what it likes when it fails, and may well say the URL of its seed.
    Ok(match id {
        Some(id) => json.replace(&context.seed_key.token(id), "(token)"),
        None => json,
    })
}

/// A ping: whether a receiver can be told something.
pub(super) async fn ping(line: &Line, context: &Context) -> (Try, Duration) {
    let now = (context.clock)();
    let json = serde_json::json!({
        "type": "ping", "timestamp": now.to_string(), "data": { "webhook": line.webhook.name },
    });
    let began = Instant::now();
    let id = line.id(format_args!("ping_{}", now.as_millis()));
    let tried = post(line, &context.secrets_dir, now, &id, json.to_string()).await;
    (tried, began.elapsed())
}
