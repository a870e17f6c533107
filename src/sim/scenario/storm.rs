//! The power fails: every device that was on boots again within two minutes, and its person wants what they had.

use super::{Dice, MINUTE, Plan, Shelf, Want, is_workday, moment, office, releases};

pub(super) fn fill(plan: &mut Plan, shelf: &Shelf, dice: &mut Dice) {
    let people = office::people(plan, shelf, dice);
    office::mornings(plan, &people, shelf, dice);
    plan.wants.sort_unstable();
    let mut day = 1 + dice.below(2) as u32;
    let mut again = vec![];
    while day < plan.days {
        if is_workday(day) {
            cut(plan, moment(day, 10.0 + 6.0 * dice.part()), moment(day, 0.0), dice, &mut again);
        }
        day += 2 + dice.below(3) as u32;
    }
    plan.wants.append(&mut again);
    releases(plan, shelf, dice, 3);
}

/// One cut: who was on since `morning` is on again, soon after `at`.
fn cut(plan: &Plan, at: u64, morning: u64, dice: &mut Dice, again: &mut Vec<Want>) {
    let today = plan.wants.partition_point(|want| want.at < morning)..plan.wants.partition_point(|want| want.at < at);
    let mut on: Vec<Option<u16>> = vec![None; plan.seats.len()];
    for want in &plan.wants[today] {
        on[want.seat as usize] = Some(want.persona);
    }
    let on = on.into_iter().enumerate().filter_map(|(seat, persona)| Some((seat as u32, persona?)));
    again.extend(on.map(|(seat, persona)| {
        let at = at + 20_000 + (dice.part() * 2.0 * MINUTE as f64) as u64;
        Want { at, seat, persona }
    }));
}
