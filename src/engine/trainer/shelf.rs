//! What the trainer keeps on disk: the latest versions of what predicts, and what was learned so far.
//!
//! ```text
//!   predict/version-7.json   one version: the model, the baselines beside it, their scores     the latest five are kept
//!   predict/lessons.json     what the lessons came to: the latest 200
//!   predict/experience.json  two lines: how predictions fared; what the facts up to some number taught
//! ```
//! All of it may be lost: it is learned again from the journal. A file that does not read is passed over with a warning.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::{
    predict::learn::{Experience, Version},
    usage::quality::Quality,
};

use super::Taught;

/// How many versions are kept, usually.
pub(super) const KEPT: usize = 5;

/// How a version's file begins, before its number.
const VERSION: &str = "version-";

/// What the lessons came to.
const LESSONS: &str = "lessons.json";

const EXPERIENCE: &str = "experience.json";

/// The folder.
#[derive(Debug)]
pub(super) struct Shelf {
    dir: PathBuf,
}

impl Shelf {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Every version that reads, the newest first.
    pub(super) fn versions(&self) -> Vec<Version> {
        let mut numbers = self.numbers();
        numbers.sort_unstable_by(|one, other| other.cmp(one));
        numbers.into_iter().filter_map(|number| self.version(number)).collect()
    }

    /// The numbers of the versions' files, whether they read or not.
    pub(super) fn numbers(&self) -> Vec<u64> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        entries.filter_map(|entry| number(entry.file_name().to_str()?)).collect()
    }

    fn version(&self, number: u64) -> Option<Version> {
        let path = self.path(number);
        let read = fs::read(&path).map_err(|error| error.to_string()).and_then(|json| {
            let version: Version = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
            if version.is_whole() { Ok(version) } else { Err("another version of Greenroom wrote it".into()) }
        });
        read.map_err(|why| passed_over(&path, &why)).ok()
    }

    /// Keeps a version, and drops the oldest until there are no more than `most`.
    pub(super) fn keep(&self, version: &Version, most: usize) -> io::Result<()> {
        self.write(&self.path(version.number), &serde_json::to_vec(version)?)?;
        let mut numbers = self.numbers();
        numbers.sort_unstable_by(|one, other| other.cmp(one));
        numbers.into_iter().skip(most).try_for_each(|number| fs::remove_file(self.path(number)))
    }

    /// What was learned so far, and how predictions fared; nothing when there is none that reads.
    pub(super) fn experience(&self) -> Option<(Experience, Quality)> {
        let path = self.dir.join(EXPERIENCE);
        let json = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            read => read.map_err(|error| passed_over(&path, &error)).ok()?,
        };
        let end = json.iter().position(|byte| *byte == b'\n').unwrap_or(json.len());
        let (quality, experience) = json.split_at(end);
        let quality = serde_json::from_slice(quality).map_err(|error| passed_over(&path, &error)).ok()?;
        let experience = Experience::from_json(experience).map_err(|error| passed_over(&path, &error)).ok()?;
        Some((experience, quality))
    }

    /// What the lessons came to, the oldest first; nothing when there is none that reads.
    pub(super) fn lessons(&self) -> VecDeque<Taught> {
        let path = self.dir.join(LESSONS);
        let json = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return VecDeque::new(),
            Err(error) => {
                passed_over(&path, &error);
                return VecDeque::new();
            }
            Ok(json) => json,
        };
        serde_json::from_slice(&json).map_err(|error| passed_over(&path, &error)).unwrap_or_default()
    }

    /// Keeps what the lessons came to.
    pub(super) fn keep_lessons(&self, lessons: &VecDeque<Taught>) -> io::Result<()> {
        self.write(&self.dir.join(LESSONS), &serde_json::to_vec(lessons)?)
    }

    /// Keeps what was learned so far.
    pub(super) fn keep_experience(&self, experience: &Experience, quality: &Quality) -> io::Result<()> {
        let mut lines = serde_json::to_vec(quality)?;
        lines.push(b'\n');
        lines.extend(experience.to_json());
        self.write(&self.dir.join(EXPERIENCE), &lines)
    }

    /// Writes a file that appears as a whole or not at all.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.dir)?;
        let unready = path.with_extension("new");
        let mut file = File::create(&unready)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unready, path)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.dir.join(format!("{VERSION}{number}.json"))
    }
}

fn number(name: &str) -> Option<u64> {
    name.strip_prefix(VERSION)?.strip_suffix(".json")?.parse().ok()
}

fn passed_over(path: &Path, why: &impl ToString) {
    tracing::warn!(path = %path.display(), why = why.to_string(), "what was learned before does not read, and is passed over");
}
