//! What every service needs.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use crate::{
    document::Problem,
    engine::{Handle, trainer::Trainer},
    images::{Images, Keeper, nbp::NbpSet},
    journal::Reader,
    library::{self, Desk, History, NotSaved, Saved, secret_names},
    model::Moment,
    world::Ground,
};

use super::{
    audit::Index, callers::Callers, capture::Capture, console::Console, hook::Hook, metrics::Metrics, pace::Pacer,
    password::Passwords, seed::SeedKey, staging::Outlook, webhook::Webhooks,
};

/// What every service needs. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The engine.
    pub engine: Handle,
    /// Who learns from the facts what devices will become.
    pub trainer: Arc<Trainer>,
    /// All that happened.
    pub journal: Reader,
    /// Where in it is what people did.
    pub acts: Arc<Index>,
    /// The image cache.
    pub images: Images,
    /// Who moves its blobs between the tiers.
    pub keeper: Arc<Keeper>,
    /// What devices are expected to ask for.
    pub outlook: Arc<Outlook>,
    /// The NBPs.
    pub nbps: Arc<NbpSet>,
    /// The personas and manifests, with what is wrong with them.
    pub library: Arc<library::Shared>,
    /// The folder of the secrets that personas name.
    pub secrets_dir: Arc<Path>,
    /// The key of the attempts' tokens.
    pub seed_key: Arc<SeedKey>,
    /// Counters of the services.
    pub metrics: Arc<Metrics>,
    /// The time: tokens end.
    pub clock: fn() -> Moment,
    /// Keeps the rates of image files.
    pub pacer: Arc<Pacer>,
    /// The door for git hosts, when the configuration opens it.
    pub hook: Option<Arc<Hook>>,
    /// Who is told of what happens.
    pub webhooks: Arc<Webhooks>,
    /// Who calls the API, and how often.
    pub callers: Arc<Callers>,
    /// Passwords of accounts: how many are looked at at once.
    pub passwords: Arc<Passwords>,
    /// The packets of boots.
    pub capture: Arc<Capture>,
    /// What devices say while they boot.
    pub console: Arc<Console>,
    /// What the helpers say of themselves.
    pub health: Arc<Mutex<BTreeMap<String, String>>>,
}

/// What `/healthz` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Whether everything is as it should be. A daemon that answers at all serves devices.
    pub ok: bool,
    /// The number of the latest fact.
    pub facts: u64,
    /// Documents of the library that are not served as written.
    pub library_errors: usize,
    /// The personas whose files are not good, with what serves in their place.
    #[serde(default)]
    pub broken: BTreeMap<String, String>,
    /// What the library's history can tell.
    #[serde(default)]
    pub library: Option<History>,
    /// Helpers that failed and were started again, with their last words.
    pub troubles: BTreeMap<String, String>,
}

impl Context {
    /// Reads the library again if it changed, or in any case with `force`; puts what is good under the next decisions.
    /// Returns whether it was read.
    pub fn refresh_library(&self, force: bool) -> bool {
        let read = self.library.refresh(force, |catalog| {
            let catalog = Arc::new(catalog.clone());
            self.engine.change_ground(|ground| Ground { catalog: catalog.clone(), ..ground });
        });
        let secrets = secret_names(&self.secrets_dir);
        if *self.engine.ground().secrets != secrets {
            let secrets = Arc::new(secrets);
            self.engine.change_ground(|ground| Ground { secrets: secrets.clone(), ..ground });
        }
        read
    }

    /// The same for async tasks.
    pub async fn read_library(&self, force: bool) -> bool {
        let reading = self.clone();
        // A panic while reading shows as what was read last.
        tokio::task::spawn_blocking(move || reading.refresh_library(force)).await.unwrap_or_default()
    }

    /// Has what was written in the library until now be what names mean: a script names an image right after it has written
    /// the manifest, and the watch waits for quiet first. A look at the times of the files when nothing has changed.
    pub(super) async fn catch_up(&self) {
        self.read_library(false).await;
    }

    /// Has something written in the library, which the next decision has already. Waits for disks, for git and its hooks: not
    /// for an async task.
    pub fn write_library(&self, work: impl FnOnce(&Desk) -> Result<Saved, NotSaved>) -> Result<Saved, NotSaved> {
        self.library.write(work, |catalog| {
            let catalog = Arc::new(catalog.clone());
            self.engine.change_ground(|ground| Ground { catalog: catalog.clone(), ..ground });
        })
    }

    /// What is wrong with the library.
    pub fn problems(&self) -> Vec<Problem> {
        self.library.view().problems.clone()
    }

    /// Says in `/healthz` that a helper fares badly.
    pub fn trouble(&self, helper: &str, words: String) {
        lock(&self.health).insert(helper.to_owned(), words);
    }

    /// Takes it back.
    pub fn well(&self, helper: &str) {
        lock(&self.health).remove(helper);
    }

    /// How the daemon fares.
    pub fn health(&self) -> Health {
        let library = self.library.view();
        let library_errors = library.problems.iter().filter(|problem| problem.is_error()).count();
        let mut troubles = lock(&self.health).clone();
        troubles.extend(self.images.troubles().into_iter().map(|trouble| (trouble.at.clone(), trouble.to_string())));
        let broken = library.statuses.iter().filter(|status| status.state.is_broken());
        let broken = broken.map(|status| (status.name.clone(), status.state.to_string())).collect();
        Health {
            ok: library_errors == 0 && troubles.is_empty(),
            facts: self.engine.world().seq,
            library_errors,
            broken,
            library: Some(library.history.clone()),
            troubles,
        }
    }
}

/// Locks, also after a panic elsewhere: what is under these locks is replaced as a whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
