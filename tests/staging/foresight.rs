//! How well boots are foreseen, on fleets that were made up: of those that were said to boot with a probability, did about
//! that share? `--nocapture` shows the table.

use greenroom::{
    model::{
        BootId, Device, Moment, Seconds,
        decision::Voice,
        device::{Seen, Visit},
    },
    persona::catalog::Catalog,
    predict::{
        Table,
        demand::{Cause, Demand, Named, Subject, Terms},
    },
};

use super::past::mac;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// A Monday, at midnight.
const BEGAN: u64 = 1_772_409_600_000;
const DAYS: u64 = 63;

/// Dice that always fall the same way.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About as a normal distribution of this width has it.
    fn around(&mut self, width: f64) -> f64 {
        ((0..12).map(|_| self.next()).sum::<f64>() - 6.0) * width
    }
}

/// When each device of a fleet boots, in milliseconds since the beginning, in order.
type Fleet = Vec<Vec<u64>>;

/// A fleet that is made up, by what name, and how much of the base rate's mean square may be left.
type Made = (&'static str, fn(&mut Dice) -> Fleet, f64);

/// People come at their hour of working days, some days late, some not at all; some start again after lunch.
fn office(dice: &mut Dice) -> Fleet {
    let person = |dice: &mut Dice| {
        let hour = 8.0 + dice.around(0.7);
        let mut boots = vec![];
        for day in (0..DAYS).filter(|day| day % 7 < 5) {
            if dice.next() < 0.92 {
                boots.push(at(day, hour + dice.around(0.3)));
                if dice.next() < 0.1 {
                    boots.push(at(day, 13.0 + dice.around(0.4)));
                }
            }
        }
        boots
    };
    (0..200).map(|_| person(dice)).collect()
}

/// Rooms with a timetable: at the beginning of a lesson most of a room's machines are started.
fn lab(dice: &mut Dice) -> Fleet {
    let mut fleet = vec![];
    for _ in 0..5 {
        let table: Vec<(u64, f64)> = (0..5)
            .flat_map(|day| [8.0, 10.0, 13.0, 15.0].map(|hour| (day, hour)))
            .filter(|_| dice.next() < 0.5)
            .collect();
        for _ in 0..24 {
            let mut boots = vec![];
            for day in 0..DAYS {
                for (_, hour) in table.iter().filter(|(weekday, _)| *weekday == day % 7) {
                    if dice.next() < 0.85 {
                        boots.push(at(day, hour + dice.around(0.07)));
                    }
                }
            }
            fleet.push(boots);
        }
    }
    fleet
}

/// Nobody knows when.
fn any_time(dice: &mut Dice) -> Fleet {
    let mut device = |often: f64| {
        let (mut boots, mut now) = (vec![], 0.0);
        while now < (DAYS * 24) as f64 {
            now += -(1.0 - dice.next()).ln() * 24.0 / often;
            boots.push((now * HOUR as f64) as u64);
        }
        boots
    };
    (0..150).map(|n| device(0.2 + f64::from(n % 5) * 0.4)).collect()
}

/// Test machines that start again every few hours, day and night.
fn rounds(dice: &mut Dice) -> Fleet {
    let mut device = |hours: f64| {
        let (mut boots, mut now) = (vec![], dice.next() * hours);
        while now < (DAYS * 24) as f64 {
            boots.push((now * HOUR as f64) as u64);
            now += hours + dice.around(0.3);
        }
        boots
    };
    (0..60).map(|n| device(3.0 + f64::from(n % 6))).collect()
}

fn at(day: u64, hour: f64) -> u64 {
    day * DAY + (hour.max(0.0) * HOUR as f64) as u64
}

/// What was said of each device at each hour of the last week, and what happened.
fn foreseen(fleet: &Fleet) -> Vec<(f64, bool)> {
    let (catalog, table) = (Catalog::default(), Table::default());
    let mut said = vec![];
    for hour in (DAYS - 7) * 24..DAYS * 24 - 1 {
        // Not on the hour, where so much begins.
        let now = hour * HOUR + hour % 3 * 20 * 60_000;
        let devices: Vec<Device> = (1..).zip(fleet).map(|(n, boots)| device(n, boots, now)).collect();
        let subject = |device| Subject { device, boot: None, named: Named::Open(None) };
        let subjects: Vec<Subject<'_>> = devices.iter().map(subject).collect();
        let terms =
            Terms { catalog: &catalog, table: &table, now: Moment::from_millis(BEGAN + now), horizon: Seconds(3600) };
        let demand = Demand::of(&subjects, &terms);
        for (device, boots) in devices.iter().zip(fleet) {
            let row = demand.rows.iter().find(|row| row.device == device.id);
            let booted = boots.iter().any(|at| (now..now + HOUR).contains(at));
            said.push((row.map_or(0.0, |row| row.probability.get()), booted));
        }
    }
    said
}

/// A device as it is remembered at `now`.
fn device(n: u16, boots: &[u64], now: u64) -> Device {
    let mut device = Device::new(mac(n));
    let moment = |at: u64| Moment::from_millis(BEGAN + at);
    let before: Vec<u64> = boots.iter().copied().filter(|at| *at < now).collect();
    device.seen = before.first().map(|first| Seen { first: moment(*first), last: moment(*before.last().unwrap()) });
    let kept = before.len().saturating_sub(Device::MAX_VISITS_KEPT);
    let visit = |at: &u64| Visit {
        boot: BootId::new(*at),
        persona: "any".parse().unwrap(),
        at: moment(*at),
        voice: Voice::Default,
        outcome: None,
    };
    device.visits = before[kept..].iter().map(visit).collect();
    device
}

/// How far from the truth: the mean square, the same for who always says the base rate, and the calibration error in ten bins.
fn scored(said: &[(f64, bool)]) -> (f64, f64, f64) {
    let count = said.len() as f64;
    let truth = |booted: bool| f64::from(u8::from(booted));
    let rate = said.iter().map(|(_, booted)| truth(*booted)).sum::<f64>() / count;
    let brier = said.iter().map(|(p, booted)| (p - truth(*booted)).powi(2)).sum::<f64>() / count;
    let mut error = 0.0;
    for bin in 0..10 {
        let inside: Vec<&(f64, bool)> = said.iter().filter(|(p, _)| ((p * 10.0) as usize).min(9) == bin).collect();
        let sum: f64 = inside.iter().map(|(p, booted)| p - truth(*booted)).sum();
        error += sum.abs() / count;
        if !inside.is_empty() {
            let (n, mean) = (inside.len() as f64, inside.iter().map(|(p, _)| p).sum::<f64>());
            let happened = inside.iter().filter(|(_, booted)| *booted).count() as f64;
            println!("    said {:.2}, happened {:.2}, {n} times", mean / n, happened / n);
        }
    }
    (brier, rate * (1.0 - rate), error)
}

#[test]
fn a_small_fleet_that_boots_every_day_is_foreseen_from_all_of_its_days() {
    let now = 14 * DAY + 9 * HOUR;
    let fleet: Fleet = (15..27).map(|n| (0..14).map(|day| day * DAY + 9 * HOUR + n * 60_000).collect()).collect();
    let devices: Vec<Device> = (1..).zip(&fleet).map(|(n, boots)| device(n, boots, now)).collect();
    let subject = |device| Subject { device, boot: None, named: Named::Open(None) };
    let subjects: Vec<Subject<'_>> = devices.iter().map(subject).collect();
    let (catalog, table) = (Catalog::default(), Table::default());
    let terms =
        Terms { catalog: &catalog, table: &table, now: Moment::from_millis(BEGAN + now), horizon: Seconds(3600) };
    let demand = Demand::of(&subjects, &terms);
    for row in &demand.rows {
        assert!(row.cause == Cause::Habit { on: 10, of: 10 } && row.probability.get() > 0.5, "{row:?}");
    }
    assert_eq!(demand.rows.len(), 12);
}

#[test]
fn a_fleet_of_a_hundred_thousand_is_reckoned() {
    let mut fleet = vec![];
    while fleet.len() < 100_000 {
        fleet.extend(office(&mut Dice(fleet.len() as u64)));
    }
    let now = (DAYS - 7) * DAY + 8 * HOUR;
    let devices: Vec<Device> = (0..).zip(&fleet).map(|(n, boots)| device(n as u16, boots, now)).collect();
    let subject = |device| Subject { device, boot: None, named: Named::Open(None) };
    let subjects: Vec<Subject<'_>> = devices.iter().map(subject).collect();
    let (catalog, table) = (Catalog::default(), Table::default());
    let terms =
        Terms { catalog: &catalog, table: &table, now: Moment::from_millis(BEGAN + now), horizon: Seconds(3600) };
    let began = std::time::Instant::now();
    let demand = Demand::of(&subjects, &terms);
    println!("{} devices took {:?}", devices.len(), began.elapsed());
    let came = fleet.iter().filter(|boots| boots.iter().any(|at| (now..now + HOUR).contains(at))).count() as f64;
    println!("{:.0} boots expected, {came} came", demand.boots);
    assert!((demand.boots - came).abs() < came * 0.15);
}

#[test]
fn of_those_that_are_said_to_boot_about_that_share_does() {
    let fleets: [Made; 4] =
        [("office", office, 0.75), ("lab", lab, 0.6), ("any time", any_time, 1.02), ("rounds", rounds, 0.75)];
    let mut wrong = vec![];
    for (name, make, at_most) in fleets {
        let said = foreseen(&make(&mut Dice(7)));
        let (brier, base, error) = scored(&said);
        println!("{name}: Brier {brier:.4} (base rate {base:.4}: {:.2}), calibration error {error:.4}", brier / base);
        wrong.extend((brier > base * at_most || error > 0.03).then_some(name));
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
