//! Telling when a library has changed: at once by inotify, and by looking every two seconds for what inotify does not see
//! (NFS, bind mounts, a `git pull` on another machine).
//!
//! ```text
//!   an event ──> 200 ms of quiet, or one second of unrest ──> while git holds the index: wait ──> "look now"
//!   2 s without one ────────────────────────────────────────────────────────────────────────────> "look now"
//! ```
//! Whoever is told still compares what is there with what was read. So an event too many costs a look, and one that was
//! missed costs two seconds. What is watched are folders, not files: editors save by renaming, git by replacing. Folders
//! that appear later, or are replaced as a whole, are found at the next look, for their parents are watched too.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{
    Config, Event, EventKind, INotifyWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

use super::worktree::WorkTree;

/// How long it must be quiet before a set of edits is taken for whole.
const QUIET: Duration = Duration::from_millis(200);

/// How long unrest may put a look off.
const UNREST: Duration = Duration::from_secs(1);

/// How often the library is looked at without an event.
const POLL: Duration = Duration::from_secs(2);

/// How often it is asked whether git has let go of the index.
const LOCK_LOOK: Duration = Duration::from_millis(50);

/// How long git is waited for in one go; a lock that lasts is looked at again by the poll.
const LOCK_WAIT: Duration = Duration::from_secs(30);

/// The folders in a library that hold documents.
const FOLDERS: [&str; 2] = ["fragments", "images"];

/// The files in a repository's folder whose change means something to us. `index.lock` is not one of them: with it, git only
/// begins.
const TELLING: [&str; 5] = ["HEAD", "index", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"];

/// Watches a library.
pub struct Watch {
    dir: PathBuf,
    tree: Option<WorkTree>,
    watcher: Option<INotifyWatcher>,
    watched: BTreeMap<PathBuf, (u64, u64)>,
    events: mpsc::Receiver<()>,
}

impl Watch {
    /// Begins to watch. Returns what is wrong when the system gives no watches: then only the poll is left.
    pub fn new(dir: &Path) -> (Self, Option<String>) {
        // One waiting event says as much as many.
        let (send, events) = mpsc::channel(1);
        let dir = absolute(dir);
        let known = dir.clone();
        let told = move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| matters(&known, &event)) {
                send.try_send(()).unwrap_or_default();
            }
        };
        let (watcher, trouble) = match INotifyWatcher::new(told, Config::default().with_follow_symlinks(false)) {
            Ok(watcher) => (Some(watcher), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let mut watch = Self { tree: WorkTree::find(&dir).ok(), dir, watcher, watched: BTreeMap::new(), events };
        let refused = watch.rewatch();
        (watch, trouble.or(refused))
    }

    /// Waits until it is time to look at the library.
    pub async fn changed(&mut self) {
        if let Ok(Some(())) = timeout(POLL, self.events.recv()).await {
            let end = Instant::now() + UNREST;
            while Instant::now() < end
                && let Ok(Some(())) = timeout(QUIET, self.events.recv()).await
            {}
        } else if self.watcher.is_none() {
            // Without a watcher nothing ever sends: the channel is closed and does not wait.
            sleep(POLL).await;
        }
        if self.tree.as_ref().is_none_or(|tree| !tree.git_dir().is_dir()) {
            let dir = self.dir.clone();
            self.tree = tokio::task::spawn_blocking(move || WorkTree::find(&dir).ok()).await.ok().flatten();
        }
        let end = Instant::now() + LOCK_WAIT;
        while self.tree.as_ref().is_some_and(WorkTree::is_busy) && Instant::now() < end {
            sleep(LOCK_LOOK).await;
        }
        if let Some(refused) = self.rewatch() {
            tracing::debug!("a folder of the library cannot be watched: {refused}");
        }
    }

    /// Watches the folders that there are now, and no others. A folder that was replaced is another one.
    fn rewatch(&mut self) -> Option<String> {
        let watcher = self.watcher.as_mut()?;
        let inside = FOLDERS.map(|name| self.dir.join(name));
        let git_dir = self.tree.as_ref().map(|tree| tree.git_dir().to_owned());
        let wanted =
            [self.dir.clone()].into_iter().chain(inside).chain(self.dir.parent().map(Path::to_owned)).chain(git_dir);
        let present: BTreeMap<PathBuf, (u64, u64)> = wanted
            .filter_map(|path| {
                let metadata = fs::metadata(&path).ok().filter(fs::Metadata::is_dir)?;
                Some((path, (metadata.dev(), metadata.ino())))
            })
            .collect();
        let mut refused = None;
        for (path, id) in std::mem::take(&mut self.watched) {
            match present.get(&path) == Some(&id) {
                true => drop(self.watched.insert(path, id)),
                // It fails for a folder that is gone, whose watch went with it.
                false => drop(watcher.unwatch(&path)),
            }
        }
        for (path, id) in present {
            if self.watched.contains_key(&path) {
                continue;
            }
            match watcher.watch(&path, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.watched.insert(path, id)),
                Err(error) => refused = Some(error.to_string()),
            }
        }
        refused
    }
}

/// Whether an event says that the library may have changed. Reading it makes events too.
fn matters(dir: &Path, event: &Event) -> bool {
    let reads = matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write));
    let within = |path: &PathBuf| {
        let name = path.file_name().and_then(OsStr::to_str);
        let parent = path.parent();
        // Of the parent's other children nothing matters; of the repository's files those that tell where it stands.
        path == dir
            || parent == Some(dir)
            || parent.is_some_and(|parent| FOLDERS.iter().any(|folder| parent == dir.join(folder)))
            || (name.is_some_and(|name| TELLING.contains(&name)) && !path.starts_with(dir.join("images")))
    };
    !reads && (event.paths.is_empty() || event.paths.iter().any(within))
}

/// The folder by an absolute path without symbolic links, as far as it is there: events name it so.
fn absolute(dir: &Path) -> PathBuf {
    fs::canonicalize(dir).or_else(|_| std::path::absolute(dir)).unwrap_or_else(|_| dir.to_owned())
}
