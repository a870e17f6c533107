//! A trace of requests: who was asked for, when, and how large it is.
//!
//! A line is `time,object,size`: seconds (from any start, decimals allowed) or RFC 3339; any text, also with commas; bytes, or
//! `32MiB`. An object whose size changes is another blob from then on, as it would be under its digest.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use crate::model::{Bytes, Digest, Moment};

use super::super::Known;

/// One ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// When.
    pub at: Moment,
    /// For which of the trace's blobs.
    pub blob: u32,
}

/// Why a line is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    /// There are less than three fields.
    #[error("a line is `time,object,size`, as in `12.5,debian-12/initrd,32MiB`")]
    Fields,
    /// The time is none.
    #[error("`{0}` is no time: write seconds, as in 12.5, or RFC 3339, as in 2026-11-24T08:00:00Z")]
    Time(String),
    /// The size is none.
    #[error("{0}")]
    Size(String),
    /// The object has no name.
    #[error("the object has no name")]
    Nameless,
    /// There are more objects than four billion.
    #[error("there are more than four billion objects")]
    TooMany,
}

/// The requests in order of time, and the blobs that they are for.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// The blobs, in the order in which they were first asked for.
    pub blobs: Vec<Known>,
    /// The requests.
    pub asks: Vec<Ask>,
    ids: HashMap<Digest, u32>,
    /// Every version of each object, by the name.
    names: HashMap<String, Vec<u32>>,
}

impl Trace {
    /// Takes one line: `false` when it is empty, a comment or the heading.
    pub fn read(&mut self, line: &str) -> Result<bool, BadLine> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.eq_ignore_ascii_case("time,object,size") {
            return Ok(false);
        }
        let (time, rest) = line.split_once(',').ok_or(BadLine::Fields)?;
        let (object, size) = rest.rsplit_once(',').ok_or(BadLine::Fields)?;
        let at = moment(time)?;
        let len: Bytes = size.trim().parse().map_err(BadLine::Size)?;
        let object = unquoted(object);
        if object.is_empty() {
            return Err(BadLine::Nameless);
        }
        self.ask(at, object, len.0)?;
        Ok(true)
    }

    /// Takes one request.
    pub fn ask(&mut self, at: Moment, object: &str, len: u64) -> Result<(), BadLine> {
        let digest = digest_of(object, len);
        let next = u32::try_from(self.blobs.len()).map_err(|_| BadLine::TooMany)?;
        let blob = *self.ids.entry(digest).or_insert(next);
        if blob == next {
            self.blobs.push(Known { digest, len });
            self.names.entry(object.to_owned()).or_default().push(blob);
        }
        self.asks.push(Ask { at, blob });
        Ok(())
    }

    /// The blobs that were asked for under a name: more than one when its size changed.
    pub fn named(&self, object: &str) -> &[u32] {
        self.names.get(object).map_or(&[], Vec::as_slice)
    }

    /// A blob by its digest.
    pub(super) fn find(&self, digest: &Digest) -> Option<Known> {
        self.ids.get(digest).map(|id| self.blobs[*id as usize])
    }

    /// The length of what is asked for.
    pub(super) fn len_of(&self, ask: Ask) -> u64 {
        self.blobs[ask.blob as usize].len
    }

    /// Brings the requests into the order of time, if they were not in it: `true` when they were not.
    pub fn sort(&mut self) -> bool {
        let sorted = self.asks.is_sorted_by_key(|ask| ask.at);
        self.asks.sort_by_key(|ask| ask.at);
        !sorted
    }
}

pub(super) fn moment(text: &str) -> Result<Moment, BadLine> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>()
        && (0.0..1e12).contains(&seconds)
    {
        return Ok(Moment::from_millis((seconds * 1000.0).round() as u64));
    }
    let time: Option<jiff::Timestamp> = text.parse().ok();
    let millis = time.and_then(|time| u64::try_from(time.as_millisecond()).ok());
    millis.map(Moment::from_millis).ok_or_else(|| BadLine::Time(text.to_owned()))
}

/// An object's name, without blanks and quotes around it.
pub(super) fn unquoted(object: &str) -> &str {
    let object = object.trim();
    object.strip_prefix('"').and_then(|object| object.strip_suffix('"')).unwrap_or(object)
}

/// A blob stands for an object of a size: the digest of both.
fn digest_of(object: &str, len: u64) -> Digest {
    let mut hash = Sha256::new();
    hash.update(object.as_bytes());
    hash.update(len.to_be_bytes());
    Digest::new(hash.finalize().into())
}
