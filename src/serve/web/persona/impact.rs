//! Which devices a draft would change, and how: told before it is saved.
//!
//! Every device is decided for twice, with the library as it is and as it would be, by the code that decides when it boots
//! ([`Sides`]), as far as the draft could matter to it. That is one pass over the devices, shared among threads; it is made only
//! when a persona would be another.

use std::{collections::BTreeSet, panic::resume_unwind, thread};

use serde::Serialize;

use crate::{
    library::Draft as Tried,
    model::Device,
    persona::catalog::Entry,
    world::{Impact, Sides, Turn, Turned, World},
};

use super::super::{Web, word::encoded};

/// Fewer devices than this are not worth a thread of their own.
const WORTH: usize = 4000;
/// More threads than this would get into the way of the devices that boot meanwhile.
const MOST: usize = 4;

/// What would change, in words.
#[derive(Debug, Default, Serialize)]
pub(super) struct Told {
    /// In a sentence.
    summary: String,
    /// Whether the draft is good: else nothing can be told.
    good: bool,
    /// The turns that devices take, what matters most first.
    turns: Vec<Group>,
    /// Where the list of the devices of these personas is.
    link: String,
}

/// The devices that take the same turn.
#[derive(Debug, Serialize)]
struct Group {
    /// Which.
    turn: Turn,
    /// How many.
    count: usize,
    /// What it means, in words that follow the count.
    words: &'static str,
    /// Whether somebody should stop and think.
    grave: bool,
    /// The first of them.
    devices: Vec<Turned>,
}

/// What would come of a draft for the devices.
pub(super) fn told(web: &Web, tried: &Tried) -> Told {
    if !tried.is_good() {
        return Told {
            summary: "When the text is good, this says which devices it would change.".into(),
            ..Told::default()
        };
    }
    let (world, ground) = (web.context.engine.world(), web.context.engine.ground());
    let becomes = tried.affected.iter().filter_map(|one| one.becomes.as_ref());
    let entries = becomes.map(|found| Entry { reference: found.reference.clone(), persona: found.persona.clone() });
    let catalog = ground.catalog.with(entries);
    // What is served may be older than the folder, where the folder is not good.
    let served = |name| ground.catalog.persona(name).map(|entry| &entry.reference.version);
    let others = tried.affected.iter().filter(|one| one.after.as_ref() != served(&one.persona));
    let touched: BTreeSet<_> = others.map(|one| one.persona.clone()).collect();
    let now = (web.context.clock)();
    let sides = Sides::new(&world, &ground, &catalog, &touched, now);
    let impact = if touched.is_empty() { Impact::default() } else { passed(&world, &sides) };
    let names: Vec<&str> = touched.iter().map(|name| name.as_str()).collect();
    let link = match names[..] {
        [one] => format!("/devices?q={}", encoded(&format!("persona={one}"))),
        _ => "/devices".into(),
    };
    let summary = summary(&impact, names.len());
    Told { summary, good: true, turns: groups(impact), link }
}

/// One pass over all devices.
fn passed(world: &World, sides: &Sides<'_>) -> Impact {
    let devices: Vec<&Device> = world.devices.values().collect();
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST));
    let share = devices.len().div_ceil(cores).max(WORTH);
    thread::scope(|scope| {
        let mut shares = devices.chunks(share);
        let first = shares.next();
        let others: Vec<_> = shares.map(|share| scope.spawn(|| sides.of(share))).collect();
        let first = first.map(|share| sides.of(share)).unwrap_or_default();
        let others = others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        Impact { under_way: sides.under_way(), ..others.fold(first, Impact::and) }
    })
}

fn summary(impact: &Impact, personas: usize) -> String {
    let which = match personas {
        0 => return "This says the same as what is served: nothing changes.".into(),
        1 => "the persona".to_owned(),
        many => format!("{many} personas"),
    };
    let under_way = match impact.under_way {
        0 => String::new(),
        1 => " One boot is under way, and keeps the version that it began with.".into(),
        many => format!(" {many} boots are under way, and keep the version that they began with."),
    };
    let devices = match impact.changed() {
        0 => format!("This makes a new version of {which}; no device boots otherwise for it."),
        1 => format!("This makes a new version of {which}: one device boots otherwise next time."),
        many => format!("This makes a new version of {which}: {many} devices boot otherwise next time."),
    };
    format!("{devices}{under_way}")
}

fn groups(impact: Impact) -> Vec<Group> {
    let Impact { counts, devices, .. } = impact;
    let group = |(turn, count)| {
        let (grave, words) = words(turn);
        let devices = devices.iter().filter(|turned| turned.turn == turn).cloned().collect();
        Group { turn, count, words, grave, devices }
    };
    counts.into_iter().map(group).collect()
}

/// What a turn means, and whether it is grave.
const fn words(turn: Turn) -> (bool, &'static str) {
    match turn {
        Turn::Refused => (true, "would be refused, and are not now"),
        Turn::Installs => (true, "are armed: their disks are wiped for this version"),
        Turn::Becomes => (false, "become another persona than now"),
        Turn::Renewed => (false, "boot the new version next time"),
        Turn::Disk => (false, "boot their disk from now on"),
        Turn::Unarmed => (false, "are not armed, and stay refused"),
        Turn::Installed => (false, "have it on their disk, and keep that until they are armed again"),
    }
}
