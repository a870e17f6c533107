//! What devices are expected to ask for, against what the door then tells them: in worlds that were made up.

use std::{collections::BTreeMap, sync::Arc};

use greenroom::{
    model::{
        Decision, DeviceId, Digest, Probability, Seconds,
        command::{Line, Order, Orders, UserOrder},
        image::{Image, ImageFile, Role},
        prediction::{Candidate, Prediction},
        request::Request,
        site::Match,
        smbios::Hardware,
    },
    persona::catalog::{Catalog, Entry},
    predict::{Origin, Table},
    world::demand,
};
use proptest::prelude::*;

use super::world::{Lab, ipxe, mac};

/// The personas, each with an image of its own; the last one wipes the disk.
const PERSONAS: [&str; 4] = ["live", "arm", "gone", "install"];
const ROLES: [&str; 2] = ["dev", "ops"];
const USERS: [&str; 2] = ["ann", "bob"];

/// What holds of one device.
#[derive(Debug, Clone)]
struct Made {
    user: Option<usize>,
    role: Option<usize>,
    /// Which persona, and whether it is armed with it.
    assigned: Option<(usize, bool)>,
    predicted: Option<(usize, f64)>,
    declined: Option<usize>,
}

/// What a rule asks for.
#[derive(Debug, Clone)]
enum Asks {
    Role(usize),
    Department,
    Mac(u8),
    Subnet,
}

fn made() -> impl Strategy<Value = Made> {
    let persona = 0..PERSONAS.len();
    let assigned = proptest::option::weighted(0.2, (persona.clone(), any::<bool>()));
    let predicted = proptest::option::of((persona.clone(), 0.0..=1.0f64));
    let declined = proptest::option::weighted(0.2, persona);
    (proptest::option::of(0..USERS.len()), proptest::option::of(0..ROLES.len()), assigned, predicted, declined)
        .prop_map(|(user, role, assigned, predicted, declined)| Made { user, role, assigned, predicted, declined })
}

fn asks() -> impl Strategy<Value = Asks> {
    let role = (0..ROLES.len()).prop_map(Asks::Role);
    prop_oneof![4 => role, 2 => Just(Asks::Department), 1 => (1u8..=3).prop_map(Asks::Mac), 1 => Just(Asks::Subnet)]
}

fn when(asks: &Asks) -> Match {
    let said = |name: &str, value: &str| [(name.parse().unwrap(), vec![value.to_owned()])].into();
    match asks {
        Asks::Role(role) => Match { attributes: said("role", ROLES[*role]), ..Match::default() },
        // Only users have one.
        Asks::Department => Match { attributes: said("department", "lab"), ..Match::default() },
        Asks::Mac(last) => Match { mac: vec![mac(*last)], ..Match::default() },
        Asks::Subnet => Match {
            subnet: vec!["10.77.0.0/31".parse().unwrap(), "10.77.0.100/31".parse().unwrap()],
            ..Match::default()
        },
    }
}

/// Each persona boots an image of its own, of one file.
fn images(lab: &mut Lab) {
    let mut personas: Vec<Entry> = lab.ground.catalog.personas().cloned().collect();
    let mut images: Vec<Image> = vec![];
    for (number, name) in PERSONAS.iter().enumerate() {
        let like = lab.ground.catalog.image(&"debian".parse().unwrap()).unwrap();
        let sha256 = Digest::new([100 + number as u8; 32]);
        let kernel = ImageFile { sha256, size: None, origins: vec![], name: None };
        let files = BTreeMap::from([(Role::Kernel, kernel)]);
        let image = Image { name: format!("of-{name}").parse().unwrap(), files, ..Image::clone(like) };
        let entry = personas.iter_mut().find(|entry| entry.reference.name.as_str() == *name).unwrap();
        Arc::make_mut(&mut entry.persona).os.image = image.name.clone();
        images.push(image);
    }
    lab.ground.catalog = Arc::new(Catalog::new(personas, images, &Catalog::default()));
}

fn changes(said: &[(&str, Option<&str>)]) -> greenroom::model::attribute::Changes {
    let said = said.iter().filter_map(|(name, value)| Some((name, (*value)?)));
    said.map(|(name, value)| (name.parse().unwrap(), Some(value.parse().unwrap()))).collect()
}

/// A lab of these devices, from 1 on, whose users have these roles.
fn lab(devices: &[Made], users: &[Option<usize>], rules: &[(Asks, usize)], default: Option<usize>) -> Lab {
    let mut lab = Lab::new();
    images(&mut lab);
    for (number, (asks, persona)) in rules.iter().enumerate() {
        lab = lab.rule(&format!("rule {number}"), when(asks), PERSONAS[*persona], false);
    }
    if let Some(default) = default {
        lab = lab.default_persona(PERSONAS[default]);
    }
    let mut lines = vec![];
    for (user, role) in USERS.iter().zip(users) {
        let changes = changes(&[("role", role.map(|role| ROLES[role])), ("department", Some("lab"))]);
        let order = UserOrder::Describe { changes, active: None };
        lines.push(Line::User { user: user.parse().unwrap(), order, expects: None });
    }
    let mut table = Table::new(Origin { name: "model 7".into(), trained: lab.now }, lab.now.plus(Seconds(86_400)));
    for (last, made) in (1..).zip(devices) {
        let said = changes(&[("user", made.user.map(|user| USERS[user])), ("role", made.role.map(|role| ROLES[role]))]);
        lines.push(Line::Device { mac: mac(last), order: Order::Describe { changes: said }, expects: None });
        if let Some((persona, probability)) = made.predicted {
            let probability = Probability::near(probability);
            let candidate = Candidate { persona: PERSONAS[persona].parse().unwrap(), probability };
            table.put(DeviceId::new(mac(last)), Prediction::new(vec![candidate]));
        }
    }
    lab.ground.forecast = Arc::new(table);
    lab.ask(&Request::Orders(Orders { by: "op".into(), key: None, said: None, lines }));
    for (last, made) in (1..).zip(devices) {
        if let Some((persona, arm)) = made.assigned {
            let persona = PERSONAS[persona].parse().unwrap();
            lab.order(last, Order::AssignPersona { persona, arm, not_before: None, expires: None, why: None });
        }
        if let Some(persona) = made.declined {
            lab.order(last, Order::DeclineProposal { persona: PERSONAS[persona].parse().unwrap() });
        }
    }
    lab
}

/// Of a device that has begun to boot: what it then becomes is demanded, and it is what it is expected to become.
fn check(lab: &mut Lab, last: u8) {
    lab.address(last, Some(ipxe()));
    let expected = demand(&lab.world, &lab.ground, lab.now, Seconds(3600));
    let decision = lab.script_with(last, Hardware::default()).decision;
    let Decision::Become { persona, .. } = &decision else { return };
    let row = expected.rows.iter().find(|row| row.device == DeviceId::new(mac(last))).unwrap();
    let is_named = row.personas.iter().any(|candidate| candidate.persona == persona.name);
    assert!(is_named, "{decision:?} is not in {row:?}");
    let entry = lab.ground.catalog.persona(&persona.name).unwrap();
    for file in lab.ground.catalog.image(entry.persona.image()).unwrap().files.values() {
        assert!(expected.asks.contains_key(&file.sha256), "{decision:?}: {row:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn what_a_device_that_boots_is_told_to_become_was_demanded(
        devices in proptest::collection::vec(made(), 1..=3),
        users in proptest::collection::vec(proptest::option::of(0..ROLES.len()), USERS.len()),
        rules in proptest::collection::vec((asks(), 0..PERSONAS.len()), 0..4),
        default in proptest::option::of(0..PERSONAS.len()),
    ) {
        let mut lab = lab(&devices, &users, &rules, default);
        for last in 1..=devices.len() as u8 {
            check(&mut lab, last);
        }
    }
}

#[test]
fn a_rule_by_what_is_said_of_a_user_is_foreseen_for_their_device() {
    let device = Made { user: Some(0), role: None, assigned: None, predicted: None, declined: None };
    let mut lab = lab(&[device], &[Some(0), None], &[(Asks::Role(0), 0)], None);
    lab.address(1, Some(ipxe()));
    let expected = demand(&lab.world, &lab.ground, lab.now, Seconds(3600));
    assert_eq!(expected.rows[0].personas[0].persona.as_str(), "live", "{:?}", expected.rows);
    check(&mut lab, 1);
}
