//! Examples as the table that the learner takes: which columns there are, and the words of each row.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    model::{DeviceId, Moment, UserName},
    predict::{NEVER, Row, Sample},
};

use super::{
    Example, Features,
    describe::{HOURS, OWN, hours},
};

/// The kinds of groups: whose history a row has.
pub(super) const GROUPS: [&str; 2] = ["device", "user"];

/// How many of a site's attributes are columns: those that most examples have.
const MOST_ATTRIBUTES: usize = 24;

/// How many personas are told apart: those with the most examples.
const MOST_PERSONAS: usize = 1000;

/// What names the groups of a row.
pub(super) struct Whose {
    device: String,
    user: Option<String>,
}

impl Whose {
    pub(super) fn of(device: DeviceId, user: Option<&UserName>) -> Self {
        Self { device: device.to_string(), user: user.map(ToString::to_string) }
    }
}

/// The columns that these examples have something to say in.
pub(super) fn columns(examples: &[Arc<Example>]) -> Vec<String> {
    let mut said: BTreeMap<&str, usize> = BTreeMap::new();
    for example in examples {
        for (name, _) in example.features.iter() {
            *said.entry(name).or_default() += 1;
        }
    }
    let own = OWN.iter().filter(|name| said.contains_key(*name)).copied();
    let mut attributes: Vec<(&str, usize)> =
        said.iter().map(|(name, times)| (*name, *times)).filter(|(name, _)| !OWN.contains(name)).collect();
    attributes.sort_by_key(|(name, times)| (Reverse(*times), *name));
    let attributes = attributes.into_iter().take(MOST_ATTRIBUTES).map(|(name, _)| name);
    attributes.chain(own).chain([HOURS]).map(str::to_owned).collect()
}

/// A row: what is known of a device at a moment.
pub(super) fn row<'a>(columns: &[String], features: &'a Features, whose: &'a Whose, at: Moment) -> Row<'a> {
    let value = |column: &String| match column.as_str() {
        HOURS => Some(hours(at)),
        name => {
            let at = features.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
            Some(&*features[at].1)
        }
    };
    Row {
        values: columns.iter().map(value).collect(),
        groups: vec![Some(&whose.device), whose.user.as_deref()],
        at: i64::try_from(at.as_millis()).ok(),
    }
}

/// The table of these examples, which come in the order in which they were planned, with these columns; and how many examples
/// were left out, as theirs were the rarest of too many personas.
pub(super) fn sample(examples: &[Arc<Example>], columns: &[String]) -> (Sample, usize) {
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut sample = Sample::new(&names, &GROUPS);
    let kept = personas(examples);
    let mut left_out = 0;
    for example in examples {
        let whose = Whose::of(example.device, example.user.as_ref());
        let row = row(columns, &example.features, &whose, example.at);
        let known = Some(i64::try_from(example.known_at.as_millis()).unwrap_or(NEVER));
        let fits =
            kept.contains(example.persona.as_str()) && sample.push_known(&row, example.persona.as_str(), known).is_ok();
        left_out += usize::from(!fits);
    }
    (sample, left_out)
}

/// The personas that are told apart.
fn personas(examples: &[Arc<Example>]) -> BTreeSet<&str> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for example in examples {
        *times.entry(example.persona.as_str()).or_default() += 1;
    }
    let mut all: Vec<(&str, usize)> = times.into_iter().collect();
    all.sort_by_key(|(name, times)| (Reverse(*times), *name));
    all.into_iter().take(MOST_PERSONAS).map(|(name, _)| name).collect()
}
