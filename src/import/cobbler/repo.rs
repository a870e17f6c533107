//! Repos: places to get packages from, as far as they are complete.

use super::{
    super::{
        LeftBehind,
        folder::{Object, words},
        name::one_line,
    },
    Import, name,
};

/// A repo as profiles name it.
#[derive(Debug)]
pub(super) struct Repo {
    place: String,
    uri: String,
    suites: Vec<String>,
    components: Vec<String>,
}

impl Import {
    pub(super) fn repo(&mut self, repo: &Object<'_>) {
        self.repos.insert(
            name(repo).to_owned(),
            Repo {
                place: repo.path.to_owned(),
                uri: one_line(repo.text("mirror").unwrap_or_default()),
                suites: words(repo.map.get("apt_dists")),
                components: words(repo.map.get("apt_components")),
            },
        );
    }

    /// The repos of a profile. Cobbler keeps no key with them, and a repository without its key is not one that Greenroom
    /// adds: so what is known is told, ready to be completed.
    pub(super) fn repositories(&mut self, profile: &str, place: &str, names: &[String]) {
        for wanted in names {
            let what = format!("repo {wanted} of profile {profile}");
            let left = match self.repos.get(wanted) {
                None => LeftBehind::lost(place, &what, "there is no such repo", ""),
                Some(repo) => {
                    let suite = repo.suites.first().map(|suite| format!(", suite: {suite}")).unwrap_or_default();
                    let components = match repo.components.is_empty() {
                        true => String::new(),
                        false => format!(", components: [{}]", repo.components.join(", ")),
                    };
                    let name = super::super::name::file_name(&wanted.to_lowercase());
                    let help = format!(
                        "paste its public key: `apps: {{repositories: [{{name: {name}, uri: {}{suite}{components}, key: ...}}]}}`",
                        repo.uri
                    );
                    let why = "Cobbler keeps no public key with it, and Greenroom adds only signed repositories";
                    LeftBehind::lost(&repo.place, &what, why, &help)
                }
            };
            self.out.left_behind.push(left);
        }
    }
}
