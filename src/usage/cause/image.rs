//! What goes wrong between the script and the running kernel: the files of the image.

use crate::model::{
    Bytes, Decision, Firmware,
    image::Role,
    plan::KernelBoot,
    timeline::{Outcome, Step},
    trouble::{self, Trouble, TroubleKind},
};

use super::{Case, Cause, Sure};

fn is_blob_of(step: &Step, role: Role) -> bool {
    matches!(step, Step::Blob { role: of, .. } if *of == role)
}

fn is_whole_blob_of(step: &Step, role: Role) -> bool {
    matches!(step, Step::Blob { role: of, transfer, .. } if *of == role && transfer.is_whole())
}

/// Whether the plan has a file of this role.
pub(super) fn needs(boot: &KernelBoot, role: Role) -> bool {
    boot.files.iter().any(|file| file.role == role)
}

/// Whether everything that iPXE loads came whole.
pub(super) fn loaded(case: &Case<'_>) -> bool {
    let Some(kernel) = &case.boot.kernel else { return false };
    let came = |role| !needs(kernel, role) || case.has(|step| is_whole_blob_of(step, role));
    case.has(|step| is_whole_blob_of(step, Role::Kernel)) && came(Role::Initrd)
}

/// A file that the origins do not give.
pub(super) fn not_to_be_had(case: &Case<'_>) -> Option<Cause> {
    if matches!(case.boot.outcome, Some(Outcome::Ready | Outcome::Installed)) {
        return None;
    }
    let (role, why) = case.steps().rev().find_map(|step| match step {
        Step::NoBlob { role, why, .. } => Some((*role, why)),
        _ => None,
    })?;
    // It came after all.
    let later = case.steps().rev().take_while(|step| !matches!(step, Step::NoBlob { .. }));
    if later.into_iter().any(|step| is_whole_blob_of(step, role)) {
        return None;
    }
    let cause = Cause::new(
        "no-blob",
        Sure::Certain,
        format!("The {role} of its image is not to be had"),
        "This server does not have the file, and none of its origins gives it.",
    );
    let mut cause = cause.saw(trouble::all(why));
    for trouble in why {
        let (text, command) = remedy(trouble);
        cause = match command {
            Some(command) => cause.run(text, command),
            None => cause.try_(text),
        };
    }
    Some(cause.run("When its origin is well again, have it fetched", "greenroom cache status"))
}

/// What to do about the trouble with an origin.
fn remedy(Trouble { at, kind }: &Trouble) -> (String, Option<String>) {
    let text = match kind {
        TroubleKind::NoAddress => format!("Look at this server's DNS: it does not find {at}"),
        TroubleKind::Refused => format!("Start the service at {at}, or open its port for this server"),
        TroubleKind::Unreachable | TroubleKind::Silent => {
            format!("See that {at} is up, and that this server has a route and a firewall that lets it through")
        }
        TroubleKind::BrokeOff | TroubleKind::Broken => format!("Look at the log of {at}: it fails on its own side"),
        TroubleKind::Slow => format!("{at} is too slow: name a nearer origin in the image's manifest, before this one"),
        TroubleKind::Untrusted => {
            format!("See that this server's clock is right and that it trusts whoever signed the certificate of {at}")
        }
        TroubleKind::Redirects => format!("Name the place that {at} redirects to in the image's manifest"),
        TroubleKind::Missing => {
            format!("The file was moved or replaced at {at}: look it up, and correct the manifest")
        }
        TroubleKind::Forbidden => format!("Give this server credentials for {at}"),
        TroubleKind::Busy => format!("{at} asks to be left alone for a while: wait, or name a second origin"),
        TroubleKind::WrongLength | TroubleKind::WrongBytes => {
            format!("{at} has another version of the file: add the image anew, so that its manifest has the new digest")
        }
        TroubleKind::Changed => format!("Leave the file at {at} alone while it is read"),
        TroubleKind::NotSetUp => format!("Set up what reading {at} takes (`images.s3`, a certificate)"),
        TroubleKind::NoOrigin => "Name an origin in the image's manifest".into(),
        TroubleKind::NoRoom => "Make room: `images.disk`, or take pins off".into(),
        TroubleKind::Disk => "Look at the disk of the image cache: the system's log says what it does not do".into(),
        TroubleKind::Dropped => "The server was stopping: try again".into(),
    };
    let command = match kind {
        TroubleKind::NoAddress => Some(format!("getent hosts {}", at.split(':').next().unwrap_or(at))),
        TroubleKind::NoRoom => Some("greenroom cache status".into()),
        TroubleKind::Disk => Some("dmesg | tail".into()),
        TroubleKind::WrongLength | TroubleKind::WrongBytes => Some("greenroom image add --help".into()),
        _ => None,
    };
    (text, command)
}

/// It tried as often as it does, and the server gave what it asked for.
pub(super) fn gave_up(case: &Case<'_>) -> Option<Cause> {
    let fits = case.has(|step| *step == Step::GaveUp) && !case.has(|step| matches!(step, Step::NoBlob { .. }));
    fits.then(|| {
        Cause::new(
            "gave-up",
            Sure::Likely,
            "It gave up loading, though the server gave all that it asked for",
            "It tried five times. What was sent did not arrive, or the device could not take it.",
        )
        .saw("it reported that it goes on to its disk")
        .try_("Look at its screen: iPXE says what failed (memory, a checksum, the connection)")
        .try_("Hold its model to a rate, when its driver stalls at line rate: `boot.quirks: [{match: …, rate: 20MiB}]`")
        .try_("Look at the switch port's errors")
    })
}

/// It has its script and asks for nothing.
pub(super) fn kernel_not_asked(case: &Case<'_>) -> Option<Cause> {
    let Some(Decision::Become { persona, .. }) = &case.boot.decision else { return None };
    let asked =
        case.has(|step| matches!(step, Step::Blob { .. } | Step::NoBlob { .. } | Step::Seed { .. } | Step::GaveUp));
    (case.hangs() && !asked).then(|| {
        let cause = Cause::new(
            "kernel-not-asked",
            Sure::Likely,
            "It has its script, and does not load the kernel",
            "iPXE read what it shall do, and stopped before the first file.",
        );
        let cause = cause
            .saw(format!("the script for {} was delivered; no file was asked for", persona.name))
            .saw_all(case.silence());
        let bios = matches!(case.boot.firmware, Firmware::Bios | Firmware::IpxeBios);
        let cause = match bios {
            true => cause.try_("Its processor may be a 32-bit one: the script checks, and says so on the screen"),
            false => cause,
        };
        cause
            .try_("Look at its screen: iPXE says what failed")
            .try_("See that it has enough memory to hold kernel and initrd")
    })
}

/// A file broke off and did not come whole later.
pub(super) fn broken_off(case: &Case<'_>) -> Option<Cause> {
    let unfinished = |role: Role| {
        let began = case.count(|step| is_blob_of(step, role));
        (began > 0 && !case.has(|step| is_whole_blob_of(step, role))).then_some((role, began))
    };
    let (role, tries) = [Role::Kernel, Role::Initrd, Role::Rootfs].into_iter().find_map(unfinished)?;
    let ends_badly = case.hangs() || matches!(case.boot.outcome, Some(Outcome::Failed));
    let (sent, of) = case.steps().rev().find_map(|step| match step {
        Step::Blob { role: blob, transfer, .. } if *blob == role => Some((transfer.bytes, transfer.of)),
        _ => None,
    })?;
    ends_badly.then(|| {
        let by = if role == Role::Rootfs { "the initrd" } else { "iPXE" };
        Cause::new(
            "blob-broken-off",
            Sure::Likely,
            format!("Its {role} breaks off on the way"),
            format!("This server had it and sent it; {by} stopped taking it."),
        )
        .saw(format!("{sent} of {of} went out, {tries} {}", if tries == 1 { "time" } else { "times" }))
        .saw_all(case.silence())
        .try_("Hold its model to a rate: drivers of some cards stall at line rate (`boot.quirks: [{match: …, rate: 20MiB}]`)")
        .try_("Look at the switch port's errors, and at the cable")
        .try_("See that no proxy or firewall ends long connections")
    })
}

/// What it loads does not fit into its memory.
pub(super) fn too_little_memory(case: &Case<'_>) -> Option<Cause> {
    let memory = case.device?.hardware.memory_mib?;
    let kernel = case.boot.kernel.as_ref()?;
    let size: u64 = kernel.files.iter().filter_map(|file| file.size).map(|size| size.0).sum();
    // Unpacked, an initrd or a root file system takes two to three times as much.
    let tight = size > 0 && memory << 20 < size.saturating_mul(5) / 2;
    (tight && case.hangs() && case.scripted()).then(|| {
        Cause::new(
            "too-little-memory",
            Sure::Possible,
            "It may have too little memory for its image",
            "Files are held in memory while they are loaded and unpacked, which takes two to three times their size.",
        )
        .saw(format!("it has {memory} MiB; the files of its image are {}", Bytes(size)))
        .try_("Add memory, or give it a persona with a smaller image")
        .try_(format!(
            "Say so in the persona, so that others are refused in words: `resources.requires.memory: {}MiB`",
            (size * 5 / 2) >> 20
        ))
    })
}

/// The initrd runs, or not, and does not fetch the root file system.
pub(super) fn rootfs_not_asked(case: &Case<'_>) -> Option<Cause> {
    let kernel = case.boot.kernel.as_ref()?;
    let fits = case.hangs()
        && needs(kernel, Role::Rootfs)
        && loaded(case)
        && !case.has(|step| {
            is_blob_of(step, Role::Rootfs) || matches!(step, Step::NoBlob { .. } | Step::Seed { .. } | Step::Report(_))
        });
    fits.then(|| {
        Cause::new(
            "rootfs-not-asked",
            Sure::Likely,
            "The kernel started, and its initrd has no network",
            "Kernel and initrd were delivered whole. The initrd should fetch the root file system next, and its request does not arrive.",
        )
        .saw("kernel and initrd came whole; the root file system was not asked for")
        .saw_all(case.silence())
        .try_("Its network card may need a driver or firmware file that the initrd does not have: use a newer image")
        .try_("See in the packets below whether the kernel asks for an address: with several cards it may use another (`ip=dhcp`, `BOOTIF`)")
        .try_("Look at the console: a kernel that panics says why (`console=tty0 console=ttyS0` in the image's args)")
    })
}
