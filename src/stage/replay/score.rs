//! What came of a trace.

use serde::Serialize;

/// Asks and bytes, and which of them a tier had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Asks in all.
    pub asks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Asks that RAM had.
    pub ram_hits: u64,
    /// Their bytes.
    pub ram_bytes: u64,
    /// Asks that RAM or the disk had.
    pub hits: u64,
    /// Their bytes.
    pub hit_bytes: u64,
}

impl Score {
    /// Counts one ask of `len` bytes.
    pub(super) fn count(&mut self, len: u64, in_ram: bool, on_disk: bool) {
        self.asks += 1;
        self.bytes += len;
        if in_ram {
            self.ram_hits += 1;
            self.ram_bytes += len;
        }
        if in_ram || on_disk {
            self.hits += 1;
            self.hit_bytes += len;
        }
    }
}

/// A part of a whole, from 0 to 1; 0 of nothing.
pub fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
