//! `greenroom device`.

use clap::Subcommand;

use crate::{
    app,
    model::{
        MacAddr, PersonaName,
        command::{self, Order},
    },
    serve::admin::DeviceView,
    usage::timeline,
};

use super::{
    Done, Global,
    client::{Daemon, operator},
    out, say, say_json,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom device list
  greenroom device assign 52:54:00:77:00:02 kiosk-live
  greenroom device assign 52:54:00:77:00:02 workstation-debian --arm
  greenroom device arm 52:54:00:77:00:02       its persona may wipe its disk!
  greenroom device disarm 52:54:00:77:00:02
  greenroom device unassign 52:54:00:77:00:02
  greenroom device show 52:54:00:77:00:02
  greenroom device forget 52:54:00:77:00:02    it is new when it boots next

A device is named by any of its MAC addresses. It can be assigned a persona before it was ever seen.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the devices.
    List,
    /// Show one device.
    Show {
        /// Any of its ports.
        mac: MacAddr,
    },
    /// Give a device a persona, from its next boot on.
    Assign {
        /// Any of its ports.
        mac: MacAddr,
        /// Which persona.
        persona: PersonaName,
        /// Give leave to wipe its disk, too.
        #[arg(long)]
        arm: bool,
    },
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
    /// Drop everything known about a device.
    Forget {
        /// Any of its ports.
        mac: MacAddr,
    },
}

pub(super) async fn run(command: Command, global: &Global) -> Done {
    let daemon = Daemon::new(global)?;
    let (mac, order, done) = match command {
        Command::List => return list(&daemon, global).await,
        Command::Show { mac } => return show(&daemon, mac, global).await,
        Command::Assign { mac, persona, arm } => {
            let armed = if arm { ", armed: its disk will be wiped" } else { "" };
            let done = format!("{mac} becomes {persona} at its next boot{armed}");
            (mac, Order::AssignPersona { persona, arm, not_before: None, expires: None, why: None }, done)
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

async fn list(daemon: &Daemon, global: &Global) -> Done {
    let devices: Vec<DeviceView> = daemon.get("/devices").await?;
    if global.json {
        return say_json(&devices);
    }
    let mut table = out::table(&["device", "address", "hardware", "persona", "latest boot", "seen"]);
    for view in &devices {
        table.add_row([
            view.device.id.to_string(),
            address(view),
            hardware(view),
            persona(view),
            view.latest.as_ref().map(|boot| timeline::state(boot).to_owned()).unwrap_or_default(),
            seen(view),
        ]);
    }
    out::say_table(&table, "no device has been seen yet");
    Ok(())
}

async fn show(daemon: &Daemon, mac: MacAddr, global: &Global) -> Done {
    let view: DeviceView = daemon.get(&format!("/devices/{mac}")).await?;
    if global.json {
        return say_json(&view);
    }
    let device = &view.device;
    let macs: Vec<String> = device.macs.iter().map(ToString::to_string).collect();
    let boot = view.latest.as_ref();
    let rows = [
        ("device", device.id.to_string()),
        ("ports", macs.join(", ")),
        ("uuid", device.uuid.map(|uuid| uuid.to_string()).unwrap_or_default()),
        ("address", address(&view)),
        ("hardware", hardware(&view)),
        ("serial", device.hardware.serial.clone().unwrap_or_default()),
        ("firmware", device.firmware.map(|firmware| firmware.to_string()).unwrap_or_default()),
        ("seen", seen(&view)),
        (
            "assigned",
            device.assigned.as_ref().map(|a| format!("{} by {} on {}", a.persona, a.by, a.at)).unwrap_or_default(),
        ),
        ("armed", device.armed.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("installed", device.installed.as_ref().map(|i| format!("{} on {}", i.persona, i.at)).unwrap_or_default()),
        ("latest boot", boot.map(|boot| format!("{} {}", boot.id, timeline::state(boot))).unwrap_or_default()),
        ("because", boot.map(timeline::reason).unwrap_or_default()),
    ];
    let lines: Vec<String> =
        rows.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name:12} {value}")).collect();
    say(&lines.join("\n"));
    Ok(())
}

fn address(view: &DeviceView) -> String {
    view.leases.iter().map(|lease| lease.ip.to_string()).collect::<Vec<_>>().join(" ")
}

fn hardware(view: &DeviceView) -> String {
    let hardware = &view.device.hardware;
    let arch = view.device.arch.map(|arch| arch.to_string());
    [hardware.manufacturer.clone(), hardware.product.clone(), arch].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn persona(view: &DeviceView) -> String {
    let device = &view.device;
    let named = match (&device.assigned, &device.installed) {
        (Some(assigned), _) => assigned.persona.to_string(),
        (None, Some(installed)) => format!("{} (installed)", installed.persona.name),
        (None, None) => "-".into(),
    };
    if device.armed.is_some() { format!("{named} (armed)") } else { named }
}

fn seen(view: &DeviceView) -> String {
    view.device.seen.map(|seen| format!("{} ago", app::clock().since(seen.last))).unwrap_or_else(|| "never".into())
}
