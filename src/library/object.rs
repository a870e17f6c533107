//! Objects of git, read by their ids: many by one run. Trees are read as git keeps them, so that no name in them is ever a
//! word that git could take for another.

use std::collections::HashMap;

use super::git::{Commit, Git, GitError};

/// The objects that were read.
pub(super) struct Objects<'a> {
    git: &'a Git,
    read: HashMap<String, Vec<u8>>,
}

/// A folder of a commit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tree<'a> {
    bytes: &'a [u8],
    /// How long an id is, in bytes.
    id: usize,
}

impl<'a> Objects<'a> {
    pub(super) fn new(git: &'a Git) -> Self {
        Self { git, read: HashMap::new() }
    }

    /// Reads what was not read yet.
    pub(super) fn read<'b>(&mut self, ids: impl Iterator<Item = &'b String>) -> Result<(), GitError> {
        let mut missing: Vec<&String> = ids.filter(|id| !self.read.contains_key(*id)).collect();
        missing.sort();
        missing.dedup();
        self.read.extend(batch(self.git, &missing)?.into_iter().flatten());
        Ok(())
    }

    /// What was read.
    pub(super) fn get(&self, id: &str) -> Option<&[u8]> {
        self.read.get(id).map(Vec::as_slice)
    }

    /// A folder that was read.
    pub(super) fn tree(&self, id: Option<&str>) -> Option<Tree<'_>> {
        let id = id?;
        Some(Tree { bytes: self.get(id)?, id: id.len() / 2 })
    }

    /// Reads the folder of each commit that this path from the top leads to; it ends in a slash, or is empty. A commit may have
    /// none.
    pub(super) fn folders(&mut self, commits: &[Commit], path: &[u8]) -> Result<Vec<Option<String>>, GitError> {
        let asked: Vec<String> = commits.iter().map(|commit| format!("{}^{{tree}}", commit.as_str())).collect();
        let mut folders = vec![];
        for (commit, found) in commits.iter().zip(batch(self.git, &asked.iter().collect::<Vec<_>>())?) {
            let (id, bytes) = found.ok_or_else(|| GitError::NoRevision(commit.to_string()))?;
            folders.push(Some(id.clone()));
            self.read.insert(id, bytes);
        }
        for step in path.split(|byte| *byte == b'/').filter(|step| !step.is_empty()) {
            for folder in &mut folders {
                *folder = self.tree(folder.as_deref()).and_then(|tree| tree.entry(step, b"40000"));
            }
            self.read(folders.iter().flatten())?;
        }
        Ok(folders)
    }
}

impl<'a> Tree<'a> {
    /// The id of a file of this name. Links and submodules are none.
    pub(super) fn file(&self, name: &str) -> Option<String> {
        self.entry(name.as_bytes(), b"100")
    }

    /// The id of a folder of this name.
    pub(super) fn folder(&self, name: &str) -> Option<String> {
        self.entry(name.as_bytes(), b"40000")
    }

    /// The id of what has this name, and a mode that begins so. Each entry is `<mode> <name>`, a zero, and the id.
    fn entry(&self, name: &[u8], mode: &[u8]) -> Option<String> {
        let mut rest = self.bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == 0) {
            let id = rest.get(end + 1..end + 1 + self.id)?;
            let blank = rest.iter().position(|byte| *byte == b' ')?;
            if rest.get(blank + 1..end)? == name {
                return rest.starts_with(mode).then(|| id.iter().map(|byte| format!("{byte:02x}")).collect());
            }
            rest = &rest[end + 1 + self.id..];
        }
        None
    }
}

/// An object: its id, and its bytes.
type Object = (String, Vec<u8>);

/// What one run of git says of objects, in the order in which they were named: the id and the bytes, or nothing where there is
/// no such object. A name is a line.
pub(super) fn batch(git: &Git, names: &[&String]) -> Result<Vec<Option<Object>>, GitError> {
    if names.is_empty() {
        return Ok(vec![]);
    }
    let asked: String = names.iter().map(|name| format!("{name}\n")).collect();
    let said = git.run(&["cat-file", "--batch"]).tell(asked.into_bytes()).output()?;
    let mut rest = &said[..];
    let mut read = vec![];
    // Each answer: `<id> <type> <length>`, the bytes, a line end; or the name and `missing`.
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 1..];
        let mut words = head.split(' ');
        let (id, length) = (words.next(), words.nth(1).and_then(|length| length.parse::<usize>().ok()));
        let (Some(id), Some(length)) = (id, length) else {
            read.push(None);
            continue;
        };
        let Some(bytes) = rest.get(..length) else { break };
        read.push(Some((id.to_owned(), bytes.to_vec())));
        rest = rest.get(length + 1..).unwrap_or_default();
    }
    Ok(read)
}

/// The commit that the first of these names means which means one, by one run of git.
pub(super) fn first_commit(git: &Git, names: &[String]) -> Result<Option<Commit>, GitError> {
    let asked: String = names.iter().map(|name| format!("{name}^{{commit}}\n")).collect();
    match git.run(&["cat-file", "--batch-check=%(objectname)"]).tell(asked.into_bytes()).output() {
        // What is missing, or means several, is said with more words.
        Ok(said) => Ok(String::from_utf8_lossy(&said).lines().find_map(Commit::new)),
        // A name that leads nowhere can end git: an upstream that there is not.
        Err(GitError::Failed { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_entry_by_entry_and_only_files_are_files() {
        let mut bytes = vec![];
        for (mode, name, id) in [("100644", "a b.yaml", 1), ("120000", "link.yaml", 2), ("40000", "fragments", 3)] {
            bytes.extend(format!("{mode} {name}\0").bytes());
            bytes.extend([id; 20]);
        }
        let tree = Tree { bytes: &bytes, id: 20 };
        assert_eq!(tree.file("a b.yaml"), Some("01".repeat(20)));
        assert_eq!(tree.folder("fragments"), Some("03".repeat(20)));
        for none in ["link.yaml", "fragments", "b.yaml", ""] {
            assert_eq!(tree.file(none), None, "{none}");
        }
        // What was cut off ends the search.
        let cut = Tree { bytes: &bytes[..bytes.len() - 1], id: 20 };
        assert_eq!(cut.folder("fragments"), None);
    }
}
