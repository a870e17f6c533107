//! A library as it was last read, kept: while no file of it looks otherwise, it is what it was, and only looked at.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use crate::{
    document::Problem,
    persona::{catalog::Catalog, compose::Shelf},
};

use super::{
    abreast, cross,
    files::{Files, Stamp},
    load::{self, Loaded},
    memory::Memory,
    succession,
};

/// What was read of a library, for who asks again.
#[derive(Debug, Default)]
pub(super) struct Reader {
    memory: Memory,
    last: Option<(Vec<Seen>, Arc<Whole>)>,
}

/// A file, and how it looked.
type Seen = (PathBuf, Option<Stamp>);

/// A library that was read.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) loaded: Loaded,
    warnings: OnceLock<Vec<Problem>>,
}

impl Reader {
    /// The library as it lies there now.
    pub(super) fn whole(&mut self, files: &Files) -> Arc<Whole> {
        let paths = load::documents(files);
        // The stamps are older than what is read, so a change between the two is seen the next time.
        let stamps = abreast::each(&paths, |path| files.stamp(path));
        let seen: Vec<Seen> = paths.into_iter().zip(stamps).collect();
        let same = |((path, stamp), (old, before)): (&Seen, &Seen)| {
            path == old && before.as_ref().zip(stamp.as_ref()).is_some_and(|(before, now)| before.vouches_for(now))
        };
        if let Some((before, whole)) = &self.last
            && before.len() == seen.len()
            && seen.iter().zip(before).all(same)
        {
            return whole.clone();
        }
        let whole = Arc::new(Whole::of(load::load_again(files, &mut self.memory)));
        self.last = Some((seen, whole.clone()));
        whole
    }

    /// Its documents that can be extended.
    pub(super) fn shelf(&mut self, files: &Files) -> Shelf {
        load::shelf(files, &mut self.memory)
    }

    /// What a file said when it was read last; nothing when it was not there, or was not YAML.
    pub(super) fn text(&self, path: &Path) -> Option<&str> {
        self.memory.text(path)
    }
}

impl Whole {
    pub(super) fn of(loaded: Loaded) -> Self {
        Self { loaded, warnings: OnceLock::new() }
    }

    /// What somebody should look at in it.
    pub(super) fn warnings(&self) -> &[Problem] {
        self.warnings.get_or_init(|| {
            let Loaded { personas, images, documents, .. } = &self.loaded;
            let catalog = Catalog::new(personas.clone(), images.clone(), &Catalog::default());
            let mut problems = cross::warnings(&catalog, documents);
            problems.extend(succession::problems(&catalog, documents));
            problems
        })
    }
}
