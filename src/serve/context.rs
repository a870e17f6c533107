//! What every service needs.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use crate::{
    document::Problem,
    engine::Handle,
    images::{Images, nbp::NbpSet},
    library::Library,
    model::Moment,
    world::Ground,
};

use super::{metrics::Metrics, seed::SeedKey};

/// What every service needs. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The engine.
    pub engine: Handle,
    /// The image cache.
    pub images: Images,
    /// The NBPs.
    pub nbps: Arc<NbpSet>,
    /// The personas and manifests, with what is wrong with them.
    pub library: Arc<Mutex<Library>>,
    /// The folder of the secrets that personas name.
    pub secrets_dir: Arc<Path>,
    /// The key of the attempts' tokens.
    pub seed_key: Arc<SeedKey>,
    /// Counters of the services.
    pub metrics: Arc<Metrics>,
    /// The time: tokens end.
    pub clock: fn() -> Moment,
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
    /// Helpers that failed and were started again, with their last words.
    pub troubles: BTreeMap<String, String>,
}

impl Context {
    /// Reads the library again if it changed, or in any case with `force`; puts what is good under the next decisions.
    /// Returns whether it was read.
    pub fn refresh_library(&self, force: bool) -> bool {
        let mut library = lock(&self.library);
        let read = match force {
            true => {
                library.reload();
                true
            }
            false => library.refresh(),
        };
        if read {
            let site = self.engine.ground().site.clone();
            self.engine.set_ground(Ground { site, catalog: Arc::new(library.catalog().clone()) });
        }
        read
    }

    /// What is wrong with the library.
    pub fn problems(&self) -> Vec<Problem> {
        lock(&self.library).problems().to_vec()
    }

    /// How the daemon fares.
    pub fn health(&self) -> Health {
        let library_errors = self.problems().iter().filter(|problem| problem.is_error()).count();
        let troubles = lock(&self.health).clone();
        Health {
            ok: library_errors == 0 && troubles.is_empty(),
            facts: self.engine.world().seq,
            library_errors,
            troubles,
        }
    }
}

/// Locks, also after a panic elsewhere: what is under these locks is replaced as a whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
