//! The forecast table: what `decide` looks up. Made off the packet path, published as a whole.

use std::{collections::VecDeque, sync::Arc};

use rpds::HashTrieMapSync;
use serde::{Deserialize, Serialize};

use crate::model::{DeviceId, Moment, prediction::Prediction};

/// How many changes of rows a table remembers: an hour's look at all devices comes in pieces of a thousand.
const REMEMBERED: usize = 8192;

/// What made a table: a version of the model, or the baseline that beat it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// What it is called: the model's version, or the baseline's name.
    pub name: String,
    /// When it was trained.
    pub trained: Moment,
}

/// What is predicted for every device that anything is predicted for. Cheap to clone, and to change by a row.
#[derive(Debug, Clone, Default)]
pub struct Table {
    origin: Option<Origin>,
    /// When it goes stale: afterwards it is as if there were none.
    until: Moment,
    rows: HashTrieMapSync<DeviceId, Prediction>,
    /// Told from other tables by this. Its clones are later states of the same one.
    line: Arc<()>,
    /// How many rows were put or dropped so far, and whose they were: the latest [`REMEMBERED`], the oldest first.
    changes: u64,
    latest: VecDeque<DeviceId>,
}

/// A state of a table: a later one says what has changed since.
#[derive(Debug, Clone)]
pub struct Mark {
    line: Arc<()>,
    changes: u64,
}

impl Table {
    /// A table without rows, good until `until`.
    pub fn new(origin: Origin, until: Moment) -> Self {
        Self { origin: Some(origin), until, ..Self::default() }
    }

    /// What made it; `None` for the table of a site where nothing was trained yet.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// When it goes stale.
    pub fn until(&self) -> Moment {
        self.until
    }

    /// Sets what is predicted for a device.
    pub fn put(&mut self, device: DeviceId, prediction: Prediction) {
        self.rows.insert_mut(device, prediction);
        self.changed(device);
    }

    /// Takes away what is predicted for a device.
    pub fn drop(&mut self, device: DeviceId) {
        self.rows.remove_mut(&device);
        self.changed(device);
    }

    fn changed(&mut self, device: DeviceId) {
        self.changes += 1;
        if self.latest.len() == REMEMBERED {
            self.latest.pop_front();
        }
        self.latest.push_back(device);
    }

    /// This state, to be held against later ones.
    pub fn mark(&self) -> Mark {
        Mark { line: self.line.clone(), changes: self.changes }
    }

    /// The devices whose rows were put or dropped since, some of them more than once; `None` when any may have been: this is
    /// another table, or too much has changed.
    pub fn since(&self, mark: &Mark) -> Option<impl Iterator<Item = DeviceId>> {
        let missed = self.changes.checked_sub(mark.changes).and_then(|missed| usize::try_from(missed).ok());
        let missed = missed.filter(|missed| Arc::ptr_eq(&self.line, &mark.line) && *missed <= self.latest.len())?;
        Some(self.latest.iter().rev().take(missed).copied())
    }

    /// Somebody looked, and it is as good as it gets until then.
    pub fn renew(&mut self, until: Moment) {
        self.until = until;
    }

    /// What is predicted for a device at `now`; nothing when the table is stale. Allocates nothing.
    pub fn of(&self, device: DeviceId, now: Moment) -> Option<&Prediction> {
        if now > self.until { None } else { self.rows.get(&device) }
    }

    /// The row of a device, whether the table is stale or not.
    pub fn row(&self, device: DeviceId) -> Option<&Prediction> {
        self.rows.get(&device)
    }

    /// Every row, in no order, whether the table is stale or not.
    pub fn rows(&self) -> impl Iterator<Item = (DeviceId, &Prediction)> {
        self.rows.iter().map(|(device, prediction)| (*device, prediction))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MacAddr;

    fn device(n: usize) -> DeviceId {
        let [.., a, b] = n.to_be_bytes();
        DeviceId::new(MacAddr::new([2, 0, 0, 0, a, b]).expect("unicast"))
    }

    #[test]
    fn a_table_tells_what_has_changed_since_an_earlier_state_of_it() {
        let origin = Origin { name: "model 1".into(), trained: Moment::default() };
        let mut table = Table::new(origin.clone(), Moment::default());
        table.put(device(1), Prediction::default());
        let mark = table.mark();
        let mut later = table.clone();
        later.renew(Moment::from_millis(1));
        assert_eq!(later.since(&mark).map(Iterator::count), Some(0), "its rows are the same");
        later.put(device(2), Prediction::default());
        later.drop(device(1));
        let changed: Vec<DeviceId> = later.since(&mark).expect("it is known").collect();
        assert_eq!(changed, [device(1), device(2)]);
        assert!(table.since(&later.mark()).is_none(), "an earlier state knows nothing of it");
        (0..REMEMBERED - 2).for_each(|n| later.put(device(n), Prediction::default()));
        assert_eq!(later.since(&mark).map(Iterator::count), Some(REMEMBERED));
        later.put(device(9), Prediction::default());
        assert!(later.since(&mark).is_none(), "too much has changed");
        let mut other = Table::new(origin, Moment::default());
        other.put(device(1), Prediction::default());
        assert!(other.since(&mark).is_none(), "another table, of the same model");
    }
}
