//! What is remembered of each blob, and the numbers that the shadows know them by. Blobs that no tier holds are remembered as
//! well: who was evicted and comes back is no stranger.

use std::collections::HashMap;

use crate::model::{Digest, Moment};

use super::heat::Heat;

/// So many blobs are remembered, at about a KiB each with all the shadows: a library has some hundred files.
const MOST: usize = 1 << 16;

/// What is remembered of one blob.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub(super) digest: Digest,
    pub(super) heat: Heat,
    /// Its length in bytes, as soon as somebody knows it.
    pub(super) len: Option<u64>,
    /// What a byte of it costs from its origin, in seconds, when that was measured.
    pub(super) cost: Option<f64>,
    /// Asks that the shadows were not told of, as its length was not known.
    pub(super) owed: u8,
    /// When it was last heard of.
    last: Moment,
}

/// All records.
#[derive(Debug, Default)]
pub(super) struct Records {
    ids: HashMap<Digest, u32>,
    records: Vec<Option<Record>>,
    free: Vec<u32>,
}

impl Records {
    pub(super) fn id(&self, digest: &Digest) -> Option<u32> {
        self.ids.get(digest).copied()
    }

    pub(super) fn find(&self, digest: &Digest) -> Option<&Record> {
        self.id(digest).and_then(|id| self.records.get(id as usize)?.as_ref())
    }

    /// The record of a blob, made when there is none.
    pub(super) fn enter(&mut self, digest: Digest, now: Moment) -> (u32, &mut Record) {
        let id = self.id(&digest).unwrap_or_else(|| {
            let id = self.free.pop().unwrap_or_else(|| {
                self.records.push(None);
                u32::try_from(self.records.len() - 1).expect("far fewer are remembered")
            });
            self.ids.insert(digest, id);
            id
        });
        let fresh = Record { digest, heat: Heat::default(), len: None, cost: None, owed: 0, last: now };
        let record = self.records[id as usize].get_or_insert(fresh);
        record.last = record.last.max(now);
        (id, record)
    }

    /// Forgets an eighth of the records when there are too many: those that were not heard of for the longest, first those
    /// that nobody `keeps`. Says which.
    pub(super) fn forget(&mut self, keeps: impl Fn(u32) -> bool) -> Vec<u32> {
        if self.ids.len() <= MOST {
            return vec![];
        }
        let all = (0..).zip(&self.records).filter_map(|(id, record)| record.map(|record| (id, record)));
        let mut oldest: Vec<(bool, Moment, u32)> = all.map(|(id, record)| (keeps(id), record.last, id)).collect();
        oldest.sort_unstable();
        oldest.truncate(MOST / 8);
        let forgotten: Vec<u32> = oldest.into_iter().map(|(_, _, id)| id).collect();
        for id in &forgotten {
            if let Some(record) = self.records[*id as usize].take() {
                self.ids.remove(&record.digest);
                self.free.push(*id);
            }
        }
        forgotten
    }

    /// Every record, by its number.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, &Record)> {
        (0..).zip(&self.records).filter_map(|(id, record)| record.as_ref().map(|record| (id, record)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_forgotten_before_what_is_kept_and_numbers_are_used_again() {
        let mut records = Records::default();
        let digest = |n: u32| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&n.to_be_bytes());
            Digest::new(bytes)
        };
        let most = u32::try_from(MOST).unwrap();
        for n in 0..=most {
            assert!(records.forget(|id| id < 10).is_empty());
            records.enter(digest(n), Moment::from_millis(u64::from(n)));
        }
        let forgotten = records.forget(|id| id < 10);
        assert_eq!((forgotten.len(), forgotten[0]), (MOST / 8, 10), "the oldest that is not kept");
        assert!(records.find(&digest(9)).is_some() && records.find(&digest(10)).is_none());
        let (id, _) = records.enter(digest(most + 1), Moment::default());
        assert!(forgotten.contains(&id));
    }
}
