//! People at desks: a role, a department, a place; a persona that goes with the role, and habits.

use super::{Dice, MINUTE, Plan, Shelf, Want, about, is_workday, moment, releases};
use crate::sim::plan::Change;

pub(super) const PERSONAS: &[(&str, u64)] = &[
    ("office-desk", 900),
    ("developer-linux", 2200),
    ("design-studio", 3000),
    ("finance-secure", 1100),
    ("sales-kiosk", 700),
    ("support-desk", 800),
    ("data-science", 3600),
    ("qa-browsers", 1800),
    ("developer-arm-sdk", 2600),
    ("meeting-room", 500),
    ("training", 1500),
    ("rescue-tools", 400),
];

/// Role, department, the share of people, and the persona; the second one is for the first place.
const ROLES: [(&str, &str, f64, u16, u16); 8] = [
    ("clerk", "operations", 0.24, 0, 0),
    ("developer", "engineering", 0.22, 1, 8),
    ("designer", "engineering", 0.08, 2, 2),
    ("accountant", "finance", 0.10, 3, 3),
    ("salesperson", "sales", 0.14, 4, 4),
    ("agent", "support", 0.10, 5, 5),
    ("analyst", "finance", 0.06, 6, 6),
    ("tester", "engineering", 0.06, 7, 7),
];
const PLACES: [&str; 3] = ["berlin", "lyon", "porto"];
/// The share of people who want something else than their role: always the same thing.
const HABITS: f64 = 0.08;
/// The share of boots that are for something else just once.
const WHIMS: f64 = 0.025;
/// The share of people whose system is installed, and boots from the disk.
const INSTALLED: f64 = 0.04;
/// The share of newcomers, and of those who change roles within a month.
const NEWCOMERS: f64 = 0.06;
const CHANGES: f64 = 0.05;

/// Somebody at a desk.
pub(super) struct Person {
    role: usize,
    place: usize,
    habit: Option<u16>,
    installed: Option<u16>,
    /// The first day.
    comes: u32,
    /// When they usually come, in hours.
    hour: f64,
    /// The day of a change, and the role from then on.
    change: Option<(u32, usize)>,
}

impl Person {
    fn new(shelf: &Shelf, days: u32, dice: &mut Dice) -> Self {
        let sums: Vec<f64> = ROLES
            .iter()
            .scan(0.0, |sum, role| {
                *sum += role.2;
                Some(*sum)
            })
            .collect();
        let (role, place) = (dice.of(&sums), dice.below(PLACES.len()));
        let habit = (dice.part() < HABITS).then(|| dice.below(usize::from(shelf.len())) as u16);
        let installed = shelf.installer().filter(|_| dice.part() < INSTALLED);
        let comes = if dice.part() < NEWCOMERS { 1 + dice.below(days.max(2) as usize - 1) as u32 } else { 0 };
        let hour = about(dice, 8.5, 1.2);
        let leaves = dice.part() < CHANGES * f64::from(days) / 30.0;
        let change = leaves.then(|| (1 + dice.below(days.max(2) as usize - 1) as u32, dice.of(&sums)));
        Self { role, place, habit, installed, comes, hour, change }
    }

    /// What they want on a day, when it is nothing special.
    pub(super) fn wants(&self, day: u32, shelf: &Shelf) -> u16 {
        let (_, _, _, usual, first) = ROLES[self.role_on(day)];
        let of_role = if self.place == 0 { first } else { usual };
        self.installed.unwrap_or(self.habit.unwrap_or(of_role) % shelf.len())
    }

    fn role_on(&self, day: u32) -> usize {
        self.change.filter(|(from, _)| *from <= day).map_or(self.role, |(_, role)| role)
    }

    /// Whether they have come to stay by then.
    pub(super) fn is_there(&self, day: u32) -> bool {
        self.comes <= day
    }

    fn says(&self, day: u32, n: usize) -> Vec<(&'static str, String)> {
        let (role, department, ..) = ROLES[self.role_on(day)];
        vec![
            ("role", role.to_owned()),
            ("department", department.to_owned()),
            ("location", PLACES[self.place].to_owned()),
            ("user", format!("user{n}")),
        ]
    }
}

/// The people, and what the organisation says of their devices.
pub(super) fn people(plan: &mut Plan, shelf: &Shelf, dice: &mut Dice) -> Vec<Person> {
    let people: Vec<Person> = plan.seats.iter().map(|_| Person::new(shelf, plan.days, dice)).collect();
    for (n, person) in people.iter().enumerate() {
        let days = [Some(person.comes), person.change.map(|(day, _)| day).filter(|day| *day > person.comes)];
        for day in days.into_iter().flatten() {
            let at = moment(day, 6.0).min(plan.ends());
            plan.changes.push(Change { at, seat: n as u32, says: person.says(day, n) });
        }
        plan.seats[n].relay = person.place as u8;
    }
    people
}

pub(super) fn fill(plan: &mut Plan, shelf: &Shelf, dice: &mut Dice) {
    let people = people(plan, shelf, dice);
    mornings(plan, &people, shelf, dice);
    releases(plan, shelf, dice, 3);
}

/// They come in the morning, nine of ten of them; some start their device anew after lunch, for something else or not.
pub(super) fn mornings(plan: &mut Plan, people: &[Person], shelf: &Shelf, dice: &mut Dice) {
    for day in (0..plan.days).filter(|day| is_workday(*day)) {
        for (seat, person) in people.iter().enumerate().filter(|(_, person)| person.is_there(day)) {
            if dice.part() > 0.9 {
                continue;
            }
            let whim = |dice: &mut Dice| match dice.part() < WHIMS {
                true => dice.below(usize::from(shelf.len())) as u16,
                false => person.wants(day, shelf),
            };
            let (seat, persona) = (seat as u32, whim(dice));
            let at = moment(day, about(dice, person.hour, 0.4).max(6.1));
            plan.wants.push(Want { at, seat, persona });
            if dice.part() < 0.12 {
                let persona = whim(dice);
                plan.wants.push(Want { at: moment(day, about(dice, 13.3, 0.8)) + 30 * MINUTE, seat, persona });
            }
        }
    }
}
