//! The command line. One file a command; this module is the only user of `clap`.
//!
//! Exit codes: 0 done; 1 done and found wanting, or failed; 2 the command itself was wrong; 3 the daemon does not answer.

mod account;
mod api;
mod audit;
mod boots;
mod cache;
mod client;
mod completions;
mod config;
mod device;
mod explain;
mod image;
mod import;
mod journal;
mod out;
mod persona;
mod predict;
mod prompt;
mod proposals;
mod replay;
mod roster;
mod serve;
mod simulate;
mod stage;
mod token;
mod user;
mod webhook;

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{
    app,
    config::{Config, DEFAULT_PATH, DEFAULT_SOCKET},
    document::{Document, Problem},
    images::{Keys, S3Settings},
};

use out::say;

const EXAMPLES: &str = "\
Examples:
  greenroom config init > greenroom.yaml   write a configuration to begin with
  greenroom serve --config greenroom.yaml  run the daemon
  greenroom device list                    the devices it has seen
  greenroom boots --follow                 watch them boot

Exit codes: 0 done; 1 failed or problems found; 2 the command was wrong; 3 the daemon does not answer.";

/// The heading of the options that every command has.
const EVERYWHERE: &str = "Options of every command";

/// Network-boots bare-metal machines and turns each into its persona.
#[derive(Debug, Parser)]
#[command(name = "greenroom", version, about, after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    /// The configuration file.
    #[arg(long, global = true, env = "GREENROOM_CONFIG", value_name = "FILE", help_heading = EVERYWHERE)]
    config: Option<PathBuf>,
    /// The running daemon's admin socket.
    #[arg(long, global = true, env = "GREENROOM_SOCKET", value_name = "PATH", help_heading = EVERYWHERE)]
    socket: Option<PathBuf>,
    /// Print JSON instead of tables and sentences.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon.
    #[command(after_help = serve::EXAMPLES)]
    Serve,
    /// Check, show and render personas.
    #[command(subcommand, after_help = persona::EXAMPLES)]
    Persona(persona::Command),
    /// Add, list, verify and warm images.
    #[command(subcommand, after_help = image::EXAMPLES)]
    Image(image::Command),
    /// Look at the image cache, pin and evict; try what it would make of a trace.
    #[command(subcommand, after_help = cache::EXAMPLES)]
    Cache(cache::Command),
    /// Show what is staged for whom, and what it was good for.
    #[command(subcommand, after_help = stage::EXAMPLES)]
    Stage(stage::Command),
    /// Take over from Matchbox, Cobbler or dnsmasq.
    #[command(subcommand, after_help = import::EXAMPLES)]
    Import(import::Command),
    /// List, describe, assign, arm, import and forget devices.
    #[command(subcommand, after_help = device::EXAMPLES)]
    Device(device::Command),
    /// Say who people are: by hand, from files, or from a directory.
    #[command(subcommand, after_help = user::EXAMPLES)]
    User(user::Command),
    /// Show boot attempts and their timelines.
    #[command(after_help = boots::EXAMPLES)]
    Boots(boots::Args),
    /// Render again what a boot was served.
    #[command(after_help = replay::EXAMPLES)]
    Replay(replay::Args),
    /// Show what a device would be answered, and why; changes nothing.
    #[command(after_help = explain::EXAMPLES)]
    Explain(explain::Args),
    /// Predict which persona a device becomes, and see how well that works.
    #[command(after_help = predict::EXAMPLES)]
    Predict(predict::Args),
    /// List, accept and decline what predictions propose.
    #[command(after_help = proposals::EXAMPLES)]
    Proposals(proposals::Args),
    /// Say who may sign in to the pages, and as what.
    #[command(subcommand, after_help = account::EXAMPLES)]
    Account(account::Command),
    /// Make, list and revoke tokens of the API.
    #[command(subcommand, after_help = token::EXAMPLES)]
    Token(token::Command),
    /// Describe the API.
    #[command(subcommand, after_help = api::EXAMPLES)]
    Api(api::Command),
    /// Show who did what.
    #[command(after_help = audit::EXAMPLES)]
    Audit(audit::Args),
    /// Write, check and show the configuration.
    #[command(subcommand, after_help = config::EXAMPLES)]
    Config(config::Command),
    /// Export the journal of facts.
    #[command(subcommand, after_help = journal::EXAMPLES)]
    Journal(journal::Command),
    /// Show how the webhooks fare, and try them.
    #[command(subcommand, after_help = webhook::EXAMPLES)]
    Webhook(webhook::Command),
    /// Try prediction and staging on a fleet in virtual time.
    #[command(long_about = simulate::ABOUT, after_help = simulate::EXAMPLES)]
    Simulate(simulate::Args),
    /// Print completions for a shell.
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::Args),
}

/// What every command may need.
struct Global {
    config: Option<PathBuf>,
    socket: Option<PathBuf>,
    json: bool,
}

/// How a command failed.
enum Failure {
    /// It did not work; the message says why and what to do.
    Failed(String),
    /// It worked, and what it found is not as it should be; it has been said.
    Wanting,
    /// The command asks for what cannot be.
    Wrong(String),
    /// The daemon does not answer.
    NoDaemon(String),
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Failed(message)
    }
}

type Done = Result<(), Failure>;

impl Global {
    /// The configuration: the file named, or the default one. All its problems are printed.
    fn config(&self) -> Result<Config, Failure> {
        self.read_config()?.map_err(|problems| Failure::Failed(listed(&problems)))
    }

    /// The configuration, or all its problems.
    fn read_config(&self) -> Result<Result<Config, Vec<Problem>>, Failure> {
        Ok(self.config_text()?.and_then(|document| Config::read(&document)))
    }

    /// The text of the configuration, or why it is none.
    fn config_text(&self) -> Result<Result<Document, Vec<Problem>>, Failure> {
        let path = self.config.clone().unwrap_or_else(|| DEFAULT_PATH.into());
        let bytes = std::fs::read(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Failure::Failed(serve::no_config(&path)),
            _ => Failure::Failed(format!("{}: {error}", path.display())),
        })?;
        Ok(Document::read(path.display().to_string(), bytes).map_err(|problem| vec![problem]))
    }

    /// The S3 store: the configuration's, when there is one. A key that cannot be read is told by whoever needs it.
    fn s3(&self) -> S3Settings {
        let Ok(config) = self.config() else { return S3Settings::default() };
        let keys = app::s3_keys(&config).unwrap_or_else(|error| Keys::Missing(error.to_string()));
        app::s3(&config, keys)
    }

    /// The admin socket: named, or the configuration's when there is one, or the default.
    fn socket(&self) -> PathBuf {
        let configured = || self.config().ok().map(|config| config.admin_socket);
        self.socket.clone().or_else(configured).unwrap_or_else(|| DEFAULT_SOCKET.into())
    }
}

/// Every problem, and how many there are.
fn listed(problems: &[Problem]) -> String {
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let errors = problems.iter().filter(|problem| problem.is_error()).count();
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let warnings = problems.len() - errors;
    format!("{}\n\n{}, {}", texts.join("\n\n"), count(errors, "error"), count(warnings, "warning"))
}

/// Runs the command line.
pub fn run() -> ExitCode {
    let cli = Cli::from_arg_matches(&command().get_matches()).unwrap_or_else(|error| error.exit());
    let global = Global { config: cli.config, socket: cli.socket, json: cli.json };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            out::complain(&format!("the system gives no threads: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Serve => serve::run(&global).await,
            Command::Persona(command) => persona::run(command, &global).await,
            Command::Image(command) => image::run(command, &global).await,
            Command::Cache(command) => cache::run(command, &global).await,
            Command::Stage(command) => stage::run(command, &global).await,
            Command::Import(command) => import::run(command, &global).await,
            Command::Device(command) => device::run(command, &global).await,
            Command::User(command) => user::run(command, &global).await,
            Command::Boots(args) => boots::run(args, &global).await,
            Command::Replay(args) => replay::run(args, &global).await,
            Command::Explain(args) => explain::run(args, &global).await,
            Command::Predict(args) => predict::run(args, &global).await,
            Command::Proposals(args) => proposals::run(args, &global).await,
            Command::Account(command) => account::run(command, &global).await,
            Command::Token(command) => token::run(command, &global).await,
            Command::Api(command) => api::run(command),
            Command::Audit(args) => audit::run(args, &global).await,
            Command::Config(command) => config::run(command, &global),
            Command::Journal(command) => journal::run(command, &global),
            Command::Webhook(command) => webhook::run(command, &global).await,
            Command::Simulate(args) => simulate::run(&args, &global),
            Command::Completions(args) => completions::run(args),
        }
    });
    // Blocking reads of a terminal or a disk must not keep the process.
    runtime.shutdown_background();
    let complain = if global.json { out::complain_json } else { out::complain };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Wanting) => ExitCode::FAILURE,
        Err(Failure::Failed(message)) => {
            complain(&message);
            ExitCode::FAILURE
        }
        Err(Failure::Wrong(message)) => {
            out::complain(&message);
            ExitCode::from(2)
        }
        Err(Failure::NoDaemon(message)) => {
            complain(&message);
            ExitCode::from(3)
        }
    }
}

/// The command line. The help of each command of a family shows those of the family's examples that are its own.
fn command() -> clap::Command {
    Cli::command().mut_subcommands(|family| {
        let start = format!("  greenroom {} ", family.get_name());
        let examples = family.get_after_help().map(ToString::to_string).unwrap_or_default();
        family.mut_subcommands(move |command| {
            let start = format!("{start}{}", command.get_name());
            let is_own =
                |line: &str| line.strip_prefix(&start).is_some_and(|rest| !rest.starts_with(char::is_alphabetic));
            let mut own: Vec<&str> = vec![];
            for line in examples.lines() {
                // A line that is indented more deeply goes on with the one before it.
                let goes_on = line.starts_with("    ") && own.last().is_some_and(|before| before.ends_with('\\'));
                if is_own(line) || goes_on {
                    own.push(line);
                }
            }
            match own.is_empty() {
                true => command,
                false => command.after_help(format!("Examples:\n{}", own.join("\n"))),
            }
        })
    })
}

/// Prints a value as JSON.
fn say_json(value: &impl serde::Serialize) -> Done {
    let json = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    say(&json);
    Ok(())
}
