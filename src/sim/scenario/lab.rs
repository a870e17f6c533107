//! Benches and shifts: what a bench becomes hangs on the shift, the project, and the week.

use super::{Dice, Plan, Shelf, Want, about, is_workday, moment, releases};
use crate::sim::plan::Change;

pub(super) const PERSONAS: &[(&str, u64)] = &[
    ("spectrometer", 2400),
    ("microscope", 3200),
    ("sequencer", 3800),
    ("burn-in", 900),
    ("hil-rig", 1600),
    ("climate-chamber", 700),
    ("can-logger", 800),
    ("rf-analyser", 2100),
    ("vision-train", 4000),
    ("calibration", 500),
    ("firmware-flash", 600),
    ("endurance", 1100),
    ("simulation", 2900),
    ("data-export", 700),
    ("maintenance", 450),
];

/// When the shifts begin, in hours.
const SHIFTS: [f64; 3] = [6.0, 14.0, 22.0];
const PROJECTS: usize = 6;

pub(super) fn fill(plan: &mut Plan, shelf: &Shelf, dice: &mut Dice) {
    let personas = usize::from(shelf.len());
    let weeks = plan.days.div_ceil(7) as usize;
    // What each project does in each shift; one shift's work changes with each week.
    let mut work: Vec<[u16; 3]> = (0..PROJECTS).map(|_| [(); 3].map(|()| dice.below(personas) as u16)).collect();
    let projects: Vec<usize> = plan.seats.iter().map(|_| dice.below(PROJECTS)).collect();
    for (seat, project) in projects.iter().enumerate() {
        let says = vec![
            ("role", "bench".to_owned()),
            ("project", format!("project-{project}")),
            ("location", format!("hall-{}", project % 3)),
        ];
        plan.changes.push(Change { at: moment(0, 0.5), seat: seat as u32, says });
        plan.seats[seat].relay = (project % 3) as u8;
    }
    for week in 0..weeks {
        if week > 0 {
            let (project, shift) = (dice.below(PROJECTS), dice.below(SHIFTS.len()));
            work[project][shift] = dice.below(personas) as u16;
        }
        for day in (week as u32 * 7)..(week as u32 * 7 + 7).min(plan.days) {
            // The night and the weekend are for what runs by itself: fewer benches are started.
            for (shift, hour) in SHIFTS.into_iter().enumerate() {
                let busy = if is_workday(day) { [0.9, 0.85, 0.45][shift] } else { 0.12 };
                for (seat, project) in projects.iter().enumerate() {
                    if dice.part() > busy {
                        continue;
                    }
                    let persona = match dice.part() < 0.05 {
                        true => dice.below(personas) as u16,
                        false => work[*project][shift],
                    };
                    let at = moment(day, about(dice, hour + 0.3, 0.25));
                    plan.wants.push(Want { at, seat: seat as u32, persona });
                }
            }
        }
    }
    let ends = plan.ends();
    plan.wants.retain(|want| want.at < ends);
    releases(plan, shelf, dice, 2);
}
