//! What people did about a device, in words.

use serde::Serialize;

use crate::{
    model::{DeviceId, Moment, Role},
    serve::audit::acts_here,
};

use super::super::{Visitor, Web, word::When};

/// How many acts are shown.
const SHOWN: usize = 10;

/// One thing that somebody did.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Deed {
    /// The number of its fact.
    pub(super) seq: u64,
    /// When.
    pub(super) when: When,
    /// Who, for those who may know.
    pub(super) who: Option<String>,
    /// What.
    pub(super) what: String,
}

/// What was done about a device of late. Reads the disk.
pub(super) fn latest(web: &Web, device: DeviceId, visitor: &Visitor, now: Moment) -> Vec<Deed> {
    let may_know = visitor.role >= Role::Admin;
    // A page without it is better than none.
    let acts = acts_here(&web.context, device, SHOWN).unwrap_or_default().into_iter();
    acts.map(|act| Deed { seq: act.seq, when: When::of(act.at, now), who: may_know.then_some(act.by), what: act.said })
        .collect()
}

/// The same, since the fact with this number. Reads the disk.
pub(super) fn since(web: &Web, device: DeviceId, changed: u64, visitor: &Visitor, now: Moment) -> Vec<Deed> {
    let mut deeds = latest(web, device, visitor, now);
    deeds.retain(|deed| deed.seq > changed);
    deeds
}
