//! Why a blob is where it is, in words: for the command line and the pages.

use crate::{
    images::keeper::{Account, Gate},
    model::{Digest, Millis, image::Tier},
};

use super::Explained;

/// An account, as people read it: what is told, and what it is.
pub fn told(explained: &Explained) -> Vec<(&'static str, String)> {
    let account = &explained.account;
    let names =
        if explained.names.is_empty() { "no image of the library".to_owned() } else { explained.names.join(", ") };
    let size = account.len.map_or_else(|| "not known yet".into(), |len| len.to_string());
    let mut rows = vec![
        ("blob", account.digest.to_string()),
        ("named by", names),
        ("size", size),
        ("where", place(account)),
        ("pinned", account.pin.map_or_else(|| "no".into(), |tier| format!("to {tier}"))),
        ("heat", format!("{:.1} asks of late, each counts half after an hour", account.heat)),
        ("forecast", if account.forecast > 0.0 { format!("{:.1} asks", account.forecast) } else { "none".into() }),
        ("origin", format!("about {} for the whole of it", Millis((account.cost_seconds * 1000.0) as u64))),
        ("worth", format!("{:.1} s saved by a GiB of room for it", account.worth)),
        ("wanted in", wanted(account).into()),
    ];
    rows.push(("climbs", climbs(explained)));
    if let Some(goes) = goes(account) {
        rows.push(("goes", goes));
    }
    if let Some(step) = &explained.step {
        rows.push(("next", format!("{}: {}", step.kind, step.why)));
    }
    if let Some(waiting) = &account.waiting {
        rows.push(("next", format!("left alone for {}: {}", waiting.again_in, waiting.why)));
    }
    rows
}

fn place(account: &Account) -> String {
    let place = match (account.ram, account.disk) {
        (true, true) => "in RAM and on disk",
        (true, false) => "in RAM only: the disk had no room for it",
        (false, true) => "on disk",
        (false, false) => "at its origins only",
    };
    if account.in_use { format!("{place}; in use now") } else { place.to_owned() }
}

fn wanted(account: &Account) -> &'static str {
    match account.desired {
        Tier::Ram => "RAM",
        Tier::Disk => "disk",
        Tier::Origin if account.worth > 0.0 || account.pin.is_some() => "no tier: what comes before it fills them",
        Tier::Origin => "no tier: nobody asked for it of late",
    }
}

/// What would have to happen for it to come nearer.
fn climbs(explained: &Explained) -> String {
    let account = &explained.account;
    let names = |evict: &[Digest]| {
        let name = |digest: &Digest| explained.others.get(digest).cloned().unwrap_or_else(|| digest.short());
        evict.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    let (tier, gate, when) = match (account.ram, account.disk) {
        (true, _) => return "nowhere: RAM is the nearest tier".into(),
        (false, true) => ("RAM", &account.to_ram, "when it is asked for"),
        (false, false) if account.pin.is_some() => ("disk", &account.to_disk, "by itself, as it is pinned"),
        (false, false) => ("disk", &account.to_disk, "when it is asked for, or pinned"),
    };
    match gate {
        Gate::In | Gate::Open => format!("to {tier} {when}: there is room"),
        Gate::InPlaceOf { evict } => format!("to {tier} {when}, in the place of {}", names(evict)),
        Gate::WorthLess => format!("to {tier} when it is asked for more often: what is there is worth more"),
        Gate::InUse => format!("to {tier} when what is there is not read or pinned any more"),
        Gate::OnlyPinned => format!("to {tier} only when it is pinned there: it would take more than half of it"),
        Gate::Never => format!("not to {tier}: it is larger than that"),
    }
}

/// What would have to happen for it to go; `None` when there is nothing to go.
fn goes(account: &Account) -> Option<String> {
    let before = account.before_it?;
    let tier = if account.ram { "RAM" } else { "disk" };
    Some(match (account.pin, before) {
        (Some(pin), _) if pin == Tier::Ram || !account.ram => "never, while it is pinned".into(),
        (_, 0) => format!("first, when room is wanted in {tier} by what is worth more"),
        (_, 1) => format!("when room is wanted in {tier}, after one other that is worth less"),
        (_, before) => format!("when room is wanted in {tier}, after {before} others that are worth less"),
    })
}
