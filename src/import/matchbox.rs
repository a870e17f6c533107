//! Matchbox' data folder: `profiles/*.json`, `groups/*.json`, and the configs in `ignition/`, `cloud/` and `generic/`.
//!
//! A profile becomes a persona, and what it boots an image; profiles that boot the same share it. A group becomes a rule.
//! Its metadata fills in Go templates that only Matchbox renders, so both stay behind. `profile` reads the profiles.

mod boot;
mod group;
mod ignition;
mod profile;

use std::collections::BTreeMap;

use crate::model::PersonaName;

use super::{Folder, Imported, LeftBehind, name::Names};

/// What is read so far.
#[derive(Debug, Default)]
struct Import {
    out: Imported,
    images: Names,
    personas: Names,
    /// The persona of each profile, by the profile's id.
    of_profile: BTreeMap<String, PersonaName>,
    /// The configs that a profile uses.
    used: Vec<String>,
}

/// Reads a data folder.
pub fn import(folder: &Folder) -> Imported {
    let mut import = Import::default();
    import.out.left_behind.extend(folder.unread.iter().cloned());
    for profile in folder.objects("profiles", &mut import.out.left_behind) {
        import.profile(folder, &profile);
    }
    let groups = folder.objects("groups", &mut import.out.left_behind);
    import.groups(&groups);
    let kinds = ["ignition/", "cloud/", "generic/"];
    let unused = |path: &&String| kinds.iter().any(|kind| path.starts_with(kind)) && !import.used.contains(path);
    let unused: Vec<_> = folder.texts.keys().filter(unused).cloned().collect();
    for path in unused {
        import.out.left_behind.push(LeftBehind::unneeded(&path, "the whole file", "no profile uses it"));
    }
    import.out
}
