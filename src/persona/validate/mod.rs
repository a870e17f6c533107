//! What must hold of a persona beyond its shape. Every rule has a code; every problem points to its line.
//!
//! **An error means that the persona cannot work; a warning, that somebody should look.** [`rule`] lists them all; the other
//! files hold them, one file a kind of field. No rule looks at a disk or at another document: those that need the images or
//! the other personas are in [`library`](crate::library).

mod about;
mod address;
mod apps;
mod container;
mod encryption;
mod file;
mod firewall;
mod install;
mod link;
mod network;
mod os;
mod plaintext;
mod preferences;
mod resources;
pub mod rule;
mod security;
mod shape;
mod ssh_key;
mod target;
mod user;

use std::collections::BTreeSet;

use crate::document::{Check, Document, Fix, Problem};

use super::Persona;

/// Every problem of one persona. `document` is what it was read from.
pub fn validate(persona: &Persona, document: &Document) -> Vec<Problem> {
    let mut check = Check::new(document);
    about::check(&mut check, persona);
    os::check(&mut check, persona);
    install::check(&mut check, persona);
    apps::check(&mut check, persona);
    container::check(&mut check, persona);
    file::check(&mut check, persona);
    user::check(&mut check, persona);
    security::check(&mut check, persona);
    firewall::check(&mut check, persona);
    encryption::check(&mut check, persona);
    network::check(&mut check, persona);
    link::check(&mut check, persona);
    address::check(&mut check, persona);
    preferences::check(&mut check, persona);
    resources::check(&mut check, persona);
    plaintext::check(&mut check, persona);
    target::check(&mut check, persona);
    check.problems
}

/// Nothing stands twice in a list where it is meant once: `items` are the values with their paths.
fn once<T: AsRef<str>>(check: &mut Check<'_>, items: impl IntoIterator<Item = (String, T)>) {
    let mut seen = BTreeSet::new();
    for (path, value) in items {
        let value = value.as_ref();
        let first = seen.insert(value.to_owned());
        let told = check.problems.len();
        check.require(first, "GR014", &path, format!("`{}` stands here twice", brief(value)), "remove one");
        if let Some(problem) = check.problems.get_mut(told) {
            problem.fix = problem.about.parse().ok().map(|path| Box::new(Fix::Remove { path }));
        }
    }
}

/// The values of a list with their paths.
fn listed<'a, T: AsRef<str>>(path: &'a str, items: &'a [T]) -> impl Iterator<Item = (String, &'a str)> {
    items.iter().enumerate().map(move |(at, item)| (format!("{path}.{at}"), item.as_ref()))
}

/// A value as a message quotes it: on one line, and not for ever.
fn brief(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { '␤' } else { c }).take(60).collect();
    if text.chars().nth(60).is_some() { format!("{line}…") } else { line }
}
