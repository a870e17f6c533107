//! What a roster would change.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::{
    model::{
        MacAddr, UserName,
        attribute::{Attributes, Changes},
        command::{Line, Order, UserOrder},
    },
    world::World,
};

use super::{Name, Problem, Problems, Row, Wish};

/// What a row would make of whom it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Of whom.
    pub name: Name,
    /// Where the row stands in its file.
    pub line: u64,
    /// Whether anything changes.
    pub state: State,
    /// What.
    pub changes: Vec<Change>,
    /// The orders that change it; none, when nothing changes.
    #[serde(skip)]
    pub orders: Vec<Line>,
}

/// Whether a row changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing was known by this name.
    New,
    /// Something of it changes.
    Changed,
    /// Nothing does.
    Unchanged,
}

/// One thing that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// An attribute, `persona` or `active`.
    pub what: String,
    /// What was said before.
    pub before: Option<String>,
    /// What is said then; `None` when it is taken away.
    pub after: Option<String>,
}

/// What rows would change, in their order. With `prune`, attributes that a row does not name are taken away.
///
/// Each order expects what it was made for: it is rejected when somebody changes the same device or person meanwhile.
pub fn differences(world: &World, rows: &[Row], prune: bool) -> Result<Vec<Difference>, Problems> {
    let mut problems = Problems::default();
    let mut seen = HashMap::new();
    for row in rows {
        let Name::Device(mac) = &row.name else { continue };
        let Some(device) = world.device_of(*mac).map(|device| device.id) else { continue };
        if let Some(first) = seen.insert(device, row.line) {
            let message = format!("{mac} is another port of the device in line {first}: keep one of the two");
            problems.add(Problem { line: row.line, column: None, message });
        }
    }
    match problems.count {
        0 => Ok(rows.iter().map(|row| difference(world, row, prune)).collect()),
        _ => Err(problems),
    }
}

fn difference(world: &World, row: &Row, prune: bool) -> Difference {
    match &row.name {
        Name::Device(mac) => of_device(world, row, *mac, prune),
        Name::User(user) => of_user(world, row, user, prune),
    }
}

fn of_device(world: &World, row: &Row, mac: MacAddr, prune: bool) -> Difference {
    let known = world.device_of(mac);
    let none = Attributes::new();
    let (said, mut changes) = attributes(known.map_or(&none, |device| &device.attributes), row, prune);
    let assigned = known.and_then(|device| device.assigned.as_ref()).map(|assigned| &assigned.persona);
    let wish = match (&row.persona, assigned) {
        (Some(Wish::Assign(wanted)), assigned) if assigned != Some(wanted) => Some(Order::AssignPersona {
            persona: wanted.clone(),
            arm: false,
            not_before: None,
            expires: None,
            why: None,
        }),
        (Some(Wish::Unassign), Some(_)) => Some(Order::UnassignPersona),
        _ => None,
    };
    if let Some(order) = &wish {
        let after = match order {
            Order::AssignPersona { persona, .. } => Some(persona.to_string()),
            _ => None,
        };
        changes.push(Change { what: "persona".into(), before: assigned.map(ToString::to_string), after });
    }
    let describe = (!said.is_empty() || known.is_none()).then_some(Order::Describe { changes: said });
    let expects = Some(known.map_or(0, |device| device.changed));
    let orders = describe.into_iter().chain(wish).map(|order| Line::Device { mac, order, expects }).collect();
    made(row, known.is_some(), changes, orders)
}

fn of_user(world: &World, row: &Row, user: &UserName, prune: bool) -> Difference {
    let known = world.users.get(user);
    let none = Attributes::new();
    let (said, mut changes) = attributes(known.map_or(&none, |user| &user.attributes), row, prune);
    let before = known.is_none_or(|user| user.active);
    let active = row.active.filter(|active| *active != before);
    if let Some(active) = active {
        let word = |active: bool| Some(if active { "yes" } else { "no" }.to_owned());
        changes.push(Change { what: "active".into(), before: known.and_then(|_| word(before)), after: word(active) });
    }
    let expects = Some(known.map_or(0, |user| user.changed));
    let order = UserOrder::Describe { changes: said, active };
    let orders = match known.is_none() || !changes.is_empty() {
        true => vec![Line::User { user: user.clone(), order, expects }],
        false => vec![],
    };
    made(row, known.is_some(), changes, orders)
}

/// What of a row's attributes is not so already.
fn attributes(before: &Attributes, row: &Row, prune: bool) -> (Changes, Vec<Change>) {
    let mut wanted = row.attributes.clone();
    if prune {
        for name in before.keys() {
            wanted.entry(name.clone()).or_insert(None);
        }
    }
    wanted.retain(|name, value| before.get(name) != value.as_ref());
    let change = |(name, value): (&_, &Option<_>)| Change {
        what: ToString::to_string(name),
        before: before.get(name).map(ToString::to_string),
        after: value.as_ref().map(ToString::to_string),
    };
    let changes = wanted.iter().map(change).collect();
    (wanted, changes)
}

fn made(row: &Row, known: bool, changes: Vec<Change>, orders: Vec<Line>) -> Difference {
    let state = match (known, orders.is_empty()) {
        (false, _) => State::New,
        (true, false) => State::Changed,
        (true, true) => State::Unchanged,
    };
    Difference { name: row.name.clone(), line: row.line, state, changes, orders }
}
