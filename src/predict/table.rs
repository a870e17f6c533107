//! The forecast table: what `decide` looks up. Made off the packet path, published as a whole.

use rpds::HashTrieMapSync;
use serde::{Deserialize, Serialize};

use crate::model::{DeviceId, Moment, prediction::Prediction};

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
}

impl Table {
    /// A table without rows, good until `until`.
    pub fn new(origin: Origin, until: Moment) -> Self {
        Self { origin: Some(origin), until, rows: HashTrieMapSync::default() }
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
    }

    /// Takes away what is predicted for a device.
    pub fn drop(&mut self, device: DeviceId) {
        self.rows.remove_mut(&device);
    }

    /// Somebody looked, and it is as good as it gets until then.
    pub fn renew(&mut self, until: Moment) {
        self.until = until;
    }

    /// What is predicted for a device at `now`; nothing when the table is stale. Allocates nothing.
    pub fn of(&self, device: DeviceId, now: Moment) -> Option<&Prediction> {
        if now > self.until { None } else { self.rows.get(&device) }
    }

    /// Every row, in no order, whether the table is stale or not.
    pub fn rows(&self) -> impl Iterator<Item = (DeviceId, &Prediction)> {
        self.rows.iter().map(|(device, prediction)| (*device, prediction))
    }
}
