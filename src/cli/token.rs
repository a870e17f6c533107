//! `greenroom token`.

use std::{collections::BTreeSet, str::FromStr};

use clap::Subcommand;

use crate::{
    app,
    model::{Moment, Scope, Seconds, TokenName},
    serve::token::{CreateAsk, Created, RevokeAsk, TokenView},
};

use super::{
    Done, Global,
    client::{Daemon, operator},
    out, say, say_json,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom token create --name desk --scope assignments:write --expires 90d
  greenroom token create --name hr --scope devices:write,users:write
  greenroom token create --name dashboard --scope read --expires never
  greenroom token list
  greenroom token revoke desk

Scopes: read, audit:read, devices:write, users:write, assignments:write, arm (leave to wipe disks!), cache:write.
Whoever may write may read; who did what is shown to audit:read alone.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token. It is printed once, and can never be shown again.
    Create {
        /// What facts and lists call it.
        #[arg(long)]
        name: TokenName,
        /// What it allows, separated by commas.
        #[arg(long = "scope", value_delimiter = ',', required = true, value_name = "SCOPES")]
        scopes: Vec<Scope>,
        /// For how long: 90d, 12h, or `never`.
        #[arg(long, default_value = "90d", value_name = "SPAN")]
        expires: Lasts,
    },
    /// List the tokens: what they allow, and when they were used last.
    List,
    /// Have a token open nothing any more, from now on.
    Revoke {
        /// Its name.
        name: TokenName,
    },
}

/// How long a token lasts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lasts(Option<Seconds>);

impl FromStr for Lasts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "never" => Ok(Self(None)),
            text => text.parse().map(|span| Self(Some(span))).map_err(|error: String| format!("{error}, or never")),
        }
    }
}

pub(super) async fn run(command: Command, global: &Global) -> Done {
    let daemon = Daemon::new(global)?;
    match command {
        Command::Create { name, scopes, expires } => {
            let scopes = scopes.into_iter().collect();
            let ask = CreateAsk { name, scopes, lasts: expires.0, by: operator() };
            let created: Created = daemon.post("/tokens", &ask).await?;
            if global.json {
                return say_json(&created);
            }
            // What a script reads is the token alone.
            say(&created.token);
            let until = created.expires.map_or_else(|| "for ever".to_owned(), |until| format!("until {until}"));
            out::note(&format!(
                "{} holds {until}; it is not shown again: keep it where secrets are kept",
                created.name
            ));
            Ok(())
        }
        Command::List => list(&daemon, global).await,
        Command::Revoke { name } => {
            daemon.tell("/tokens/revoke", &RevokeAsk { name: name.clone(), by: operator() }).await?;
            let done = format!("{name} opens nothing any more");
            match global.json {
                true => say_json(&serde_json::json!({ "name": name, "done": done })),
                false => {
                    say(&done);
                    Ok(())
                }
            }
        }
    }
}

async fn list(daemon: &Daemon, global: &Global) -> Done {
    let tokens: Vec<TokenView> = daemon.get("/tokens").await?;
    if global.json {
        return say_json(&tokens);
    }
    let now = app::clock();
    let ago = |moment: Moment| format!("{} ago", now.since(moment));
    let scopes = |scopes: &BTreeSet<Scope>| scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(",");
    let mut table = out::table(&["token", "scopes", "made by", "expires", "last used"]);
    for token in &tokens {
        let expires = match token.expires {
            None => "never".to_owned(),
            Some(_) if token.expired => "has expired".to_owned(),
            Some(expires) => expires.to_string(),
        };
        let used = token.used.map_or_else(|| "not since the start".to_owned(), ago);
        table.add_row([token.name.to_string(), scopes(&token.scopes), token.by.clone(), expires, used]);
    }
    out::say_table(&table, "there are no tokens: `greenroom token create` makes one");
    Ok(())
}
