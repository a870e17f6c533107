//! Figures, and what they are held against.

use std::{
    fs,
    time::{Duration, Instant},
};

/// A DISCOVER as OVMF sends it.
pub(crate) fn packet() -> Vec<u8> {
    let hex = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wire/ovmf-pxe-virtio.hex")).unwrap();
    let line = hex.lines().next().unwrap();
    (0..line.len() / 2).map(|at| u8::from_str_radix(&line[at * 2..at * 2 + 2], 16).unwrap()).collect()
}

pub(crate) fn micros(took: &[Duration], percent: f64) -> f64 {
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    sorted[((sorted.len() - 1) as f64 * percent / 100.0) as usize].as_secs_f64() * 1e6
}

pub(crate) fn timed<T>(act: impl FnOnce() -> T) -> (T, f64) {
    let began = Instant::now();
    let done = act();
    (done, began.elapsed().as_secs_f64() * 1e3)
}
