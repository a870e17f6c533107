//! Floor 4: a fleet in virtual time, served by the code that serves real ones: the demo of the idea for who has no hundred
//! machines, and the test that no lab is large enough for.
//!
//! **What decides here is what decides in the daemon**: every packet goes through [`world::decide()`](crate::world::decide) and
//! [`World::apply`](crate::world::World::apply), the forecast comes from the site's own facts, what is staged is the
//! [`Policy`](crate::stage::Policy)'s choice. Made up are the devices, their people, the network between, and the clock.
//!
//! ```text
//!   scenario ─> plan: wants, changes, new versions ──────────────────────────────┐ the same for all four
//!                                                                                v
//!   no prediction · last used · greenroom · perfect foresight ─> run: events ─> report ─> chart, plot, JSON
//!        oracle: table, demand     client, talk: devices and people     server: decide, apply, check
//!                                  pipe: links that are shared           tiers: the cache without bytes
//! ```
//!
//! The same seed gives the same run, to the byte. `check` watches every run for what must never happen.

pub mod chart;
mod check;
mod client;
mod learner;
mod oracle;
mod pipe;
mod plan;
pub mod plot;
mod queue;
mod report;
mod run;
mod scenario;
mod server;
mod shelf;
mod talk;
mod tally;
mod tiers;

use std::thread;

use crate::{model::Seconds, persona::catalog::Catalog, stage::Rooms};

use run::Run;
use shelf::Shelf;

pub use check::Checked;
pub use oracle::Strategy;
pub use plan::BEGAN;
pub use report::{Bin, Fleet, Report, Row};
pub use scenario::Scenario;
pub use server::Sink;
pub use shelf::BadLibrary;

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many devices there are.
    pub devices: u32,
    /// How many days pass.
    pub days: u32,
    /// What kind of place it is.
    pub scenario: Scenario,
    /// What chance goes by.
    pub seed: u64,
    /// The tiers of the cache.
    pub rooms: Rooms,
    /// What the origin of the images gives, in bytes per second.
    pub origin: u64,
    /// How long somebody takes to choose a persona that nobody predicted.
    pub desk: Seconds,
    /// The share of DHCP packets that are lost; as many come twice.
    pub loss: f64,
    /// How often the daemon is killed along the way.
    pub kills: u32,
}

impl Options {
    /// The most devices: the addresses of the simulated networks.
    pub const MOST_DEVICES: u32 = 100_000;
    /// The most days.
    pub const MOST_DAYS: u32 = 366;
}

/// Runs a fleet under each strategy, side by side. `library` are the personas, the scenario's own when there are none; `day`
/// hears of each day of each run that is over; `journal` of every record of Greenroom's own run.
pub fn simulate(
    options: &Options,
    library: Option<&Catalog>,
    day: &(dyn Fn() + Sync),
    journal: Option<Sink<'_>>,
) -> Result<Report, BadLibrary> {
    let shelf = match library {
        Some(library) => Shelf::of(library, options.seed)?,
        None => Shelf::made(options.scenario, options.seed),
    };
    let plan = options.scenario.plan(options.devices, options.days, options.seed, &shelf);
    let mut journal = journal;
    let ran = thread::scope(|scope| {
        let threads = Strategy::ALL.map(|strategy| {
            let journal = if strategy == Strategy::Learned { journal.take() } else { None };
            let (plan, shelf) = (&plan, &shelf);
            scope.spawn(move || Run::new(options, plan, shelf, strategy, journal).run(day))
        });
        threads.map(|thread| thread.join().expect("a run has no reason to panic: what comes in is made here"))
    });
    Ok(report::report(options, &plan, &shelf, ran))
}
