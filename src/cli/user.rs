//! `greenroom user`.

use clap::Subcommand;

use crate::{
    model::{
        UserName,
        command::{Line, Orders, UserOrder},
    },
    serve::{
        directory::PullAsk,
        roster::{Imported, UserView, WantedUser},
    },
    usage::roster::Kind,
};

use super::{
    Done, Failure, Global,
    client::{Daemon, operator},
    device::said,
    out, roster, say, say_json,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom user set ann@lab.example role=developer location=berlin note-
  greenroom user set bob@lab.example --inactive
  greenroom user list
  greenroom user show ann@lab.example
  greenroom user import people.csv --dry-run
  greenroom user export --format json > people.json
  greenroom user pull --dry-run          what the directory would change
  greenroom user forget ann@lab.example

A device whose attribute `user` names somebody has their attributes, where it has none of its own.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say who somebody is: name=value, or name- to take it away.
    Set {
        /// Who: what the directory calls them.
        user: UserName,
        /// What is said: role=developer, note-.
        #[arg(value_parser = roster::saying, value_name = "NAME=VALUE", required_unless_present_any = ["active", "inactive"])]
        said: Vec<roster::Saying>,
        /// They are of the organisation.
        #[arg(long)]
        active: bool,
        /// They are of it no longer.
        #[arg(long, conflicts_with = "active")]
        inactive: bool,
    },
    /// List the people that are known.
    List,
    /// Show one of them, with their devices.
    Show {
        /// Who.
        user: UserName,
    },
    /// Take over what a CSV or JSON file says of people.
    ///
    /// The first line of a CSV file names its columns: `user`, any attributes, and `active` (yes or no). A JSON file is a list of
    /// objects with the same names. An empty cell says nothing.
    Import(roster::Import),
    /// Print what is said of people, so that it imports back.
    Export(roster::Export),
    /// Ask the directory now, instead of when it is time.
    Pull {
        /// Only show what would change.
        #[arg(long)]
        dry_run: bool,
        /// Believe it, even when it has lost most of the people that it had.
        #[arg(long)]
        force: bool,
    },
    /// Drop everything known about somebody.
    Forget {
        /// Who.
        user: UserName,
    },
}

pub(super) async fn run(command: Command, global: &Global) -> Done {
    let daemon = Daemon::new(global)?;
    match command {
        Command::Set { user, said, active, inactive } => {
            let changes = roster::changes(said)?;
            let active = (active || inactive).then_some(active);
            order(&daemon, user, UserOrder::Describe { changes, active }, "is described", global).await
        }
        Command::Forget { user } => order(&daemon, user, UserOrder::Forget, "is forgotten", global).await,
        Command::List => list(&daemon, global).await,
        Command::Show { user } => show(&daemon, user, global).await,
        Command::Import(import) => roster::import(Kind::Users, import, &daemon, global).await,
        Command::Export(export) => roster::export(Kind::Users, export, None, &daemon, global).await,
        Command::Pull { dry_run, force } => {
            let imported: Imported = daemon.post("/users/pull", &PullAsk { dry_run, force }).await?;
            roster::tell(&imported, dry_run, global)
        }
    }
}

async fn order(daemon: &Daemon, user: UserName, order: UserOrder, what: &str, global: &Global) -> Done {
    let done = format!("{user} {what}");
    let line = Line::User { user: user.clone(), order, expects: None };
    daemon.tell("/orders", &Orders { by: operator(), key: None, said: None, lines: vec![line] }).await?;
    match global.json {
        true => say_json(&serde_json::json!({ "user": user, "done": done })),
        false => {
            say(&done);
            Ok(())
        }
    }
}

async fn list(daemon: &Daemon, global: &Global) -> Done {
    let users: Vec<UserView> = daemon.post("/users/find", &WantedUser::default()).await?;
    if global.json {
        return say_json(&users);
    }
    let mut table = out::table(&["user", "active", "said of them"]);
    for UserView { user, .. } in &users {
        let active = if user.active { "yes" } else { "no" };
        table.add_row([user.name.to_string(), active.into(), said(&user.attributes)]);
    }
    out::say_table(&table, "nobody is known yet: `user set`, `user import` and `directory:` tell of people");
    Ok(())
}

async fn show(daemon: &Daemon, user: UserName, global: &Global) -> Done {
    let found: Vec<UserView> = daemon.post("/users/find", &WantedUser { user: Some(user) }).await?;
    let view = found.first().ok_or_else(|| Failure::Failed("the daemon found nobody".into()))?;
    if global.json {
        return say_json(view);
    }
    let UserView { user, devices } = view;
    let mut lines = vec![
        format!("{:12} {}", "user", user.name),
        format!("{:12} {}", "active", if user.active { "yes" } else { "no" }),
    ];
    lines.extend(user.attributes.iter().map(|(name, value)| format!("{:12} {value}", name.as_str())));
    lines.extend((!devices.is_empty()).then(|| format!("{:12} {}", "devices", devices.join(", "))));
    say(&lines.join("\n"));
    Ok(())
}
