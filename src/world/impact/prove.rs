//! The proof that only those devices need to be decided for that [`Sides`] decides for: on random fleets, libraries and edits, what
//! is told is what deciding for every device would tell.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::{
    model::{
        Arch, Armed, MacAddr, PersonaRef, Prediction, Probability, Seconds, User, Version,
        device::{Assignment, Installed},
        image::Image,
        lease::{Lease, LeaseState},
        prediction::Candidate,
        site::{BootPolicy, DhcpMode, Match, Mirrors, PredictPolicy, Site},
    },
    persona::{Persona, catalog::Entry},
    predict::{Origin, Table},
};

/// The personas that there are, and two that there are not.
const NAMES: [&str; 8] = ["p0", "p1", "p2", "p3", "p4", "p5", "gone", "lost"];
const NOW: Moment = Moment::from_millis(1_000_000);

fn name(at: usize) -> PersonaName {
    NAMES[at].parse().expect("a name")
}

/// How a persona is: whether it wipes disks, whose place it takes, and which version it is.
type Kind = (bool, Option<usize>, u8);

fn entry(at: usize, (wipes, replaces, version): Kind) -> Entry {
    let (effect, install) =
        if wipes { ("destructive", r#""install": {"disk": "/dev/vda"},"#) } else { ("ephemeral", "") };
    let supersedes = replaces.filter(|other| *other != at).map(|other| format!("{:?}", NAMES[other]));
    let json = format!(
        r#"{{"apiVersion": "greenroom/v1", "description": "x", "effect": "{effect}", "supersedes": [{}],
            "os": {{{install} "image": "debian"}}}}"#,
        supersedes.unwrap_or_default()
    );
    let persona: Persona = serde_json::from_str(&json).expect("a persona");
    let reference = PersonaRef { name: name(at), version: Version::new(format!("{wipes}-{replaces:?}-{version}")) };
    Entry { reference, persona: Arc::new(persona) }
}

fn image() -> Image {
    let (name, description) = ("debian".parse().expect("a name"), String::new());
    let (arch, files, args) = (Arch::X64, BTreeMap::new(), vec![]);
    Image { name, description, arch, distribution: None, version: None, files, args }
}

/// What is decided for a device with each catalog, as the door itself does it.
fn plainly(sides: &Sides<'_>, device: &Device) -> (Decision, Decision) {
    let (policy, forecast) = (&sides.ground.site.boot, &sides.ground.forecast);
    let (whole, address) = (sides.world.whole(device), address(sides.world, device));
    let prediction = forecast.of(device.id, NOW).zip(forecast.origin());
    let decide = |catalog: &Catalog| choose(policy, catalog, &whole, address, prediction, NOW);
    (decide(&sides.ground.catalog), decide(sides.catalog))
}

fn site(rules: Vec<Rule>, default: Option<PersonaName>) -> Site {
    let boot = BootPolicy {
        rules,
        default,
        nbps: BTreeSet::new(),
        uefi_nbp: vec![],
        quirks: vec![],
        chain_window: Seconds(60),
        stuck_after: Seconds(900),
        installs_per_hour: 2,
        predict: PredictPolicy { choose: true, ..PredictPolicy::default() },
    };
    Site {
        mode: DhcpMode::Proxy,
        subnets: vec![],
        authoritative: true,
        http_port: 80,
        addresses: BTreeSet::new(),
        boot,
        mirrors: Mirrors::default(),
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    (any::<bool>(), prop::option::of(0..NAMES.len()), 0u8..2)
}

fn device(at: u8) -> impl Strategy<Value = Device> {
    let some = || prop::option::of(0..NAMES.len());
    let moment = || prop::option::of(prop::sample::select(vec![1_u64, 999_999, 1_000_001]));
    (some(), moment(), moment(), some(), any::<bool>(), 0..4usize, any::<bool>()).prop_map(
        move |(assigned, not_before, expires, installed, armed, role, has_user)| {
            let mut device = Device::new(MacAddr::new([2, 0, 0, 0, 0, at]).expect("unicast"));
            let when = |at: Option<u64>| at.map(Moment::from_millis);
            device.assigned = assigned.map(|at| Assignment {
                persona: name(at),
                at: Moment::from_millis(500),
                by: "ann".into(),
                not_before: when(not_before),
                expires: when(expires),
                why: None,
            });
            device.installed = installed.map(|at| Installed {
                persona: PersonaRef { name: name(at), version: Version::new("old") },
                at: Moment::from_millis(if role == 0 { 100 } else { 900 }),
            });
            device.armed = armed.then(|| Armed::Operator { name: "ann".into(), at: NOW });
            let mut say = |what: &str, value: String| {
                drop(device.attributes.insert(what.parse().expect("a name"), value.parse().expect("a value")));
            };
            match has_user {
                // The user has the role, and the device takes it.
                true => say("user", format!("person-{role}")),
                false => say("role", format!("role-{role}")),
            }
            device
        },
    )
}

proptest! {
    #[test]
    fn what_is_told_of_few_devices_is_what_deciding_for_all_would_tell(
        before in prop::collection::vec(kind(), 6),
        edits in prop::collection::btree_map(0..6usize, prop::option::of(kind()), 0..3),
        devices in (0u8..24).map(device).collect::<Vec<_>>(),
        rules in prop::collection::vec((0..6usize, 0..NAMES.len(), any::<bool>()), 0..3),
        default in prop::option::of(0..NAMES.len()),
        rows in prop::collection::vec(prop::option::of((0..NAMES.len(), 0.5..1.0f64)), 24),
    ) {
        let entries = before.iter().enumerate().map(|(at, kind)| entry(at, *kind)).collect();
        let is = Catalog::new(entries, vec![image()], &Catalog::default());
        let edited = edits.iter().filter_map(|(at, kind)| Some(entry(*at, (*kind)?)));
        let would_be = is.with(edited);
        // Those that would not be good stay as they are, and count as touched.
        let is_other = |(at, kind): &(&usize, &Option<Kind>)| kind.is_none_or(|kind| before[**at] != kind);
        let touched: BTreeSet<PersonaName> = edits.iter().filter(is_other).map(|(at, _)| name(*at)).collect();
        let rules = rules.iter().enumerate().map(|(at, (role, persona, armed))| Rule {
            name: format!("rule {at}"),
            when: match role {
                0..4 => Match {
                    attributes: [("role".parse().expect("a name"), vec![format!("role-{role}")])].into(),
                    ..Match::default()
                },
                _ => Match { subnet: vec![format!("10.0.{role}.0/24").parse().expect("a subnet")], ..Match::default() },
            },
            persona: name(*persona),
            armed: *armed,
        });
        let site = site(rules.collect(), default.map(name));
        let mut forecast =
            Table::new(Origin { name: "model 1".into(), trained: NOW }, Moment::from_millis(2_000_000));
        for (device, row) in devices.iter().zip(&rows) {
            if let Some((at, probability)) = row {
                let best = Candidate { persona: name(*at), probability: Probability::near(*probability) };
                forecast.put(device.id, Prediction::new(vec![best]));
            }
        }
        let ground = Ground {
            site: Arc::new(site),
            catalog: Arc::new(is),
            secrets: Arc::default(),
            forecast: Arc::new(forecast),
        };
        let mut world = World::default();
        for role in 0..4 {
            let mut user = User::new(format!("person-{role}").parse().expect("a name"));
            user.attributes.insert("role".parse().expect("a name"), format!("role-{role}").parse().expect("a value"));
            world.users.insert_mut(user.name.clone(), user);
        }
        for (at, device) in (1u8..).zip(devices) {
            if at % 3 > 0 {
                let (ip, mac) = ([10, 0, 3 + at % 3, at].into(), device.id.mac());
                world.leases.put(Lease { ip, mac, state: LeaseState::Bound, until: NOW, hostname: None });
            }
            world.devices.insert_mut(device.id, device);
        }
        let sides = Sides::new(&world, &ground, &would_be, &touched, NOW);
        let devices: Vec<&Device> = world.devices.values().collect();
        let mut all = Impact::default();
        for device in &devices {
            prop_assert_eq!(sides.decided(device), plainly(&sides, device));
            if let Some(turned) = sides.turn(device) {
                all.note(device, turned);
            }
        }
        prop_assert_eq!(&sides.of(&devices), &all);
        // And in shares, as several threads do it.
        let (some, others) = devices.split_at(devices.len() / 2);
        prop_assert_eq!(sides.of(some).and(sides.of(others)), all);
    }
}
