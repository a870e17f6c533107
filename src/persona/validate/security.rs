//! Groups, the SSH server, passwords: what is of all users together.

use crate::{
    document::Check,
    persona::{Persona, schema::Family},
};

use super::{brief, once, shape::is_login, user};

pub(super) fn check(check: &mut Check<'_>, persona: &Persona) {
    groups(check, persona);
    logins(check, persona);
    passwords(check, persona);
    secrets(check, persona);
}

fn groups(check: &mut Check<'_>, persona: &Persona) {
    let groups = &persona.security.groups;
    let windows = persona.os.distribution().family() == Family::Windows;
    for (at, group) in groups.iter().enumerate() {
        let message = format!("`{}` cannot name a group", brief(&group.name));
        let help = "lower-case letters, digits, `-` and `_`, at most 32, beginning with a letter";
        check.require(windows || is_login(&group.name), "GR241", &format!("security.groups.{at}.name"), message, help);
        if let Some(gid) = group.gid {
            user::number(check, &format!("security.groups.{at}.gid"), gid);
        }
    }
    once(check, groups.iter().enumerate().map(|(at, group)| (format!("security.groups.{at}.name"), &group.name)));
    let path = |at: usize| format!("security.groups.{at}.gid");
    once(check, groups.iter().enumerate().filter_map(|(at, group)| Some((path(at), group.gid?.to_string()))));
}

fn logins(check: &mut Check<'_>, persona: &Persona) {
    let security = &persona.security;
    let linux = !matches!(persona.os.distribution().family(), Family::Windows | Family::Other);
    let has_password = |hash: bool| security.users.iter().any(|user| user.password_hash.is_some() == hash && hash);
    let comes_in = security.users.iter().any(|user| !user.ssh_keys.is_empty()) || has_password(true);
    let message = match security.users.len() {
        0 => "there is no user: nobody can log in".to_owned(),
        _ => "no user has a key or a password: nobody can log in".to_owned(),
    };
    let path = if security.users.is_empty() { "security" } else { "security.users" };
    let help = "give one user `ssh_keys`, or a `password_hash` for the console";
    check.warn(!linux || comes_in, "GR085", path, message, help);
    let ssh = &security.ssh;
    let message = "passwords may log in, and no user has one";
    let help = "remove `password_login`, or give a user a `password_hash`";
    check.warn(!ssh.password_login || has_password(true), "GR086", "security.ssh.password_login", message, help);
    let length = security.passwords.min_length.unwrap_or(0);
    let message = match length {
        0 => "passwords may log in from the network, and may be as short as one likes".to_owned(),
        least => format!("passwords of {least} characters may log in from the network"),
    };
    let help = "set `security.passwords.min_length` to 10 or more, or use keys";
    check.warn(!ssh.password_login || length >= 10, "GR087", "security.ssh.password_login", message, help);
    let message = "root may log in: nobody will know who it was";
    let help = "give a user `sudo: true` instead";
    check.warn(!ssh.root_login, "GR090", "security.ssh.root_login", message, help);
}

fn passwords(check: &mut Check<'_>, persona: &Persona) {
    let passwords = &persona.security.passwords;
    let bounds = [
        ("min_length", passwords.min_length, 6..=128, "6 to 128 characters: PAM takes no less"),
        ("min_classes", passwords.min_classes, 0..=4, "there are four kinds of character"),
        ("max_days", passwords.max_days, 1..=99_999, "1 to 99999 days; leave it out for passwords that last"),
    ];
    for (field, value, range, help) in bounds {
        let fits = value.is_none_or(|value| range.contains(&value));
        let message = format!("{field} cannot be {}", value.unwrap_or(0));
        check.require(fits, "GR242", &format!("security.passwords.{field}"), message, help);
    }
}

/// The names of secrets are names of files in one folder of the server.
fn secrets(check: &mut Check<'_>, persona: &Persona) {
    let of_users = persona.security.users.iter().enumerate();
    let of_users = of_users.filter_map(|(at, user)| {
        Some((format!("security.users.{at}.password_secret"), user.password_secret.as_ref()?))
    });
    let of_disk = persona.security.encryption.iter();
    let of_disk = of_disk.map(|disk| ("security.encryption.passphrase_secret".to_owned(), &disk.passphrase_secret));
    for (path, name) in of_users.chain(of_disk) {
        let before = check.problems.len();
        let fits = (1..=64).contains(&name.len())
            && !name.starts_with('.')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        // People write the secret itself here.
        let message = "this is no name of a secret";
        let help = "name a file of the server's secrets folder: letters, digits, `.`, `_` and `-`";
        check.require(fits, "GR240", &path, message, help);
        check.conceal_since(before);
    }
}
