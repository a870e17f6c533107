//! Attempts in a word a step, folded by the World itself.

use greenroom::{
    model::{
        Arch, BootId, Bytes, Decision, Device, DeviceId, Digest, Fact, Firmware, MacAddr, Millis, Moment, PersonaRef,
        Reason, Record, Refusal, Version,
        image::{Role, Tier},
        plan::{KernelBoot, PlannedFile},
        site::{BootPolicy, DhcpMode, Mirrors, Site},
        timeline::{Boot, Check, Phase, Report, Step, Transfer},
        trouble::{Trouble, TroubleKind},
    },
    usage::cause::{Case, Cause, causes},
    world::World,
};

pub const ID: BootId = BootId::new(77);

pub fn mac() -> MacAddr {
    "52:54:00:77:00:01".parse().unwrap()
}

pub fn persona() -> PersonaRef {
    PersonaRef { name: "kiosk-live".parse().unwrap(), version: Version::new("0123456789abcdef") }
}

pub fn site(mode: DhcpMode) -> Site {
    Site {
        mode,
        subnets: vec![],
        authoritative: true,
        http_port: 80,
        addresses: Default::default(),
        boot: BootPolicy {
            rules: vec![],
            default: None,
            nbps: Default::default(),
            uefi_nbp: vec![],
            quirks: vec![],
            chain_window: greenroom::model::Seconds(60),
            stuck_after: greenroom::model::Seconds(900),
            installs_per_hour: 3,
            predict: Default::default(),
        },
        mirrors: Mirrors::default(),
    }
}

/// An attempt and what is known beside it.
pub struct Attempt {
    pub world: World,
    pub mode: DhcpMode,
    pub declined: Vec<std::net::Ipv4Addr>,
    pub memory_mib: Option<u64>,
    pub earlier: Vec<Boot>,
    pub now: Moment,
}

/// What one word means.
fn step(word: &str, firmware: Firmware) -> Step {
    let (word, said) = word.split_once('=').unwrap_or((word, ""));
    let ipxe = if firmware.is_efi() { Firmware::IpxeEfi } else { Firmware::IpxeBios };
    let transfer = |bytes, of| Transfer { bytes: Bytes(bytes), of: Bytes(of), took: Millis(400) };
    let blob = |role, transfer| Step::Blob { role, digest: Digest::new([7; 32]), tier: Tier::Disk, transfer };
    let name = if said.is_empty() { "snponly.efi" } else { said };
    let nbp = |transfer| Step::Nbp { name: name.to_owned(), transfer };
    let (ip, bootfile) = (Some([10, 77, 0, 100].into()), Some("x/snponly.efi".to_owned()));
    let report = |phase, checks| {
        let message = (!said.is_empty()).then(|| said.replace('_', " "));
        Step::Report(Report { phase, hostname: None, kernel: None, cloud_init: None, message, checks })
    };
    match word {
        "discover" => Step::Discover { firmware },
        "ipxe" => Step::Discover { firmware: ipxe },
        "offer" => Step::Offer { ip, bootfile },
        "proxy" => Step::Offer { ip: None, bootfile },
        "ack" => Step::Ack { ip, bootfile },
        "bare-ack" => Step::Ack { ip, bootfile: None },
        "nbp" => nbp(transfer(1000, 1000)),
        "nbp-broken" => nbp(transfer(600, 1000)),
        "nbp-none" => nbp(transfer(0, 1000)),
        "script" => {
            Step::Script { decision: Decision::Become { persona: persona(), reason: Reason::Default, armed: None } }
        }
        "disk" => Step::Script { decision: Decision::LocalDisk { reason: Reason::Fallback } },
        "kernel" => blob(Role::Kernel, transfer(9 << 20, 9 << 20)),
        "kernel-broken" => blob(Role::Kernel, transfer(1 << 20, 9 << 20)),
        "initrd" => blob(Role::Initrd, transfer(40 << 20, 40 << 20)),
        "rootfs" => blob(Role::Rootfs, transfer(400 << 20, 400 << 20)),
        "rootfs-broken" => blob(Role::Rootfs, transfer(3 << 20, 400 << 20)),
        "no-kernel" => {
            let trouble = |kind| Trouble { at: "mirror.example:80".into(), kind };
            Step::NoBlob {
                role: Role::Kernel,
                digest: Digest::new([7; 32]),
                why: vec![trouble(TroubleKind::Missing), trouble(TroubleKind::NoAddress)],
            }
        }
        "gave-up" => Step::GaveUp,
        "seed" => Step::Seed { name: "user-data".into() },
        "installing" => report(Phase::Installing, vec![]),
        "failed" => report(Phase::Failed, vec![]),
        "ready" => report(Phase::Ready, vec![]),
        "ready-but" => {
            report(Phase::Ready, vec![Check { name: "package tree".into(), ok: false, saw: "nothing".into() }])
        }
        "stuck" => Step::Stuck { silent: Millis(900_000) },
        word => panic!("no step is called {word}"),
    }
}

/// An attempt that took these steps, a second each: `discover offer ack nbp stuck`. `quiet` lets time pass, `again` begins the
/// next attempt; files that come are those of the plan.
pub fn attempt(firmware: Firmware, words: &str) -> Attempt {
    let mut world = World::default();
    let mut now = Moment::from_millis(1_800_000_000_000);
    let device = DeviceId::new(mac());
    let mut tell = |fact, at: Moment| {
        let seq = world.seq + 1;
        world.apply(&Record { seq, at, fact });
    };
    tell(Fact::DeviceSeen { device, mac: mac(), uuid: None, arch: Some(Arch::X64), firmware }, now);
    tell(Fact::BootStarted { boot: ID, device, firmware, arch: Some(Arch::X64) }, now);
    for word in words.split_whitespace() {
        now = now.plus(greenroom::model::Seconds(1));
        match word {
            "quiet" => now = now.plus(greenroom::model::Seconds(300)),
            "again" => tell(Fact::BootStarted { boot: BootId::new(78), device, firmware, arch: None }, now),
            word => {
                tell(Fact::BootMoved { boot: ID, step: step(word, firmware) }, now);
                if word == "script" {
                    let wanted = [("kernel", Role::Kernel), ("initrd", Role::Initrd), ("rootfs", Role::Rootfs)];
                    let planned = wanted
                        .into_iter()
                        .filter(|(name, role)| *role != Role::Rootfs || words.contains(name) || words.contains("live"));
                    let files = planned.map(|(name, role)| PlannedFile {
                        role,
                        digest: Digest::new([7; 32]),
                        size: Some(Bytes(400 << 20)),
                        name: name.into(),
                    });
                    let kernel = KernelBoot {
                        persona: persona(),
                        firmware,
                        arch: Arch::X64,
                        files: files.collect(),
                        args: vec![],
                    };
                    tell(Fact::BootPlanned { boot: ID, kernel, setting: None }, now);
                }
            }
        }
    }
    Attempt { world, mode: DhcpMode::Full, declined: vec![], memory_mib: None, earlier: vec![], now }
}

/// An attempt that was refused, before its script or by it.
pub fn refused(firmware: Firmware, words: &str, why: Refusal, by_script: bool) -> Attempt {
    let mut attempt = attempt(firmware, words);
    let step = match by_script {
        true => Step::Script { decision: Decision::Refuse { why } },
        false => Step::Refused { why },
    };
    let seq = attempt.world.seq + 1;
    attempt.world.apply(&Record { seq, at: attempt.now, fact: Fact::BootMoved { boot: ID, step } });
    attempt
}

impl Attempt {
    pub fn boot(&self) -> &Boot {
        self.world.boots.get(&ID).unwrap()
    }

    pub fn proxy(mut self) -> Self {
        self.mode = DhcpMode::Proxy;
        self
    }

    pub fn causes(&self) -> Vec<Cause> {
        let mut device: Device = self.world.devices.get(&DeviceId::new(mac())).unwrap().clone();
        device.hardware.memory_mib = self.memory_mib;
        let earlier: Vec<&Boot> = self.earlier.iter().collect();
        causes(&Case {
            boot: self.boot(),
            device: Some(&device),
            site: &site(self.mode),
            declined: &self.declined,
            earlier: &earlier,
            now: self.now,
        })
    }

    pub fn codes(&self) -> Vec<&'static str> {
        self.causes().iter().map(|cause| cause.code).collect()
    }
}
