//! Personas that nobody would write: every field, with values that mean something to shells, debconf, YAML and systemd.
//! Each of them validates; what its target cannot express it does not ask for.
//!
//! The tests that hold them against whole programs draw them from a runner with a fixed seed (`TestRunner::deterministic`): a
//! program takes seconds for a batch, so there are few, and a batch that fails must fail again for whoever looks into it.
//! Properties that cost little draw anew each time, by `proptest!`.

mod apps;
mod fit;
mod network;
mod os;
mod preferences;
mod resources;
mod security;

use std::collections::{BTreeMap, BTreeSet};

use greenroom::{
    document::Document,
    model::{Bytes, Effect},
    persona::{Persona, render::refuses, schema::*, validate::validate},
};
use proptest::{collection::btree_map, option, prelude::*, sample::select};

use apps::apps;
use fit::fit;
use network::network;
use os::os;
use preferences::preferences;
use resources::resources;
use security::security;

/// Any persona that is read by `target` first.
pub(crate) fn persona(target: Target) -> impl Strategy<Value = Persona> {
    let distributions: &[Distribution] = match target {
        Target::CloudInit => &[Distribution::Debian, Distribution::Ubuntu, Distribution::Rocky, Distribution::Fedora],
        Target::Preseed => &[Distribution::Debian],
        Target::Autoinstall => &[Distribution::Ubuntu],
        Target::Kickstart => {
            &[Distribution::Rocky, Distribution::Alma, Distribution::Rhel, Distribution::Centos, Distribution::Fedora]
        }
        Target::Ignition => &[Distribution::Flatcar],
        Target::Unattend => &[Distribution::Windows],
        Target::Bare => &[Distribution::Other],
    };
    let installs = match target {
        Target::Preseed | Target::Autoinstall | Target::Kickstart => true,
        Target::CloudInit | Target::Ignition | Target::Unattend | Target::Bare => false,
    };
    // Windows Setup wipes the disk; Flatcar and what is bare run from memory here.
    let wipes = installs || target == Target::Unattend;
    let made = select(distributions).prop_flat_map(move |distribution| {
        // Boxed: a tree of all of it at once is more than a test's stack holds.
        let parts = (
            about().boxed(),
            os(distribution, wipes).boxed(),
            apps(distribution).boxed(),
            security(distribution, installs).boxed(),
        );
        let places = (network().boxed(), preferences(distribution).boxed(), resources().boxed());
        (parts, places).prop_map(move |(parts, places)| {
            let ((description, owner, labels), os, apps, security) = parts;
            let (network, preferences, resources) = places;
            let mut persona = Persona {
                extends: vec![],
                api_version: ApiVersion::V1,
                description,
                owner,
                labels,
                supersedes: vec![],
                effect: if wipes { Effect::Destructive } else { Effect::Ephemeral },
                os,
                apps,
                security,
                network,
                preferences,
                resources,
                raw: Raw::default(),
            };
            fit(&mut persona);
            persona
        })
    });
    made.prop_filter("a persona that validates", is_good)
}

fn is_good(persona: &Persona) -> bool {
    let text = serde_json::to_string(persona).unwrap();
    let document = Document::read("wild.yaml", text.into_bytes()).unwrap();
    let read: Persona = document.parse().unwrap_or_else(|problems| panic!("{problems:?}\n{persona:?}"));
    assert_eq!(read, *persona, "a persona reads back as it was written");
    let errors = validate(persona, &document).iter().filter(|problem| problem.is_error()).count();
    errors == 0 && refuses(persona).is_empty()
}

/// Text that is dangerous everywhere: it may hold all that quotes, substitutes, ends or escapes.
pub(crate) fn text() -> impl Strategy<Value = String> {
    "[ -~äß€\n\t]{0,20}|[\"'`$(){}#%&\\\\;|<>!*?~ \n]{1,12}|\\$\\{HOME\\}|#\\{x\\}|%n|\\$\\(reboot\\)|\\{\\{mac\\}\\}|: - x|EOF\n"
}

/// The same on one line, and not at its ends.
fn line() -> impl Strategy<Value = String> {
    "[!-~äß€]([ -~äß€]{0,18}[!-~äß€])?"
}

fn name() -> impl Strategy<Value = String> {
    "x[a-z0-9]{1,8}"
}

fn size(gib: std::ops::Range<u64>) -> impl Strategy<Value = Bytes> {
    gib.prop_map(|gib| Bytes(gib << 30))
}

fn about() -> impl Strategy<Value = (String, Option<String>, BTreeMap<String, String>)> {
    (line(), option::of(line()), btree_map(name(), line(), 0..3))
}

/// The list without those that bear a name twice.
fn unique<T: std::fmt::Debug>(
    list: impl Strategy<Value = Vec<T>>,
    name: impl Fn(&T) -> String,
) -> impl Strategy<Value = Vec<T>> {
    list.prop_map(move |mut list| {
        let mut seen = BTreeSet::new();
        list.retain(|item| seen.insert(name(item)));
        list
    })
}
