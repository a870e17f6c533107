//! What the keeper does when there is no step to take: it looks at blobs on disk, whether they are what they were.

use crate::model::{Digest, Moment, Seconds};

use super::{Keeper, Turn, nameless, now};

/// How long a blob that was right is taken to be right.
const RIGHT_FOR: Seconds = Seconds(7 * 86_400);

impl Keeper {
    /// Looks at the blob whose turn it is; `None` when none has its turn. Chunks that have changed by themselves are fetched
    /// again; a blob that cannot be mended is dropped, and comes again when it is wanted.
    pub(super) async fn scrub(&self) -> Option<Turn> {
        let (doubtful, digest, len) = self.next_to_scrub(now())?;
        let file = self.told().files.get(&digest).cloned().unwrap_or_else(|| nameless(digest));
        let right = match doubtful {
            // An error leaves it as it is: it is not known to be wrong.
            true => self.images.verify(digest).await.unwrap_or(true),
            // What cannot be mended becomes doubtful, and has the next turn.
            false => matches!(self.images.scrub(&file).await, Ok(0)),
        };
        self.told().scrubbed.insert(digest, now());
        self.done.looked_at(len);
        self.throttle.moved(len).await;
        Some(Turn::Scrubbed(digest, right))
    }

    /// Whose turn it is. Nobody's who is being read.
    fn next_to_scrub(&self, now: Moment) -> Option<(bool, Digest, u64)> {
        let census = self.images.census();
        let disk = &self.images.inner.tiers.disk;
        let mut told = self.told();
        told.scrubbed.retain(|digest, _| census.contains_key(digest));
        let mut due = vec![];
        for one in census.values().filter(|one| one.disk && !one.fixed) {
            // The turns of what is new here spread over a week, from another beginning after each start.
            let spread = || {
                let share = one.digest.bytes()[0].wrapping_add(now.as_millis() as u8);
                let looked = u64::from(share) * u64::from(RIGHT_FOR.0) / 256 * 1000;
                Moment::from_millis(now.as_millis().saturating_sub(looked))
            };
            // What nobody has hashed since the start would be hashed while a device waits.
            let doubtful = disk.find(&one.digest).is_some_and(|entry| !entry.verified);
            let last = *told.scrubbed.entry(one.digest).or_insert_with(spread);
            if doubtful || last.plus(RIGHT_FOR) <= now {
                due.push((!doubtful, last, one.digest, one.len));
            }
        }
        due.into_iter().min().map(|(sure, _, digest, len)| (!sure, digest, len))
    }
}
