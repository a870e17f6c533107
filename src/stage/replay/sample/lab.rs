//! What schools and labs do.

use super::{Dice, Fleet, Request, Shelf, dice::zipf};

const HOUR: u64 = 3_600_000;

/// Eight rooms of 25 machines. A class boots one of six images together; between classes anybody boots any of 120.
pub(super) fn day(dice: &mut Dice) -> Vec<Request> {
    let images: Vec<Shelf> = (0..120).map(|n| Shelf::new(&format!("lab-{n:03}"), dice)).collect();
    let mut fleet = Fleet::default();
    let liked = zipf(6, 0.7);
    for half_hours in [16, 20, 24, 27, 31, 35] {
        for _room in 0..8 {
            if dice.part() < 0.25 {
                continue;
            }
            // The images of courses are not the smallest ones, nor those that people like by themselves.
            let image = &images[40 + dice.of(&liked)];
            let begins = half_hours * HOUR / 2 + dice.wait(240_000.0);
            for _ in 0..25 {
                fleet.boot(begins + dice.wait(60_000.0), image, dice);
            }
        }
    }
    let liked = zipf(images.len(), 0.9);
    let mut at = 7 * HOUR;
    while at < 20 * HOUR {
        fleet.boot(at, &images[dice.of(&liked)], dice);
        at += dice.wait(25_000.0);
    }
    fleet.requests
}

/// Seven days: each morning 12 of 30 images have a new version, and 60 machines are installed with each of three of them in
/// the evening; all day long, machines boot the current versions.
pub(super) fn shift(dice: &mut Dice) -> Vec<Request> {
    let mut fleet = Fleet::default();
    let mut images: Vec<Shelf> = (0..30).map(|n| Shelf::new(&format!("os-{n:02}-day0"), dice)).collect();
    let liked = zipf(images.len(), 0.8);
    for day in 0..7 {
        let midnight = day * 24 * HOUR;
        let renewed: Vec<usize> = (0..12).map(|_| dice.below(images.len())).collect();
        for n in &renewed {
            images[*n] = Shelf::new(&format!("os-{n:02}-day{day}"), dice);
        }
        for n in renewed.iter().take(3) {
            let begins = midnight + 18 * HOUR + dice.wait(1_800_000.0);
            for _ in 0..60 {
                fleet.boot(begins + dice.wait(900_000.0), &images[*n], dice);
            }
        }
        let mut at = midnight + 6 * HOUR;
        while at < midnight + 22 * HOUR {
            fleet.boot(at, &images[dice.of(&liked)], dice);
            at += dice.wait(60_000.0);
        }
    }
    fleet.requests
}
