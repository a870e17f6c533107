//! Files to write: paths, permissions, owners.

use std::collections::BTreeSet;

use crate::{
    document::Check,
    persona::{
        Persona,
        intent::Intent,
        schema::{Family, File},
    },
};

use super::{
    brief, once,
    shape::{is_absolute, is_within},
};

/// Where nothing lasts: what is there is the kernel's.
const NOT_FILES: [&str; 3] = ["/proc", "/sys", "/dev"];

pub(super) fn check(check: &mut Check<'_>, persona: &Persona) {
    let files = &persona.apps.files;
    let linux = persona.os.distribution().family() != Family::Windows;
    let written: BTreeSet<String> = match files.is_empty() {
        true => BTreeSet::new(),
        false => Intent::of(persona).files.into_iter().map(|file| file.path).collect(),
    };
    for (at, file) in files.iter().enumerate() {
        let path = |field: &str| format!("apps.files.{at}.{field}");
        let shown = brief(&file.path);
        let absolute = if linux { is_absolute(&file.path) } else { is_windows_path(&file.path) };
        let message = format!("`{shown}` is no absolute path");
        let help = if linux { "write it from `/` on, without `..`" } else { "write it with its drive: C:\\Users" };
        check.require(absolute, "GR021", &path("path"), message, help);
        let lasts = !NOT_FILES.iter().any(|folder| is_within(&file.path, folder)) && !file.path.ends_with('/');
        let message = format!("`{shown}` is no place for a file");
        check.require(
            !linux || lasts,
            "GR070",
            &path("path"),
            message,
            "for kernel settings, write below /etc/sysctl.d",
        );
        let ours = written.contains(&file.path) || is_within(&file.path, "/usr/local/lib/greenroom");
        let message = format!("Greenroom writes `{shown}` itself, and one of the two wins");
        let help = "use the field that it comes from, or a file of another name beside it";
        check.warn(!ours, "GR073", &path("path"), message, help);
        permissions(check, &path, file);
        let owner = file.owner.split(':').collect::<Vec<_>>();
        let plain = |name: &str| {
            !name.is_empty() && name.len() <= 32 && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
        };
        let owned = owner.len() <= 2 && owner.iter().all(|name| plain(name));
        let message = format!("`{}` is no owner", brief(&file.owner));
        check.require(!linux || owned, "GR072", &path("owner"), message, "write user:group, as root:root");
    }
    once(check, files.iter().enumerate().map(|(at, file)| (format!("apps.files.{at}.path"), &file.path)));
}

fn permissions(check: &mut Check<'_>, path: &dyn Fn(&str) -> String, file: &File) {
    let digits = (3..=4).contains(&file.mode.len()) && file.mode.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let octal = digits && file.mode.len() == 4;
    let message = format!("`{}` are no permissions", brief(&file.mode));
    let help = "write the permissions as four octal digits in quotes: \"0644\"";
    check.require(octal, "GR022", &path("mode"), message, help);
    let mode = if octal { u32::from_str_radix(&file.mode, 8).unwrap_or(0) } else { 0 };
    let message = match mode & 0o6000 {
        0 => format!("with {} everybody may write `{}`", file.mode, brief(&file.path)),
        _ => format!("with {} `{}` runs with its owner's rights", file.mode, brief(&file.path)),
    };
    check.warn(mode & 0o6002 == 0, "GR071", &path("mode"), message, "\"0755\" for programs, \"0644\" for files");
}

fn is_windows_path(path: &str) -> bool {
    let mut chars = path.chars();
    let drive = chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next() == Some(':');
    drive && matches!(chars.next(), Some('\\' | '/')) && !path.contains("..") && !path.contains(char::is_control)
}
