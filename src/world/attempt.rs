//! Boot attempts: when one begins, how it moves, when it loops, how it ends.
//!
//! A DISCOVER does not say whether the device was just switched on or the firmware is only asking again. This is told by
//! how far the attempt has come: firmware that asks again *after its script was delivered* was restarted; firmware that asks
//! again *after its NBP was delivered, and before any script was asked for* did not run the NBP, and would fetch it for
//! ever.

use crate::{
    boot::identify::identify,
    model::{
        Arch, BootId, DeviceId, Fact, Firmware, MacAddr, Moment, Refusal,
        dhcp::BootClient,
        site::BootPolicy,
        timeline::{Boot, Moved, Outcome, Phase, Stage, Step},
    },
};

use super::{Stamp, World};

/// The attempt that a boot client's packet belongs to.
pub(super) struct Sighting {
    /// Whose it is.
    pub device: DeviceId,
    /// Its name.
    pub boot: BootId,
    /// What the packet itself made happen.
    pub facts: Vec<Fact>,
    /// Set when the packet is a loop that must be broken.
    pub refusal: Option<Refusal>,
}

/// Finds or begins the attempt that a packet of `client` belongs to.
pub(super) fn sight(
    world: &World,
    policy: &BootPolicy,
    mac: MacAddr,
    client: &BootClient,
    asks_anew: bool,
    stamp: Stamp,
) -> Sighting {
    let device = identify(&world.ports, &world.uuids, mac, client.uuid);
    let mut facts =
        vec![Fact::DeviceSeen { device, mac, uuid: client.uuid, arch: client.arch, firmware: client.firmware }];
    let current = world.devices.get(&device).and_then(|device| world.boots.get(&device.boot?));
    if let Some(boot) = current {
        if let Some(why) = looping(boot, policy, client.firmware, stamp.now) {
            return Sighting { device, boot: boot.id, facts, refusal: Some(why) };
        }
        if continues(boot, policy, client.firmware, asks_anew, stamp.now) {
            return Sighting { device, boot: boot.id, facts, refusal: None };
        }
    }
    let boot = BootId::new(stamp.nonce);
    facts.push(Fact::BootStarted { boot, device, firmware: client.firmware, arch: client.arch });
    Sighting { device, boot, facts, refusal: None }
}

/// Whether `firmware` asks again for the NBP that it was just given: "a second chainload is a refusal, not a loop".
fn looping(boot: &Boot, policy: &BootPolicy, firmware: Firmware, now: Moment) -> Option<Refusal> {
    let delivered = boot.chainloaded.filter(|_| boot.decision.is_none() && firmware == boot.firmware)?;
    let seconds = now.since(delivered).0 / 1000;
    (seconds < u64::from(policy.chain_window.0)).then_some(Refusal::SecondChainload { seconds })
}

/// Whether a packet belongs to `boot`, rather than beginning another attempt.
fn continues(boot: &Boot, policy: &BootPolicy, firmware: Firmware, asks_anew: bool, now: Moment) -> bool {
    if now >= boot.last.plus(policy.stuck_after) {
        return false;
    }
    match boot.stage {
        // It asks again, or its NBP speaks for the first time.
        Stage::Firmware | Stage::Chainloaded => firmware == boot.firmware || firmware.is_ipxe(),
        // The last packets of an exchange may come after the script of an eager client; a DISCOVER means a restart.
        Stage::Scripted | Stage::Loading | Stage::Ended => !asks_anew,
    }
}

/// A new attempt.
pub(super) fn start(id: BootId, device: DeviceId, firmware: Firmware, arch: Option<Arch>, at: Moment) -> Boot {
    Boot {
        id,
        device,
        firmware,
        arch,
        stage: Stage::Firmware,
        began: at,
        last: at,
        chainloaded: None,
        decision: None,
        kernel: None,
        setting: None,
        outcome: None,
        steps: vec![],
    }
}

/// Moves an attempt on by one step.
pub(super) fn step(boot: &mut Boot, step: &Step, at: Moment) {
    boot.last = at;
    if boot.steps.len() < Boot::MAX_STEPS {
        boot.steps.push(Moved { at, step: step.clone() });
    }
    let reached = |boot: &mut Boot, stage| boot.stage = boot.stage.max(stage);
    match step {
        Step::Nbp { transfer, .. } => {
            if transfer.is_whole() && boot.decision.is_none() {
                boot.chainloaded = Some(at);
                reached(boot, Stage::Chainloaded);
            }
        }
        Step::Script { decision } => {
            reached(boot, Stage::Scripted);
            boot.decision = Some(decision.clone());
        }
        Step::Blob { .. } | Step::Seed { .. } => reached(boot, Stage::Loading),
        Step::Report(report) if report.phase == Phase::Installing => reached(boot, Stage::Loading),
        // It may try again after a `NoBlob`; the others say how it ended, or nothing.
        Step::Discover { .. }
        | Step::Offer { .. }
        | Step::Ack { .. }
        | Step::Staged { .. }
        | Step::NoBlob { .. }
        | Step::GaveUp
        | Step::Report(_)
        | Step::Refused { .. }
        | Step::Stuck { .. } => {}
    }
    match (step, step.outcome()) {
        (Step::Report(_), Some(outcome)) => conclude(boot, outcome, at),
        (_, Some(outcome)) => end(boot, outcome, at),
        (_, None) => {}
    }
}

/// Ends an attempt that has not ended yet.
pub(super) fn end(boot: &mut Boot, outcome: Outcome, at: Moment) {
    if boot.stage != Stage::Ended {
        conclude(boot, outcome, at);
    }
}

/// Ends an attempt by the device's own word, which corrects what was only inferred from its silence.
fn conclude(boot: &mut Boot, outcome: Outcome, at: Moment) {
    boot.last = at;
    boot.stage = Stage::Ended;
    boot.outcome = Some(outcome);
}

/// The attempts that have been silent for too long at `now`, as facts. An installer talks to its mirror for a long while
/// without a word to us: once the kernel runs, it gets four times as long.
pub(super) fn stuck(world: &World, policy: &BootPolicy, now: Moment) -> Vec<Fact> {
    let silent = |boot: &&Boot| {
        let patience = if boot.stage == Stage::Loading { 4 } else { 1 };
        let limit = u64::from(policy.stuck_after.0) * 1000 * patience;
        now.since(boot.last).0 >= limit
    };
    let stuck = |boot: &Boot| Fact::BootMoved { boot: boot.id, step: Step::Stuck { silent: now.since(boot.last) } };
    world.under_way.iter().filter_map(|id| world.boots.get(id)).filter(silent).map(stuck).collect()
}
