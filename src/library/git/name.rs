//! The names that git gives to commits, and those that people give.

use std::fmt;

use super::GitError;

/// The name of a revision, as somebody wrote it: it cannot be an option, a range or a second argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision(String);

impl Revision {
    /// The revision called `text`.
    pub fn new(text: &str) -> Result<Self, GitError> {
        let plain = |c: char| !c.is_control() && !c.is_whitespace() && !"\\:?*[".contains(c);
        let fits = (1..=250).contains(&text.len()) && !text.starts_with('-') && !text.contains("..");
        match fits && text.chars().all(plain) {
            true => Ok(Self(text.to_owned())),
            false => Err(GitError::BadRevision(text.to_owned())),
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Revision {
    type Err = GitError;

    fn from_str(text: &str) -> Result<Self, GitError> {
        Self::new(text)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The name of a commit: its hexadecimal digits. Shown by its first ten.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Commit(String);

impl Commit {
    /// The commit with this name, when it can be one.
    pub(in super::super) fn new(text: &str) -> Option<Self> {
        let fits = (40..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| Self(text.to_owned()))
    }

    /// Every digit.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.get(..10).unwrap_or(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_cannot_be_an_option_a_range_or_a_path() {
        for bad in ["", "-x", "--upload-pack=x", "a b", "a\nb", "HEAD..main", "HEAD:x", "a\\b", "@{-1}\0"] {
            assert!(Revision::new(bad).is_err(), "{bad:?}");
        }
        for good in ["HEAD", "HEAD~3", "v1.0", "persona/kiosk/v1", "@{upstream}", "main@{1}", "käse"] {
            assert!(Revision::new(good).is_ok(), "{good:?}");
        }
    }
}
