//! Users: names, numbers, groups, shells, keys, passwords, sudo.

use crate::{
    document::Check,
    persona::{
        Persona,
        known::{did_you_mean, is_system_account, nearest},
        schema::{Family, User},
    },
};

use super::{
    brief, listed, once,
    shape::{is_absolute, is_login, is_windows_account},
    ssh_key,
};

/// Shells that need no package of their own.
const BASE_SHELLS: [&str; 7] = ["bash", "sh", "dash", "rbash", "nologin", "false", "true"];

/// Hashes of crypt(5) that hold, by what they begin with, and those that do not.
const STRONG: [&str; 8] = ["$y$", "$gy$", "$7$", "$2b$", "$2a$", "$2y$", "$6$", "$5$"];
const WEAK: [&str; 4] = ["$1$", "$3$", "$md5", "$sha1"];

pub(super) fn check(check: &mut Check<'_>, persona: &Persona) {
    let users = &persona.security.users;
    let path = |at: usize, field: &str| format!("security.users.{at}.{field}");
    for (at, user) in users.iter().enumerate() {
        names(check, persona, at, user);
        groups(check, persona, at, user);
        keys(check, at, user);
        password(check, at, user);
        sudo(check, at, user);
        if let Some(uid) = user.uid {
            number(check, &path(at, "uid"), uid);
        }
    }
    once(check, users.iter().enumerate().map(|(at, user)| (path(at, "name"), &user.name)));
    let numbered = users.iter().enumerate().filter_map(|(at, user)| Some((path(at, "uid"), user.uid?.to_string())));
    once(check, numbered);
    shells(check, persona);
}

fn names(check: &mut Check<'_>, persona: &Persona, at: usize, user: &User) {
    let path = |field: &str| format!("security.users.{at}.{field}");
    let family = persona.os.distribution().family();
    let name = brief(&user.name);
    let (fits, help) = match family {
        Family::Windows => {
            (is_windows_account(&user.name), "at most 20 characters, none of \" / \\ [ ] : ; | = , + * ? < > @")
        }
        _ => (is_login(&user.name), "lower-case letters, digits, `-` and `_`, at most 32, beginning with a letter"),
    };
    check.require(fits, "GR030", &path("name"), format!("`{name}` cannot be a login"), help);
    // Flatcar's own user is there to be given keys.
    let taken = is_system_account(family, &user.name) && !(family == Family::Flatcar && user.name == "core");
    let message = format!("`{name}` is a user or group of every {} system", persona.os.distribution());
    check.require(!taken, "GR036", &path("name"), message, "choose another login: adding this one would fail");
    // cloud-init writes the name into one field of /etc/passwd.
    let message = format!("`{}` cannot stand in /etc/passwd", brief(&user.full_name));
    let one_field = !user.full_name.contains([':', ',', '\n']);
    check.require(one_field, "GR035", &path("full_name"), message, "write it without `:`, `,` and line ends");
}

/// A user's or a group's number.
pub(super) fn number(check: &mut Check<'_>, path: &str, number: u32) {
    let free = !matches!(number, 0 | 65_534 | 65_535 | u32::MAX);
    let message = format!("{number} is root's or nobody's number");
    check.require(free, "GR037", path, message, "choose one from 1000 to 59999, or leave it out");
    let message = format!("{number} is in the range that systems give away themselves");
    check.warn(!free || (1000..=59_999).contains(&number), "GR248", path, message, "choose one from 1000 to 59999");
}

fn groups(check: &mut Check<'_>, persona: &Persona, at: usize, user: &User) {
    let path = format!("security.users.{at}.groups");
    let family = persona.os.distribution().family();
    for (path, group) in listed(&path, &user.groups) {
        let fits = if family == Family::Windows {
            is_windows_account(group) || is_system_account(family, group)
        } else {
            is_login(group)
        };
        let message = format!("`{}` cannot be a group", brief(group));
        let help = "lower-case letters, digits, `-` and `_`, at most 32, beginning with a letter";
        check.require(fits, "GR033", &path, message, help);
        let declared = persona.security.groups.iter().any(|known| known.name == group)
            || persona.security.users.iter().any(|known| known.name == group)
            || is_system_account(family, group)
            // `docker` comes with docker.io, `libvirt` with libvirt-daemon-system.
            || persona.packages().any(|package| package.starts_with(group));
        let families = !matches!(family, Family::Windows | Family::Other);
        let others = persona.security.groups.iter().map(|known| known.name.as_str());
        let common = ["sudo", "wheel", "adm", "audio", "video", "dialout", "plugdev", "netdev", "systemd-journal"];
        let common = common.into_iter().filter(|name| is_system_account(family, name));
        let help = did_you_mean(nearest(group, others.chain(common)), "declare it under `security.groups`");
        let message = format!("nothing here makes the group `{}`", brief(group));
        check.warn(!families || !fits || declared, "GR038", &path, message, &help);
    }
    once(check, listed(&path, &user.groups));
}

fn keys(check: &mut Check<'_>, at: usize, user: &User) {
    let path = format!("security.users.{at}.ssh_keys");
    for (path, text) in listed(&path, &user.ssh_keys) {
        let before = check.problems.len();
        let private = text.contains("PRIVATE KEY");
        let message = format!("a private key of `{}` stands here", brief(&user.name));
        let help = "paste the line of the `.pub` file, and make a new pair: this one has been written down";
        check.require(!private, "GR091", &path, message, help);
        check.conceal_since(before);
        if private {
            continue;
        }
        let key = ssh_key::read(text);
        let message = key.as_ref().err().cloned().unwrap_or_default();
        check.require(key.is_ok(), "GR032", &path, message, "paste one line of an `id_ed25519.pub`");
        let bits = key.ok().and_then(|key| key.rsa_bits);
        let message = format!("this RSA key of {} bits is refused by systems of today", bits.unwrap_or(0));
        check.warn(bits.is_none_or(|bits| bits >= 2048), "GR092", &path, message, "make one: ssh-keygen -t ed25519");
    }
    // What stands behind the key is a remark: the same key twice is the same key.
    let blobs = listed(&path, &user.ssh_keys).filter(|(_, text)| ssh_key::read(text).is_ok());
    let blobs = blobs.filter_map(|(path, text)| Some((path, text.split_whitespace().nth(1)?)));
    once(check, blobs);
}

fn password(check: &mut Check<'_>, at: usize, user: &User) {
    let Some(hash) = &user.password_hash else { return };
    let path = format!("security.users.{at}.password_hash");
    let before = check.problems.len();
    let begins = |makes: &[&str]| makes.iter().any(|make| hash.starts_with(make));
    let hashed = begins(&STRONG) || begins(&WEAK);
    let whole = hash.matches('$').count() >= 3 && !hash.contains([':', '\n', ' ']);
    let message = format!("the password of `{}` is no crypt(5) hash", brief(&user.name));
    let help = "make one with `mkpasswd -m yescrypt`; Greenroom keeps no passwords";
    check.require(hashed && whole, "GR031", &path, message, help);
    let message = format!("the password of `{}` is hashed in a way that is guessed in hours", brief(&user.name));
    check.warn(!begins(&WEAK) || !whole, "GR093", &path, message, "make one with `mkpasswd -m yescrypt`");
    check.conceal_since(before);
}

fn sudo(check: &mut Check<'_>, at: usize, user: &User) {
    let path = format!("security.users.{at}.sudo_commands");
    for (path, command) in listed(&path, &user.sudo_commands) {
        let message = format!("`{}` is no command as sudoers has them", brief(command));
        let help =
            "begin with an absolute path; write `\\,` `\\:` `\\=` in arguments; what is not listed is not allowed";
        check.require(is_sudo_command(command), "GR039", &path, message, help);
    }
    let message = format!("`{}` may do everything: its commands say nothing", brief(&user.name));
    let help = "remove `sudo: true`, or the list";
    check.warn(!user.sudo || user.sudo_commands.is_empty(), "GR084", &path, message, help);
    once(check, listed(&path, &user.sudo_commands));
}

/// An absolute path, with arguments or without. No aliases, no `!`, which forbids nothing (a copy of the program will do).
fn is_sudo_command(command: &str) -> bool {
    let program = command.split(' ').next().unwrap_or_default();
    let mut escaped = false;
    let plain = command.chars().all(|c| {
        let fits = escaped || !",:=".contains(c);
        escaped = c == '\\' && !escaped;
        fits && !c.is_control()
    });
    is_absolute(program) && program.len() > 1 && plain && !escaped && !program.contains('!')
}

fn shells(check: &mut Check<'_>, persona: &Persona) {
    let of_users = persona.security.users.iter().enumerate();
    let of_users = of_users.filter_map(|(at, user)| Some((format!("security.users.{at}.shell"), user.shell.as_ref()?)));
    let of_all = persona.preferences.shell.iter().map(|shell| ("preferences.shell".to_owned(), shell));
    for (path, shell) in of_users.chain(of_all) {
        let absolute = is_absolute(shell) && !shell.contains(char::is_whitespace) && !shell.contains(':');
        let message = format!("`{}` is no absolute path", brief(shell));
        check.require(absolute, "GR034", &path, message, "write /bin/bash, or /usr/bin/zsh");
        let name = shell.rsplit('/').next().unwrap_or_default();
        let there = BASE_SHELLS.contains(&name)
            || persona.packages().any(|package| package == name || package.starts_with(&format!("{name}-")))
            || persona.apps.files.iter().any(|file| file.path == **shell);
        let message = format!("nothing here installs `{}`", brief(shell));
        let has_packages = persona.os.distribution().manager().is_some();
        let help = format!("add `{name}` to `apps.packages`");
        check.warn(!has_packages || !absolute || there, "GR232", &path, message, &help);
    }
}
