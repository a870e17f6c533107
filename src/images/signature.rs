//! Signed lists: OpenPGP by Debian's `gpgv`, which does nothing but this, and minisign by its crate.
//!
//! What is returned is the text that was signed, and nothing that stood around it: lines before or after a signed text
//! are nobody's word.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Whom to believe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// The OpenPGP keys in a file, in ASCII or not.
    OpenPgp(PathBuf),
    /// A minisign key: the line that begins with `RW`, or a file that holds it.
    Minisign(String),
}

/// What begins a text that is signed where it stands.
const CLEAR: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----";

/// Whether a text holds its own signature.
pub fn is_clear_signed(text: &[u8]) -> bool {
    text.starts_with(CLEAR)
}

/// The text that a key's owner signed. Without `signature` the text must hold its own. Blocks.
pub fn signed_text(text: &[u8], signature: Option<&[u8]>, key: &Key) -> Result<Vec<u8>, String> {
    match key {
        Key::OpenPgp(keyring) => open_pgp(text, signature, keyring),
        Key::Minisign(key) => {
            let signature =
                signature.ok_or("minisign's signatures are files of their own: name it with --signature")?;
            minisign(text, signature, key)
        }
    }
}

fn minisign(text: &[u8], signature: &[u8], key: &str) -> Result<Vec<u8>, String> {
    let is_line = key.starts_with("RW") && !Path::new(key).exists();
    let key = match is_line {
        true => minisign_verify::PublicKey::from_base64(key),
        false => {
            let said = fs::read_to_string(key).map_err(|error| format!("the minisign key {key}: {error}"))?;
            // Two lines, the first a comment; or the key alone.
            minisign_verify::PublicKey::decode(&said).or_else(|_| minisign_verify::PublicKey::from_base64(said.trim()))
        }
    };
    let key = key.map_err(|error| format!("that is no minisign key ({error}): it is one line, and begins with RW"))?;
    let signature = std::str::from_utf8(signature).ok().and_then(|text| minisign_verify::Signature::decode(text).ok());
    let signature = signature.ok_or("that is no minisign signature: it is a text of four lines")?;
    // Signatures of the older kind, without hashing before, are as good.
    key.verify(text, &signature, true).map_err(|error| {
        format!("the signature is not good ({error}): the list was altered, or another key signed it; do not use it")
    })?;
    Ok(text.to_vec())
}

fn open_pgp(text: &[u8], signature: Option<&[u8]>, keyring: &Path) -> Result<Vec<u8>, String> {
    if signature.is_none() && !is_clear_signed(text) {
        return Err("the list holds no signature: name the file that does with --signature".into());
    }
    let told = |error: io::Error| format!("a folder for the check: {error}");
    let folder = tempfile::tempdir().map_err(told)?;
    let [keys, list, detached, signed] =
        ["keys.gpg", "list", "signature", "signed"].map(|name| folder.path().join(name));
    fs::write(&keys, binary_keys(keyring)?).map_err(told)?;
    fs::write(&list, text).map_err(told)?;
    let mut gpgv = Command::new("gpgv");
    // No home: nothing that lies there can make a key good.
    gpgv.args(["--status-fd", "1", "--homedir"]).arg(folder.path()).arg("--keyring").arg(&keys);
    match signature {
        Some(signature) => {
            fs::write(&detached, signature).map_err(told)?;
            gpgv.arg(&detached).arg(&list);
        }
        None => {
            gpgv.arg("--output").arg(&signed).arg(&list);
        }
    }
    let output = gpgv.env("LC_ALL", "C").stdin(Stdio::null()).output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "gpgv is needed to check the signature: `apt-get install gpgv`".to_owned(),
        _ => format!("gpgv does not run: {error}"),
    })?;
    let status = String::from_utf8_lossy(&output.stdout).into_owned();
    judge(&status, &keyring.display().to_string(), &String::from_utf8_lossy(&output.stderr))?;
    match signature {
        Some(_) => Ok(text.to_vec()),
        None => fs::read(&signed).map_err(|error| format!("what gpgv says was signed cannot be read: {error}")),
    }
}

/// Whether a good signature is among those that gpgv found, and no bad one. Lists may bear several, of keys that not everybody
/// has: one that is good is enough.
fn judge(status: &str, keyring: &str, said: &str) -> Result<(), String> {
    let words = || status.lines().filter_map(|line| line.strip_prefix("[GNUPG:] ")).map(|line| line.split(' '));
    let of =
        |kind: &str| words().find_map(|mut words| (words.next() == Some(kind)).then(|| words.next().unwrap_or("")));
    if of("BADSIG").is_some() {
        return Err("the signature is not good: the list was altered after it was signed; do not use it".into());
    }
    if of("GOODSIG").is_some() && of("VALIDSIG").is_some() {
        return Ok(());
    }
    if let Some(key) = of("REVKEYSIG") {
        return Err(format!("the key {key} that signed the list was revoked by its owner; do not use it"));
    }
    if let Some(key) = of("EXPKEYSIG").or(of("EXPSIG")) {
        return Err(format!("the key {key}, or its signature, has expired: fetch the keys of this release anew"));
    }
    if let Some(key) = of("NO_PUBKEY").or(of("ERRSIG")) {
        return Err(format!(
            "the list is signed by key {key}, which is not in {keyring}: take the keyring of those who made the release (for \
             Debian and Ubuntu, packages debian-archive-keyring, ubuntu-keyring and debian-role-keyring have some)"
        ));
    }
    let said: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("gpgv: ")).collect();
    Err(format!(
        "there is no good signature: {}",
        if said.is_empty() { "gpgv found none".into() } else { said.join("; ") }
    ))
}

/// The keys of a file as gpgv wants them: packed. What is in ASCII is unpacked here.
fn binary_keys(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = fs::read(path).map_err(|error| format!("the keyring {}: {error}", path.display()))?;
    let Some(text) =
        std::str::from_utf8(&bytes).ok().filter(|text| text.contains("-----BEGIN PGP PUBLIC KEY BLOCK-----"))
    else {
        return Ok(bytes);
    };
    let broken = || format!("the keyring {} is broken: export the keys again", path.display());
    let mut keys = vec![];
    for block in text.split("-----BEGIN PGP PUBLIC KEY BLOCK-----").skip(1) {
        let (block, _) = block.split_once("-----END").ok_or_else(broken)?;
        // Headers, an empty line, the bytes, a checksum behind `=`.
        let body = block.lines().map(str::trim).skip(1).skip_while(|line| line.contains(": ")).collect::<Vec<_>>();
        let body: String = body.into_iter().filter(|line| !line.starts_with('=')).collect();
        keys.extend(STANDARD.decode(body).map_err(|_| broken())?);
    }
    Ok(keys)
}
