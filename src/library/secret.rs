//! The secrets that personas name: a folder beside the library and never in it, one file each.

use std::{collections::BTreeSet, fs, io, path::Path};

use crate::{model::secret::Secrets, persona::Persona};

/// A secret that a persona names and the site cannot give. The message never holds what a secret says.
#[derive(Debug, thiserror::Error)]
#[error(
    "the secret `{name}` cannot be read from {folder}: {error}; write it there, readable for greenroom's user only"
)]
pub struct SecretError {
    /// Which.
    pub name: String,
    /// Where it should be.
    pub folder: String,
    /// What the system says.
    pub error: io::Error,
}

/// The secrets that `persona` is rendered with, each without the line end that editors put behind it.
pub fn secrets_of(persona: &Persona, folder: &Path) -> Result<Secrets, SecretError> {
    let read = |name: &str| Ok((name.to_owned(), secret(name, folder)?));
    Ok(Secrets::new(persona.secret_names().map(read).collect::<Result<Vec<_>, _>>()?))
}

/// The names of the secrets that can be opened. A folder that is not there holds none. What they say is not read: this is
/// asked every other second, and a secret should be in memory only while it is needed.
pub fn secret_names(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| entry.path().is_file());
    let opens = |name: &String| names_a_file(name) && fs::File::open(folder.join(name)).is_ok();
    files.filter_map(|entry| entry.file_name().into_string().ok()).filter(opens).collect()
}

/// One secret of the site.
pub fn secret(name: &str, folder: &Path) -> Result<String, SecretError> {
    let fail = |error| SecretError { name: name.to_owned(), folder: folder.display().to_string(), error };
    if !names_a_file(name) {
        return Err(fail(io::Error::new(io::ErrorKind::InvalidInput, "this cannot name a file")));
    }
    let text = fs::read_to_string(folder.join(name)).map_err(fail)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Validation lets no other name through; a path must not lead out of the folder all the same.
fn names_a_file(name: &str) -> bool {
    !(name.is_empty() || name.starts_with('.') || name.contains('/'))
}
