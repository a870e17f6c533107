//! What the documents of a library can extend.

use std::sync::PoisonError;

use crate::persona::compose::Shelf;

use super::{Desk, Files};

impl Desk {
    /// Every document that can be extended, or what is wrong with it. Reads what has changed since it was last asked.
    pub fn shelf(&self) -> Shelf {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        reading.is.shelf(&Files::Folder(self.dir.clone()))
    }
}
