//! Edits are taken up as they come, and as a set.

use std::{
    fs,
    sync::{Arc, Mutex},
    thread,
};

use greenroom::{
    document::Problem,
    library::{Library, State, Watch},
};

use super::stage::{LIMIT, Repo, described, persona, state, until};

/// A library that is watched as the daemon watches it.
struct Watched {
    library: Arc<Mutex<Library>>,
    task: tokio::task::JoinHandle<()>,
}

impl Watched {
    fn new(dir: &std::path::Path) -> Self {
        let library = Arc::new(Mutex::new(Library::open(dir)));
        let (mut watch, trouble) = Watch::new(dir);
        assert_eq!(trouble, None);
        let shared = library.clone();
        let task = tokio::spawn(async move {
            loop {
                watch.changed().await;
                shared.lock().unwrap().refresh();
            }
        });
        Self { library, task }
    }

    fn ask<T>(&self, ask: impl FnOnce(&Library) -> T) -> T {
        ask(&self.library.lock().unwrap())
    }

    /// Waits until the library says so, with the runtime free to watch.
    async fn until(&self, what: &str, so: impl Fn(&Library) -> bool) {
        let wait = async {
            while !self.ask(&so) {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        let came = tokio::time::timeout(LIMIT, wait).await;
        came.unwrap_or_else(|_| panic!("{what}: it never came: {:?}", self.ask(|library| library.problems().to_vec())));
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn has(library: &Library, name: &str, word: &str) -> bool {
    library.catalog().persona(&name.parse().unwrap()).is_some_and(|entry| entry.persona.description == word)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_saving_is_seen() {
    let repo = Repo::new();
    let watched = Watched::new(&repo.library);
    repo.write("a.yaml", &persona("written in place"));
    watched.until("written", |library| has(library, "a", "written in place")).await;
    repo.write(".a.yaml.swp", &persona("saved by renaming"));
    fs::rename(repo.library.join(".a.yaml.swp"), repo.library.join("a.yaml")).unwrap();
    watched.until("renamed", |library| has(library, "a", "saved by renaming")).await;
    fs::remove_file(repo.library.join("b.yaml")).unwrap();
    watched.until("deleted", |library| library.catalog().personas().count() == 1).await;
    repo.write("c.yaml", &persona("new"));
    watched.until("new", |library| has(library, "c", "new")).await;
    repo.write("images/other.yaml", &super::stage::manifest().replace("name: tiny", "name: other"));
    watched.until("image", |library| library.catalog().images().count() == 2).await;
    // A commit changes no file, and makes what was dirty good.
    assert_eq!(watched.ask(|library| state(library, "c")), State::Dirty);
    repo.commit("All of it");
    watched.until("committed", |library| state(library, "c") == State::Good).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_edit_leaves_the_last_good_version_serving_until_it_is_mended() {
    let repo = Repo::new();
    let watched = Watched::new(&repo.library);
    let half = &persona("half-written")[..40];
    repo.write("a.yaml", half);
    repo.write("b.yaml", &persona("good"));
    watched.until("the good one", |library| has(library, "b", "good")).await;
    watched.ask(|library| {
        assert_eq!((state(library, "a"), described(library, "a")), (State::Kept, "one".into()));
        assert!(library.problems().iter().any(Problem::is_error));
    });
    repo.write("a.yaml", &persona("whole"));
    watched.until("mended", |library| has(library, "a", "whole")).await;
    assert_eq!(watched.ask(|library| library.problems().len()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_comes_later_or_is_replaced_is_watched() {
    let top = tempfile::tempdir().unwrap();
    let dir = top.path().join("library");
    let watched = Watched::new(&dir);
    assert!(watched.ask(|library| library.problems().iter().any(|problem| problem.code == "GR004")));
    let make = |name: &str, word: &str| {
        let dir = top.path().join(name);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("a.yaml"), persona(word)).unwrap();
    };
    make("library", "one");
    watched.until("it came", |library| has(library, "a", "one")).await;
    make("next", "two");
    fs::rename(&dir, top.path().join("before")).unwrap();
    fs::rename(top.path().join("next"), &dir).unwrap();
    watched.until("it was replaced", |library| has(library, "a", "two")).await;
    // And the new one is watched, not the old.
    fs::write(dir.join("a.yaml"), persona("three")).unwrap();
    watched.until("the new one is edited", |library| has(library, "a", "three")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_of_a_thousand_files_is_one_swap() {
    let repo = Repo::empty();
    let all = |word: &str| (0..1000).for_each(|n| repo.write(&format!("p{n}.yaml"), &persona(word)));
    all("old");
    repo.commit("Old");
    let place = tempfile::tempdir().unwrap();
    let clone = place.path().join("library");
    repo.git(&["clone", "--quiet", ".", clone.to_str().unwrap()]);
    all("new");
    let new = repo.commit("New");

    let watched = Watched::new(&clone);
    let before = watched.ask(Library::swaps);
    let seen = watched.library.clone();
    let sets = Arc::new(Mutex::new(vec![]));
    let (told, stop) = (sets.clone(), Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let stopped = stop.clone();
    // Whoever looks at any moment sees one set or the other.
    let looker = thread::spawn(move || {
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            let library = seen.lock().unwrap();
            let new = library.catalog().personas().filter(|entry| entry.persona.description == "new").count();
            told.lock().unwrap().push(new);
            drop(library);
            thread::sleep(std::time::Duration::from_millis(5));
        }
    });
    let pulled = tokio::task::spawn_blocking(move || super::stage::git(&clone, &["pull", "--quiet", "--ff-only"]));
    assert!(pulled.await.unwrap().status.success());
    watched.until("all of it", |library| has(library, "p999", "new")).await;
    watched.until("its commit", |library| format!("{:?}", library.history()).contains(&new)).await;
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    looker.join().unwrap();
    assert_eq!(watched.ask(Library::swaps), before + 1);
    assert!(sets.lock().unwrap().iter().all(|new| [0, 1000].contains(new)), "{:?}", sets.lock().unwrap());
}

#[test]
fn while_git_holds_the_index_nothing_is_read() {
    let repo = Repo::new();
    let mut library = repo.open();
    let lock = repo.top.path().join(".git/index.lock");
    fs::write(&lock, "").unwrap();
    repo.write("a.yaml", &persona("half of a checkout"));
    assert!(!library.refresh());
    assert_eq!(described(&library, "a"), "one");
    fs::remove_file(&lock).unwrap();
    assert!(library.refresh());
    assert_eq!(described(&library, "a"), "half of a checkout");
    // A lock that a crash left behind a while ago holds nobody up.
    fs::write(&lock, "").unwrap();
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    fs::File::open(&lock).unwrap().set_modified(long_ago).unwrap();
    repo.write("a.yaml", &persona("after a crash"));
    assert!(library.refresh());
    assert_eq!(described(&library, "a"), "after a crash");
}

#[test]
fn a_set_that_never_rests_is_taken_up_in_the_end() {
    let repo = Repo::new();
    let mut library = repo.open();
    let (dir, stop) = (repo.library.clone(), Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let stopped = stop.clone();
    let writer = thread::spawn(move || {
        for n in 0.. {
            if stopped.load(std::sync::atomic::Ordering::Relaxed) {
                break;
            }
            fs::write(dir.join("noise.new"), persona(&format!("{n}"))).unwrap();
            fs::rename(dir.join("noise.new"), dir.join("noise.yaml")).unwrap();
        }
    });
    repo.write("a.yaml", &persona("in all the noise"));
    until("taken up", || (library.refresh() && described(&library, "a") == "in all the noise").then_some(()));
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    writer.join().unwrap();
}
