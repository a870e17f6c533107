//! What this server refused itself. It knows why: what is left is the remedy.

use crate::model::{
    Decision, Refusal,
    timeline::{Outcome, Step},
};

use super::{Case, Cause, Sure, firmware::secure_boot};

/// The refusal that ended the attempt.
pub(super) fn refused(case: &Case<'_>) -> Option<Cause> {
    if case.boot.outcome != Some(Outcome::Refused) {
        return None;
    }
    let by_step = || {
        case.steps().rev().find_map(|step| match step {
            Step::Refused { why } => Some(why),
            _ => None,
        })
    };
    let why = match &case.boot.decision {
        Some(Decision::Refuse { why }) => why,
        _ => by_step()?,
    };
    Some(told(case, why).saw(why.to_string()))
}

fn told(case: &Case<'_>, why: &Refusal) -> Cause {
    let mac = case.mac();
    let say = |code, title: &str, meaning: &str| Cause::new(code, Sure::Certain, title, meaning);
    match why {
        Refusal::SecondChainload { .. } => second_chainload(case),
        Refusal::UnknownArch { .. } => say(
            "unknown-arch",
            "Nobody knows what it can run",
            "Option 93 names no architecture that Greenroom knows, so there is no NBP to choose.",
        )
        .try_("Update its firmware, or boot it from iPXE on a stick: iPXE says what it is"),
        Refusal::NoNbp { arch } => say(
            "no-nbp",
            "There is no NBP for its architecture",
            "The server has NBPs for other architectures only.",
        )
        .try_(format!("Put an iPXE for {arch} into `boot.nbp_dir` (Debian: the package ipxe), and restart greenroom")),
        Refusal::NotArmed { persona } => say(
            "not-armed",
            "Nobody allowed its disk to be wiped",
            "Its persona installs to the disk. That takes an operator's leave, given for each device.",
        )
        .run(format!("Allow it, when {persona} is what it shall become, and restart it"), format!("greenroom device arm {mac}")),
        Refusal::TooManyInstalls { .. } => say(
            "too-many-installs",
            "It was installed too often within the hour",
            "A failing installer would wipe it for ever, so it is left alone for a while.",
        )
        .run("Look at what went wrong before", format!("greenroom boots --mac {mac} --timeline"))
        .try_("Wait for an hour, or raise `boot.installs_per_hour`"),
        Refusal::NoPersona { persona } => say(
            "no-persona",
            "Its persona is not in the library",
            "It was named by somebody, or by a rule, and its file is not there or was never good.",
        )
        .run(format!("See what became of {persona}"), "greenroom persona list")
        .run("Or give it another", format!("greenroom device assign {mac} PERSONA")),
        Refusal::NoImage { image, .. } => say(
            "no-image",
            "Its persona's image is not in the library",
            "The persona names an image that has no manifest.",
        )
        .run("Add it", format!("greenroom image add {image} FILE-OR-URL")),
        Refusal::WrongArch { needs, has, .. } => say(
            "wrong-arch",
            "Its persona's image is for another architecture",
            "The kernel could not start on it.",
        )
        .run(format!("Give it a persona whose image is for {has}, not {needs}"), format!("greenroom device assign {mac} PERSONA")),
        Refusal::TooSmall { needs_mib, .. } => say(
            "too-small",
            "It has less memory than its persona requires",
            "A live system is held in memory: it would not come up.",
        )
        .try_(format!("Add memory ({needs_mib} MiB at least), or lower `resources.requires.memory` of the persona")),
        Refusal::NoSecret { secret, .. } => say(
            "no-secret",
            "A secret that its persona names is missing on the server",
            "Without it the seed cannot be rendered, and an installer would stop half-way.",
        )
        .run("Write it there, for greenroom's user only", format!("install -m 600 /dev/stdin /etc/greenroom/secrets/{secret}")),
        Refusal::PoolExhausted { subnet } => say(
            "pool-exhausted",
            "Every address is taken",
            "The pool has no address left that is not promised to somebody.",
        )
        .try_(format!("Widen the pools of {subnet}, or give shorter leases (`lease: 1h`)")),
        Refusal::NoSubnet { .. } => say(
            "no-subnet",
            "It is on a network that the configuration does not know",
            "Full mode gives addresses of the subnets that it is told of.",
        )
        .try_("Add the subnet to `dhcp.subnets`, or leave the interface out of `dhcp.interfaces`"),
        Refusal::ForeignRelay { giaddr } => say(
            "foreign-relay",
            "It came by a relay that belongs to no subnet here",
            "The relay's address says where the device is, and no subnet of the configuration fits.",
        )
        .try_(format!("Add the subnet of {giaddr} to `dhcp.subnets`, or take this server out of that relay's list")),
        Refusal::OtherServer { server } => say(
            "other-server",
            "It takes its address from another DHCP server",
            "In full mode this server expects to be the only one on the network.",
        )
        .try_(format!("Stop the DHCP server at {server}; or leave addresses to it, and use `dhcp.mode: proxy` here")),
        Refusal::UnknownBoot => say(
            "unknown-boot",
            "Its attempt is not known any more",
            "It asks with the name of an attempt that was forgotten: it waited too long, or the server lost its journal.",
        )
        .try_("Restart the device: it begins a new attempt"),
    }
}

/// Firmware that fetched an NBP and asks for it again did not run it.
fn second_chainload(case: &Case<'_>) -> Cause {
    let name = case.steps().rev().find_map(|step| match step {
        Step::Nbp { name, .. } => Some(name.as_str()),
        _ => None,
    });
    let name = name.unwrap_or("the NBP");
    if case.boot.firmware.is_efi() && !name.contains("shim") {
        let cause = Cause::new(
            "secure-boot",
            Sure::Likely,
            "Secure Boot does not run an unsigned NBP",
            "UEFI fetched the NBP, did not start it, and asked again: with Secure Boot on it starts signed programs only.",
        );
        return secure_boot(cause, name, case);
    }
    Cause::new(
        "chainload-loop",
        Sure::Likely,
        "It fetches its NBP in a loop",
        "The NBP was delivered and the firmware asks for it again: it did not start, or iPXE came back without saying that it is iPXE.",
    )
    .try_("When another DHCP server answers as well, have it leave out options 66 and 67: iPXE takes its bootfile")
    .try_("Update the network card's ROM, or boot from iPXE on a stick")
    .try_("Firmware that only needs longer is not taken for a loop with a shorter `boot.chain_window`")
}
