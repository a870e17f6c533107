//! What happened before the daemon started: told to [`decide`] as devices and people tell it, with clocks of the past, and
//! written to the journal that the daemon opens.

use std::{net::Ipv4Addr, path::Path, sync::Arc, time::SystemTime};

use greenroom::{
    journal::Journal,
    library::Library,
    model::{
        Arch, BootId, Bytes, DeviceId, Firmware, MacAddr, Millis, Moment, PersonaName, Prediction, Probability, Record,
        Seconds, SmbiosUuid,
        command::{Line, Order, Orders},
        dhcp::{AskKind, BootClient, BootFlavour, DhcpAsk, DhcpPort, Ingress},
        image::{Role, Tier},
        plan::{Action, KernelBoot},
        prediction::Candidate,
        reply::Reply,
        request::Request,
        smbios::Hardware,
        staged::{Because, StagedFile},
        timeline::{Check, Phase, Report, Step, Transfer},
        trouble::{Trouble, TroubleKind},
    },
    predict::{Origin, Table},
    world::{Ground, Stamp, World, decide},
};

use super::place;

mod large;
mod month;
mod spite;

pub use large::large;
pub use month::{month, who};
pub use spite::{CANARY, SPITEFUL, USER, spite};

/// This server, as devices of the past know it.
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 1);
const DAY: u64 = 86_400_000;

/// The port of the n-th device.
pub fn mac(n: u32) -> MacAddr {
    let [_, a, b, c] = n.to_be_bytes();
    MacAddr::new([0x52, 0x54, 0x00, a, b, c]).unwrap()
}

/// Where a boot of the past ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// It says nothing after its first packets, after its NBP, after its script, in the middle of its image.
    Discovered,
    Chainloaded,
    Scripted,
    Loading,
    /// Its image is nowhere.
    NoImage,
    Ready,
    Installed,
    Failed,
}

/// What a device is, for its DHCP packets and its script.
#[derive(Clone, Copy)]
struct Machine {
    n: u32,
    maker: &'static str,
    product: &'static str,
    /// The relay of its network.
    relay: Ipv4Addr,
    arch: Arch,
}

struct Past {
    world: World,
    ground: Ground,
    now: Moment,
    journal: Journal,
    batch: Vec<Record>,
    nonce: u64,
}

fn today() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64
}

impl Past {
    fn new(dir: &Path, began: Moment) -> Self {
        let state = dir.join("state");
        std::fs::create_dir_all(&state).unwrap();
        let (journal, world) = Journal::open(&state.join("journal.redb")).unwrap();
        let mut site = place::config().site;
        site.boot.nbps = place::NBPS.map(str::to_owned).into();
        let catalog = Library::open(&dir.join("library")).catalog().clone();
        let ground = Ground {
            site: Arc::new(site),
            catalog: Arc::new(catalog),
            secrets: Arc::new(place::SECRETS.map(str::to_owned).into()),
            forecast: Arc::default(),
        };
        Self { world, ground, now: began, journal, batch: vec![], nonce: 0 }
    }

    fn ask(&mut self, request: &Request) -> Reply {
        // Names of attempts that look like names, the same at each start.
        self.nonce = self.nonce.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let stamp = Stamp { now: self.now, nonce: self.nonce >> 14 };
        let outcome = decide(&self.world, &self.ground, request, stamp);
        for fact in outcome.facts {
            let record = Record { seq: self.world.seq + 1, at: self.now, fact };
            self.world.apply(&record);
            self.batch.push(record);
        }
        outcome.reply
    }

    fn wait(&mut self, millis: u64) {
        self.now = Moment::from_millis(self.now.as_millis() + millis);
    }

    /// On to this time, if it is not later already.
    fn on(&mut self, millis: u64) {
        self.now = self.now.max(Moment::from_millis(millis));
        self.ask(&Request::Tick);
    }

    fn write(&mut self) {
        self.journal.append(&self.batch, true).unwrap();
        self.batch.clear();
    }

    fn order(&mut self, by: &str, lines: Vec<Line>) {
        let orders = Orders { by: by.into(), key: None, said: None, lines };
        assert_eq!(self.ask(&Request::Orders(orders)), Reply::Done);
    }

    fn assign(&mut self, by: &str, n: u32, persona: &str, arm: bool, why: Option<&str>) {
        let persona = persona.parse().unwrap();
        let order = Order::AssignPersona { persona, arm, not_before: None, expires: None, why: why.map(str::to_owned) };
        self.order(by, vec![Line::Device { mac: mac(n), order, expects: None }]);
    }

    fn describe(&mut self, n: u32, said: &[(&str, String)]) {
        self.order("import", vec![described(n, said)]);
    }

    /// What the forecast says of each device from now on.
    fn foresee(&mut self, rows: impl IntoIterator<Item = (u32, Vec<(&'static str, f64)>)>) {
        let origin = Origin { name: "model 1".into(), trained: self.now };
        let mut table = Table::new(origin, self.now.plus(Seconds(90 * 86_400)));
        for (n, row) in rows {
            let candidate = |(persona, probability): (&str, f64)| Candidate {
                persona: persona.parse::<PersonaName>().unwrap(),
                probability: Probability::near(probability),
            };
            table.put(DeviceId::new(mac(n)), Prediction::new(row.into_iter().map(candidate).collect()));
        }
        self.ground.forecast = Arc::new(table);
    }

    fn dhcp(
        &mut self,
        machine: Machine,
        firmware: Firmware,
        kind: AskKind,
        requested: Option<Ipv4Addr>,
    ) -> Option<Ipv4Addr> {
        let Machine { n, relay, arch, .. } = machine;
        let codes = match (arch, firmware.is_efi()) {
            (Arch::X64, true) => 7,
            (Arch::X64, false) => 0,
            _ => 11,
        };
        let mut ask = DhcpAsk::new(kind, mac(n));
        (ask.requested, ask.server_id) = (requested, requested.map(|_| SERVER));
        ask.giaddr = relay;
        ask.circuit = Some(format!("Gi1/0/{}", 1 + n % 48));
        ask.remote = Some(format!("switch-{}", n / 48));
        ask.vendor_class = Some(format!("PXEClient:Arch:{codes:05}:UNDI:003016"));
        ask.boot = Some(BootClient {
            firmware,
            arch: Some(arch),
            arch_codes: vec![codes],
            flavour: BootFlavour::Pxe,
            uuid_raw: None,
            uuid: uuid(n),
            boot_item: None,
        });
        let peer = std::net::SocketAddrV4::new(relay, 67);
        let ingress = Ingress { interface: "eth0".into(), local: SERVER, peer, port: DhcpPort::Server };
        match self.ask(&Request::Dhcp { ask, ingress }) {
            Reply::Dhcp { answer, refused: None, .. } => Some(answer.yiaddr),
            _ => None,
        }
    }

    fn observe(&mut self, boot: BootId, step: Step) {
        self.ask(&Request::Observe { boot, step, peer: SERVER.into() });
    }

    /// A boot from the first packet on, as far as it comes. A decision for the disk, or a refusal, ends it sooner.
    fn boot(&mut self, machine: Machine, bios: bool, end: End) {
        let (rom, chained, nbp) = match bios {
            true => (Firmware::Bios, Firmware::IpxeBios, "undionly.kpxe"),
            false => (Firmware::EfiPxe, Firmware::IpxeEfi, "snponly.efi"),
        };
        let Some(ip) = self.dhcp(machine, rom, AskKind::Discover, None) else { return };
        self.wait(1100);
        let boot = self.world.device_of(mac(machine.n)).unwrap().boot.unwrap();
        if end == End::Discovered {
            return;
        }
        self.dhcp(machine, rom, AskKind::Request, Some(ip));
        self.wait(400);
        self.observe(boot, Step::Nbp { name: nbp.into(), transfer: moved(1_050_000, 310) });
        if end == End::Chainloaded {
            return;
        }
        self.wait(2600);
        let Some(ip) = self.dhcp(machine, chained, AskKind::Discover, None) else { return };
        self.wait(900);
        self.dhcp(machine, chained, AskKind::Request, Some(ip));
        self.wait(150);
        let hardware = Hardware {
            manufacturer: Some(machine.maker.into()),
            product: Some(machine.product.into()),
            serial: Some(format!("SN{:06}", 7919 * (machine.n + 1) % 999_983)),
            asset: Some(format!("A-{:04}", machine.n)),
            uuid: uuid(machine.n),
            memory_mib: Some(16_384),
        };
        let server = format!("http://{SERVER}");
        let reply = self.ask(&Request::Script { boot, hardware, peer: ip.into(), server });
        let Reply::Script(plan) = reply else { panic!("no script: {reply:?}") };
        let Action::Kernel(kernel) = plan.action else { return };
        if end != End::Scripted {
            self.load(machine.n, boot, &kernel, end);
        }
    }

    fn load(&mut self, n: u32, boot: BootId, kernel: &KernelBoot, end: End) {
        if end == End::NoImage {
            for _ in 0..3 {
                self.wait(4000);
                let why = vec![Trouble { at: "mirror.example:8080".into(), kind: TroubleKind::Unreachable }];
                self.observe(boot, Step::NoBlob { role: Role::Kernel, digest: kernel.files[0].digest, why });
            }
            self.observe(boot, Step::GaveUp);
            return;
        }
        // The first machines of a morning wait for the origin, the others do not.
        let (tier, because) = match n % 10 {
            0 => (Tier::Origin, Because::Not),
            1 => (Tier::Disk, Because::Late),
            2 | 3 => (Tier::Ram, Because::Discover),
            4 => (Tier::Disk, Because::Itself),
            _ => (Tier::Ram, Because::Forecast),
        };
        let staged = kernel.files.iter().map(|file| StagedFile {
            role: file.role,
            digest: file.digest,
            len: Some(length(file.role)),
            tier,
            because,
            lead: (because == Because::Forecast).then_some(Millis(1_260_000)),
            coming: None,
            origin: Some(Millis(length(file.role).0 / 11_000)),
        });
        self.observe(boot, Step::Staged { files: staged.collect() });
        for file in &kernel.files {
            let (bytes, rate) = (length(file.role).0, if tier == Tier::Origin { 11_000 } else { 110_000 });
            let took = bytes / rate + u64::from(n % 7) * 40;
            self.wait(took);
            let transfer = moved(bytes, took);
            self.observe(boot, Step::Blob { role: file.role, digest: file.digest, tier, transfer });
        }
        if end == End::Loading {
            return;
        }
        for name in ["meta-data", "user-data"] {
            self.wait(700);
            self.observe(boot, Step::Seed { name: name.into() });
        }
        let report = |phase, message: Option<&str>, checks| {
            let (hostname, kernel) = (Some(format!("host-{n}")), Some("6.1.0-28-amd64".into()));
            Step::Report(Report {
                phase,
                hostname,
                kernel,
                cloud_init: None,
                message: message.map(str::to_owned),
                checks,
            })
        };
        self.wait(9000);
        if end == End::Installed {
            self.observe(boot, report(Phase::Installing, None, vec![]));
            self.wait(240_000);
            self.observe(boot, report(Phase::Installed, None, vec![]));
        } else {
            let check = |name: &str, ok, saw: &str| Check { name: name.into(), ok, saw: saw.into() };
            let failed = end == End::Failed;
            let checks = vec![
                check("package tree", true, "2.1.0-1"),
                check("service ssh", !failed, if failed { "failed" } else { "active" }),
            ];
            let message = failed.then_some("E: Unable to locate package nano; ssh.service failed to start");
            self.observe(boot, report(if failed { Phase::Failed } else { Phase::Ready }, message, checks));
        }
    }
}

fn described(n: u32, said: &[(&str, String)]) -> Line {
    let changes = said.iter().map(|(name, value)| (name.parse().unwrap(), Some(value.parse().unwrap()))).collect();
    Line::Device { mac: mac(n), order: Order::Describe { changes }, expects: None }
}

fn length(role: Role) -> Bytes {
    Bytes(match role {
        Role::Kernel => 8_200_000,
        Role::Initrd => 38_500_000,
        _ => 410_000_000,
    })
}

fn moved(bytes: u64, took: u64) -> Transfer {
    Transfer { bytes: Bytes(bytes), of: Bytes(bytes), took: Millis(took) }
}

fn uuid(n: u32) -> Option<SmbiosUuid> {
    SmbiosUuid::new(std::array::from_fn(|at| (at as u8).wrapping_mul(17) ^ mac(n).octets()[at % 6]))
}

const ROOMS: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 2);
const CENTRE: Ipv4Addr = Ipv4Addr::new(10, 30, 0, 2);

fn desk(n: u32) -> Machine {
    Machine {
        n,
        maker: "Dell Inc.",
        product: ["OptiPlex 7010", "OptiPlex 3080"][n as usize % 2],
        relay: ROOMS,
        arch: Arch::X64,
    }
}

fn node(n: u32) -> Machine {
    Machine { n, maker: "Dell Inc.", product: "PowerEdge C6525", relay: CENTRE, arch: Arch::X64 }
}

fn server(n: u32) -> Machine {
    Machine { n, maker: "Supermicro", product: "SYS-1029U", relay: CENTRE, arch: Arch::X64 }
}
