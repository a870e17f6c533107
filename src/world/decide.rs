//! The door: one request in, a reply and facts out.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    model::{
        BootId, Decision, Fact, Moment,
        reply::Reply,
        request::Request,
        site::Site,
        timeline::{Boot, Phase, Stage, Step},
    },
    persona::catalog::Catalog,
    predict::Table,
};

use super::{World, account, attempt, command, dhcp, orders, script, token};

/// What the caller's clock and dice said when the request was taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The time.
    pub now: Moment,
    /// Random bits, for the name of an attempt that may begin.
    pub nonce: u64,
}

/// What decisions stand on and the journal does not hold: the configuration and the library. Replaced as a whole, so that
/// a decision never sees half of a change.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The configuration's view of this place.
    pub site: Arc<Site>,
    /// The personas and images that validate.
    pub catalog: Arc<Catalog>,
    /// The names of the secrets that personas may name: what they say is read only when a seed is rendered.
    pub secrets: Arc<BTreeSet<String>>,
    /// What is predicted for each device.
    pub forecast: Arc<Table>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The answer.
    pub reply: Reply,
    /// What happened, in order; the engine folds it into the World and appends it to the journal.
    pub facts: Vec<Fact>,
}

impl Outcome {
    /// Whether the reply must wait until the facts are on disk.
    pub fn is_durable(&self) -> bool {
        self.facts.iter().any(Fact::is_durable)
    }
}

/// Decides one request. Pure: nothing happens until the engine applies the facts and sends the reply.
pub fn decide(world: &World, ground: &Ground, request: &Request, stamp: Stamp) -> Outcome {
    match request {
        Request::Dhcp { ask, ingress } => dhcp::decide(world, ground, ask, ingress, stamp),
        Request::Script { boot, hardware, peer, server } => {
            script::decide(world, ground, &script::Ask { boot: *boot, hardware, peer: *peer, server }, stamp.now)
        }
        Request::Observe { boot, step, .. } => observe(world, *boot, step),
        Request::Command(order) => command::decide(world, ground, order, stamp.now),
        Request::Orders(orders) => orders::decide(world, ground, orders, stamp.now),
        Request::Pin(order) => command::pin(world, ground, order),
        Request::Evicted { digest, name, freed, only_ram, by } => {
            let (digest, freed, only_ram) = (*digest, *freed, *only_ram);
            let fact = Fact::ImageEvicted { digest, name: name.clone(), freed, only_ram, by: by.clone() };
            Outcome { reply: Reply::Done, facts: vec![fact] }
        }
        Request::Token(order) => token::decide(world, order, stamp.now),
        Request::Account(order) => account::decide(world, order),
        Request::Tick => Outcome { reply: Reply::Noted, facts: attempt::stuck(world, &ground.site.boot, stamp.now) },
    }
}

/// Whether a device may still be in its boot script. Anybody can ask for the script that says it gave up: of one whose kernel
/// runs, or which was never told to load any, it is not believed.
fn may_give_up(boot: &Boot) -> bool {
    let runs = boot.steps.iter().any(|moved| matches!(moved.step, Step::Seed { .. } | Step::Report(_)));
    boot.kernel.is_some() && boot.stage != Stage::Ended && !runs
}

/// Something happened in an attempt. The installer's last word also closes the latch: from then on the disk is booted.
fn observe(world: &World, id: BootId, step: &Step) -> Outcome {
    let Some(boot) = world.boots.get(&id) else { return Outcome { reply: Reply::Noted, facts: vec![] } };
    if *step == Step::GaveUp && !may_give_up(boot) {
        return Outcome { reply: Reply::Noted, facts: vec![] };
    }
    let mut facts = vec![Fact::BootMoved { boot: id, step: step.clone() }];
    let reports_installed = matches!(step, Step::Report(report) if report.phase == Phase::Installed);
    if let (true, Some(Decision::Become { persona, armed: Some(_), .. })) = (reports_installed, &boot.decision) {
        facts.push(Fact::DeviceInstalled { device: boot.device, persona: persona.clone() });
    }
    Outcome { reply: Reply::Noted, facts }
}
