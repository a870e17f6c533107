//! The fold: the only code that changes a World.

use crate::model::Record;

use super::World;

impl World {
    /// Folds one record in. Records come in order, each once.
    pub fn apply(&mut self, record: &Record) {
        self.seq = record.seq;
    }
}
