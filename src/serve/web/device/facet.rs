//! How many devices there are of each kind, for the links above the list.

use serde::Serialize;

use crate::usage::filter::Filter;

use super::super::census::{ATTRIBUTES, Sums};

/// How many values of an attribute are shown.
const VALUES: usize = 8;

/// A link that narrows the list down.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Facet {
    /// What it is called.
    pub(super) name: String,
    /// The filter behind it.
    pub(super) filter: String,
    /// How many devices it fits.
    pub(super) count: usize,
}

/// An attribute with its commonest values.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Group {
    /// Which attribute.
    pub(super) attribute: &'static str,
    /// Its values, the commonest first.
    pub(super) values: Vec<Facet>,
    /// How many more values there are.
    pub(super) more: usize,
}

/// All of them.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Facets {
    /// How many devices are known.
    pub(super) all: usize,
    /// By how they stand.
    pub(super) standing: Vec<Facet>,
    /// By what is said of them.
    pub(super) groups: Vec<Group>,
}

impl Facets {
    /// The numbers as links.
    pub(super) fn of(sums: &Sums) -> Self {
        let facet = |name: &str, filter: String, count| Facet { name: name.into(), filter, count };
        let standing = [
            ("armed", "armed", sums.armed),
            ("stuck or failed", "outcome=stuck or outcome=failed", sums.troubled),
            ("unassigned", "not assigned", sums.unassigned),
            ("seen today", "seen<1d", sums.seen),
            ("never seen", "not seen", sums.never),
        ];
        let said = ATTRIBUTES.into_iter().zip(&sums.said).filter(|(_, values)| values.len() > 0);
        let groups = said.map(|(attribute, values)| {
            let commonest = values.commonest(VALUES).into_iter();
            let more = values.len().saturating_sub(VALUES);
            let values = commonest.map(|(value, count)| facet(value, is(attribute, value), count)).collect();
            Group { attribute, values, more }
        });
        Self {
            all: sums.devices,
            standing: standing.map(|(name, filter, count)| facet(name, filter.into(), count)).into(),
            groups: groups.collect(),
        }
    }
}

/// The filter that asks for one value of an attribute.
fn is(attribute: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
    let written = format!("{attribute}=\"{value}\"");
    // Written as everywhere else, without quotes where none are needed.
    written.parse::<Filter>().map(|filter| filter.to_string()).unwrap_or(written)
}
