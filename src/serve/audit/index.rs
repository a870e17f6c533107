//! Where in the journal acts are. Most facts are what devices do: without this, whoever looks for a rare act reads all of them.
//!
//! ```text
//!   journal   first ........................ newest
//!   index              from ########## to             grows to both sides
//! ```
//! It is in memory and is kept nowhere: a start waits for nothing, and nothing is written twice. What is new is looked at
//! whenever somebody asks, what is older by a task of the daemon right after the start (`app/acts`), or by whoever needs it
//! first. Measured: a million facts (270 MB) are looked through in half a second of one processor; an act takes 32 bytes, and
//! a million of them are searched in 1.3 ms.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::{
    journal::{JournalError, Reader, Signed},
    model::{DeviceId, Moment},
    serve::context::lock,
};

use super::Ask;

/// How many records are looked at in one go, while others wait.
const STEP: u64 = 4096;

/// How long one who asks looks through what nobody looked at yet: then they hear how far that is.
const PATIENCE: Duration = Duration::from_millis(30);

/// That a key was used is said beside what was done with it, and is nothing done.
const NOT_DONE: &str = "orders-taken";

/// Where acts are, as far as anybody looked.
#[derive(Debug, Default)]
pub struct Index(Mutex<Looked>);

/// Some acts, by the numbers of their records.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The newest first.
    pub(super) numbers: Vec<u64>,
    /// Where the next ones begin, as `before`.
    pub(super) next: Option<u64>,
    /// What is older than `next` was not looked at yet: when that begins.
    pub(super) back_to: Option<Moment>,
}

impl Index {
    /// Looks at some of what is older than everything that was looked at. Whether there is more. Reads the disk.
    pub fn further(&self, journal: &Reader, newest: u64) -> Result<bool, JournalError> {
        let mut looked = lock(&self.0);
        looked.follow(journal, newest)?;
        looked.further(journal)
    }

    /// The names that facts of this kind have here, and the names of those who did them.
    pub(in crate::serve) fn words(&self) -> (Vec<String>, Vec<String>) {
        let looked = lock(&self.0);
        (looked.facts.all(), looked.people.all())
    }

    /// The acts of a device that are asked for, or of any, up to the record `newest`. Reads the disk.
    pub(super) fn find(
        &self,
        journal: &Reader,
        newest: u64,
        ask: &Ask,
        device: Option<DeviceId>,
    ) -> Result<Found, JournalError> {
        let began = Instant::now();
        let mut looked = lock(&self.0);
        looked.follow(journal, newest)?;
        let limit = ask.limit.unwrap_or(super::LIMIT);
        let mut before = ask.before.unwrap_or(u64::MAX);
        let mut numbers = vec![];
        loop {
            // One more tells whether there is a next page.
            numbers.extend(looked.fitting(ask, device, before).take(limit.saturating_add(1) - numbers.len()));
            if numbers.len() > limit {
                numbers.truncate(limit);
                let next = numbers.last().copied();
                return Ok(Found { numbers, next, back_to: None });
            }
            // What follows is too old, or was fitted already.
            let over = looked.began.zip(ask.since).is_some_and(|(began, since)| began < since);
            before = before.min(looked.from);
            if over || !looked.has_more(journal)? {
                return Ok(Found { numbers, next: None, back_to: None });
            }
            if began.elapsed() > PATIENCE {
                return Ok(Found { numbers, next: Some(before), back_to: looked.began });
            }
            looked.further(journal)?;
        }
    }
}

/// What was looked at: the records from `from` up to, not including, `to`.
#[derive(Debug, Default)]
struct Looked {
    from: u64,
    to: u64,
    /// When `from` was written.
    began: Option<Moment>,
    /// The acts among them, the oldest first.
    acts: VecDeque<Entry>,
    facts: Names,
    people: Names,
}

/// An act: what people look for it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    seq: u64,
    at: Moment,
    fact: u32,
    by: u32,
    device: Option<DeviceId>,
}

impl Looked {
    /// Looks at what is new, and drops what is not kept any more.
    fn follow(&mut self, journal: &Reader, newest: u64) -> Result<(), JournalError> {
        let first = journal.first()?.unwrap_or(0);
        if self.to == 0 {
            (self.from, self.to) = (newest + 1, newest + 1);
        }
        while self.to <= newest {
            let to = (self.to + STEP).min(newest + 1);
            let (signed, began) = journal.signed(self.to..to)?;
            self.began = self.began.or(began);
            self.acts.extend(signed.into_iter().filter_map(|one| entry(one, &mut self.facts, &mut self.people)));
            self.to = to;
        }
        if self.from < first {
            let gone = self.acts.partition_point(|act| act.seq < first);
            self.acts.drain(..gone);
            self.from = first;
        }
        Ok(())
    }

    /// Looks at some of what is older.
    fn further(&mut self, journal: &Reader) -> Result<bool, JournalError> {
        if !self.has_more(journal)? {
            return Ok(false);
        }
        let from = self.from.saturating_sub(STEP);
        let (signed, began) = journal.signed(from..self.from)?;
        for one in signed.into_iter().rev() {
            if let Some(entry) = entry(one, &mut self.facts, &mut self.people) {
                self.acts.push_front(entry);
            }
        }
        self.began = began.or(self.began);
        self.from = from;
        self.has_more(journal)
    }

    fn has_more(&self, journal: &Reader) -> Result<bool, JournalError> {
        Ok(journal.first()?.is_some_and(|first| first < self.from))
    }

    /// The numbers of what is asked for and older than `before`, the newest first.
    fn fitting<'a>(&'a self, ask: &'a Ask, device: Option<DeviceId>, before: u64) -> impl Iterator<Item = u64> + 'a {
        // A name that stands nowhere fits nothing.
        let fact = ask.fact.as_deref().map(|fact| self.facts.number(fact));
        let by = ask.by.as_deref().map(|by| self.people.number(by));
        let end = self.acts.partition_point(|act| act.seq < before);
        let fits = move |act: &&Entry| {
            by.is_none_or(|by| by == Some(act.by))
                && fact.is_none_or(|fact| fact == Some(act.fact))
                && device.is_none_or(|device| act.device == Some(device))
                && ask.until.is_none_or(|until| act.at < until)
        };
        let young = move |act: &&Entry| ask.since.is_none_or(|since| act.at >= since);
        self.acts.range(..end).rev().take_while(young).filter(fits).map(|act| act.seq)
    }
}

/// The entry of a record, if it is an act.
fn entry(signed: Signed, facts: &mut Names, people: &mut Names) -> Option<Entry> {
    let Signed { seq, at, fact, by, device } = signed;
    (fact != NOT_DONE).then(|| Entry { seq, at, fact: facts.note(fact), by: people.note(by), device })
}

/// Names, and the numbers that stand for them.
#[derive(Debug, Default)]
struct Names(BTreeMap<String, u32>);

impl Names {
    fn note(&mut self, name: String) -> u32 {
        // As many names as there are records at the most: far fewer than numbers.
        let next = self.0.len() as u32;
        *self.0.entry(name).or_insert(next)
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.0.get(name).copied()
    }

    fn all(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::Journal,
        model::{Fact, MacAddr, Record},
    };

    /// Ten thousand facts, every seventh of which is an act: of three people, about five devices.
    fn record(seq: u64) -> Record {
        let dice = seq.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let mac = |last: u64| MacAddr::new([0x52, 0x54, 0, 0, 0, last as u8]).expect("a port");
        let device = DeviceId::new(mac(dice % 5));
        let by = ["ann", "bob", "token:desk"][(dice / 5 % 3) as usize].to_owned();
        let fact = match dice % 14 {
            0 => Fact::DeviceArmed { device, by },
            7 => Fact::PersonaUnassigned { device, by },
            1 => Fact::OrdersTaken { key: "k".parse().expect("a key"), print: 1, by },
            _ => Fact::LeaseReleased { ip: [10, 0, 0, 1].into(), mac: device.mac() },
        };
        Record { seq, at: Moment::from_millis(1_000 * seq), fact }
    }

    fn kept(count: u64) -> (tempfile::TempDir, Journal, Vec<Record>) {
        let dir = tempfile::tempdir().expect("a folder");
        let (mut journal, _) = Journal::open(&dir.path().join("journal.redb")).expect("a journal");
        let records: Vec<Record> = (1..=count).map(record).collect();
        journal.append(&records, false).expect("it is written");
        (dir, journal, records)
    }

    /// What `ask` means, said plainly.
    fn plainly(records: &[Record], ask: &Ask, device: Option<DeviceId>) -> Vec<u64> {
        let fits = |record: &&Record| {
            let json = serde_json::to_value(record).expect("JSON");
            let is = |field: &str, wanted: &Option<String>| {
                wanted.as_ref().is_none_or(|wanted| json[field].as_str() == Some(wanted))
            };
            !matches!(record.fact, Fact::OrdersTaken { .. })
                && json.get("by").is_some()
                && is("by", &ask.by)
                && is("fact", &ask.fact)
                && is("device", &device.map(|device| device.to_string()))
                && ask.since.is_none_or(|since| record.at >= since)
                && ask.until.is_none_or(|until| record.at < until)
                && ask.before.is_none_or(|before| record.seq < before)
        };
        records.iter().rev().filter(fits).map(|record| record.seq).collect()
    }

    #[test]
    fn what_is_found_page_by_page_is_what_a_look_at_every_record_finds() {
        let (_dir, journal, records) = kept(10_000);
        let named = |text: &str| Some(text.to_owned());
        let device = Some(DeviceId::new("52:54:00:00:00:03".parse().expect("a port")));
        let at = |seq: u64| Some(Moment::from_millis(1_000 * seq));
        let asks = [
            (Ask::default(), None),
            (Ask { by: named("bob"), ..Ask::default() }, None),
            (Ask { by: named("nobody"), ..Ask::default() }, None),
            (Ask { fact: named("device-armed"), ..Ask::default() }, device),
            (Ask { since: at(3_000), until: at(9_000), ..Ask::default() }, None),
            (Ask { since: at(9_990), by: named("ann"), ..Ask::default() }, None),
            (Ask { before: Some(5_000), ..Ask::default() }, device),
        ];
        for (ask, device) in asks {
            // A new one each time: it grows while it is asked.
            let index = Index::default();
            let mut found = vec![];
            let mut asked = Ask { limit: Some(7), ..ask.clone() };
            loop {
                let page = index.find(&journal.reader(), 10_000, &asked, device).expect("it reads");
                assert!(page.numbers.len() <= 7);
                found.extend(page.numbers);
                asked.before = page.next;
                if page.next.is_none() {
                    break;
                }
            }
            assert_eq!(found, plainly(&records, &ask, device), "{ask:?}");
        }
    }

    #[test]
    fn what_is_new_is_found_and_what_is_not_kept_any_more_is_not() {
        let (_dir, mut journal, mut records) = kept(9_000);
        let index = Index::default();
        let all = Ask { limit: Some(usize::MAX - 1), ..Ask::default() };
        while index.further(&journal.reader(), 9_000).expect("it reads") {}
        let more: Vec<Record> = (9_001..=18_000).map(record).collect();
        journal.append(&more, false).expect("it is written");
        records.extend(more);
        let found = index.find(&journal.reader(), 18_000, &all, None).expect("it reads");
        assert_eq!((found.numbers, found.next), (plainly(&records, &all, None), None));
        assert_eq!(index.words().1, ["ann", "bob", "token:desk"]);
        // What was said of trimming is true of an index that looked before it as well.
        let mut looked = lock(&index.0);
        looked.from = 0;
        let gone = Entry { seq: 0, ..looked.acts[0] };
        looked.acts.push_front(gone);
        looked.follow(&journal.reader(), 18_000).expect("it reads");
        assert_eq!((looked.from, looked.acts[0].seq > 0), (1, true));
    }
}
