//! `greenroom device list` and `show`.

use crate::{
    app,
    model::{Device, Link, MacAddr, attribute::Attributes},
    serve::{admin::DeviceView, roster::Wanted},
    usage::{filter::Filter, timeline},
};

use super::super::{Done, Failure, Global, client::Daemon, out, say, say_json};

/// How many visits of a device are shown.
const VISITS: usize = 5;

/// The devices that a filter fits; all of them without one.
pub(super) async fn find(daemon: &Daemon, filter: Option<&Filter>) -> Result<Vec<DeviceView>, Failure> {
    daemon.post("/devices/find", &Wanted { filter: filter.map(ToString::to_string) }).await
}

pub(super) async fn list(daemon: &Daemon, filter: Option<&Filter>, global: &Global) -> Done {
    let devices = find(daemon, filter).await?;
    if global.json {
        return say_json(&devices);
    }
    let mut table = out::table(&["device", "address", "hardware", "persona", "latest boot", "seen", "said of it"]);
    for view in &devices {
        table.add_row([
            view.device.id.to_string(),
            address(view),
            hardware(view),
            persona(view),
            view.latest.as_ref().map(|boot| timeline::state(boot).to_owned()).unwrap_or_default(),
            seen(view),
            said(&view.device.attributes),
        ]);
    }
    out::fit(&mut table, &[2, 4, 1]);
    match filter {
        None => out::say_table(&table, "no device has been seen yet"),
        Some(filter) => {
            out::say_table(&table, &format!("no device fits {filter}"));
            if devices.is_empty() {
                mistyped(daemon, filter).await?;
            }
        }
    }
    Ok(())
}

/// Says which attributes of a filter no device has: a mistyped field is one.
async fn mistyped(daemon: &Daemon, filter: &Filter) -> Done {
    let all = find(daemon, None).await?;
    for name in filter.attributes() {
        let has = |view: &DeviceView| view.device.attributes.contains_key(name) || view.of_user.contains_key(name);
        if !all.iter().any(has) {
            out::note(&format!("no device has an attribute `{name}`, nor has its user"));
        }
    }
    Ok(())
}

pub(super) async fn show(daemon: &Daemon, mac: MacAddr, global: &Global) -> Done {
    let view: DeviceView = daemon.get(&format!("/devices/{mac}")).await?;
    if global.json {
        return say_json(&view);
    }
    let device = &view.device;
    let macs: Vec<String> = device.macs.iter().map(ToString::to_string).collect();
    let boot = view.latest.as_ref();
    let mut rows = vec![
        ("device", device.id.to_string()),
        ("ports", macs.join(", ")),
        ("uuid", device.uuid.map(|uuid| uuid.to_string()).unwrap_or_default()),
        ("address", address(&view)),
        ("hardware", hardware(&view)),
        ("serial", device.hardware.serial.clone().unwrap_or_default()),
        ("firmware", device.firmware.map(|firmware| firmware.to_string()).unwrap_or_default()),
        ("place", place(&device.link)),
        ("seen", seen(&view)),
        ("said of it", said(&device.attributes)),
        ("of its user", said(&view.of_user)),
        ("assigned", assigned(device)),
        ("armed", device.armed.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("installed", device.installed.as_ref().map(|i| format!("{} on {}", i.persona, i.at)).unwrap_or_default()),
        ("latest boot", boot.map(|boot| format!("{} {}", boot.id, timeline::state(boot))).unwrap_or_default()),
        ("because", boot.map(timeline::reason).unwrap_or_default()),
    ];
    for (n, visit) in device.visits.iter().rev().take(VISITS).enumerate() {
        let outcome = visit.outcome.map(|outcome| format!(", {outcome}")).unwrap_or_default();
        rows.push((if n == 0 { "became" } else { "before" }, format!("{} on {}{outcome}", visit.persona, visit.at)));
    }
    let lines: Vec<String> =
        rows.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name:12} {value}")).collect();
    say(&lines.join("\n"));
    Ok(())
}

/// Attributes on one line.
pub(in crate::cli) fn said(attributes: &Attributes) -> String {
    attributes.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ")
}

fn assigned(device: &Device) -> String {
    let Some(assigned) = &device.assigned else { return String::new() };
    let mut text = format!("{} by {} on {}", assigned.persona, assigned.by, assigned.at);
    text += &assigned.not_before.map(|from| format!(", from {from}")).unwrap_or_default();
    text += &assigned.expires.map(|until| format!(", until {until}")).unwrap_or_default();
    text += &assigned.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    text
}

fn place(link: &Link) -> String {
    let parts = [
        link.remote.as_ref().map(|remote| format!("switch {remote}")),
        link.circuit.as_ref().map(|circuit| format!("port {circuit}")),
        link.subnet.map(|subnet| format!("subnet {subnet}")),
        link.relay.map(|relay| format!("through relay {relay}")),
        link.interface.as_ref().map(|interface| format!("by {interface}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
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
