//! The sums over all rows. A clone is a few pointers: whoever holds one keeps it as it was.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use serde::Serialize;

use crate::{
    boot::foresee::Standing,
    model::{DeviceId, PersonaName, Probability},
    serve::web::device::state::State,
};

use super::row::{ATTRIBUTES, Row};

/// How many devices have each name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::serve::web) struct Tally(Arc<HashMap<Arc<str>, usize>>);

impl Tally {
    /// How many have this one.
    pub(in crate::serve::web) fn of(&self, name: &str) -> usize {
        self.0.get(name).copied().unwrap_or_default()
    }

    /// How many different ones there are.
    pub(in crate::serve::web) fn len(&self) -> usize {
        self.0.len()
    }

    /// The commonest, at most so many of them; of those that are as common the first by name.
    pub(in crate::serve::web) fn commonest(&self, most: usize) -> Vec<(&str, usize)> {
        let mut all: Vec<(&str, usize)> = self.0.iter().map(|(name, count)| (&**name, *count)).collect();
        let order = |(a, many): &(&str, usize), (b, more): &(&str, usize)| more.cmp(many).then(a.cmp(b));
        if most < all.len() {
            all.select_nth_unstable_by(most, order);
            all.truncate(most);
        }
        all.sort_unstable_by(order);
        all
    }

    /// One more; the name as it is shared by all who have it.
    fn add(&mut self, name: &str) -> Arc<str> {
        let counts = Arc::make_mut(&mut self.0);
        let name = counts.get_key_value(name).map_or_else(|| name.into(), |(name, _)| name.clone());
        *counts.entry(name.clone()).or_default() += 1;
        name
    }

    /// One less.
    fn take(&mut self, name: &str) {
        let counts = Arc::make_mut(&mut self.0);
        if let Some(count) = counts.get_mut(name) {
            *count -= 1;
            if *count == 0 {
                counts.remove(name);
            }
        }
    }
}

/// How many devices a persona has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(in crate::serve::web) struct Count {
    /// Those that an operator assigned it to.
    pub(in crate::serve::web) assigned: usize,
    /// Those that have it: it is what they became last.
    pub(in crate::serve::web) has: usize,
}

/// What was counted over all devices.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::serve::web) struct Sums {
    /// How many devices are known.
    pub(in crate::serve::web) devices: usize,
    /// How many spoke within the last day.
    pub(in crate::serve::web) seen: usize,
    /// How many never spoke.
    pub(in crate::serve::web) never: usize,
    /// How many may be wiped at their next boot.
    pub(in crate::serve::web) armed: usize,
    /// Of how many the latest boot failed or went silent.
    pub(in crate::serve::web) troubled: usize,
    /// How many nobody gave a persona.
    pub(in crate::serve::web) unassigned: usize,
    /// What is said of them, of [`ATTRIBUTES`].
    pub(in crate::serve::web) said: [Tally; ATTRIBUTES.len()],
    /// Whether the forecast is too old to be used: nothing comes of any prediction then.
    pub(super) stale: bool,
    acts: usize,
    silent: usize,
    /// The surest first.
    proposed: Arc<BTreeSet<(Reverse<Probability>, DeviceId)>>,
    assigned: Tally,
    has: Tally,
    shown: Tally,
}

impl Sums {
    /// Of how many a prediction would choose the persona.
    pub(in crate::serve::web) fn acts(&self) -> usize {
        if self.stale { 0 } else { self.acts }
    }

    /// Of how many a prediction is known that nothing comes of.
    pub(in crate::serve::web) fn silent(&self) -> usize {
        if self.stale { 0 } else { self.silent }
    }

    /// For how many one is proposed.
    pub(in crate::serve::web) fn proposals(&self) -> usize {
        if self.stale { 0 } else { self.proposed.len() }
    }

    /// For which one is proposed, the surest first.
    pub(in crate::serve::web) fn proposed(&self) -> impl Iterator<Item = DeviceId> {
        self.proposed.iter().take(self.proposals()).map(|(_, device)| *device)
    }

    /// How many devices a persona has.
    pub(in crate::serve::web) fn of(&self, persona: &PersonaName) -> Count {
        Count { assigned: self.assigned.of(persona.as_str()), has: self.has.of(persona.as_str()) }
    }

    /// One device more. The row comes back with the names that are kept here.
    pub(super) fn add(&mut self, device: DeviceId, row: &Row<&str>) -> Row<Arc<str>> {
        self.figures(row, |sum, one| *sum += one);
        match row.standing {
            None => {}
            Some((Standing::Acts, _)) => self.acts += 1,
            Some((Standing::Silent, _)) => self.silent += 1,
            Some((Standing::Proposed, probability)) => {
                Arc::make_mut(&mut self.proposed).insert((Reverse(probability), device));
            }
        }
        let [role, location] = &mut self.said;
        Row {
            armed: row.armed,
            seen: row.seen,
            today: row.today,
            state: row.state,
            unassigned: row.unassigned,
            standing: row.standing,
            address: row.address,
            due: row.due,
            assigned: row.assigned.map(|name| self.assigned.add(name)),
            has: row.has.map(|name| self.has.add(name)),
            persona: row.persona.map(|name| self.shown.add(name)),
            said: [row.said[0].map(|value| role.add(value)), row.said[1].map(|value| location.add(value))],
        }
    }

    /// One device less.
    pub(super) fn take(&mut self, device: DeviceId, row: &Row<Arc<str>>) {
        self.figures(row, |sum, one| *sum -= one);
        match row.standing {
            None => {}
            Some((Standing::Acts, _)) => self.acts -= 1,
            Some((Standing::Silent, _)) => self.silent -= 1,
            Some((Standing::Proposed, probability)) => {
                Arc::make_mut(&mut self.proposed).remove(&(Reverse(probability), device));
            }
        }
        let named = [(&mut self.assigned, &row.assigned), (&mut self.has, &row.has), (&mut self.shown, &row.persona)];
        for (tally, name) in named.into_iter().chain(self.said.iter_mut().zip(&row.said)) {
            if let Some(name) = name {
                tally.take(name);
            }
        }
    }

    /// The plain numbers that a row is part of.
    fn figures<N>(&mut self, row: &Row<N>, change: impl Fn(&mut usize, usize)) {
        change(&mut self.seen, usize::from(row.today));
        change(&mut self.never, usize::from(row.seen.is_none()));
        change(&mut self.armed, usize::from(row.armed));
        change(&mut self.troubled, usize::from(matches!(row.state, State::Stuck | State::Failed)));
        change(&mut self.unassigned, usize::from(row.unassigned));
    }
}
