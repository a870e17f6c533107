//! What goes wrong once a kernel runs: kernels without a word, seeds that nobody reads, systems that say what ails them.

use crate::model::{
    Millis,
    image::Role,
    timeline::{Boot, Outcome, Phase, Step},
};

use super::{
    Case, Cause, Sure,
    image::{loaded, needs},
};

fn is_seed(step: &Step) -> bool {
    matches!(step, Step::Seed { .. })
}

fn is_report(step: &Step) -> bool {
    matches!(step, Step::Report(_))
}

/// The device says that something went wrong.
pub(super) fn said_to_fail(case: &Case<'_>) -> Option<Cause> {
    let report = case.report().filter(|report| report.phase == Phase::Failed)?;
    let cause = Cause::new(
        "reported-failed",
        Sure::Certain,
        "The device itself says that it failed",
        "Its installer or its first boot ran, and reported what went wrong.",
    );
    let cause = cause.saw_all(report.message.clone());
    let cause = cause.saw_all(report.cloud_init.as_ref().map(|status| format!("cloud-init: {status}")));
    let broken = report.checks.iter().filter(|check| !check.ok);
    let cause = cause.saw_all(broken.map(|check| format!("not {}: {}", check.name, check.saw)));
    Some(cause.run("Read its seed as it was served", format!("greenroom replay {}", case.boot.id)).try_(
        "On the device: `cloud-init status --long`, `journalctl -b -p warning`; an installer keeps its log in /var/log",
    ))
}

/// Words that tell what it is, in what devices report.
const WORDS: &[(&[&str], &str, &str, &str, &str)] = &[
    (
        &["not valid yet", "not yet valid", "is expired", "certificate has expired"],
        "clock-wrong",
        "Its clock is wrong",
        "Certificates and signed package lists hold from one time to another, and its clock is outside of it.",
        "Set the clock in the firmware's setup (a board whose battery is empty starts in 2000), or give it a time server: `dhcp.subnets[].ntp`",
    ),
    (
        &["no space left", "disk full", "not enough free space", "too small"],
        "disk-full",
        "Its disk is too small or full",
        "The installation does not fit.",
        "Give the persona a smaller layout under `storage`, or the device a larger disk",
    ),
    (
        &["temporary failure resolving", "could not resolve", "name or service not known", "name resolution"],
        "no-dns",
        "It finds no names (DNS)",
        "What it installs comes from a server that is named, and its DNS server does not know the name or does not answer.",
        "Give it a DNS server that answers: `dhcp.subnets[].dns`, or the other DHCP server's option 6",
    ),
    (
        &["unable to locate package", "no package matches", "nothing provides", "has no installation candidate"],
        "no-package",
        "A package of its persona does not exist there",
        "The mirror has no package of that name for this release.",
        "Correct the name in the persona's `packages`, or add the repository that has it",
    ),
    (
        &["no disk found", "no such device", "no devices were found", "no suitable disk"],
        "no-disk",
        "It finds no disk to install to",
        "The installer's kernel sees no disk, or none that the persona's layout fits.",
        "Set the disk controller to AHCI in the firmware's setup (not RAID or VMD), or use a newer image",
    ),
];

/// What a device reports often says which of a few things it is.
pub(super) fn said_in_its_words(case: &Case<'_>) -> Option<Cause> {
    let report = case.report()?;
    let failing = report.phase == Phase::Failed || report.checks.iter().any(|check| !check.ok);
    let told = report
        .message
        .iter()
        .cloned()
        .chain(report.checks.iter().filter(|check| !check.ok).map(|check| check.saw.clone()));
    let told: Vec<String> = told.filter(|_| failing).collect();
    WORDS.iter().find_map(|(words, code, title, why, remedy)| {
        let said = told.iter().find(|said| {
            let lower = said.to_lowercase();
            words.iter().any(|word| lower.contains(word))
        })?;
        Some(Cause::new(code, Sure::Likely, *title, *why).saw(format!("it says: {said}")).try_(*remedy))
    })
}

/// The kernel was started and nothing came of it.
pub(super) fn kernel_silent(case: &Case<'_>) -> Option<Cause> {
    let kernel = case.boot.kernel.as_ref()?;
    let word = |step: &Step| is_seed(step) || is_report(step) || matches!(step, Step::GaveUp | Step::NoBlob { .. });
    let fits = case.hangs() && loaded(case) && !needs(kernel, Role::Rootfs) && !case.has(word);
    fits.then(|| {
        let cause = Cause::new(
            "kernel-silent",
            Sure::Likely,
            "The kernel was loaded, and nothing was heard of it",
            "It panicked, it has no driver for the network card, or it waits for something on its console.",
        );
        let cause = cause
            .saw("kernel and initrd came whole; no seed was asked for")
            .saw_all(case.silence())
            .try_("Look at the device's screen, and at its serial console: the kernel's last words are there")
            .try_("When the screen stays black: add `console=tty0`, or `nomodeset`, to the image's args")
            .try_("When it has no network: its card needs a newer kernel, or a firmware file that the initrd does not have")
            .try_("See that kernel and initrd are of the same version");
        match case.boot.firmware.is_efi() {
            true => cause.try_("With Secure Boot on, the kernel itself must be signed by its distribution"),
            false => cause,
        }
    })
}

/// The system came up and did not read its seed.
pub(super) fn seed_not_asked(case: &Case<'_>) -> Option<Cause> {
    let kernel = case.boot.kernel.as_ref()?;
    let rootfs =
        case.has(|step| matches!(step, Step::Blob { role: Role::Rootfs, transfer, .. } if transfer.is_whole()));
    let fits = case.hangs() && needs(kernel, Role::Rootfs) && rootfs && !case.has(is_seed) && !case.has(is_report);
    fits.then(|| {
        Cause::new(
            "seed-not-asked",
            Sure::Likely,
            "The system started, and did not read its seed",
            "It has its root file system. What reads the seed (cloud-init, the installer) does not run, or does not look here.",
        )
        .saw("the root file system came whole; no file of the seed was asked for")
        .saw_all(case.silence())
        .try_("See that the image has cloud-init, and that its args name the seed: `ds=nocloud;s={{seed_url}}`")
        .try_("See that the image does not limit cloud-init's data sources (`/etc/cloud/cloud.cfg.d`, `ds-identify`)")
        .try_("The system's own network may not come up: look at its console")
    })
}

/// The seed was read, and no word came since.
pub(super) fn no_report(case: &Case<'_>) -> Option<Cause> {
    (case.hangs() && case.has(is_seed) && !case.has(is_report)).then(|| {
        let files: Vec<&str> = case
            .steps()
            .filter_map(|step| match step {
                Step::Seed { name } => Some(name.as_str()),
                _ => None,
            })
            .collect();
        Cause::new(
            "no-report",
            Sure::Possible,
            "It read its seed, and has not reported since",
            "Its first boot still works (packages take their time), it failed without a word, or it lost the network.",
        )
        .saw(format!("it read {}", files.join(", ")))
        .saw_all(case.silence())
        .try_("On the device: `cloud-init status --long` and `systemctl --failed`")
        .try_("When it changes its network (VLAN, static address), see that it still reaches this server")
        .run("Read the seed as it was served", format!("greenroom replay {}", case.boot.id))
    })
}

/// The installer began, and does not end.
pub(super) fn installer_silent(case: &Case<'_>) -> Option<Cause> {
    let report = case.report().filter(|report| report.phase == Phase::Installing && case.hangs())?;
    let cause = Cause::new(
        "installer-silent",
        Sure::Likely,
        "The installer began, and has not ended",
        "It asks a question on its screen, waits for a mirror, or works on a slow disk.",
    );
    Some(
        cause
            .saw("it reported that it installs")
            .saw_all(report.message.clone())
            .saw_all(case.silence())
            .try_("Look at its screen: a question there is one that the persona leaves open")
            .try_("See that it reaches the mirrors of `site.mirrors`, and that they are quick")
            .try_("Its log is on its second console (Alt+F4 in Debian's installer, Ctrl+Alt+F2 elsewhere), or here with `syslog.listen`"),
    )
}

/// It restarts before it is ready, again and again.
pub(super) fn restarts_for_ever(case: &Case<'_>) -> Option<Cause> {
    let cut_short = |boot: &Boot| boot.outcome == Some(Outcome::Restarted) && boot.kernel.is_some();
    let within = |boot: &&&Boot| case.boot.began.since(boot.began) < Millis(3_600_000);
    let before = case.earlier.iter().filter(within).take_while(|boot| cut_short(boot)).count();
    (cut_short(case.boot) && before >= 2).then(|| {
        Cause::new(
            "restart-loop",
            Sure::Likely,
            "It restarts before it is ready, again and again",
            "A kernel that panics and restarts by itself, a watchdog, or a power supply that gives in under load look like this.",
        )
        .saw(format!("{} attempts within an hour ended because the next began", before + 1))
        .try_("Look at the console right before it restarts; take `panic=` off the kernel's args, so that it stays there")
        .try_("Turn the firmware's or BMC's watchdog off while it installs")
    })
}

/// It runs, and something that the persona promises does not hold.
pub(super) fn promise_not_held(case: &Case<'_>) -> Option<Cause> {
    let report = case.report().filter(|report| matches!(report.phase, Phase::Ready | Phase::Installed))?;
    let broken: Vec<String> = report
        .checks
        .iter()
        .filter(|check| !check.ok)
        .map(|check| format!("not {}: {}", check.name, check.saw))
        .collect();
    (!broken.is_empty()).then(|| {
        Cause::new(
            "promise-not-held",
            Sure::Certain,
            "It runs, and not everything is as its persona says",
            "The device checked what the persona promises, and found these missing.",
        )
        .saw_all(broken)
        .try_("On the device: `cloud-init status --long`; what failed is in /var/log/cloud-init-output.log")
    })
}
