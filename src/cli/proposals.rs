//! `greenroom proposals`.

use clap::Subcommand;

use crate::{
    model::{Effect, MacAddr},
    serve::predict::{Answer, Proposal},
};

use super::{
    Done, Global,
    client::{Daemon, operator},
    out, say, say_json,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom proposals                                   what is proposed
  greenroom proposals list                              the same
  greenroom proposals accept 52:54:00:77:00:02
  greenroom proposals accept 52:54:00:77:00:02 --arm    its disk is wiped
  greenroom proposals decline 52:54:00:77:00:02         not proposed again";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what is proposed, the most probable first.
    List,
    /// Assign what is proposed for a device.
    Accept {
        /// The device's port.
        mac: MacAddr,
        /// Arm it in the same breath: its disk will be wiped if the persona does that.
        #[arg(long)]
        arm: bool,
    },
    /// Do not propose that persona for the device again.
    Decline {
        /// The device's port.
        mac: MacAddr,
    },
}

pub(super) async fn run(args: Args, global: &Global) -> Done {
    let daemon = Daemon::new(global)?;
    match args.command.unwrap_or(Command::List) {
        Command::List => list(&daemon, global).await,
        Command::Accept { mac, arm } => {
            let answer = Answer { mac, by: operator(), arm };
            let accepted: Proposal = daemon.post("/proposals/accept", &answer).await?;
            if global.json {
                return say_json(&accepted);
            }
            say(&format!("{mac} becomes {} at its next boot", accepted.persona));
            if accepted.effect == Effect::Destructive && !arm {
                say(&format!("it wipes the disk, and waits for leave to do so: `greenroom device arm {mac}`"));
            }
            Ok(())
        }
        Command::Decline { mac } => {
            let answer = Answer { mac, by: operator(), arm: false };
            let declined: Proposal = daemon.post("/proposals/decline", &answer).await?;
            match global.json {
                true => say_json(&declined),
                false => {
                    say(&format!("{} is not proposed for {mac} again", declined.persona));
                    Ok(())
                }
            }
        }
    }
}

async fn list(daemon: &Daemon, global: &Global) -> Done {
    let proposals: Vec<Proposal> = daemon.get("/proposals").await?;
    if global.json {
        return say_json(&proposals);
    }
    let mut table = out::table(&["device", "persona", "p", "effect", "predicted by", "does not act because"]);
    for proposal in &proposals {
        let why: Vec<String> = proposal.hindrances.iter().map(ToString::to_string).collect();
        table.add_row([
            proposal.device.to_string(),
            proposal.persona.to_string(),
            proposal.probability.to_string(),
            proposal.effect.to_string(),
            proposal.model.clone(),
            why.join("; "),
        ]);
    }
    out::fit(&mut table, &[4, 3]);
    out::say_table(&table, "nothing is proposed");
    Ok(())
}
