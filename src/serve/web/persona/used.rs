//! Who uses a persona or a fragment: what must be known before it goes.

use serde::Serialize;

use crate::{
    library::{Paper, View},
    model::PersonaName,
};

use super::super::Web;

/// Who uses a document.
#[derive(Debug, Default, Serialize)]
pub(super) struct Used {
    /// The personas that are composed of it: it cannot go while they are.
    pub(super) by: Vec<String>,
    /// How many devices an operator assigned it to.
    pub(super) assigned: usize,
    /// How many devices have it.
    pub(super) has: usize,
    /// How many attempts under way become it: they keep the version that they began with.
    pub(super) under_way: usize,
    /// The rules of the configuration that give it.
    pub(super) rules: Vec<String>,
    /// Whether devices that nothing else names get it.
    pub(super) default: bool,
    /// Who takes its place.
    pub(super) successor: Option<String>,
}

impl Used {
    /// Who uses it now. Not for an async task.
    pub(super) fn of(web: &Web, paper: &Paper) -> Self {
        let view = web.context.library.view();
        let by = composed_of(&view, paper);
        let Paper::Persona(name) = paper else { return Self { by, ..Self::default() } };
        let (world, ground) = (web.context.engine.world(), web.context.engine.ground());
        let count = web.sums().of(name);
        let policy = &ground.site.boot;
        let under_way = world.boots.values().filter(|boot| {
            boot.outcome.is_none() && boot.kernel.as_ref().is_some_and(|kernel| kernel.persona.name == *name)
        });
        let takes_place = |name: &PersonaName| {
            let mut claims = ground.catalog.personas().filter(|entry| entry.persona.supersedes.contains(name));
            claims.next().filter(|_| claims.next().is_none()).map(|entry| entry.reference.name.to_string())
        };
        Self {
            by,
            assigned: count.assigned,
            has: count.has,
            under_way: under_way.count(),
            rules: policy.rules.iter().filter(|rule| rule.persona == *name).map(|rule| rule.name.clone()).collect(),
            default: policy.default.as_ref() == Some(name),
            successor: takes_place(name),
        }
    }

    /// Whether anything would go to devices that is not there any more.
    pub(super) fn is_wanted(&self) -> bool {
        self.assigned > 0 || !self.rules.is_empty() || self.default
    }

    /// Whether it is one of many: for words.
    pub(super) fn rules(&self) -> String {
        self.rules.join(", ")
    }
}

/// The personas that are composed of a document, itself not counted.
pub(super) fn composed_of(view: &View, paper: &Paper) -> Vec<String> {
    let own = ["yaml", "yml"].map(|ending| format!("{paper}.{ending}"));
    let is_part = |files: &Vec<String>| files.iter().any(|file| own.contains(file));
    let stem = paper.to_string();
    view.files.iter().filter(|(name, files)| **name != stem && is_part(files)).map(|(name, _)| name.clone()).collect()
}
