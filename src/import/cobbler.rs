//! Cobbler's collections, of the 3.x (`collections/distros/*.json`) and the 2.x layout (`config/distros.d/*.json`).
//!
//! A distro becomes an image, a profile with what it inherits a persona, a system a rule by its MAC addresses, with
//! reservations. What is special about one system (a bond, kernel options) makes a persona of its own. Kickstart templates
//! are Cheetah, which only Cobbler renders: what they plainly say is taken, and the text is kept beside. `item` knows
//! inheritance, `template` reads the answer files.

mod distro;
mod item;
mod network;
mod profile;
mod repo;
mod system;
mod template;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::PersonaName;

use super::{Folder, Imported, LeftBehind, folder::Object, name::Names};

use distro::Distro;

/// Where collections may lie in the folder that was given.
const LAYOUTS: [(&str, &str); 4] = [("collections/", ""), ("", ""), ("config/", ".d"), ("", ".d")];

/// Where answer files may lie.
pub(super) const TEMPLATES: [&str; 2] = ["templates", "kickstarts"];

/// What is read so far.
#[derive(Debug, Default)]
struct Import {
    out: Imported,
    images: Names,
    personas: Names,
    distros: BTreeMap<String, Distro>,
    repos: BTreeMap<String, repo::Repo>,
    /// The persona of each profile.
    of_profile: BTreeMap<String, PersonaName>,
    reserved: Vec<network::Reserved>,
}

/// Reads what lies in `/var/lib/cobbler`, or in its `collections` or `config`.
pub fn import(folder: &Folder) -> Imported {
    let mut import = Import::default();
    import.out.left_behind.extend(folder.unread.iter().cloned());
    let left = &mut import.out.left_behind;
    let [distros, repos, profiles, systems] =
        ["distros", "repos", "profiles", "systems"].map(|kind| collection(folder, kind, left));
    for kind in ["images", "mgmtclasses", "packages", "files", "menus"] {
        for object in collection(folder, kind, &mut import.out.left_behind) {
            let what = format!("{} {}", kind.trim_end_matches('s'), name(&object));
            let why = "Greenroom has nothing of this kind";
            import.out.left_behind.push(LeftBehind::lost(object.path, &what, why, ""));
        }
    }
    distros.iter().for_each(|distro| import.distro(distro));
    repos.iter().for_each(|repo| import.repo(repo));
    let by_name: BTreeMap<String, &Object<'_>> =
        profiles.iter().flat_map(|object| keys(object).map(move |key| (key, object))).collect();
    profiles.iter().for_each(|profile| import.profile(folder, &by_name, profile));
    systems.iter().for_each(|system| import.system(system));
    import.reserve();
    import.out
}

/// The objects of one kind, in whichever layout they lie.
fn collection<'a>(folder: &'a Folder, kind: &str, left: &mut Vec<LeftBehind>) -> Vec<Object<'a>> {
    let dirs = LAYOUTS.iter().map(|(before, after)| format!("{before}{kind}{after}"));
    dirs.flat_map(|dir| folder.objects(&dir, left)).collect()
}

/// What an object is called: files are named so in 2.x and 3.x, by a number in 4.x.
fn name<'a>(object: &'a Object<'_>) -> &'a str {
    object.text("name").unwrap_or(object.stem)
}

/// What others call an object: its name, or in 4.x its number.
fn keys<'a>(object: &'a Object<'_>) -> impl Iterator<Item = String> + 'a {
    [Some(name(object)), object.text("uid")].into_iter().flatten().map(str::to_owned)
}

/// Whether a value says that the parent's holds.
fn inherits(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("<<inherit>>")
}
