//! What a decision means for this device: the files and the kernel's arguments, or why it cannot be.

use std::collections::BTreeSet;

use crate::{
    model::{
        Decision, Device, Firmware, PersonaName, PersonaRef, Refusal,
        image::{Image, ImageFile, Role},
        plan::{Action, BootPlan, KernelBoot, PlannedFile},
        site::BootPolicy,
    },
    persona::catalog::{Catalog, Entry},
};

use super::matching;

/// What plans are made of.
#[derive(Debug, Clone, Copy)]
pub struct Shelf<'a> {
    /// The personas and images.
    pub catalog: &'a Catalog,
    /// The names of the secrets at hand.
    pub secrets: &'a BTreeSet<String>,
}

/// Turns a decision into a plan. A persona that this device cannot become turns into a refusal here.
pub fn plan(
    policy: &BootPolicy,
    shelf: Shelf<'_>,
    device: &Device,
    firmware: Firmware,
    decision: Decision,
) -> BootPlan {
    let disk = matching::quirk(policy, device, |quirk| quirk.disk);
    let action = match &decision {
        Decision::Become { persona, .. } => match kernel(shelf, device, firmware, persona) {
            Ok(kernel) => Action::Kernel(kernel),
            Err(why) => return BootPlan { disk, ..refuse(why, firmware) },
        },
        Decision::LocalDisk { .. } => Action::LocalDisk { firmware },
        Decision::Refuse { .. } => Action::Refuse { firmware },
    };
    BootPlan { decision, action, disk }
}

/// The plan that shows a refusal.
pub fn refuse(why: Refusal, firmware: Firmware) -> BootPlan {
    BootPlan { decision: Decision::Refuse { why }, action: Action::Refuse { firmware }, disk: None }
}

fn kernel(shelf: Shelf<'_>, device: &Device, firmware: Firmware, persona: &PersonaRef) -> Result<KernelBoot, Refusal> {
    let (entry, image) = fitting(shelf, device, &persona.name)?;
    Ok(KernelBoot {
        persona: persona.clone(),
        firmware,
        arch: image.arch,
        files: files(image),
        args: image.args.iter().chain(entry.persona.kernel_args()).cloned().collect(),
    })
}

/// Why this device cannot become that persona, if it cannot.
pub fn hindrance(shelf: Shelf<'_>, device: &Device, persona: &PersonaName) -> Option<Refusal> {
    fitting(shelf, device, persona).err()
}

/// The persona and its image, when this device can become it.
fn fitting<'a>(
    Shelf { catalog, secrets }: Shelf<'a>,
    device: &Device,
    persona: &PersonaName,
) -> Result<(&'a Entry, &'a Image), Refusal> {
    let name = || persona.clone();
    let entry = catalog.persona(persona).ok_or_else(|| Refusal::NoPersona { persona: name() })?;
    let wanted = entry.persona.image();
    let image = catalog.image(wanted).ok_or_else(|| Refusal::NoImage { persona: name(), image: wanted.to_string() })?;
    if let Some(has) = device.arch.filter(|has| *has != image.arch) {
        return Err(Refusal::WrongArch { image: image.name.to_string(), needs: image.arch, has });
    }
    if let (Some(needs), Some(has_mib)) = (entry.persona.memory_min(), device.hardware.memory_mib) {
        let needs_mib = needs.0 >> 20;
        // Firmware keeps some memory to itself: a 2048 MiB device reports a little less.
        if has_mib + has_mib / 8 < needs_mib {
            return Err(Refusal::TooSmall { persona: name(), needs_mib, has_mib });
        }
    }
    // Told now, an installer does not stop half-way for want of it.
    if let Some(secret) = entry.persona.secret_names().find(|secret| !secrets.contains(*secret)) {
        return Err(Refusal::NoSecret { persona: name(), secret: secret.to_owned() });
    }
    Ok((entry, image))
}

fn files(image: &Image) -> Vec<PlannedFile> {
    let planned = |(role, file): (&Role, &ImageFile)| PlannedFile {
        role: *role,
        digest: file.sha256,
        size: file.size,
        name: file.name.clone().unwrap_or_else(|| role.name().to_owned()),
    };
    image.files.iter().map(planned).collect()
}
