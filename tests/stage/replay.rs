//! The policy on generated traces beside others, and the others beside a simulator that we did not write.

use greenroom::{
    model::{Moment, Seconds},
    stage::{
        Aim, Policy, Rooms,
        replay::{Comparison, Farthest, Foresight, Sample, Score, Trace, belady, bound, compare, next_asks, run},
        shadow::{Asked, Lru, S3Fifo, Shadow},
    },
};

const ROOMS: Rooms = Rooms { ram: 8 << 30, disk: 40 << 30 };

fn trace(sample: Sample) -> Trace {
    let mut trace = Trace::default();
    for request in sample.requests(1) {
        trace.read(&request.to_string()).unwrap();
    }
    trace
}

fn part(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

fn best(found: &Comparison, rows: std::ops::Range<usize>, of: fn(&Score) -> u64) -> u64 {
    found.rows[rows].iter().map(|row| of(&row.score)).max().unwrap()
}

/// At least what the best fixed policy has, and nine tenths of the optimum when it knows the next hour.
fn as_good_as_any(sample: Sample) {
    let trace = trace(sample);
    let found = compare(&trace, ROOMS, Aim::Hits, &Foresight::None);
    let (_, knowing) = run(Policy::new(ROOMS, Aim::Hits), &trace, ROOMS, &Foresight::Perfect(Seconds(3600)));
    for of in [(|score| score.ram_hits) as fn(&Score) -> u64, |score| score.hits] {
        let (ours, fixed) = (of(&found.rows[0].score), best(&found, 1..4, of));
        assert!(ours >= fixed, "{sample}: {ours} of {} hit, {fixed} with another policy", found.asks);
        let optimum = best(&found, 4..6, of);
        let ratio = part(of(&knowing), optimum);
        assert!(ratio >= 0.9, "{sample}: {:.1} % of Belady", 100.0 * ratio);
        // Belady and the bound hold the truth between them.
        assert!(of(&found.bound) >= optimum, "{sample}");
    }
    // Who wants fewer bytes from origins gets them.
    let (_, thrifty) = run(Policy::new(ROOMS, Aim::Bytes), &trace, ROOMS, &Foresight::None);
    for of in [(|score| score.ram_bytes) as fn(&Score) -> u64, |score| score.hit_bytes] {
        let fixed = best(&found, 1..4, of);
        assert!(of(&thrifty) >= fixed, "{sample}: {} bytes hit, {fixed} with another policy", of(&thrifty));
    }
}

#[test]
fn lab_day() {
    as_good_as_any(Sample::LabDay);
}

#[test]
fn scan() {
    as_good_as_any(Sample::Scan);
}

#[test]
fn shift() {
    as_good_as_any(Sample::Shift);
}

#[test]
fn turn() {
    as_good_as_any(Sample::Loop);
}

#[test]
fn a_forecast_that_is_wrong_costs_little() {
    let trace = trace(Sample::LabDay);
    let names = Sample::LabDay.requests(1);
    let mut windows = greenroom::stage::replay::Windows::default();
    // Every hour, whatever nobody will ask for much is said to be wanted by everybody.
    for hour in 6..20 {
        for request in names.iter().filter(|request| request.object.contains("lab-1")) {
            let (from, until) = (hour * 3600, hour * 3600 + 3600);
            windows.read(&format!("{from},{until},{},1", request.object)).unwrap();
        }
    }
    let (_, told) = run(Policy::new(ROOMS, Aim::Hits), &trace, ROOMS, &Foresight::Given(windows));
    let (_, untold) = run(Policy::new(ROOMS, Aim::Hits), &trace, ROOMS, &Foresight::None);
    assert!(part(told.hits, untold.hits) > 0.95, "{told:?} {untold:?}");
}

/// libCacheSim 0.3.5 on the same traces: `cache.get(Request(obj_size, obj_id))` for each line, hits counted.
/// Ties and roundings make a difference of a few asks. Its S3-FIFO keeps out what is larger than the small queue, so that only the large cache can be compared.
#[test]
fn the_others_do_what_another_simulator_does() {
    let hits = |trace: &Trace, shadow: &mut dyn Shadow| -> usize {
        let ask = |ask: &greenroom::stage::replay::Ask| {
            shadow.ask(Asked { id: ask.blob, len: trace.blobs[ask.blob as usize].len, millis: ask.at.as_millis() })
        };
        trace.asks.iter().map(ask).filter(|hit| *hit).count()
    };
    for (sample, lru, s3fifo) in [
        (Sample::LabDay, [3361, 5584], 5815),
        (Sample::Scan, [2324, 5901], 6425),
        (Sample::Uniform, [2134, 11_124], 11_132),
        (Sample::Burst, [11_159, 13_907], 13_979),
    ] {
        let trace = trace(sample);
        for (room, lru) in [ROOMS.ram, ROOMS.disk].into_iter().zip(lru) {
            assert!(
                hits(&trace, &mut Lru::new(room)).abs_diff(lru) <= 3,
                "{sample}: {}",
                hits(&trace, &mut Lru::new(room))
            );
        }
        let ours = hits(&trace, &mut S3Fifo::new(ROOMS.disk));
        assert!(ours.abs_diff(s3fifo) <= trace.asks.len() / 50, "{sample}: {ours} {s3fifo}");
    }
}

#[test]
fn with_equal_sizes_belady_is_the_optimum() {
    // Every trace of seven asks for four blobs of one byte, and every way to keep two of them.
    for code in 0..4_u32.pow(7) {
        let asks: Vec<u32> = (0..7).map(|at| code / 4_u32.pow(at) % 4).collect();
        let mut trace = Trace::default();
        for (at, blob) in (0..).zip(&asks) {
            trace.ask(Moment::from_millis(at), &blob.to_string(), 1).unwrap();
        }
        let next = next_asks(&trace);
        let hits = |by| belady(&trace, &next, 2, by).iter().filter(|hit| **hit).count();
        let optimum = most_hits(&asks, &[]);
        assert_eq!((hits(Farthest::Use), hits(Farthest::Bytes)), (optimum, optimum), "{asks:?}");
        assert!(bound(&trace, &next, 2).0 as usize >= optimum, "{asks:?}");
    }
}

fn most_hits(asks: &[u32], held: &[u32]) -> usize {
    let Some((first, rest)) = asks.split_first() else { return 0 };
    if held.contains(first) {
        return 1 + most_hits(rest, held);
    }
    let with = |held: Vec<u32>| most_hits(rest, &[&held[..], &[*first]].concat());
    let stay = most_hits(rest, held);
    match held.len() < 2 {
        true => stay.max(with(held.to_vec())),
        false => held
            .iter()
            .map(|gone| with(held.iter().copied().filter(|one| one != gone).collect()))
            .fold(stay, usize::max),
    }
}
