//! Who takes the place of whom, across the library: one persona at most takes the place of another.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    document::{Document, Problem},
    model::PersonaName,
    persona::catalog::{Catalog, Entry},
};

/// What is wrong with the `supersedes` of a library's personas.
pub(super) fn problems(catalog: &Catalog, documents: &BTreeMap<PersonaName, Arc<Document>>) -> Vec<Problem> {
    let mut claims: BTreeMap<&PersonaName, Vec<(&Entry, usize)>> = BTreeMap::new();
    for entry in catalog.personas() {
        for (at, name) in entry.persona.supersedes.iter().enumerate() {
            claims.entry(name).or_default().push((entry, at));
        }
    }
    let mut problems = vec![];
    for (name, by) in claims {
        let told = |(entry, at): &(&Entry, usize), code, message: String, help: &str| {
            let document = documents.get(&entry.reference.name)?;
            Some(document.problem_at(code, &format!("supersedes.{at}"), message, help))
        };
        if by.len() > 1 {
            let names: Vec<String> = by.iter().map(|(entry, _)| entry.reference.name.to_string()).collect();
            let message = format!("{} all supersede {name}: none of them takes its place", names.join(", "));
            problems.extend(by.first().and_then(|claim| told(claim, "GR193", message, "let one of them name it")));
        } else if catalog.persona(name).is_some() {
            let message = format!("{name} is still in the library: superseding it has no effect yet");
            let help = format!("remove {name}.yaml when devices shall change over");
            problems.extend(by.first().and_then(|claim| told(claim, "GR195", message, &help)).map(Problem::warning));
        }
    }
    problems
}
