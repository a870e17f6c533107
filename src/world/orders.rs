//! Several orders through the door: all of them, or none.

use sha2::{Digest, Sha256};

use crate::model::{
    Fact, Moment, Record, UserName,
    attribute::{self, MOST_ATTRIBUTES},
    command::{Command, Line, Orders, Rejection, UserOrder},
    reply::Reply,
};

use super::{Ground, Outcome, World, command};

/// Decides orders that belong together. Each sees what those before it have changed.
pub(super) fn decide(world: &World, ground: &Ground, orders: &Orders, now: Moment) -> Outcome {
    match facts(world, ground, orders, now) {
        Ok(facts) => Outcome { reply: Reply::Done, facts },
        Err(rejection) => Outcome { reply: Reply::Rejected(rejection), facts: vec![] },
    }
}

fn facts(world: &World, ground: &Ground, orders: &Orders, now: Moment) -> Result<Vec<Fact>, Rejection> {
    let keyed = orders.key.as_ref().map(|key| (key, orders.said.unwrap_or_else(|| print(orders))));
    if let Some((key, print)) = keyed
        && let Some(before) = world.taken.before(&orders.by, key, now)
    {
        return if before == print { Ok(vec![]) } else { Err(Rejection::KeyUsed { key: key.clone() }) };
    }
    // What the first orders change is seen by the next ones, and by nobody else: the copy costs a few pointers.
    let mut scratch = world.clone();
    let mut facts = vec![];
    for (n, line) in orders.lines.iter().enumerate() {
        let told =
            self::line(world, &scratch, ground, &orders.by, line, now).map_err(|why| match orders.lines.len() {
                1 => why,
                _ => Rejection::Line { line: n + 1, why: Box::new(why) },
            })?;
        for fact in told {
            let record = Record { seq: scratch.seq + 1, at: now, fact };
            scratch.apply(&record);
            facts.push(record.fact);
        }
    }
    facts.extend(keyed.map(|(key, print)| Fact::OrdersTaken { key: key.clone(), print, by: orders.by.clone() }));
    Ok(facts)
}

/// The facts of one order. What it `expects` is held against the World as its sender saw it, before these orders.
fn line(
    before: &World,
    world: &World,
    ground: &Ground,
    by: &str,
    line: &Line,
    now: Moment,
) -> Result<Vec<Fact>, Rejection> {
    match line {
        Line::Device { mac, order, expects } => {
            let changed = before.device_of(*mac).map_or(0, |device| device.changed);
            unchanged(*expects, changed, mac)?;
            command::facts(world, ground, &Command { mac: *mac, by: by.to_owned(), order: order.clone() }, now)
        }
        Line::User { user, order, expects } => {
            unchanged(*expects, before.users.get(user).map_or(0, |user| user.changed), user)?;
            about_user(world, user, order, by)
        }
    }
}

fn unchanged(expects: Option<u64>, changed: u64, what: &impl ToString) -> Result<(), Rejection> {
    match expects {
        Some(expects) if expects != changed => Err(Rejection::Changed { what: what.to_string() }),
        _ => Ok(()),
    }
}

fn about_user(world: &World, user: &UserName, order: &UserOrder, by: &str) -> Result<Vec<Fact>, Rejection> {
    let (known, by) = (world.users.get(user), by.to_owned());
    match order {
        UserOrder::Describe { changes, active } => {
            let mut attributes = known.map(|user| user.attributes.clone()).unwrap_or_default();
            let before = attributes.clone();
            attribute::change(&mut attributes, changes);
            if attributes.len() > MOST_ATTRIBUTES {
                return Err(Rejection::TooManyAttributes { what: user.to_string(), most: MOST_ATTRIBUTES });
            }
            let same = known.is_some_and(|known| active.is_none_or(|active| active == known.active));
            // Said twice is no change, and no fact.
            if same && attributes == before {
                return Ok(vec![]);
            }
            Ok(vec![Fact::UserDescribed { user: user.clone(), changes: changes.clone(), active: *active, by }])
        }
        UserOrder::Forget => match known {
            None => Err(Rejection::NoUser { user: user.clone() }),
            Some(_) => Ok(vec![Fact::UserForgotten { user: user.clone(), by }]),
        },
    }
}

/// A digest of the orders. It need not withstand an attacker: who has the key could give the orders anyhow.
fn print(orders: &Orders) -> u64 {
    let json = serde_json::to_vec(&orders.lines).expect("orders are plain data with text keys");
    let hash = Sha256::digest(json);
    hash.iter().take(8).fold(0, |print, byte| print << 8 | u64::from(*byte))
}
