//! A daemon that runs for years sees many edits: what it keeps of them in memory is bounded, and the store has the rest.

use std::sync::Arc;

use greenroom::{
    document::Document,
    model::{PersonaRef, Version},
    persona::catalog::{Catalog, Entry},
};

use crate::stage::persona;

fn entry(word: &str) -> Entry {
    let document = Document::read("a.yaml", persona(word).into_bytes()).unwrap();
    let reference = PersonaRef { name: "a".parse().unwrap(), version: Version::new(word) };
    Entry { reference, persona: Arc::new(document.parse().unwrap()) }
}

#[test]
fn versions_that_were_replaced_long_ago_are_forgotten_unless_nothing_else_has_them() {
    let words = ["first", "unstored", "third", "fourth", "fifth"];
    let mut catalog = Catalog::default();
    for word in words {
        catalog = Catalog::new(vec![entry(word)], vec![], &catalog);
        catalog.forget(2, |version| version.as_str() != "unstored");
    }
    let known: Vec<&str> = words.into_iter().filter(|word| catalog.version(&entry(word).reference).is_some()).collect();
    assert_eq!(known, ["unstored", "fourth", "fifth"], "the current one, and the last two but for what must stay");

    // An edit that is taken back makes an old version the current one: it is no replaced one any more.
    for word in ["fourth", "sixth", "seventh"] {
        catalog = Catalog::new(vec![entry(word)], vec![], &catalog);
    }
    catalog.forget(0, |_| true);
    let known = ["unstored", "fourth", "fifth", "sixth"].map(|word| catalog.version(&entry(word).reference).is_some());
    assert_eq!((known, catalog.version(&entry("seventh").reference).is_some()), ([false; 4], true));
}
