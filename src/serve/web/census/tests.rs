//! Whatever happens, and however the looks fall between: the sums are those of a count from scratch, and of what counts the same
//! elsewhere.

use std::sync::Arc;

use proptest::prelude::*;

use super::{
    Rows,
    fleet::{Fleet, Heard, Looked},
    sums::Sums,
};
use crate::{
    boot::foresee::Standing,
    model::{
        Arch, BootId, Decision, Device, DeviceId, Fact, Firmware, MacAddr, Moment, PersonaName, PersonaRef, Prediction,
        Probability, Reason, Record, Seconds, UserName, Version,
        attribute::Changes,
        lease::{Lease, LeaseState},
        plan::KernelBoot,
        prediction::Candidate,
        site::{ArmPredicted, BootPolicy, DhcpMode, Match, PredictPolicy, Rule, Site},
        timeline::{Phase, Report, Step},
    },
    persona::{
        Persona,
        catalog::{Catalog, Entry},
    },
    predict::{Origin, Table},
    serve::predict::{all_proposals, standing},
    usage::filter::Filter,
    world::{Ground, World},
};

const DEVICES: u8 = 6;
const PERSONAS: [&str; 3] = ["kiosk", "desk", "wiper"];

/// What is counted of the devices of a World.
pub(in crate::serve::web) fn rows_of(world: &World, now: Moment) -> Rows {
    let mut lab = Lab::new();
    lab.fleet.look(&Heard::Anything, world, &lab.ground, now, 0);
    lab.fleet.rows().clone()
}

/// A place with its own clock, and a fleet that follows it.
struct Lab {
    world: World,
    ground: Ground,
    now: Moment,
    fleet: Fleet,
    /// What happened since the last look.
    unheard: Vec<Arc<Vec<Record>>>,
}

fn mac(n: u8) -> MacAddr {
    MacAddr::new([2, 0, 0, 0, 0, n % DEVICES]).expect("unicast")
}

fn named(n: u8) -> PersonaName {
    PERSONAS[usize::from(n) % PERSONAS.len()].parse().expect("a persona")
}

fn user(n: u8) -> UserName {
    ["ann", "bob"][usize::from(n) % 2].parse().expect("a user")
}

fn entry(name: &str) -> Entry {
    let (effect, install) = match name {
        "wiper" => ("destructive", "\"install\":{\"disk\":\"/dev/vda\"},"),
        _ => ("ephemeral", ""),
    };
    let json = format!(
        "{{\"apiVersion\":\"greenroom/v1\",\"description\":\"x\",\"effect\":\"{effect}\",\"os\":{{{install}\"image\":\"none\"}},\
         \"resources\":{{\"requires\":{{\"memory\":\"1GiB\"}}}}}}"
    );
    let persona: Persona = serde_json::from_str(&json).expect("a persona");
    let reference = PersonaRef { name: name.parse().expect("a name"), version: Version::new("1") };
    Entry { reference, persona: Arc::new(persona) }
}

/// A site whose rules see what people say, and addresses; or has none.
fn site(n: u8) -> Site {
    let when = match n % 4 {
        0 => None,
        1 => Some(Match { subnet: vec!["10.0.0.0/30".parse().expect("a subnet")], ..Match::default() }),
        2 => Some(Match {
            attributes: [("role".parse().expect("a name"), vec!["x1".into()])].into(),
            ..Match::default()
        }),
        _ => Some(Match { arch: vec![Arch::X64], ..Match::default() }),
    };
    let rule = |when| Rule { name: "rule".into(), when, persona: named(0), armed: false };
    let arm = if n.is_multiple_of(3) { ArmPredicted::NewDevices } else { ArmPredicted::Never };
    Site {
        mode: DhcpMode::Off,
        subnets: vec![],
        authoritative: true,
        http_port: 80,
        addresses: Default::default(),
        boot: BootPolicy {
            rules: when.map(rule).into_iter().collect(),
            default: None,
            nbps: Default::default(),
            uefi_nbp: vec![],
            quirks: vec![],
            chain_window: Seconds(60),
            stuck_after: Seconds(900),
            installs_per_hour: 1,
            predict: PredictPolicy { arm, ..PredictPolicy::default() },
        },
        mirrors: Default::default(),
    }
}

fn catalog(personas: &[&str]) -> Arc<Catalog> {
    Arc::new(Catalog::new(personas.iter().map(|name| entry(name)).collect(), vec![], &Catalog::default()))
}

impl Lab {
    fn new() -> Self {
        let now = Moment::from_millis(1_800_000_000_000);
        let ground = Ground {
            site: Arc::new(site(0)),
            catalog: catalog(&PERSONAS),
            secrets: Arc::default(),
            forecast: Arc::new(Table::new(Origin { name: "model 1".into(), trained: now }, now.plus(Seconds(86_400)))),
        };
        Self { world: World::default(), ground, now, fleet: Fleet::default(), unheard: vec![] }
    }

    fn happens(&mut self, fact: Fact) {
        let record = Record { seq: self.world.seq + 1, at: self.now, fact };
        self.world.apply(&record);
        self.unheard.push(Arc::new(vec![record]));
    }

    fn forecast(&mut self, change: impl FnOnce(&mut Table)) {
        let mut table = Table::clone(&self.ground.forecast);
        change(&mut table);
        self.ground.forecast = Arc::new(table);
    }

    /// The device of a port; a new one, when that was never seen.
    fn device(&self, n: u8) -> DeviceId {
        self.world.ports.get(&mac(n)).copied().unwrap_or(DeviceId::new(mac(n)))
    }

    fn look(&mut self, most: usize) -> Looked {
        let heard = Heard::Facts(std::mem::take(&mut self.unheard));
        self.fleet.look(&heard, &self.world, &self.ground, self.now, most)
    }

    /// One thing that may happen.
    fn step(&mut self, kind: u8, n: u8, more: u8) {
        let device = self.device(n);
        let by = || "op".to_owned();
        let latest = self.world.devices.get(&device).and_then(|device| device.boot);
        match kind {
            0 | 1 => {
                let arch = more.is_multiple_of(2).then_some(Arch::X64);
                self.happens(Fact::DeviceSeen { device, mac: mac(n), uuid: None, arch, firmware: Firmware::EfiPxe });
            }
            2 => self.happens(Fact::DeviceDescribed { device, changes: said(more, true), by: by() }),
            3 => {
                self.happens(Fact::UserDescribed { user: user(n), changes: said(more, false), active: None, by: by() })
            }
            4 => self.happens(Fact::UserForgotten { user: user(n), by: by() }),
            5 => {
                let moment = |bit: u8, hours: u32| (more & bit != 0).then(|| self.now.plus(Seconds(3600 * hours)));
                let (not_before, expires) = (moment(8, 5), moment(16, 9));
                self.happens(Fact::PersonaAssigned {
                    device,
                    persona: named(more),
                    by: by(),
                    not_before,
                    expires,
                    why: None,
                });
            }
            6 => self.happens(Fact::PersonaUnassigned { device, by: by() }),
            7 => self.happens(Fact::DeviceArmed { device, by: by() }),
            8 => self.happens(Fact::DeviceDisarmed { device, by: by() }),
            9 => {
                let persona = PersonaRef { name: named(more), version: Version::new("1") };
                self.happens(Fact::DeviceInstalled { device, persona });
            }
            10 => self.happens(Fact::DeviceForgotten { device, by: by() }),
            11 => {
                let boot = BootId::new(self.world.seq + 1);
                self.happens(Fact::BootStarted { boot, device, firmware: Firmware::EfiPxe, arch: None });
            }
            12 | 13 => {
                let Some(boot) = latest else { return };
                let persona = PersonaRef { name: named(more), version: Version::new("1") };
                let armed = (more & 8 != 0).then_some(crate::model::Armed::NewDevice);
                let decision = Decision::Become { persona: persona.clone(), reason: Reason::Default, armed };
                self.happens(Fact::BootMoved { boot, step: Step::Script { decision } });
                let (firmware, arch) = (Firmware::EfiPxe, Arch::X64);
                let kernel = KernelBoot { persona, firmware, arch, files: vec![], args: vec![] };
                self.happens(Fact::BootPlanned { boot, kernel, setting: None });
            }
            14 => {
                let Some(boot) = latest else { return };
                let phase = [Phase::Ready, Phase::Failed, Phase::Installed, Phase::Installing][usize::from(more % 4)];
                let (hostname, kernel, cloud_init, message) = (None, None, None, None);
                let report = Report { phase, hostname, kernel, cloud_init, message, checks: vec![] };
                self.happens(Fact::BootMoved { boot, step: Step::Report(report) });
            }
            15 | 16 => {
                let ip = [10, 0, 0, more % 5].into();
                let until = self.now.plus(Seconds(1800 * u32::from(more / 32)));
                let lease = Lease { ip, mac: mac(n), state: LeaseState::Bound, until, hostname: None };
                self.happens(if more.is_multiple_of(2) {
                    Fact::LeaseBound { lease }
                } else {
                    Fact::LeaseOffered { lease }
                });
            }
            17 => self.happens(Fact::LeaseReleased { ip: [10, 0, 0, more % 5].into(), mac: mac(n) }),
            18 => {
                let until = self.now.plus(Seconds(900));
                self.happens(Fact::LeaseDeclined { ip: [10, 0, 0, more % 5].into(), mac: mac(n), until });
            }
            19 => self.happens(Fact::ProposalDeclined { device, persona: named(more), by: by() }),
            20..=22 => {
                let probability = Probability::near(f64::from(more % 21) / 20.0);
                let candidate = Candidate { persona: named(n.wrapping_add(more)), probability };
                self.forecast(|table| table.put(device, Prediction::new(vec![candidate])));
            }
            23 => self.forecast(|table| table.drop(device)),
            24 => {
                let until = self.now.plus(Seconds(86_400));
                self.forecast(|table| table.renew(until));
            }
            25 => {
                let until = self.now.plus(Seconds(86_400));
                self.ground.forecast =
                    Arc::new(Table::new(Origin { name: "model 2".into(), trained: self.now }, until));
            }
            26 => self.ground.site = Arc::new(site(more)),
            27 => self.ground.catalog = catalog(&PERSONAS[usize::from(more) % PERSONAS.len()..]),
            28 => self.now = self.now.plus(Seconds(60)),
            29 | 30 => self.now = self.now.plus(Seconds(300 * u32::from(more))),
            31 => {
                // The clock is set back, sometimes: the facts go on from there.
                let back = if more > 200 { 7_200_000 } else { u64::from(more) };
                self.now = Moment::from_millis(self.now.as_millis() - back);
            }
            _ => {
                self.look(usize::from(more % 4));
            }
        }
    }

    /// Holds the sums against the same count from scratch, and against whatever else counts the same.
    fn check(&mut self) {
        while self.look(2).left {}
        // A clock that went back a little stands still.
        self.now = self.fleet.now;
        let mut scratch = Fleet::default();
        scratch.look(&Heard::Anything, &self.world, &self.ground, self.now, 0);
        let sums = self.fleet.sums();
        assert_eq!(sums, scratch.sums());
        let counted = |fleet: &Fleet| -> Vec<_> {
            fleet.rows().iter().map(|(device, row)| (*device, row.with(Arc::clone).counted())).collect()
        };
        assert_eq!(counted(&self.fleet), counted(&scratch));
        // A lease that was a reason to look again may be another device's by now. Too early costs a look; too late is wrong.
        for (device, row) in scratch.rows().iter() {
            let due = self.fleet.rows().get(device).and_then(|row| row.due);
            assert!(row.due.is_none_or(|at| due.is_some_and(|due| due <= at)), "{device}: {due:?}, {:?}", row.due);
        }
        self.check_filters(sums);
        self.check_predictions(sums);
    }

    /// The links behind the numbers list as many.
    fn check_filters(&self, sums: &Sums) {
        let fits = |filter: &str| {
            let filter: Filter = filter.parse().expect("a filter");
            self.world.devices.values().filter(|device| filter.fits(&self.world, device, self.now)).count()
        };
        for (count, filter) in [
            (sums.armed, "armed"),
            (sums.troubled, "outcome=stuck or outcome=failed"),
            (sums.unassigned, "not assigned"),
            (sums.seen, "seen<1d"),
            (sums.never, "not seen"),
        ] {
            assert_eq!(count, fits(filter), "{filter}");
        }
        for (name, values) in super::ATTRIBUTES.iter().zip(&sums.said) {
            for (value, count) in values.commonest(99) {
                assert_eq!(count, fits(&format!("{name}={value}")), "{name} {value}");
            }
        }
        assert_eq!(sums.devices, self.world.devices.size());
    }

    fn check_predictions(&self, sums: &Sums) {
        let Self { world, ground, now, .. } = self;
        let listed = all_proposals(world, ground, *now);
        assert_eq!(
            sums.proposed().collect::<Vec<_>>(),
            listed.iter().map(|proposal| proposal.device).collect::<Vec<_>>()
        );
        let predicted = |device: &&Device| {
            ground.forecast.of(device.id, *now).is_some_and(|prediction| !prediction.ranked().is_empty())
        };
        let count = |wanted| {
            let stands = |device: &&Device| standing(world, ground, device, *now).0 == wanted;
            world.devices.values().filter(predicted).filter(stands).count()
        };
        assert_eq!(sums.acts(), count(Standing::Acts));
        assert_eq!(sums.silent(), count(Standing::Silent));
        for name in PERSONAS.map(|name| name.parse::<PersonaName>().expect("a name")) {
            let assigned =
                |device: &&Device| device.assigned.as_ref().is_some_and(|a| a.persona == name && a.holds(*now));
            assert_eq!(sums.of(&name).assigned, world.devices.values().filter(assigned).count());
        }
    }
}

fn said(more: u8, of_device: bool) -> Changes {
    let value = |on: bool, value: String| on.then(|| value.parse().expect("a value"));
    let mut said: Changes = [
        ("role".parse().expect("a name"), value(more & 4 != 0, format!("x{}", more % 3))),
        ("location".parse().expect("a name"), value(more & 8 != 0, format!("y{}", more % 2))),
    ]
    .into();
    if of_device && more & 16 != 0 {
        said.insert("user".parse().expect("a name"), value(more & 32 != 0, user(more).to_string()));
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn sums_are_those_of_a_count_from_scratch(steps in prop::collection::vec((0_u8..34, any::<u8>(), any::<u8>()), 1..80)) {
        let mut lab = Lab::new();
        for (at, (kind, n, more)) in steps.into_iter().enumerate() {
            lab.step(kind, n, more);
            if at % 7 == 6 {
                lab.check();
            }
        }
        lab.check();
    }
}

/// What a fact names is counted at once, whatever else there is to look at.
#[test]
fn a_fact_is_counted_while_the_fleet_waits_for_a_look() {
    let mut lab = Lab::new();
    for n in 0..DEVICES {
        lab.step(0, n, 0);
        lab.step(20, n, 20);
    }
    assert!(!lab.look(0).left, "the first look is at everything");
    lab.ground.catalog = catalog(&[]);
    let acted = lab.fleet.sums().acts();
    assert!(acted > 1, "they are predicted for sure");
    lab.step(7, 1, 0);
    let looked = lab.look(1);
    assert!(looked.left && looked.turned);
    assert_eq!(lab.fleet.sums().armed, 1);
    let acts = lab.fleet.sums().acts();
    assert!((1..acted).contains(&acts), "{acts} of {acted}: the others are as they were");
    lab.check();
    assert_eq!(lab.fleet.sums().acts(), 0);
}

/// An attempt that is dropped for a new one changes how another device stands.
#[test]
fn attempts_that_the_world_drops_are_not_counted_any_more() {
    let mut lab = Lab::new();
    for n in 0..2 {
        lab.step(11, n, 0);
        lab.step(14, n, 1);
    }
    lab.check();
    assert_eq!(lab.fleet.sums().troubled, 2);
    (0..World::MAX_BOOTS - 1).for_each(|_| lab.step(11, 3, 0));
    assert_eq!((lab.look(0).left, lab.fleet.sums().troubled), (false, 1));
    lab.check();
    // Of which nobody heard until they were dropped again.
    lab.step(11, 1, 0);
    lab.step(14, 1, 1);
    (0..World::MAX_BOOTS).for_each(|_| lab.step(11, 3, 0));
    lab.check();
    assert_eq!(lab.fleet.sums().troubled, 0);
}

/// Whose a device is goes by what was said last.
#[test]
fn the_index_of_users_follows_the_devices_and_survives_a_checkpoint() {
    let mut lab = Lab::new();
    for (n, more) in [(0, 16 | 32), (1, 16 | 32), (2, 16 | 32 | 1), (0, 16 | 32 | 1), (1, 16)] {
        lab.step(2, n, more);
    }
    let used = |lab: &Lab, n| lab.world.used_by(&user(n)).map(|device| device.id).collect::<Vec<_>>();
    assert_eq!(used(&lab, 0), []);
    assert_eq!(used(&lab, 1), [DeviceId::new(mac(0)), DeviceId::new(mac(2))]);
    let read = World::read(&serde_json::to_vec(&lab.world).expect("it is written")).expect("it reads");
    assert_eq!(read, lab.world);
    lab.step(10, 0, 0);
    assert_eq!(used(&lab, 1), [DeviceId::new(mac(2))]);
}
