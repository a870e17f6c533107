//! Pulling: from a real bare repository over `file://`, forward only.

use greenroom::library::{NotPulled, Pulled, Remote};
use tempfile::TempDir;

use super::stage::{Repo, git, persona};

/// A bare repository, the clone that the daemon serves, and the clone of somebody who pushes.
pub(crate) struct Shared {
    pub(crate) place: TempDir,
    pub(crate) served: Repo,
    pub(crate) pushes: Repo,
}

impl Shared {
    pub(crate) fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let bare = place.path().join("personas.git");
        let pushes = Repo::new();
        pushes.git(&["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
        pushes.git(&["remote", "add", "origin", &format!("file://{}", bare.display())]);
        pushes.git(&["push", "--quiet", "--set-upstream", "origin", "main"]);
        let top = tempfile::tempdir().unwrap();
        assert!(git(top.path(), &["clone", "--quiet", &format!("file://{}", bare.display()), "."]).status.success());
        Self { place, served: Repo { library: top.path().to_owned(), top }, pushes }
    }

    /// Somebody commits and pushes; the commit.
    pub(crate) fn push(&self, path: &str, text: &str) -> String {
        self.pushes.write(path, text);
        let commit = self.pushes.commit(&format!("Change {path}"));
        self.pushes.git(&["push", "--quiet", "origin", "HEAD:main"]);
        commit
    }

    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.place.path().join("personas.git").display())
    }

    fn remote(&self) -> Remote {
        Remote { dir: self.served.library.clone(), url: None, branch: None }
    }
}

#[test]
fn the_tree_moves_forward_and_only_when_there_is_something_new() {
    let shared = Shared::new();
    assert_eq!(shared.remote().pull(), Ok(Pulled::Nothing));
    let pushed = shared.push("a.yaml", &persona("pushed"));
    let Ok(Pulled::To(commit)) = shared.remote().pull() else { panic!("it is pulled") };
    assert_eq!((commit.as_str(), shared.served.read("a.yaml")), (&*pushed, persona("pushed")));
    for (url, branch) in [(Some(shared.url()), None), (Some(shared.url()), Some("main")), (None, Some("main"))] {
        let pushed = shared.push("b.yaml", &persona(&format!("{url:?} {branch:?}")));
        let remote = Remote { url, branch: branch.map(str::to_owned), ..shared.remote() };
        assert!(matches!(remote.pull(), Ok(Pulled::To(commit)) if commit.as_str() == pushed), "{remote:?}");
    }
}

#[test]
fn local_commits_and_edits_are_never_lost() {
    let shared = Shared::new();
    shared.served.write("local.yaml", &persona("local"));
    let local = shared.served.commit("Local");
    assert_eq!(shared.remote().pull(), Ok(Pulled::Nothing), "a commit ahead is in nobody's way");
    shared.push("a.yaml", &persona("pushed"));
    let refused = shared.remote().pull().unwrap_err();
    assert!(matches!(refused, NotPulled::Diverged { .. }), "{refused}");
    assert_eq!(shared.served.git(&["rev-parse", "HEAD"]), local);

    let shared = Shared::new();
    shared.served.write("b.yaml", &persona("an edit elsewhere"));
    shared.push("a.yaml", &persona("pushed"));
    assert!(matches!(shared.remote().pull(), Ok(Pulled::To(_))), "an edit elsewhere is in nobody's way");
    shared.push("b.yaml", &persona("pushed"));
    let refused = shared.remote().pull().unwrap_err();
    assert_eq!(refused, NotPulled::Edited { files: "b.yaml".into() });
    assert_eq!(shared.served.read("b.yaml"), persona("an edit elsewhere"));
}

#[test]
fn what_cannot_be_pulled_is_said() {
    let shared = Shared::new();
    let remote = Remote { url: Some(format!("file://{}/none", shared.place.path().display())), ..shared.remote() };
    let said = remote.pull().unwrap_err().to_string();
    assert!(said.contains("the library was not pulled") && said.contains("does not"), "{said}");
    let remote = Remote { branch: Some("none".into()), ..shared.remote() };
    assert!(remote.pull().unwrap_err().to_string().contains("none"));
    // An `ext::` URL would run a program.
    let touched = shared.place.path().join("touched");
    let remote = Remote { url: Some(format!("ext::touch {}", touched.display())), ..shared.remote() };
    assert!(remote.pull().unwrap_err().to_string().contains("ext"));
    assert!(!touched.exists());
    let remote = Remote { url: Some(format!("--upload-pack=touch {}", touched.display())), ..shared.remote() };
    assert!(remote.pull().is_err() && !touched.exists());

    let merging = Repo::merging();
    merging.merge();
    let remote = Remote { dir: merging.library.clone(), url: None, branch: None };
    assert_eq!(remote.pull(), Err(NotPulled::Unfinished("merge")));
}
