//! The operating system: distribution, version, architecture, kernel arguments.

use std::collections::BTreeSet;

use crate::{
    document::Check,
    persona::{
        Persona,
        known::{has_release, releases},
    },
};

use super::{brief, once};

/// What boot scripts and image manifests say themselves, and where it comes from.
const OURS: [(&str, &str); 7] = [
    ("ds=", "cloud-init's data source"),
    ("url=", "the preseed file's address"),
    ("inst.ks=", "the Kickstart file's address"),
    ("ignition.config.url=", "the Ignition config's address"),
    ("cloud-config-url=", "the cloud-config's address"),
    ("ip=", "how the initrd gets its address"),
    ("BOOTIF=", "the port that was booted from"),
];

pub(super) fn check(check: &mut Check<'_>, persona: &Persona) {
    let os = &persona.os;
    let distribution = os.distribution();
    if let Some(family) = os.family {
        let message = format!("{distribution} is not of this family");
        let help = "remove `family`: the distribution says it";
        check.require(distribution.family() == family, "GR019", "os.family", message, help);
    }
    if let Some(version) = &os.version {
        let message = format!("there is no {distribution} {}", brief(version));
        check.require(has_release(distribution, version), "GR018", "os.version", message, releases(distribution));
    }
    for (at, arch) in os.arch.iter().enumerate() {
        let version = os.version.as_deref();
        let (shown, help) = match version.filter(|_| distribution.runs_on(*arch, None)) {
            Some(version) => (format!(" {}", brief(version)), "remove it, or choose another version"),
            None => (String::new(), "remove it, or choose another distribution"),
        };
        let message = format!("{distribution}{shown} is not made for {arch}");
        check.require(distribution.runs_on(*arch, version), "GR268", &format!("os.arch.{at}"), message, help);
    }
    once(check, os.arch.iter().enumerate().map(|(at, arch)| (format!("os.arch.{at}"), arch.name())));
    kernel_args(check, persona);
}

fn kernel_args(check: &mut Check<'_>, persona: &Persona) {
    let mut seen = BTreeSet::new();
    for (at, arg) in persona.kernel_args().iter().enumerate() {
        let path = format!("os.kernel_args.{at}");
        let shown = brief(arg);
        let one_word = !arg.is_empty() && !arg.contains(|c: char| c.is_whitespace() || c.is_control());
        let message = format!("`{shown}` is not one kernel argument");
        check.require(one_word, "GR013", &path, message, "write one list item for each word");
        check.warn(seen.insert(arg), "GR260", &path, format!("`{shown}` is given twice"), "remove one");
        let ours = OURS.iter().find(|(prefix, _)| arg.starts_with(prefix));
        let message = format!("`{shown}` overrides what Greenroom says: {}", ours.map_or("", |(_, what)| *what));
        check.warn(ours.is_none(), "GR261", &path, message, "remove it, unless this image needs another way");
    }
}
