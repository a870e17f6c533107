//! What a persona's target can say: what it has no words for, and raw blocks of other formats, would reach nobody.

use crate::{
    document::{Check, Problem},
    persona::{Persona, render::refuses, schema::Target},
};

impl Target {
    /// The raw blocks that it reads: an installer's own, and cloud-init's where the installed system's does the rest.
    pub const fn raw_blocks(self) -> &'static [&'static str] {
        match self {
            Self::CloudInit => &["cloud_init"],
            Self::Preseed => &["preseed", "cloud_init"],
            Self::Autoinstall => &["autoinstall", "cloud_init"],
            Self::Kickstart => &["kickstart", "cloud_init"],
            Self::Ignition => &["ignition"],
            Self::Unattend => &["windows"],
            Self::Bare => &[],
        }
    }
}

pub(super) fn check(check: &mut Check<'_>, persona: &Persona) {
    let raw = &persona.raw;
    let target = persona.target();
    let blocks = [
        ("cloud_init", !raw.cloud_init.is_empty()),
        ("autoinstall", !raw.autoinstall.is_empty()),
        ("preseed", !raw.preseed.is_empty()),
        ("kickstart", !raw.kickstart.is_empty()),
        ("ignition", !raw.ignition.is_empty()),
        ("windows", !raw.windows.is_empty()),
    ];
    for (block, _) in blocks.iter().filter(|(_, written)| *written) {
        let message = format!("`raw.{block}` is read by nobody: this persona becomes {target}");
        let help = match target.raw_blocks() {
            [] => "remove it: its image is all that such a persona is".to_owned(),
            read => format!("remove it, or write it for {}", read.join(" or ")),
        };
        let is_read = target.raw_blocks().contains(block);
        check.warn(is_read, "GR269", &format!("raw.{block}"), message, &help);
    }
    for refused in refuses(persona) {
        let known = check.problems.len();
        check.require(false, "GR270", &refused.path, refused.why, refused.help);
        // A rule that was broken at the same place has said it better.
        let (before, new) = check.problems.split_at(known);
        let place = |problem: &Problem| (problem.path.clone(), problem.line, problem.column);
        let told = new.iter().any(|new| before.iter().any(|old| old.is_error() && place(old) == place(new)));
        if told {
            check.problems.truncate(known);
        }
    }
}
