//! The first token: with it, whoever is on the server makes the first account.
//!
//! It is made anew at each start, as long as there is no account, and is said once: on the terminal that `serve` runs on, or
//! else in a file of the state directory, because the system's journal is no place for secrets. One account later, it opens
//! nothing, and the file is gone.

use std::{
    fs,
    io::{self, IsTerminal, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Mutex,
};

use crate::{
    model::token::TokenPrint,
    serve::{context::lock, seed::SeedKey, token::mac},
};

/// What it is written with: letters and digits that nobody takes for one another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// How many: five bits each.
const LENGTH: usize = 25;
/// How many stand together.
const GROUP: usize = 5;

/// The first token, or what is kept of it.
pub(super) struct First {
    path: PathBuf,
    print: Mutex<Option<TokenPrint>>,
}

impl First {
    pub(super) fn new(state_dir: &Path) -> Self {
        Self { path: state_dir.join("first-sign-in"), print: Mutex::default() }
    }

    /// Makes one, and says it where only the right people read it.
    pub(super) fn give_out(&self, key: &SeedKey, url: &str) {
        let token = make();
        *lock(&self.print) = Some(print(key, &token));
        if io::stderr().is_terminal() {
            // With nobody to hear it, there is nothing else to do.
            drop(writeln!(
                io::stderr().lock(),
                "\n  Nobody can sign in yet. Open {url}/sign-in on this machine and make the first account with\n\n      {token}\n\n  \
                 or use `greenroom account add NAME --role admin`.\n"
            ));
            return;
        }
        match self.write(&token) {
            Ok(()) => tracing::info!(
                "nobody can sign in yet: make the first account at {url}/sign-in on this machine with the token in {}, or by \
                 `greenroom account add NAME --role admin`",
                self.path.display()
            ),
            Err(error) => tracing::warn!(
                "nobody can sign in yet, and {} cannot be written ({error}): `greenroom account add NAME --role admin` makes \
                 the first account",
                self.path.display()
            ),
        }
    }

    /// There is an account: the token opens nothing any more.
    pub(super) fn over(&self) {
        *lock(&self.print) = None;
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("{} opens nothing any more, and cannot be removed: {error}", self.path.display());
            }
            _ => {}
        }
    }

    /// Whether this is the token, however its letters are grouped.
    pub(super) fn accepts(&self, key: &SeedKey, shown: &str) -> bool {
        let plain: String = shown.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        *lock(&self.print) == Some(print(key, &plain))
    }

    fn write(&self, token: &str) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(self.path.parent().unwrap_or(Path::new(".")))?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o600))?;
        writeln!(file, "{token}")?;
        file.persist(&self.path).map(drop).map_err(|error| error.error)
    }
}

fn print(key: &SeedKey, token: &str) -> TokenPrint {
    let plain: String = token.chars().filter(|c| *c != '-').collect();
    TokenPrint::new(mac(&key.derived("the first token"), plain.as_bytes()))
}

fn make() -> String {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the kernel's random numbers are always to be had on Linux");
    let letters: Vec<char> = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    letters.chunks(GROUP).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_once_there_is_one_and_until_there_is_an_account() {
        let dir = tempfile::tempdir().expect("a folder");
        let (first, key) = (First::new(dir.path()), SeedKey::new([3; 32]));
        assert!(!first.accepts(&key, ""), "nothing was given out");
        let token = make();
        *lock(&first.print) = Some(print(&key, &token));
        assert_eq!((token.len(), token.matches('-').count()), (29, 4), "{token}");
        for shown in [token.clone(), token.replace('-', " "), token.to_uppercase(), format!(" {token}\n")] {
            assert!(first.accepts(&key, &shown), "{shown}");
        }
        assert!(!first.accepts(&key, &token[1..]) && !first.accepts(&key, &make()));
        first.write(&token).expect("the folder can be written");
        first.over();
        assert!(!first.accepts(&key, &token) && !dir.path().join("first-sign-in").exists());
    }
}
