//! What people did about a device, in words.

use serde::Serialize;
use serde_json::Value;

use crate::{
    model::{DeviceId, Moment, Role},
    serve::audit::{self, Act, act_at, acts},
};

use super::{
    super::{Visitor, Web},
    word::When,
};

/// How many of the newest records are looked through for a page: reading further back takes longer than anybody waits.
const NEWEST: u64 = 2048;
/// How far back a conflict is looked for.
const CONFLICT: u64 = 50_000;
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

impl Deed {
    fn of(act: Act, visitor: &Visitor, now: Moment) -> Self {
        let who = (visitor.role >= Role::Admin).then(|| act.by.clone());
        Self { seq: act.seq, when: When::of(act.at, now), who, what: what(&act) }
    }
}

fn what(act: &Act) -> String {
    let said = |name: &str| act.details.get(name).and_then(Value::as_str).unwrap_or("?");
    match act.fact.as_str() {
        "persona-assigned" => {
            let why = act.details.get("why").and_then(Value::as_str).map(|why| format!(" ({why})"));
            format!("assigned {}{}", said("persona"), why.unwrap_or_default())
        }
        "persona-unassigned" => "took the assignment back".into(),
        "device-armed" => "armed it".into(),
        "device-disarmed" => "took the leave to wipe its disk back".into(),
        "device-forgotten" => "had it forgotten".into(),
        "proposal-declined" => format!("declined {}", said("persona")),
        "device-described" => {
            let changes = act.details.get("changes").and_then(Value::as_object);
            let one = |(name, value): (&String, &Value)| match value.as_str() {
                Some(value) => format!("{name}={value}"),
                None => format!("{name} taken away"),
            };
            format!("described it: {}", changes.into_iter().flatten().map(one).collect::<Vec<_>>().join(", "))
        }
        other => other.replace('-', " "),
    }
}

/// What was done about a device of late: the act that changed it last, and others among the newest facts. Reads the disk.
pub(super) fn latest(web: &Web, device: DeviceId, changed: u64, visitor: &Visitor, now: Moment) -> Vec<Deed> {
    let (journal, newest) = (&web.context.journal, web.context.engine.world().seq);
    let ask = audit::Ask { device: Some(device.to_string()), limit: Some(SHOWN), ..audit::Ask::default() };
    let mut acts = acts(journal, newest, &ask, NEWEST).map(|found| found.acts).unwrap_or_default();
    if changed > 0 && acts.iter().all(|act| act.seq != changed) {
        acts.extend(act_at(journal, changed).ok().flatten());
    }
    acts.into_iter().map(|act| Deed::of(act, visitor, now)).collect()
}

/// What was done about a device since the fact with this number, the newest first. Reads the disk.
pub(super) fn since(web: &Web, device: &str, changed: u64, visitor: &Visitor, now: Moment) -> Vec<Deed> {
    let newest = web.context.engine.world().seq;
    let ask = audit::Ask { device: Some(device.to_owned()), limit: Some(SHOWN), ..audit::Ask::default() };
    let most = newest.saturating_sub(changed).min(CONFLICT);
    let acts = acts(&web.context.journal, newest, &ask, most).map(|found| found.acts).unwrap_or_default();
    acts.into_iter().filter(|act| act.seq > changed).map(|act| Deed::of(act, visitor, now)).collect()
}
