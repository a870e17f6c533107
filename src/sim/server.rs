//! The daemon without its sockets: the door, the fold, and a journal that is watched.

use std::{net::Ipv4Addr, sync::Arc};

use ipnet::Ipv4Net;

use crate::{
    model::{
        Moment, Record, Seconds,
        reply::Reply,
        request::Request,
        site::{BootPolicy, DhcpMode, Mirrors, Pool, PredictPolicy, Site, Subnet},
    },
    stage::replay::Dice,
    world::{Ground, Outcome, Stamp, World, decide},
};

use super::{
    check::{Check, Checked},
    scenario::RELAYS,
    shelf::Shelf,
};

/// This server's address.
pub(super) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 64, 0, 1);
/// For how long a silent attempt is waited for.
pub(super) const STUCK_AFTER: Seconds = Seconds(1800);

/// Hears of every record, in order.
pub type Sink<'a> = Box<dyn FnMut(&Record) + Send + 'a>;

/// The World, what it stands on, and who watches.
pub(super) struct Server<'a> {
    pub(super) world: World,
    pub(super) ground: Ground,
    pub(super) check: Check,
    /// What the latest request made happen.
    pub(super) latest: Vec<Record>,
    dice: Dice,
    journal: Option<Sink<'a>>,
}

/// The relay behind a number: the first address of its network.
pub(super) fn relay(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 65 + number, 0, 1)
}

impl<'a> Server<'a> {
    pub(super) fn new(shelf: &Shelf, seed: u64, journal: Option<Sink<'a>>) -> Self {
        let ground = Ground {
            site: Arc::new(site()),
            catalog: Arc::new(shelf.catalog(&Default::default())),
            secrets: Arc::new(secrets(shelf)),
            forecast: Arc::default(),
        };
        let world = World::default();
        Self { world, ground, check: Check::default(), latest: vec![], dice: Dice::of_one(seed, 5, 0), journal }
    }

    /// One request through the door. What it makes happen is applied, watched and written down before the answer goes out.
    pub(super) fn ask(&mut self, request: &Request, now: u64) -> Reply {
        let stamp = Stamp { now: Moment::from_millis(now), nonce: self.dice.bits() };
        let Outcome { reply, facts } = decide(&self.world, &self.ground, request, stamp);
        self.latest.clear();
        for fact in facts {
            let record = Record { seq: self.world.seq + 1, at: stamp.now, fact };
            self.world.apply(&record);
            self.check.hear(&record, &self.ground.catalog, &self.world);
            if let Some(journal) = &mut self.journal {
                journal(&record);
            }
            self.latest.push(record);
        }
        reply
    }

    /// The daemon begins anew: its World is read back from what a checkpoint of it says.
    pub(super) fn revive(&mut self) {
        let text = serde_json::to_string(&self.world);
        let read = text.and_then(|text| World::read(text.as_bytes()));
        match read {
            Ok(world) if world == self.world => self.world = world,
            Ok(_) => self.check.broken("the World is another one after a restart".to_owned()),
            Err(error) => self.check.broken(format!("the World does not come back after a restart: {error}")),
        }
    }

    /// What the watch has found, when all is over.
    pub(super) fn finish(self) -> Checked {
        self.check.finish(&self.world)
    }

    /// The library has changed.
    pub(super) fn release(&mut self, shelf: &Shelf) {
        let mut catalog = shelf.catalog(&self.ground.catalog);
        // What was replaced long ago is not being booted any more.
        catalog.forget(64, |_| true);
        self.ground.catalog = Arc::new(catalog);
    }
}

/// A network of its own for each relay, large enough for everybody.
fn site() -> Site {
    let subnet = |number: u8| {
        let second = relay(number).octets()[1];
        Subnet {
            net: Ipv4Net::new(Ipv4Addr::new(10, second, 0, 0), 16).expect("16 is a length of prefixes"),
            pools: vec![Pool { first: [10, second, 1, 0].into(), last: [10, second, 255, 250].into() }],
            router: Some(relay(number)),
            dns: vec![SERVER],
            domain: None,
            ntp: vec![],
            mtu: None,
            lease: Seconds(12 * 3600),
            reservations: Default::default(),
        }
    };
    Site {
        mode: DhcpMode::Full,
        subnets: (0..RELAYS).map(subnet).collect(),
        authoritative: true,
        http_port: 80,
        addresses: [SERVER].into(),
        boot: BootPolicy {
            rules: vec![],
            default: None,
            nbps: ["undionly.kpxe", "snponly.efi"].map(str::to_owned).into(),
            uefi_nbp: vec![],
            quirks: vec![],
            chain_window: Seconds(60),
            stuck_after: STUCK_AFTER,
            installs_per_hour: 3,
            predict: PredictPolicy::default(),
        },
        mirrors: Mirrors::default(),
    }
}

fn secrets(shelf: &Shelf) -> std::collections::BTreeSet<String> {
    shelf.secrets().map(str::to_owned).collect()
}
