//! What devices did before a test began, as the journal has it.

use greenroom::model::{
    Arch, BootId, Decision, DeviceId, Fact, Firmware, MacAddr, Moment, PersonaRef, Reason, Version,
    plan::KernelBoot,
    timeline::{Phase, Report, Step},
};

const DAY: u64 = 86_400_000;

/// A device became a persona at this hour, on each of so many days before now; by `minutes` later each.
pub fn habit(mac: MacAddr, persona: &str, days: u64, minutes: u64, now: Moment) -> Vec<(Moment, Fact)> {
    let device = DeviceId::new(mac);
    let version = Version::new("0123456789012345678901234567890123456789");
    let persona = PersonaRef { name: persona.parse().unwrap(), version };
    let number = u64::from(mac.octets()[5]) << 32;
    let (firmware, arch) = (Firmware::EfiPxe, Some(Arch::X64));
    let mut facts = vec![];
    for day in (1..=days).rev() {
        let at = Moment::from_millis(now.as_millis() - day * DAY + minutes * 60_000);
        let boot = BootId::new(number + 0xbeef_0000 + day);
        let reason = Reason::Rule { name: "once".into() };
        let decision = Decision::Become { persona: persona.clone(), reason, armed: None };
        let kernel = KernelBoot { persona: persona.clone(), firmware, arch: Arch::X64, files: vec![], args: vec![] };
        let report = Report {
            phase: Phase::Ready,
            hostname: None,
            kernel: None,
            cloud_init: None,
            message: None,
            checks: vec![],
        };
        let told = [
            Fact::DeviceSeen { device, mac, uuid: None, arch, firmware },
            Fact::BootStarted { boot, device, firmware, arch },
            Fact::BootMoved { boot, step: Step::Script { decision } },
            Fact::BootPlanned { boot, kernel, setting: None },
            Fact::BootMoved { boot, step: Step::Report(report) },
        ];
        facts.extend(told.map(|fact| (at, fact)));
    }
    facts
}
