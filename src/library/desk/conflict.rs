//! Two wrote on the same text: what each of them says, and what fits together of it.

use std::{collections::VecDeque, fs, io, path::Path};

use serde::Serialize;

use super::{
    super::git::{Git, GitError},
    Base, Desk, lock,
};

/// So much text that was handed out is remembered, in bytes: what somebody began with can be in no commit.
const REMEMBERED: usize = 16 << 20;

/// Somebody changed the file while somebody else wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The file, from the library's folder.
    pub file: String,
    /// What both began with; nothing when there was no file, or it is not known any more.
    pub base: Option<String>,
    /// What the file says now; nothing when it was removed.
    pub theirs: Option<String>,
    /// What was to be saved.
    pub yours: String,
    /// What fits together of both; where it does not, both stand there between marks of git's.
    pub merged: String,
    /// How many places do not fit together.
    pub open: usize,
    /// What to save on next.
    pub now: Base,
}

/// The texts that were handed out, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Handed {
    texts: VecDeque<(String, String)>,
    bytes: usize,
}

impl Handed {
    fn remember(&mut self, base: &Base, text: &str) {
        let Base::Blob(id) = base else { return };
        if self.texts.iter().any(|(known, _)| known == id) {
            return;
        }
        self.bytes += text.len();
        self.texts.push_back((id.clone(), text.to_owned()));
        while self.bytes > REMEMBERED
            && let Some((_, text)) = self.texts.pop_front()
        {
            self.bytes -= text.len();
        }
    }

    fn text(&self, id: &str) -> Option<String> {
        self.texts.iter().find(|(known, _)| known == id).map(|(_, text)| text.clone())
    }
}

impl Desk {
    /// Remembers a text that somebody may write on.
    pub(super) fn hand(&self, base: &Base, text: &str) {
        lock(&self.handed).remember(base, text);
    }

    /// What both sides of a conflict say, and what fits together.
    pub(super) fn conflict(&self, file: &str, base: &Base, theirs: Option<String>, yours: String) -> Conflict {
        let now = theirs.as_ref().map_or(Base::Absent, |text| Base::of(text.as_bytes()));
        let base = self.text(base);
        let (merged, open) = match &theirs {
            // There is nothing to merge with: what was written is all there is.
            None => (yours.clone(), 0),
            Some(theirs) => merge(base.as_deref().unwrap_or_default(), theirs, &yours).unwrap_or_else(|error| {
                tracing::warn!("two edits of {file} could not be merged: {error}");
                (yours.clone(), 1)
            }),
        };
        Conflict { file: file.to_owned(), base, theirs, yours, merged, open, now }
    }

    /// The text that a base stands for, as far as it was handed out lately, or committed.
    fn text(&self, base: &Base) -> Option<String> {
        let Base::Blob(id) = base else { return None };
        let handed = lock(&self.handed).text(id);
        let committed = || {
            let bytes = Git::at(&self.dir).run(&["cat-file", "blob", id]).output().ok()?;
            String::from_utf8(bytes).ok()
        };
        handed.or_else(committed)
    }
}

/// Merges two edits of a text as git does; the number of places that do not fit together.
fn merge(base: &str, theirs: &str, yours: &str) -> Result<(String, usize), MergeError> {
    let folder = tempfile::tempdir()?;
    let place = |name: &str, text: &str| -> io::Result<String> {
        // The last line's end is no difference.
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        fs::write(folder.path().join(name), format!("{text}{end}"))?;
        Ok(name.to_owned())
    };
    let files = [place("yours", yours)?, place("base", base)?, place("theirs", theirs)?];
    let words = ["merge-file", "-p", "--diff3", "-L", "yours", "-L", "before", "-L", "theirs"];
    let (out, open) = Git::at(folder.path() as &Path).run(&words).paths(&files).counted()?;
    Ok((String::from_utf8_lossy(&out).into_owned(), open))
}

/// Why two texts were not merged.
#[derive(Debug, thiserror::Error)]
enum MergeError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error(transparent)]
    Disk(#[from] io::Error),
}
