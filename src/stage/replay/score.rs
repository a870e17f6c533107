//! What came of a trace.

use serde::Serialize;

use super::Trace;

/// Asks and bytes, and which of them a tier had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Asks that RAM had.
    pub ram_hits: u64,
    /// Their bytes.
    pub ram_bytes: u64,
    /// Asks that RAM or the disk had.
    pub hits: u64,
    /// Their bytes.
    pub hit_bytes: u64,
    /// Bytes that came from an origin: for what was asked for, and ahead of time.
    pub origin_bytes: u64,
    /// Those of them that came ahead of time.
    pub ahead_bytes: u64,
}

impl Score {
    /// Counts one ask of `len` bytes.
    pub(super) fn count(&mut self, len: u64, in_ram: bool, on_disk: bool) {
        if in_ram {
            self.ram_hits += 1;
            self.ram_bytes += len;
        }
        match in_ram || on_disk {
            true => {
                self.hits += 1;
                self.hit_bytes += len;
            }
            false => self.origin_bytes += len,
        }
    }

    /// Counts each ask of a trace; `held` says whether RAM and the disk had it.
    pub(super) fn of(trace: &Trace, held: impl Iterator<Item = (bool, bool)>) -> Self {
        let mut score = Self::default();
        for (ask, (in_ram, on_disk)) in trace.asks.iter().zip(held) {
            score.count(trace.len_of(*ask), in_ram, on_disk);
        }
        score
    }
}
