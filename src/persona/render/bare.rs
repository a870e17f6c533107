//! Images that are all there is: rescue systems, memtest86+. They read nothing, so that a persona may say nothing to them.

use crate::persona::{Persona, schema::Raw};

use super::{Refused, refuse::Refusals};

/// Every field that would have to reach the system.
pub(super) fn refuses(persona: &Persona) -> Vec<Refused> {
    let mut refusals = Refusals::default();
    let why = "nothing on this image reads a persona: it boots as it is";
    let help = "remove it, or name the distribution of the image in `os.distribution`";
    let mut unless = |empty: bool, path: &str| refusals.unless(empty, path, why, help);
    unless(persona.apps == Default::default(), "apps");
    unless(persona.security == Default::default(), "security");
    unless(persona.network == Default::default(), "network");
    unless(persona.preferences == Default::default(), "preferences");
    unless(persona.resources.limits == Default::default(), "resources.limits");
    let requires = &persona.resources.requires;
    unless(requires.cpus.is_none(), "resources.requires.cpus");
    unless(requires.disk.is_none(), "resources.requires.disk");
    unless(persona.os.install.is_none(), "os.install");
    unless(persona.raw == Raw::default(), "raw");
    refusals.list
}
