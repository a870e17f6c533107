//! Public SSH keys, read as the server reads them: a kind, a blob in base64 that says the same kind again, a remark.
//!
//! ```text
//!   ssh-rsa AAAAB3NzaC1yc2E... ann@example.org
//!           |  decoded: u32 length, "ssh-rsa", u32 length, exponent, u32 length, modulus (RFC 4253 6.6)
//! ```

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The kinds that servers of today take.
const KINDS: [&str; 7] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// What rules ask of a key.
#[derive(Debug)]
pub(super) struct Key {
    /// The length of the modulus, when it is an RSA key.
    pub(super) rsa_bits: Option<usize>,
}

/// Reads one line of a `.pub` file; what is wrong with it in words.
pub(super) fn read(line: &str) -> Result<Key, String> {
    if line.contains(['\n', '\r']) {
        return Err("a public SSH key is one line".into());
    }
    let mut words = line.split_whitespace();
    let kind = words.next().unwrap_or_default();
    if kind == "ssh-dss" {
        return Err("this is a DSA key, which no SSH server takes since 2015".into());
    }
    if !KINDS.contains(&kind) {
        return Err(format!("`{}` is no public SSH key", super::brief(line)));
    }
    let blob = words.next().and_then(|blob| STANDARD.decode(blob).ok());
    let Some(blob) = blob else { return Err(format!("this {kind} key is cut off, or not base64")) };
    let cut = || format!("this {kind} key is cut off");
    let mut rest = blob.as_slice();
    let inner = part(&mut rest).ok_or_else(cut)?;
    if inner != kind.as_bytes() {
        return Err(format!("this {kind} key holds a key of another kind"));
    }
    let first = part(&mut rest).ok_or_else(cut)?;
    let whole = match kind {
        "ssh-ed25519" => first.len() == 32 && rest.is_empty(),
        _ => !first.is_empty(),
    };
    if !whole {
        return Err(cut());
    }
    if kind != "ssh-rsa" {
        return Ok(Key { rsa_bits: None });
    }
    let modulus = part(&mut rest).ok_or_else(cut)?;
    let significant = modulus.iter().position(|byte| *byte != 0).map_or(&[][..], |at| &modulus[at..]);
    let leading = significant.first().map_or(0, |byte| byte.leading_zeros() as usize);
    Ok(Key { rsa_bits: Some(significant.len() * 8 - leading) })
}

/// The next length-prefixed part.
fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (part, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *rest = after;
    Some(part)
}
