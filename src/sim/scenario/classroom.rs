//! Rooms, courses and a timetable that comes again each week.

use super::{Dice, MINUTE, Plan, Shelf, Want, is_workday, moment, releases};
use crate::sim::plan::Change;

pub(super) const PERSONAS: &[(&str, u64)] = &[
    ("intro-programming", 1500),
    ("databases", 1900),
    ("statistics-r", 1300),
    ("cad-mechanics", 3600),
    ("gis", 2600),
    ("network-lab", 900),
    ("media-editing", 3900),
    ("robotics-ros", 3100),
    ("machine-learning", 3700),
    ("operating-systems", 1200),
    ("security-range", 2300),
    ("typesetting", 800),
    ("chemistry-models", 1700),
    ("language-lab", 700),
    ("accounting", 900),
    ("web-design", 1400),
    ("physics-daq", 1600),
    ("exam-locked-down", 600),
    ("open-lab", 1000),
];

const ROOM: usize = 25;
/// When lessons begin, in hours.
const SLOTS: [f64; 5] = [8.0, 10.0, 12.0, 14.0, 16.0];

pub(super) fn fill(plan: &mut Plan, shelf: &Shelf, dice: &mut Dice) {
    let personas = usize::from(shelf.len());
    let rooms = plan.seats.len().div_ceil(ROOM);
    // Every room, every weekday, every lesson: a course, or none.
    let mut course = |_| (dice.part() < 0.8).then(|| dice.below(personas.saturating_sub(1).max(1)) as u16);
    let timetable: Vec<[[Option<u16>; 5]; 5]> =
        (0..rooms).map(|_| [[(); 5]; 5].map(|day| day.map(&mut course))).collect();
    for seat in 0..plan.seats.len() {
        let room = seat / ROOM;
        let building = ["north", "south", "west"][room % 3];
        let says = vec![
            ("role", "classroom".to_owned()),
            ("location", format!("room-{room}")),
            ("department", building.to_owned()),
        ];
        plan.changes.push(Change { at: moment(0, 0.5), seat: seat as u32, says });
        plan.seats[seat].relay = (room % usize::from(super::RELAYS)) as u8;
    }
    for day in (0..plan.days).filter(|day| is_workday(*day)) {
        for (room, week) in timetable.iter().enumerate() {
            for (slot, hour) in SLOTS.into_iter().enumerate() {
                let Some(persona) = week[day as usize % 7][slot] else { continue };
                let begins = moment(day, hour) + (dice.part() * 4.0 * MINUTE as f64) as u64;
                let seats = room * ROOM..((room + 1) * ROOM).min(plan.seats.len());
                for seat in seats {
                    if dice.part() > 0.88 {
                        continue;
                    }
                    // One in forty came for something else.
                    let persona = if dice.part() < 0.025 { shelf.len() - 1 } else { persona };
                    let at = begins + (dice.part() * 3.0 * MINUTE as f64) as u64;
                    plan.wants.push(Want { at, seat: seat as u32, persona });
                }
            }
        }
    }
    releases(plan, shelf, dice, 3);
}
