//! Facts as a site would have them, told in a few words.

use greenroom::{
    model::{
        Arch, BootId, Decision, DeviceId, Fact, Firmware, MacAddr, Moment, PersonaRef, Probability, Reason, Record,
        Seconds, Version,
        attribute::Changes,
        plan::KernelBoot,
        timeline::{Phase, Report, Step},
    },
    predict::learn::{Experience, News},
};

pub struct Story {
    pub records: Vec<Record>,
    pub now: Moment,
    boots: u64,
}

pub fn device(n: u32) -> DeviceId {
    let [a, b, c, d] = n.to_be_bytes();
    DeviceId::new(MacAddr::new([0x52, 0x54, a, b, c, d]).unwrap())
}

pub fn changes(text: &str) -> Changes {
    let one = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.parse().unwrap(), Some(value.parse().unwrap()))
    };
    text.split(' ').map(one).collect()
}

pub fn assigned(n: u32, persona: &str) -> Fact {
    let (device, persona, by) = (device(n), persona.parse().unwrap(), "ann".into());
    Fact::PersonaAssigned { device, persona, by, not_before: None, expires: None, why: None }
}

pub fn predicted() -> Reason {
    Reason::Predicted { probability: Probability::near(0.9), model: "model 1".into() }
}

pub fn reported(boot: BootId, phase: Phase) -> Fact {
    let report = Report { phase, hostname: None, kernel: None, cloud_init: None, message: None, checks: vec![] };
    Fact::BootMoved { boot, step: Step::Report(report) }
}

/// The facts of a boot, until its kernel is planned.
pub fn boots(n: u32, boot: BootId, persona: &str, reason: Reason) -> [Fact; 3] {
    let persona = PersonaRef { name: persona.parse().unwrap(), version: Version::new("v") };
    let decision = Decision::Become { persona: persona.clone(), reason, armed: None };
    let (firmware, arch) = (Firmware::IpxeEfi, Arch::X64);
    let kernel = KernelBoot { persona, firmware, arch, files: vec![], args: vec![] };
    [
        Fact::BootStarted { boot, device: device(n), firmware, arch: Some(arch) },
        Fact::BootMoved { boot, step: Step::Script { decision } },
        Fact::BootPlanned { boot, kernel, setting: None },
    ]
}

impl Story {
    pub fn new() -> Self {
        Self { records: vec![], now: Moment::from_millis(1_790_000_000_000), boots: 0 }
    }

    pub fn tell(&mut self, fact: Fact) {
        self.records.push(Record { seq: self.records.len() as u64 + 1, at: self.now, fact });
    }

    pub fn pass(&mut self, seconds: u32) {
        self.now = self.now.plus(Seconds(seconds));
    }

    pub fn describe(&mut self, n: u32, text: &str) {
        self.tell(Fact::DeviceDescribed { device: device(n), changes: changes(text), by: "ann".into() });
    }

    /// A device boots, and what becomes of it, if anything.
    pub fn boot(&mut self, n: u32, persona: &str, reason: Reason, end: Option<Phase>) -> BootId {
        self.boots += 1;
        let boot = BootId::new(self.boots);
        boots(n, boot, persona, reason).into_iter().for_each(|fact| self.tell(fact));
        self.pass(60);
        end.into_iter().for_each(|phase| self.tell(reported(boot, phase)));
        boot
    }

    pub fn fold(&self) -> (Experience, News) {
        fold(&self.records)
    }

    /// What was learned: `planned known device persona`, a line each.
    pub fn learned(&self) -> Vec<String> {
        let (experience, _) = self.fold();
        let line = |example: &std::sync::Arc<greenroom::predict::learn::Example>| {
            format!("{} {} {:?}", example.device.mac().octets()[5], example.persona, example.source)
        };
        experience.examples().map(line).collect()
    }
}

pub fn fold(records: &[Record]) -> (Experience, News) {
    let (mut experience, mut news) = (Experience::default(), News::default());
    records.iter().for_each(|record| experience.apply(record, &mut news));
    (experience, news)
}
