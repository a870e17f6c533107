//! `greenroom account`.

use std::io::{self, IsTerminal};

use clap::{
    Args, Subcommand,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};

use crate::{
    app,
    model::{AccountName, Moment, Role, account::check_password, command::Rejection},
    serve::account::{AccountView, CreateAsk, Made, PasswordAsk, RemoveAsk, RoleAsk},
};

use super::{
    Done, Failure, Global,
    client::{Daemon, operator},
    out,
    prompt::Prompt,
    say, say_json,
};

/// How often a password is asked for when what is typed will not do.
const TRIES: usize = 3;

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom account add admin --role admin     asks for the password
  greenroom account add ann --role author --invite
  greenroom account add lab --role operator --password-stdin < password
  greenroom account list
  greenroom account role ann admin
  greenroom account password ann --invite      ann has lost hers
  greenroom account remove ann

An invitation is a link: whoever opens it chooses the password.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Let somebody sign in to the pages.
    Add {
        /// What pages and facts call them.
        name: AccountName,
        /// What they may do.
        #[arg(long, value_parser = roles())]
        role: Role,
        #[command(flatten)]
        secret: Secret,
    },
    /// List the accounts.
    List,
    /// Give an account another role. It has to sign in again.
    Role {
        /// Its name.
        name: AccountName,
        /// What it may do from now on.
        #[arg(value_parser = roles())]
        role: Role,
    },
    /// Give an account another password. It has to sign in again.
    Password {
        /// Its name.
        name: AccountName,
        #[command(flatten)]
        secret: Secret,
    },
    /// Let nobody sign in with an account any more.
    Remove {
        /// Its name.
        name: AccountName,
    },
}

/// The roles, for the help and for completions.
fn roles() -> impl TypedValueParser<Value = Role> {
    let each = Role::ALL.map(|role| PossibleValue::new(role.name()).help(role.about()));
    PossibleValuesParser::new(each).try_map(|name| name.parse::<Role>())
}

/// Where a password comes from; from the terminal, when nothing is said.
#[derive(Debug, Args)]
pub(super) struct Secret {
    /// Read the password from standard input: its first line.
    #[arg(long, conflicts_with = "invite")]
    password_stdin: bool,
    /// Print a link by which whoever the account is for chooses the password.
    #[arg(long)]
    invite: bool,
}

impl Secret {
    /// The password, or that there is to be an invitation. Whether the account is to be there is known before anybody types.
    async fn read(&self, name: &AccountName, daemon: &Daemon, known: bool) -> Result<Option<String>, Failure> {
        if self.invite {
            return Ok(None);
        }
        if self.password_stdin {
            let mut line = String::new();
            io::stdin().read_line(&mut line).map_err(|error| Failure::Failed(format!("standard input: {error}")))?;
            return Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()));
        }
        if !io::stdin().is_terminal() {
            let help = "there is no terminal to ask for the password: use --password-stdin or --invite";
            return Err(Failure::Wrong(help.into()));
        }
        let accounts: Vec<AccountView> = daemon.get("/accounts").await?;
        match accounts.iter().any(|account| account.name == *name) {
            true if !known => Err(Failure::Failed(Rejection::AccountExists { name: name.clone() }.to_string())),
            false if known => Err(Failure::Failed(Rejection::NoAccount { name: name.clone() }.to_string())),
            _ => asked(name).await.map(Some),
        }
    }
}

/// A password, typed twice on the terminal.
async fn asked(name: &AccountName) -> Result<String, Failure> {
    let mut prompt = Prompt::open()?;
    for _ in 0..TRIES {
        let password = prompt.ask(format!("Password for {name}: ")).await?;
        let why = match check_password(name, &password) {
            Err(bad) => bad.to_string(),
            Ok(()) if prompt.ask("Again: ".into()).await? == password => return Ok(password),
            Ok(()) => "the two passwords are not the same".into(),
        };
        out::note(&why);
    }
    Err(Failure::Failed(format!("none of {TRIES} passwords will do: nothing was changed")))
}

pub(super) async fn run(command: Command, global: &Global) -> Done {
    let daemon = Daemon::new(global)?;
    match command {
        Command::Add { name, role, secret } => {
            let ask = CreateAsk { password: secret.read(&name, &daemon, false).await?, name, role, by: operator() };
            let made: Made = daemon.post("/accounts", &ask).await?;
            told(&made, global, &format!("{} is {role} and can sign in", made.name))
        }
        Command::List => list(&daemon, global).await,
        Command::Role { name, role } => {
            daemon.tell("/accounts/role", &RoleAsk { name: name.clone(), role, by: operator() }).await?;
            done(&name, global, format!("{name} is {role} now, and has to sign in again"))
        }
        Command::Password { name, secret } => {
            let ask = PasswordAsk { password: secret.read(&name, &daemon, true).await?, name, by: operator() };
            let made: Made = daemon.post("/accounts/password", &ask).await?;
            told(&made, global, &format!("{} has another password, and has to sign in again", made.name))
        }
        Command::Remove { name } => {
            daemon.tell("/accounts/remove", &RemoveAsk { name: name.clone(), by: operator() }).await?;
            done(&name, global, format!("{name} is removed, and signed out everywhere"))
        }
    }
}

fn done(name: &AccountName, global: &Global, done: String) -> Done {
    if global.json {
        return say_json(&serde_json::json!({ "name": name, "done": done }));
    }
    say(&done);
    Ok(())
}

/// What came of it: the link alone, for scripts, when there is one.
fn told(made: &Made, global: &Global, done: &str) -> Done {
    if global.json {
        return say_json(made);
    }
    match (&made.invitation, made.until) {
        (Some(link), until) => {
            say(link);
            let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
            out::note(&format!("this link opens {} once{until}; it is not shown again", made.name));
        }
        (None, _) => say(done),
    }
    Ok(())
}

async fn list(daemon: &Daemon, global: &Global) -> Done {
    let accounts: Vec<AccountView> = daemon.get("/accounts").await?;
    if global.json {
        return say_json(&accounts);
    }
    let now = app::clock();
    let ago = |moment: Moment| format!("{} ago", now.since(moment));
    let mut table = out::table(&["account", "role", "can sign in", "made", "by"]);
    for account in &accounts {
        let can = match account.invited {
            None => "yes".to_owned(),
            Some(_) if account.expired => "no: the invitation is over".to_owned(),
            Some(until) => format!("invited until {until}"),
        };
        table.add_row([
            account.name.to_string(),
            account.role.to_string(),
            can,
            ago(account.created),
            account.by.clone(),
        ]);
    }
    out::say_table(&table, "there are no accounts: `greenroom account add NAME --role admin` makes the first one");
    Ok(())
}
