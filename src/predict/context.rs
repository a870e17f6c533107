//! What was counted: how often each label came in each context.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The rows of one context that had the same symbols: how many had which label, the most frequent first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Cell {
    pub(super) total: f64,
    pub(super) counts: Vec<(u32, f64)>,
}

impl Cell {
    pub(super) fn add(&mut self, label: u32) {
        self.total += 1.0;
        let found = self.counts.iter().position(|(known, _)| *known == label);
        let mut at = found.unwrap_or_else(|| {
            self.counts.push((label, 0.0));
            self.counts.len() - 1
        });
        self.counts[at].1 += 1.0;
        // The most frequent labels stay in front, where they are found first.
        while at > 0 && self.counts[at - 1].1 < self.counts[at].1 {
            self.counts.swap(at - 1, at);
            at -= 1;
        }
    }

    pub(super) fn count(&self, label: u32) -> f64 {
        self.counts.iter().find(|(known, _)| *known == label).map_or(0.0, |(_, count)| *count)
    }
}

/// A set of sources, and the cells of all that they ever said together.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Context {
    /// Which of the encoder's sources, ascending.
    pub(super) sources: Vec<usize>,
    /// The context before it in the list whose opinion smooths this one's; without one, the frequencies of all rows do.
    pub(super) parent: Option<usize>,
    /// How many rows the parent's opinion is worth.
    pub(super) smoothing: f64,
    pub(super) cells: BTreeMap<u64, Cell>,
}

impl Context {
    pub(super) fn cell(&self, symbols: &[u32]) -> Option<&Cell> {
        self.cells.get(&key(&self.sources, symbols))
    }

    pub(super) fn add(&mut self, symbols: &[u32], label: u32) {
        self.cells.entry(key(&self.sources, symbols)).or_default().add(label);
    }
}

/// A number for what these sources say: the same on every machine, and for practical purposes never the same for another.
pub(super) fn key(sources: &[usize], symbols: &[u32]) -> u64 {
    let mut key = 0x9e37_79b9_7f4a_7c15_u64;
    for &source in sources {
        let symbol = symbols.get(source).copied().unwrap_or(u32::MAX);
        key = mix(key ^ (u64::from(symbol) << 16 | source as u64));
    }
    key
}

/// The finisher of SplitMix64: every bit of the input moves every bit of the output.
fn mix(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
