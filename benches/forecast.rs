//! What a prediction costs on the packet path, and off it: a look-up in the table of 100,000 devices, beside one in the standard
//! library's map of the same rows; a row made anew; the journal's facts folded into examples.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench shows its numbers, and stops at the first oddity"
)]

use std::{
    collections::HashMap,
    hint::black_box,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use greenroom::{
    model::{
        DeviceId, Fact, MacAddr, Moment, Prediction, Probability, Record, Seconds, attribute::Changes,
        prediction::Candidate,
    },
    predict::{
        Origin, Table,
        learn::{Asked, Experience, News, lesson},
    },
};

const DEVICES: u32 = 100_000;
const ROUNDS: usize = 5;
/// How many look-ups are timed in one go.
const AT_ONCE: usize = 1000;

fn device(n: u32) -> DeviceId {
    let [a, b, c, d] = n.to_be_bytes();
    DeviceId::new(MacAddr::new([2, 0, a, b, c, d]).unwrap())
}

fn main() {
    look_up();
    learn();
}

fn look_up() {
    let candidate = |n: u32| Candidate {
        persona: format!("persona-{}", n % 50).parse().unwrap(),
        probability: Probability::near(0.9),
    };
    let now = Moment::from_millis(1_790_000_000_000);
    let mut table = Table::new(Origin { name: "model 1".into(), trained: now }, now.plus(Seconds(60)));
    let mut peer: HashMap<DeviceId, Prediction> = HashMap::new();
    for n in 0..DEVICES {
        let prediction = Prediction::new(vec![candidate(n)]);
        table.put(device(n), prediction.clone());
        peer.insert(device(n), prediction);
    }
    // Devices ask in no order that a processor's cache could know.
    let asked: Vec<DeviceId> = (0..DEVICES).map(|n| device(n.wrapping_mul(48_271) % DEVICES)).collect();
    // A thousand at a time, each thousand by its best round: a round of all of them takes longer than the kernel leaves a
    // processor to anybody on a busy machine. All others are looked up in between, so none is warm.
    let mut best = vec![[Duration::MAX; 2]; asked.len().div_ceil(AT_ONCE)];
    for _ in 0..ROUNDS {
        for (best, asked) in best.iter_mut().zip(asked.chunks(AT_ONCE)) {
            best[0] = best[0].min(timed(asked, |device| {
                black_box(table.of(device, now).map(|row| row.ranked().len()));
            }));
        }
        for (best, asked) in best.iter_mut().zip(asked.chunks(AT_ONCE)) {
            best[1] = best[1].min(timed(asked, |device| {
                black_box(peer.get(&device).map(|row| row.ranked().len()));
            }));
        }
    }
    let nanos = |at: usize| best.iter().map(|best| best[at].as_nanos() as f64).sum::<f64>() / f64::from(DEVICES);
    let [ours, theirs] = [0, 1].map(nanos);
    println!("look-up among {DEVICES} devices: {ours:.0} ns; HashMap {theirs:.0} ns; {:.2} times", ours / theirs);
}

fn timed(devices: &[DeviceId], look: impl Fn(DeviceId)) -> Duration {
    let began = Instant::now();
    devices.iter().for_each(|device| look(*device));
    began.elapsed()
}

fn learn() {
    let changes = |n: u32| -> Changes {
        let pair = |name: &str, of: u32| (name.parse().unwrap(), Some(format!("{name}-{}", n % of).parse().unwrap()));
        [pair("role", 12), pair("location", 40), pair("department", 9)].into()
    };
    let mut records: Vec<Record> = vec![];
    for n in 0..DEVICES / 4 {
        let at = Moment::from_millis(1_790_000_000_000 + u64::from(n) * 60_000);
        let persona = format!("persona-{}", (n % 12) * 4 + n % 40 % 4).parse().unwrap();
        let by = "bench".to_owned();
        let facts = [
            Fact::DeviceDescribed { device: device(n), changes: changes(n), by: by.clone() },
            Fact::PersonaAssigned { device: device(n), persona, by, not_before: None, expires: None, why: None },
        ];
        facts.into_iter().for_each(|fact| records.push(Record { seq: records.len() as u64 + 1, at, fact }));
    }
    let mut experience = Experience::default();
    let began = Instant::now();
    records.iter().for_each(|record| experience.apply(record, &mut News::default()));
    let took = began.elapsed();
    println!("{} facts folded into {} examples: {took:.1?}", records.len(), experience.examples().len());

    let began = Instant::now();
    let examples = experience.examples().cloned().collect();
    let now = Moment::from_millis(1_800_000_000_000);
    let learned = lesson(examples, None, 1, (now, Seconds(900)), &mut |_| ControlFlow::Continue(())).unwrap().version;
    println!("a lesson of {} examples: {:.1?} ({learned})", learned.examples, began.elapsed());

    let began = Instant::now();
    for n in 0..1000 {
        let features = experience.features(device(n)).unwrap();
        let visits = experience.visits(device(n));
        let asked = Asked { device: device(n), user: None, features: &features, at: now, history: [&visits, &[]] };
        black_box(learned.rank(&asked));
    }
    println!("a row made anew: {:.1?}", began.elapsed() / 1000);
}
