//! The devices: described, booted again and again, each request timed.

use std::{
    collections::BTreeMap,
    fs::File,
    hint::black_box,
    io::{BufWriter, Write},
    net::Ipv4Addr,
    path::Path,
    time::{Duration, Instant},
};

use dhcproto::v4::{Decodable, Decoder, Message};
use greenroom::{
    journal::Journal,
    model::{
        Arch, BootId, Bytes, Device, Digest, Firmware, Millis, Moment, Record, Seconds, SmbiosUuid,
        command::{Line, Order, OrderKey, Orders},
        decision::Voice,
        device::Visit,
        dhcp::{AskKind, BootClient, BootFlavour, DhcpAsk, DhcpPort, Ingress},
        image::{Role, Tier},
        plan::Action,
        reply::Reply,
        request::Request,
        smbios::Hardware,
        timeline::{Outcome, Phase, Report, Step, Transfer},
    },
    world::{Ground, Stamp, Taken, TakenOrders, World, decide},
};
use nix::sys::resource::{UsageWho, getrusage};

use crate::{
    figure::{micros, packet},
    place::{BEGAN, PERSONAS, RELAYS, SERVER, ground, mac, relay},
};

/// The records that were written, in a journal and as lines.
pub(crate) struct Written {
    journal: Journal,
    pub(crate) lines: BufWriter<File>,
    batch: Vec<Record>,
}

impl Written {
    fn push(&mut self, record: Record) {
        serde_json::to_writer(&mut self.lines, &record).unwrap();
        self.lines.write_all(b"\n").unwrap();
        self.batch.push(record);
        if self.batch.len() == 5000 {
            self.flush();
        }
    }

    pub(crate) fn flush(&mut self) {
        self.journal.append(&self.batch, true).unwrap();
        self.batch.clear();
    }
}

pub(crate) struct Fleet {
    pub(crate) devices: u32,
    pub(crate) world: World,
    pub(crate) ground: Ground,
    pub(crate) now: Moment,
    nonce: u64,
    pub(crate) written: Option<Written>,
    took: BTreeMap<&'static str, [Vec<Duration>; 2]>,
}

impl Fleet {
    pub(crate) fn new(devices: u32, folder: &Path) -> Self {
        let (journal, world) = Journal::open(&folder.join("long.redb")).unwrap();
        let lines = BufWriter::new(File::create(folder.join("long.jsonl")).unwrap());
        let written = Some(Written { journal, lines, batch: vec![] });
        Self { devices, world, ground: ground(devices), now: BEGAN, nonce: 0, written, took: BTreeMap::new() }
    }

    /// One request, timed: what was decided, and what the fold made of it.
    fn ask(&mut self, kind: &'static str, request: &Request) -> Reply {
        self.nonce += 1;
        let stamp = Stamp { now: self.now, nonce: self.nonce };
        let interrupted = interrupted();
        let began = Instant::now();
        let outcome = decide(&self.world, &self.ground, request, stamp);
        let decided = began.elapsed();
        let records: Vec<Record> =
            (self.world.seq + 1..).zip(outcome.facts).map(|(seq, fact)| Record { seq, at: self.now, fact }).collect();
        let began = Instant::now();
        records.iter().for_each(|record| self.world.apply(record));
        let applied = began.elapsed();
        if interrupted == self::interrupted() {
            let [decisions, folds] = self.took.entry(kind).or_default();
            decisions.push(decided);
            folds.push(applied);
        }
        if let Some(written) = &mut self.written {
            records.into_iter().for_each(|record| written.push(record));
        }
        outcome.reply
    }

    /// Everybody is described, and as many boot as make that many facts.
    pub(crate) fn fill(&mut self, facts: u64) {
        let said = |name: &str, value: String| (name.parse().unwrap(), Some(value.parse().unwrap()));
        for from in (0..self.devices).step_by(500) {
            let describe = |n: u32| Order::Describe {
                changes: [
                    said("role", format!("role-{}", n % 50)),
                    said("location", format!("site {}, floor {}", n % 12, n % 7)),
                    said("department", format!("department {}", n % 30)),
                    said("cost-centre", format!("{}", 4000 + n % 90)),
                    said("user", format!("user-{n}")),
                ]
                .into(),
            };
            let line = |n| Line::Device { mac: mac(n), order: describe(n), expects: Some(0) };
            let lines = (from..from + 500).map(line).collect();
            let orders = Orders { by: "import".into(), key: None, said: None, lines };
            assert_eq!(self.ask("describe 500", &Request::Orders(orders)), Reply::Done);
        }
        let mut n = 0;
        while self.world.seq < facts {
            if n % 5 == 0 {
                self.assign(n, None);
            }
            self.boot(n);
            n += 1;
        }
        println!("{} devices, {n} of which have booted: {} facts", self.devices, self.world.seq);
    }

    fn assign(&mut self, n: u32, key: Option<OrderKey>) {
        let persona = format!("persona-{}", n % PERSONAS).parse().unwrap();
        let order = Order::AssignPersona { persona, arm: false, not_before: None, expires: None, why: None };
        let line = Line::Device { mac: mac(n), order, expects: None };
        let kind = if key.is_some() { "assign, with a key" } else { "assign" };
        let orders = Orders { by: "desk".into(), key, said: None, lines: vec![line] };
        assert_eq!(self.ask(kind, &Request::Orders(orders)), Reply::Done);
    }

    fn dhcp(&mut self, kind: &'static str, n: u32, change: impl FnOnce(&mut DhcpAsk)) -> Ipv4Addr {
        let mut ask = DhcpAsk::new(AskKind::Discover, mac(n));
        let relay = relay(n % RELAYS);
        ask.giaddr = relay;
        ask.circuit = Some(format!("Gi1/0/{}", n % 48));
        ask.remote = Some(format!("switch-{}", n / 48));
        change(&mut ask);
        let peer = std::net::SocketAddrV4::new(relay, 67);
        let ingress = Ingress { interface: "eth0".into(), local: SERVER, peer, port: DhcpPort::Server };
        match self.ask(kind, &Request::Dhcp { ask, ingress }) {
            Reply::Dhcp { answer, refused: None, .. } => answer.yiaddr,
            reply => panic!("no address: {reply:?}"),
        }
    }

    /// One boot, from the firmware's first packet to the report.
    fn boot(&mut self, n: u32) {
        let client = |firmware| BootClient {
            firmware,
            arch: Some(Arch::X64),
            arch_codes: vec![7],
            flavour: BootFlavour::Pxe,
            uuid_raw: None,
            uuid: uuid(n),
            boot_item: None,
        };
        let kinds = [
            (Firmware::EfiPxe, "DISCOVER, firmware", "REQUEST, firmware"),
            (Firmware::IpxeEfi, "DISCOVER, iPXE", "REQUEST, iPXE"),
        ];
        let mut address = Ipv4Addr::UNSPECIFIED;
        let transfer = Transfer { bytes: Bytes(9), of: Bytes(9), took: Millis(1) };
        for (firmware, discover, request) in kinds {
            self.now = self.now.plus(Seconds(1));
            let ip = self.dhcp(discover, n, |ask| ask.boot = Some(client(firmware)));
            address = self.dhcp(request, n, |ask| {
                ask.kind = AskKind::Request;
                (ask.requested, ask.server_id, ask.boot) = (Some(ip), Some(SERVER), Some(client(firmware)));
            });
            if firmware == Firmware::EfiPxe {
                self.observe(n, Step::Nbp { name: "snponly.efi".into(), transfer });
            }
        }
        let hardware = Hardware {
            manufacturer: Some("Dell Inc.".into()),
            product: Some(format!("OptiPlex {}", 3000 + n % 20 * 10)),
            serial: Some(format!("S{n:07}")),
            asset: None,
            uuid: uuid(n),
            memory_mib: Some(16_384),
        };
        let boot = self.attempt(n);
        let server = "http://10.0.0.1".to_owned();
        let reply = self.ask("script", &Request::Script { boot, hardware, peer: address.into(), server });
        let Reply::Script(plan) = reply else { panic!("no script: {reply:?}") };
        assert!(matches!(plan.action, Action::Kernel(_)), "{plan:?}");
        for role in [Role::Kernel, Role::Initrd, Role::Rootfs] {
            self.observe(n, Step::Blob { role, digest: Digest::new([role as u8; 32]), tier: Tier::Ram, transfer });
        }
        self.observe(n, Step::Seed { name: "user-data".into() });
        let report = Report {
            phase: Phase::Ready,
            hostname: None,
            kernel: Some("6.1.0-28-amd64".into()),
            cloud_init: None,
            message: None,
            checks: vec![],
        };
        self.observe(n, Step::Report(report));
    }

    fn attempt(&self, n: u32) -> BootId {
        self.world.device_of(mac(n)).unwrap().boot.unwrap()
    }

    fn observe(&mut self, n: u32, step: Step) {
        let boot = self.attempt(n);
        self.ask("observe", &Request::Observe { boot, step, peer: SERVER.into() });
    }

    /// Every device has become so much as is remembered of one; and as many keyed orders are remembered.
    pub(crate) fn remember(&mut self) {
        let known: Vec<Device> = self.world.devices.values().cloned().collect();
        for mut device in known {
            let persona = self.ground.forecast.of(device.id, BEGAN).unwrap().ranked()[0].persona.clone();
            let visit = |k: usize| Visit {
                boot: BootId::new(k as u64),
                persona: persona.clone(),
                at: Moment::from_millis(BEGAN.as_millis() - (40 - k as u64) * 86_400_000),
                voice: Voice::Predicted,
                outcome: Some(Outcome::Ready),
            };
            device.visits = (0..Device::MAX_VISITS_KEPT).map(visit).collect();
            self.world.devices.insert_mut(device.id, device);
        }
        let seq = self.world.seq;
        for n in 0..TakenOrders::MOST as u64 {
            let key = ("desk".to_owned(), format!("request-{n}").parse().unwrap());
            self.world.taken.put(seq + n, Taken { key, print: n, at: self.now });
        }
        self.world.seq += TakenOrders::MOST as u64;
    }

    /// A tenth of the devices boots, in no order; what each kind of request took.
    pub(crate) fn boots(&mut self) {
        let describe = self.took.remove("describe 500").unwrap();
        self.took.clear();
        for n in 0..self.devices / 10 {
            // A snapshot is held, as a reader of the published World holds one: changes copy what they touch.
            let published = self.world.clone();
            self.boot(n.wrapping_mul(48_271) % self.devices);
            if n % 10 == 0 {
                self.assign(n, Some(format!("order-{n}").parse().unwrap()));
            }
            drop(black_box(published));
        }
        let packet = packet();
        let mut peer: Vec<Duration> = vec![];
        for _ in 0..10_000 {
            let began = Instant::now();
            black_box(Message::decode(&mut Decoder::new(black_box(&packet))).unwrap());
            peer.push(began.elapsed());
        }
        println!("                            decide, us                  fold, us");
        println!("                       p50     p99     max      p50     p99     max");
        let every = |at: usize| -> Vec<Duration> { self.took.values().flat_map(|kind| kind[at].clone()).collect() };
        let all = [every(0), every(1)];
        for (kind, took) in self.took.iter().chain([(&"all", &all), (&"describe 500", &describe)]) {
            let [decide, fold] = took.each_ref().map(|took| [50.0, 99.0, 100.0].map(|percent| micros(took, percent)));
            print!("{kind:<20}");
            print!("{:>6.1} {:>7.1} {:>7.1}   ", decide[0], decide[1], decide[2]);
            println!("{:>6.1} {:>7.1} {:>7.1}", fold[0], fold[1], fold[2]);
        }
        let [p50, p99] = [50.0, 99.0].map(|percent| micros(&peer, percent));
        let discover = micros(&self.took["DISCOVER, firmware"][0], 50.0);
        println!(
            "dhcproto reads one  {p50:>6.1} {p99:>7.1}   a DISCOVER's decision takes {:.1} times that",
            discover / p50
        );
    }
}

/// How often the kernel gave this thread's processor to somebody else: what it took meanwhile says nothing of the door.
fn interrupted() -> i64 {
    getrusage(UsageWho::RUSAGE_THREAD).unwrap().involuntary_context_switches()
}

fn uuid(n: u32) -> Option<SmbiosUuid> {
    SmbiosUuid::new(std::array::from_fn(|at| at as u8 ^ mac(n).octets()[at % 6]))
}
