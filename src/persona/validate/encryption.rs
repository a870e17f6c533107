//! Disk encryption, and who opens the disk when nobody is there.
//!
//! A device that waits for a passphrase never reports that it is installed, and is gone after every power cut. So without
//! TPM or Tang there must be somebody at its keyboard. A desktop says that there is: then it is a warning, since a
//! passphrase at every start is what the owner of a laptop may well want; anything else is an error.

use crate::{
    document::Check,
    model::Effect,
    persona::{Persona, schema::Family},
};

use super::{brief, shape::is_web};

pub(super) fn check(check: &mut Check<'_>, persona: &Persona) {
    let Some(encryption) = &persona.security.encryption else { return };
    let path = "security.encryption";
    let message = "an ephemeral persona has no disk to encrypt";
    let help = "remove `encryption`, or say `effect: destructive`";
    check.require(persona.effect == Effect::Destructive, "GR099", path, message, help);
    // BitLocker uses the TPM unless it is told otherwise.
    let windows = persona.os.distribution().family() == Family::Windows;
    let opens_itself = encryption.tpm2.is_some() || !encryption.tang.is_empty() || windows;
    let help = "add `tpm2: {}`, or `tang:` with a server on the network; the passphrase stays as the last resort";
    if persona.preferences.desktop.is_none() {
        let message = "nothing opens this disk at a start that nobody watches";
        check.require(opens_itself, "GR097", path, message, help);
    } else {
        let message = "somebody must type the passphrase at every start, the first one too";
        check.warn(opens_itself, "GR247", path, message, help);
    }
    for (at, tang) in encryption.tang.iter().enumerate() {
        let url = is_web(&tang.url);
        let print = is_thumbprint(&tang.thumbprint);
        let (field, message) = match url {
            false => ("url", format!("`{}` is no URL of a Tang server", brief(&tang.url))),
            true => ("thumbprint", format!("`{}` is no thumbprint", brief(&tang.thumbprint))),
        };
        let help = "write http://tang.example.org, and what `tang-show-keys` prints there";
        check.require(url && print, "GR098", &format!("{path}.tang.{at}.{field}"), message, help);
    }
    let pcrs = encryption.tpm2.iter().flat_map(|tpm2| &tpm2.pcrs).enumerate();
    for (at, pcr) in pcrs {
        let message = format!("a TPM has no register {pcr}");
        check.require(*pcr <= 23, "GR246", &format!("{path}.tpm2.pcrs.{at}"), message, "they count from 0 to 23");
    }
}

/// A JWK thumbprint in base64url: 27 characters of SHA-1, or 43 of SHA-256.
fn is_thumbprint(text: &str) -> bool {
    [27, 43].contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
