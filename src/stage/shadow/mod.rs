//! Caches without bytes: what a known policy would hold, had it been asked all the same.
//!
//! Blobs are numbers here, given by whoever keeps the list of names: a shadow costs some ten bytes for each.

use std::fmt;

mod blend;
mod gdsf;
mod lru;
mod rank;
mod s3fifo;

pub use blend::Blend;
pub use gdsf::Gdsf;
pub use lru::Lru;
pub use rank::{Rank, Taste};
pub use s3fifo::S3Fifo;

/// A blob that is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asked {
    /// Its number.
    pub id: u32,
    /// Its length in bytes.
    pub len: u64,
    /// Milliseconds on any clock that does not go back.
    pub millis: u64,
}

/// A cache without bytes.
pub trait Shadow: fmt::Debug + Send {
    /// Takes one ask: `true` when it holds the blob already. What is larger than the cache is never taken in.
    fn ask(&mut self, asked: Asked) -> bool;

    /// Whether it holds a blob.
    fn holds(&self, id: u32) -> bool;

    /// So many more asks for a blob are forecast. Most know no forecast.
    fn expect(&mut self, _id: u32, _asks: f64) {}

    /// Drops a blob, and all that is remembered of its number.
    fn forget(&mut self, id: u32);
}

/// What is kept for each number; numbers are dense, so this is an array.
#[derive(Debug, Clone, Default)]
struct Slots<T>(Vec<T>);

impl<T: Copy + Default> Slots<T> {
    fn get(&self, id: u32) -> T {
        self.0.get(id as usize).copied().unwrap_or_default()
    }

    fn set(&mut self, id: u32, slot: T) {
        let at = id as usize;
        if at >= self.0.len() {
            self.0.resize(at + 1, T::default());
        }
        self.0[at] = slot;
    }
}
