//! What every installer has to do and none has words of its own for: find the one disk, lay it out, let the disk open
//! unattended. The installers differ in how they are told; what they are told stands here once.

mod disk;
mod layout;
mod unlock;

use crate::persona::{Persona, schema::Install};

use super::{Refused, Subject, cloud_init, shell_word};

pub(super) use disk::{Failing, find_disk};
pub(super) use layout::{Layout, Volume};
pub(super) use unlock::{bind, packages};

/// The seed file that holds nothing but the passphrase. No script and no answer repeats it: installers write those to their
/// logs, and copy the logs to the disk.
pub(super) const PASSPHRASE: &str = "passphrase";

/// The volume group, where there is one.
pub(super) const GROUP: &str = "greenroom";

/// The passphrase: the first line of its secret, as everything that asks for one at a console reads it.
pub(super) fn passphrase(persona: &Persona, subject: &Subject<'_>) -> Option<String> {
    let encryption = persona.security.encryption.as_ref()?;
    let secret = subject.secrets.get(&encryption.passphrase_secret).unwrap_or_default();
    Some(secret.lines().next().unwrap_or_default().to_owned())
}

/// The address of a seed file, as a word of `sh`.
pub(super) fn address(subject: &Subject<'_>, file: &str) -> String {
    shell_word(&format!("{}{file}", subject.seed_url))
}

/// Posting by an installer that has curl: with its last argument, and never for long.
pub(super) fn curl_post(subject: &Subject<'_>) -> String {
    let address = shell_word(subject.report_url);
    format!("curl -fsS --retry 5 --max-time 20 -o /dev/null -H 'Content-Type: application/json' {address} --data-raw")
}

/// The line of a script that has its failure reported, wherever it ends. `post` posts its last argument.
pub(super) fn report_failure(post: &str) -> String {
    let failed = r#"{"phase":"failed","message":"the installed system could not be finished"}"#;
    format!("trap '[ $? = 0 ] || {}' EXIT\n", format!("{post} '{failed}'").replace('\'', r"'\''"))
}

/// What cannot be an answer of one line.
pub(super) fn refuses_lines(persona: &Persona) -> Vec<Refused> {
    let preferences = &persona.preferences;
    let first = [
        ("preferences.locale".to_owned(), preferences.locale.as_ref()),
        ("preferences.keyboard".to_owned(), preferences.keyboard.as_ref()),
        ("preferences.timezone".to_owned(), preferences.timezone.as_ref()),
        ("network.hostname".to_owned(), persona.network.hostname.as_ref()),
        ("network.proxy.http".to_owned(), persona.network.proxy.as_ref().map(|proxy| &proxy.http)),
    ];
    let ntp = persona.network.ntp.iter().enumerate().map(|(at, server)| (format!("network.ntp.{at}"), Some(server)));
    let answers =
        first.into_iter().chain(ntp).filter(|(_, text)| text.is_some_and(|text| text.contains(char::is_control)));
    let why = "the installer is told this on one line, and it has a control character in it";
    answers.map(|(path, _)| Refused::new(path, why, "remove it")).collect()
}

/// What no installer can be told.
pub(super) fn refuses(persona: &Persona) -> Vec<Refused> {
    let mut refused = cloud_init::refuses_everywhere(persona);
    for (at, argument) in persona.os.kernel_args.iter().enumerate() {
        if argument.contains(['"', '\'', '\\', '`', '$', ';', '|', '&', '<', '>', '{', '}', '#']) {
            let why =
                format!("`{argument}` goes into the installed system's grub.cfg, where GRUB reads it as a script");
            refused.push(Refused::new(format!("os.kernel_args.{at}"), why, "remove quotes, `$`, `;` and their like"));
        }
    }
    if let Some(install) = &persona.os.install {
        refuses_of(install, &mut refused);
    }
    refused
}

fn refuses_of(install: &Install, refused: &mut Vec<Refused>) {
    let disk = [("path", &install.disk.path), ("serial", &install.disk.serial), ("model", &install.disk.model)];
    for (key, _) in disk.iter().filter(|(_, text)| text.as_ref().is_some_and(|text| text.contains(char::is_control))) {
        let why = "no disk has a control character in what it is known by";
        refused.push(Refused::new(
            format!("os.install.disk.{key}"),
            why,
            "write it as `lsblk -o PATH,SERIAL,MODEL` does",
        ));
    }
    for (at, partition) in install.partitions.iter().enumerate() {
        let path = format!("os.install.partitions.{at}.mount");
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let folder = |name: &str| !name.is_empty() && !name.starts_with(['.', '-']) && name.chars().all(plain);
        let mount = partition.mount.as_str();
        match mount {
            "/" => refused.push(Refused::new(path, "the root takes what is left of the disk", "remove it")),
            "/boot/efi" => {
                let why = "the installer makes the boot loader's own partition, where the firmware needs one";
                refused.push(Refused::new(path, why, "remove it"));
            }
            _ if !mount.strip_prefix('/').is_some_and(|path| path.split('/').all(folder)) => {
                let why = format!("no installer takes `{mount}` for a mount point");
                refused.push(Refused::new(path, why, "an absolute path of letters, digits, `.`, `_` and `-`"));
            }
            _ => {}
        }
    }
}
