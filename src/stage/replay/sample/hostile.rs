//! What caches do not like.

use super::{Dice, Fleet, Request, Shelf, dice::zipf};

const HOUR: u64 = 3_600_000;

/// Boots of 20 hot images over a day; every six hours all of 150 are read once, in three quarters of an hour.
pub(super) fn scan(dice: &mut Dice) -> Vec<Request> {
    let images: Vec<Shelf> = (0..150).map(|n| Shelf::new(&format!("image-{n:03}"), dice)).collect();
    let mut fleet = Fleet::default();
    let liked = zipf(20, 0.6);
    let mut at = 0;
    while at < 24 * HOUR {
        fleet.boot(at, &images[dice.of(&liked)], dice);
        at += dice.wait(40_000.0);
    }
    for began in [2, 8, 14, 20] {
        for (n, image) in (0..).zip(&images) {
            fleet.boot(began * HOUR + n * 18_000, image, dice);
        }
    }
    fleet.requests
}

/// 48 images of 1 GiB, in turn, for twelve hours.
pub(super) fn turn() -> Vec<Request> {
    let images: Vec<Shelf> = (0..48).map(|n| Shelf::single(format!("image-{n:02}"), 1 << 30)).collect();
    let mut fleet = Fleet::default();
    let mut dice = Dice::new(0);
    for n in 0..2_160 {
        fleet.boot(n * 20_000, &images[n as usize % images.len()], &mut dice);
    }
    fleet.requests
}

/// A day of boots of 80 images; every 20 minutes one that is new is booted by 50 machines within some minutes.
pub(super) fn burst(dice: &mut Dice) -> Vec<Request> {
    let images: Vec<Shelf> = (0..80).map(|n| Shelf::new(&format!("image-{n:02}"), dice)).collect();
    let mut fleet = Fleet::default();
    let liked = zipf(images.len(), 0.8);
    let mut at = 0;
    while at < 24 * HOUR {
        fleet.boot(at, &images[dice.of(&liked)], dice);
        at += dice.wait(40_000.0);
    }
    for n in 0..72 {
        let new = Shelf::new(&format!("new-{n:02}"), dice);
        let begins = n * HOUR / 3 + dice.wait(300_000.0);
        for _ in 0..50 {
            fleet.boot(begins + dice.wait(90_000.0), &new, dice);
        }
    }
    fleet.requests
}

/// Ten thousand boots of 100 images, none of them liked more.
pub(super) fn uniform(dice: &mut Dice) -> Vec<Request> {
    let images: Vec<Shelf> = (0..100).map(|n| Shelf::new(&format!("image-{n:02}"), dice)).collect();
    let mut fleet = Fleet::default();
    let mut at = 0;
    for _ in 0..10_000 {
        fleet.boot(at, &images[dice.below(images.len())], dice);
        at += dice.wait(8_000.0);
    }
    fleet.requests
}
