//! Any texts that extend one another are composed into a persona, or into problems that can be shown; and a persona, written
//! down, is the same when it is read again.
#![no_main]

use std::sync::Arc;

use greenroom::{
    document::{Document, Problem, yaml},
    persona::{
        Persona,
        compose::{Lineage, Shelf},
        validate::validate,
    },
};
use libfuzzer_sys::fuzz_target;

/// What the documents are called, in their order; the first is composed.
const NAMES: [&str; 6] = ["a", "b", "c", "fragments/a", "fragments/b", "fragments/c"];

fuzz_target!(|text: &str| {
    let texts = NAMES.iter().zip(text.split("\n---\n"));
    let shelf: Shelf = texts
        .map(|(name, text)| {
            let document = Document::read(format!("{name}.yaml"), text.as_bytes().to_vec());
            ((*name).to_owned(), document.map(Arc::new).map_err(|problem| vec![problem]))
        })
        .collect();
    for problem in composed(&shelf).err().into_iter().flatten() {
        assert!(!problem.to_string().is_empty());
    }
});

fn composed(shelf: &Shelf) -> Result<(), Vec<Problem>> {
    let document = Lineage::of(NAMES[0], shelf)?.compose()?;
    assert!(!document.with_origins(str::to_owned).is_empty());
    let persona: Persona = document.parse()?;
    let written = Document::read("written.yaml", yaml::to_string(&persona).into_bytes()).expect("it is YAML");
    assert_eq!(written.parse::<Persona>().expect("it is a persona"), persona);
    match validate(&persona, &document) {
        problems if problems.is_empty() => Ok(()),
        problems => Err(problems),
    }
}
