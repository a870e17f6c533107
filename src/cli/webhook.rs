//! `greenroom webhook`.

use clap::Subcommand;

use crate::{
    model::Moment,
    serve::webhook::{Pinged, WebhookView},
};

use super::{Done, Failure, Global, client::Daemon, out, say, say_json};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom webhook list              how far each has come, and what fails
  greenroom webhook test helpdesk     sends a ping, signed as events are

Webhooks are set up in the configuration (`webhooks`), and begin with what happens next.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the webhooks: what they delivered, what waits, what fails.
    List,
    /// Send a ping, and show what the receiver answers. Events that wait are not touched.
    Test {
        /// Which webhook.
        name: String,
    },
}

pub(super) async fn run(command: Command, global: &Global) -> Done {
    let daemon = Daemon::new(global)?;
    match command {
        Command::List => list(&daemon, global).await,
        Command::Test { name } => test(&daemon, &name, global).await,
    }
}

async fn list(daemon: &Daemon, global: &Global) -> Done {
    let views: Vec<WebhookView> = daemon.get("/webhooks").await?;
    if global.json {
        return say_json(&views);
    }
    let mut table = out::table(&["webhook", "delivered", "latest", "waiting", "given up", "state", "url"]);
    let at = |moment: Option<Moment>| moment.map(|moment| moment.to_string()).unwrap_or_default();
    for view in &views {
        table.add_row([
            view.name.clone(),
            view.delivered.to_string(),
            at(view.last_delivered),
            view.waiting.to_string(),
            view.given_up.to_string(),
            state(view),
            view.url.clone(),
        ]);
    }
    out::fit(&mut table, &[4, 1, 2]);
    out::say_table(&table, "there is no webhook: `webhooks` of the configuration names none");
    for view in &views {
        if let Some(failing) = &view.failing {
            say(&format!("{}: {} tries of one event failed, the latest: {}", view.name, failing.tries, failing.why));
        }
    }
    Ok(())
}

fn state(view: &WebhookView) -> String {
    match (&view.gone, &view.failing) {
        (Some(gone), _) => format!("gone since {gone}"),
        (None, Some(failing)) => format!("failing since {}", failing.since),
        (None, None) => "good".into(),
    }
}

async fn test(daemon: &Daemon, name: &str, global: &Global) -> Done {
    // What cannot be a name would be another path.
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return Err(Failure::Wrong(format!("`{name}` cannot name a webhook: see `greenroom webhook list`")));
    }
    let pinged: Pinged = daemon.post(&format!("/webhooks/{name}/test"), &()).await?;
    match (global.json, &pinged.why) {
        (true, _) => say_json(&pinged)?,
        (false, None) => {
            let status = pinged.status.map(|status| status.to_string()).unwrap_or_default();
            say(&format!("{name} took the ping: {status} after {}", pinged.took));
        }
        (false, Some(why)) => {
            return Err(Failure::Failed(format!("{name} did not take the ping, after {}: {why}", pinged.took)));
        }
    }
    if pinged.ok { Ok(()) } else { Err(Failure::Wanting) }
}
