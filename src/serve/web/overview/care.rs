//! What somebody should look at, and what to do about it.

use serde::Serialize;

use crate::{document::Problem, model::Moment, serve::Context};

use super::super::word::count;

/// Something that is not as it should be.
#[derive(Debug, Serialize)]
pub(super) struct Care {
    /// What is concerned.
    pub(super) what: String,
    /// How bad it is: `bad` keeps machines from what they should get, `warn` may.
    pub(super) tone: &'static str,
    /// What is wrong.
    pub(super) said: String,
    /// What to do.
    pub(super) help: String,
    /// A page that lists it.
    pub(super) link: Option<&'static str>,
}

/// Everything that is not as it should be; nothing when all is well.
pub(super) fn care(context: &Context) -> Vec<Care> {
    let health = context.health();
    let mut all: Vec<Care> = health.troubles.iter().map(|(name, words)| trouble(name, words)).collect();
    if !health.broken.is_empty() {
        let names: Vec<&str> = health.broken.keys().take(8).map(String::as_str).collect();
        let more = if health.broken.len() > 8 { ", \u{2026}" } else { "" };
        all.push(Care {
            what: count(health.broken.len(), "broken persona"),
            tone: "bad",
            said: names.join(", ") + more,
            help: "What was good last is served meanwhile. Each page shows the line that is wrong.".into(),
            link: Some("/personas?state=broken"),
        });
    }
    let problems = context.problems();
    let of_personas = |problem: &&Problem| problem.is_error() && health.broken.keys().any(|name| names(problem, name));
    let errors = health.library_errors.saturating_sub(problems.iter().filter(of_personas).count());
    if errors > 0 {
        let other = problems.iter().find(|problem| problem.is_error() && !of_personas(problem));
        let place = other.map(|problem| problem.path.rsplit('/').next().unwrap_or_default().to_owned());
        all.push(Care {
            what: format!("{} in the library", count(errors, "error")),
            tone: "bad",
            said: place.map(|place| format!("The first is in {place}.")).unwrap_or_default(),
            help: "`greenroom persona check` shows every one at its line.".into(),
            link: Some("/personas"),
        });
    }
    for webhook in context.webhooks.views() {
        let Some(said) = lagging(&webhook, (context.clock)()) else { continue };
        all.push(Care {
            what: format!("webhook {}", webhook.name),
            tone: "warn",
            said,
            help: format!(
                "Is {} up? `greenroom webhook test {}` tries it now; nothing is lost meanwhile.",
                webhook.url, webhook.name
            ),
            link: None,
        });
    }
    all
}

/// Whether a problem is in the file of this persona.
fn names(problem: &Problem, name: &str) -> bool {
    let file = problem.path.rsplit('/').next().unwrap_or_default();
    file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml")) == Some(name)
}

fn lagging(webhook: &crate::serve::webhook::WebhookView, now: Moment) -> Option<String> {
    let waiting = webhook.waiting;
    match (&webhook.failing, webhook.gone) {
        (_, Some(gone)) => Some(format!("Its receiver has been gone since {gone}: nothing is sent.")),
        (Some(failing), _) => {
            Some(format!("It has failed for {}; {waiting} events wait: {}", now.since(failing.since), failing.why))
        }
        (None, None) if waiting > 100 => Some(format!("{waiting} events wait to be delivered.")),
        (None, None) => None,
    }
}

/// What a helper says of itself in `/healthz`, with what to do about it.
fn trouble(name: &str, words: &str) -> Care {
    let (help, link): (String, _) = match name {
        "image cache" => (
            "Look at the origins of the files that it names; they are tried again by themselves.".into(),
            Some("/images"),
        ),
        "staging" => ("Devices are served all the same. The log has the reason.".into(), Some("/images")),
        "predictions" => {
            ("Decisions go on with what was learned last. The log has the reason.".into(), Some("/predictions"))
        }
        "library remote" => (
            "What was pulled last is served. Is the git host up, and is its key still valid?".into(),
            Some("/personas"),
        ),
        "directory" => {
            ("People stay as they were read last. Is the directory up, and is its token still valid?".into(), None)
        }
        place if place.contains("://") || place.starts_with("oci:") || place.starts_with('/') => {
            (format!("Is {place} up, and can this server reach it? It is tried again by itself."), Some("/images"))
        }
        _ => ("The log has more: `journalctl -u greenroom`.".into(), None),
    };
    Care { what: name.to_owned(), tone: "warn", said: words.to_owned(), help, link }
}
