//! A world with its own clock: requests go in, replies and facts come out, nothing else exists.

use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc};

use greenroom::{
    model::{
        Arch, BootId, Bytes, Decision, Digest, Effect, Fact, Firmware, MacAddr, Millis, Moment, PersonaRef, Record,
        Refusal, Seconds, Version,
        command::{Command, Order},
        dhcp::{AskKind, BootClient, BootFlavour, Destination, DhcpAnswer, DhcpAsk, DhcpPort, Ingress},
        image::{Image, ImageFile, Role},
        plan::BootPlan,
        reply::{Reply, Silence},
        request::Request,
        site::{BootPolicy, DhcpMode, Match, Mirrors, Pool, Reservation, Rule, Site, Subnet},
        smbios::Hardware,
        timeline::{Phase, Report, Step, Transfer},
    },
    persona::{
        Persona,
        catalog::{Catalog, Entry},
    },
    world::{Ground, Stamp, World, decide},
};

pub const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const NOWHERE: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

pub struct Lab {
    pub world: World,
    pub ground: Ground,
    pub now: Moment,
    pub records: Vec<Record>,
    nonce: u64,
}

pub fn mac(last: u8) -> MacAddr {
    MacAddr::new([0x52, 0x54, 0, 0x77, 0, last]).unwrap()
}

fn persona(name: &str, effect: Effect, image: &str) -> Entry {
    let install = match effect {
        Effect::Destructive => "\"install\":{\"disk\":\"/dev/vda\"},",
        Effect::Ephemeral => "",
    };
    let json = format!(
        "{{\"apiVersion\":\"greenroom/v1\",\"description\":\"x\",\"effect\":\"{effect}\",\"os\":{{{install}\"image\":\"{image}\"}},\
         \"resources\":{{\"requires\":{{\"memory\":\"1GiB\"}}}}}}"
    );
    let persona: Persona = serde_json::from_str(&json).unwrap();
    let version = Version::new(format!("{name}-version"));
    Entry { reference: PersonaRef { name: name.parse().unwrap(), version }, persona: Arc::new(persona) }
}

fn image(name: &str, arch: Arch) -> Image {
    let file = |n| ImageFile { sha256: Digest::new([n; 32]), size: Some(Bytes(9)), origins: vec![], name: None };
    let files = BTreeMap::from([(Role::Kernel, file(1)), (Role::Initrd, file(2))]);
    Image {
        name: name.parse().unwrap(),
        description: String::new(),
        arch,
        distribution: None,
        version: None,
        files,
        args: vec!["quiet".into()],
    }
}

impl Lab {
    /// Full mode on 10.77.0.0/24 with 10.77.0.100-102, one reservation, and personas `live`, `install`, `arm` and `gone`.
    pub fn new() -> Self {
        let kept = Reservation { ip: Ipv4Addr::new(10, 77, 0, 50), hostname: Some("kept".into()) };
        let subnet = |third: u8, reservations| Subnet {
            net: format!("10.77.{third}.0/24").parse().unwrap(),
            pools: vec![Pool { first: [10, 77, third, 100].into(), last: [10, 77, third, 102].into() }],
            router: Some([10, 77, third, 1].into()),
            dns: vec![SERVER],
            domain: Some("lab.test".into()),
            ntp: vec![],
            mtu: None,
            lease: Seconds(3600),
            reservations,
        };
        let site = Site {
            mode: DhcpMode::Full,
            subnets: vec![subnet(0, BTreeMap::from([(mac(99), kept)])), subnet(9, BTreeMap::new())],
            authoritative: true,
            http_port: 80,
            addresses: Default::default(),
            boot: BootPolicy {
                rules: vec![],
                default: None,
                nbps: ["undionly.kpxe", "snponly.efi", "ipxe.efi"].map(str::to_owned).into(),
                uefi_nbp: vec![],
                quirks: vec![],
                chain_window: Seconds(60),
                stuck_after: Seconds(900),
                installs_per_hour: 2,
                predict: Default::default(),
            },
            mirrors: Mirrors::default(),
        };
        let personas = vec![
            persona("live", Effect::Ephemeral, "debian"),
            persona("install", Effect::Destructive, "debian"),
            persona("arm", Effect::Ephemeral, "debian-arm"),
            persona("gone", Effect::Ephemeral, "no-image"),
        ];
        let images = vec![image("debian", Arch::X64), image("debian-arm", Arch::Arm64)];
        let catalog = Catalog::new(personas, images, &Catalog::default());
        let ground = Ground {
            site: Arc::new(site),
            catalog: Arc::new(catalog),
            secrets: Arc::default(),
            forecast: Arc::default(),
        };
        let now = Moment::from_millis(1_795_520_000_000);
        Self { world: World::default(), ground, now, records: vec![], nonce: 0 }
    }

    pub fn site(mut self, change: impl FnOnce(&mut Site)) -> Self {
        let mut site = Site::clone(&self.ground.site);
        change(&mut site);
        self.ground.site = Arc::new(site);
        self
    }

    /// The library's personas, changed: some leave it, some supersede others.
    pub fn library(&mut self, change: impl Fn(&mut Vec<Entry>)) {
        let before = &self.ground.catalog;
        let mut personas: Vec<Entry> = before.personas().cloned().collect();
        change(&mut personas);
        let images = before.images().map(|image| Image::clone(image)).collect();
        self.ground.catalog = Arc::new(Catalog::new(personas, images, before));
    }

    /// A persona says that it takes the place of another.
    pub fn supersedes(&mut self, name: &str, other: &str) {
        self.library(|personas| {
            let entry = personas.iter_mut().find(|entry| entry.reference.name.as_str() == name).unwrap();
            Arc::make_mut(&mut entry.persona).supersedes.push(other.parse().unwrap());
        });
    }

    /// A persona leaves the library.
    pub fn leaves(&mut self, name: &str) {
        self.library(|personas| personas.retain(|entry| entry.reference.name.as_str() != name));
    }

    pub fn default_persona(self, name: &str) -> Self {
        self.site(|site| site.boot.default = Some(name.parse().unwrap()))
    }

    pub fn rule(self, name: &str, when: Match, persona: &str, armed: bool) -> Self {
        let rule = Rule { name: name.into(), when, persona: persona.parse().unwrap(), armed };
        self.site(|site| site.boot.rules.push(rule))
    }

    pub fn pass(&mut self, seconds: u32) {
        self.now = self.now.plus(Seconds(seconds));
    }

    /// One request through the door; its reply, and its facts by name.
    pub fn ask(&mut self, request: &Request) -> (Reply, Vec<Fact>) {
        self.nonce += 1;
        let outcome = decide(&self.world, &self.ground, request, Stamp { now: self.now, nonce: self.nonce });
        for fact in &outcome.facts {
            let record = Record { seq: self.world.seq + 1, at: self.now, fact: fact.clone() };
            self.world.apply(&record);
            self.records.push(record);
        }
        (outcome.reply, outcome.facts)
    }

    pub fn dhcp(&mut self, ask: DhcpAsk) -> Reply {
        self.dhcp_on(ask, DhcpPort::Server).0
    }

    pub fn dhcp_on(&mut self, ask: DhcpAsk, port: DhcpPort) -> (Reply, Vec<Fact>) {
        let client = if port == DhcpPort::Proxy { 4011 } else { 68 };
        let peer = std::net::SocketAddrV4::new(ask.ciaddr, client);
        let ingress = Ingress { interface: "eth0".into(), local: SERVER, peer, port };
        self.ask(&Request::Dhcp { ask, ingress })
    }

    /// DISCOVER and REQUEST; the address and what to boot.
    pub fn address(&mut self, client: u8, boot: Option<BootClient>) -> (Ipv4Addr, Option<String>) {
        let offer = answer(self.dhcp(DhcpAsk { boot: boot.clone(), ..discover(client) }));
        let request = DhcpAsk {
            kind: AskKind::Request,
            requested: Some(offer.yiaddr),
            server_id: Some(SERVER),
            boot,
            ..discover(client)
        };
        let ack = answer(self.dhcp(request));
        assert_eq!(offer.yiaddr, ack.yiaddr, "what was offered is given");
        (ack.yiaddr, ack.boot.and_then(|boot| boot.bootfile))
    }

    pub fn boot_of(&self, client: u8) -> BootId {
        self.world.device_of(mac(client)).unwrap().boot.unwrap()
    }

    pub fn outcome(&self, client: u8) -> Option<String> {
        self.world.boots.get(&self.boot_of(client)).unwrap().outcome.map(|outcome| outcome.to_string())
    }

    /// The last refusal that a device's latest attempt tells of.
    pub fn refusal(&self, client: u8) -> Option<Refusal> {
        let boot = self.world.boots.get(&self.boot_of(client)).unwrap();
        boot.steps.iter().rev().find_map(|moved| match &moved.step {
            Step::Refused { why } => Some(why.clone()),
            _ => None,
        })
    }

    pub fn observe(&mut self, client: u8, step: Step) -> Vec<Fact> {
        let boot = self.boot_of(client);
        self.ask(&Request::Observe { boot, step, peer: SERVER.into() }).1
    }

    pub fn nbp_delivered(&mut self, client: u8) {
        let transfer = Transfer { bytes: Bytes(9), of: Bytes(9), took: Millis(1) };
        self.observe(client, Step::Nbp { name: "snponly.efi".into(), transfer });
    }

    pub fn report(&mut self, client: u8, phase: Phase) -> Vec<Fact> {
        let report = Report { phase, hostname: None, kernel: None, cloud_init: None, message: None, checks: vec![] };
        self.observe(client, Step::Report(report))
    }

    pub fn script_with(&mut self, client: u8, hardware: Hardware) -> BootPlan {
        let boot = self.boot_of(client);
        let address = self.world.leases.of(mac(client)).next().map_or(NOWHERE, |lease| lease.ip);
        match self.ask(&Request::Script { boot, hardware, peer: address.into(), server: "http://10.77.0.1".into() }).0 {
            Reply::Script(plan) => plan,
            reply => panic!("no script: {reply:?}"),
        }
    }

    /// A whole boot of an iPXE ROM up to its script.
    pub fn boot(&mut self, client: u8) -> BootPlan {
        self.address(client, Some(ipxe()));
        self.script_with(client, Hardware::default())
    }

    pub fn order(&mut self, client: u8, order: Order) -> Reply {
        self.ask(&Request::Command(Command { mac: mac(client), by: "ann".into(), order })).0
    }

    /// The World that the records alone lead to.
    pub fn replayed(&self) -> World {
        let mut world = World::default();
        self.records.iter().for_each(|record| world.apply(record));
        world
    }
}

pub fn discover(client: u8) -> DhcpAsk {
    DhcpAsk::new(AskKind::Discover, mac(client))
}

pub fn client(firmware: Firmware, arch: Arch) -> BootClient {
    let flavour = if firmware == Firmware::EfiHttp { BootFlavour::Http } else { BootFlavour::Pxe };
    BootClient { firmware, arch: Some(arch), arch_codes: vec![7], flavour, uuid_raw: None, uuid: None, boot_item: None }
}

pub fn ipxe() -> BootClient {
    client(Firmware::IpxeBios, Arch::X64)
}

pub fn uefi() -> BootClient {
    client(Firmware::EfiPxe, Arch::X64)
}

pub fn answer(reply: Reply) -> DhcpAnswer {
    match reply {
        Reply::Dhcp { answer, .. } => answer,
        reply => panic!("no DHCP answer: {reply:?}"),
    }
}

pub fn destination(reply: Reply) -> Destination {
    match reply {
        Reply::Dhcp { to, .. } => to,
        reply => panic!("no DHCP answer: {reply:?}"),
    }
}

pub fn silence(reply: Reply) -> Silence {
    match reply {
        Reply::Silence(silence) => silence,
        reply => panic!("not silent: {reply:?}"),
    }
}

/// A decision in words.
pub fn told(decision: &Decision) -> String {
    greenroom::usage::timeline::decided(decision)
}
