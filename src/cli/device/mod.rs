//! `greenroom device`.

mod assign;
mod list;

use clap::Subcommand;

use crate::{
    model::{
        MacAddr,
        command::{self, Order},
    },
    usage::{filter::Filter, roster::Kind},
};

use super::{
    Done, Global,
    client::{Daemon, operator},
    roster, say, say_json,
};

pub(super) use list::said;

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom device list
  greenroom device list --where 'role=developer and not installed and seen<7d'
  greenroom device set 52:54:00:77:00:02 role=developer user=ann note-
  greenroom device assign 52:54:00:77:00:02 kiosk-live
  greenroom device assign 52:54:00:77:00:02 workstation-debian --arm
  greenroom device assign 52:54:00:77:00:02 kiosk-live --from 2h --until 1d
  greenroom device assign kiosk-live --where 'location~hall*' --why 'open day'
  greenroom device arm 52:54:00:77:00:02       its persona may wipe its disk!
  greenroom device disarm 52:54:00:77:00:02
  greenroom device unassign 52:54:00:77:00:02
  greenroom device show 52:54:00:77:00:02
  greenroom device import devices.csv --dry-run
  greenroom device export --where 'location=berlin' > berlin.csv
  greenroom device forget 52:54:00:77:00:02    it is new when it boots next

A device is named by any of its MAC addresses. It can be described and assigned a persona before it was ever seen.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the devices.
    List {
        /// Only those that fit: role=developer and location~"berlin*" and seen<7d.
        #[arg(long = "where", value_name = "FILTER")]
        filter: Option<Filter>,
    },
    /// Show one device.
    Show {
        /// Any of its ports.
        mac: MacAddr,
    },
    /// Say what a device is: name=value, or name- to take it away.
    Set {
        /// Any of its ports.
        mac: MacAddr,
        /// What is said: role=developer, user=ann, note-.
        #[arg(value_parser = roster::saying, value_name = "NAME=VALUE", required = true)]
        said: Vec<roster::Saying>,
    },
    /// Give a device a persona, from its next boot on.
    Assign(assign::Assign),
    /// Take the assignment back.
    Unassign {
        /// Any of its ports.
        mac: MacAddr,
    },
    /// Give leave to wipe a device's disk at its next boot.
    Arm {
        /// Any of its ports.
        mac: MacAddr,
    },
    /// Take that leave back.
    Disarm {
        /// Any of its ports.
        mac: MacAddr,
    },
    /// Take over what a CSV or JSON file says of devices.
    ///
    /// The first line of a CSV file names its columns: `mac`, any attributes, and `persona` if devices shall be assigned one (`-`
    /// takes an assignment back). A JSON file is a list of objects with the same names. An empty cell says nothing.
    ///
    /// Nothing is done unless every row can be. Then it is done 500 rows at a time: if somebody changes one of the devices meanwhile,
    /// the command says how far it came, and can be run again.
    Import(roster::Import),
    /// Print what is said of devices, so that it imports back.
    Export {
        /// Only those that fit.
        #[arg(long = "where", value_name = "FILTER")]
        filter: Option<Filter>,
        #[command(flatten)]
        export: roster::Export,
    },
    /// Drop everything known about a device.
    Forget {
        /// Any of its ports.
        mac: MacAddr,
    },
}

pub(super) async fn run(command: Command, global: &Global) -> Done {
    let daemon = Daemon::new(global)?;
    let (mac, order, done) = match command {
        Command::List { filter } => return list::list(&daemon, filter.as_ref(), global).await,
        Command::Show { mac } => return list::show(&daemon, mac, global).await,
        Command::Assign(assign) => return assign::run(assign, &daemon, global).await,
        Command::Import(import) => return roster::import(Kind::Devices, import, &daemon, global).await,
        Command::Export { filter, export } => {
            return roster::export(Kind::Devices, export, filter.as_ref(), &daemon, global).await;
        }
        Command::Set { mac, said } => {
            (mac, Order::Describe { changes: roster::changes(said)? }, format!("{mac} is described"))
        }
        Command::Unassign { mac } => (mac, Order::UnassignPersona, format!("{mac} has no assignment any more")),
        Command::Arm { mac } => (mac, Order::Arm, format!("{mac} is armed: a destructive persona may wipe its disk")),
        Command::Disarm { mac } => (mac, Order::Disarm, format!("{mac} is not armed any more")),
        Command::Forget { mac } => (mac, Order::Forget, format!("{mac} is forgotten")),
    };
    daemon.tell("/commands", &command::Command { mac, by: operator(), order }).await?;
    match global.json {
        true => say_json(&serde_json::json!({ "mac": mac, "done": done })),
        false => {
            say(&done);
            Ok(())
        }
    }
}
