//! The place that the fleet boots in: subnets behind relays, personas and images, rules, a forecast.

use std::{net::Ipv4Addr, sync::Arc};

use greenroom::{
    model::{
        Arch, Bytes, DeviceId, Digest, MacAddr, Moment, PersonaRef, Prediction, Probability, Seconds, Version,
        image::{Image, ImageFile, Role},
        prediction::Candidate,
        site::{BootPolicy, DhcpMode, Match, Mirrors, Pool, Quirk, Reservation, Rule, Site, Subnet},
    },
    persona::catalog::{Catalog, Entry},
    predict::{Origin, Table},
    world::Ground,
};

/// This server.
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// Networks behind relays, and how many addresses each keeps for somebody.
pub(crate) const RELAYS: u32 = 16;
const RESERVED: u32 = 250;
/// How many personas there are, and rules that mean others.
pub(crate) const PERSONAS: u32 = 50;
const RULES: u32 = 20;
/// The clock of the bench.
pub(crate) const BEGAN: Moment = Moment::from_millis(1_790_000_000_000);

pub(crate) fn mac(n: u32) -> MacAddr {
    let [a, b, c, d] = n.to_be_bytes();
    MacAddr::new([2, 0, a, b, c, d]).unwrap()
}

pub(crate) fn relay(n: u32) -> Ipv4Addr {
    Ipv4Addr::new(10, 1 + n as u8, 0, 1)
}

fn persona(n: u32) -> Entry {
    let json = format!(
        "{{\"apiVersion\":\"greenroom/v1\",\"description\":\"x\",\"effect\":\"ephemeral\",\"os\":{{\"image\":\"image-{}\"}}}}",
        n % 10
    );
    let reference = PersonaRef { name: format!("persona-{n}").parse().unwrap(), version: Version::new("v") };
    Entry { reference, persona: Arc::new(serde_json::from_str(&json).unwrap()) }
}

fn image(n: u8) -> Image {
    let file = |role| {
        let mut digest = [n; 32];
        digest[0] = role as u8;
        (role, ImageFile { sha256: Digest::new(digest), size: Some(Bytes(9)), origins: vec![], name: None })
    };
    Image {
        name: format!("image-{n}").parse().unwrap(),
        description: String::new(),
        arch: Arch::X64,
        distribution: None,
        version: None,
        files: [Role::Kernel, Role::Initrd, Role::Rootfs].map(file).into(),
        args: vec!["quiet".into()],
    }
}

/// Somebody else's devices.
fn others(n: u32) -> Match {
    let attributes = [("role".parse().unwrap(), vec![format!("visitor-{n}*")])].into();
    Match { attributes, product: vec![format!("Precision {n}*"), "PowerEdge*".into()], ..Match::default() }
}

fn site() -> Site {
    let subnet = |n: u32| {
        let at = |host: u32| Ipv4Addr::from(u32::from(relay(n)) + host);
        let kept = |k: u32| (mac(u32::MAX - n * RESERVED - k), Reservation { ip: at(1 + k), hostname: None });
        Subnet {
            net: format!("10.{}.0.0/16", 1 + n).parse().unwrap(),
            pools: vec![Pool { first: at(1000), last: at(60_000) }],
            router: Some(relay(n)),
            dns: vec![SERVER],
            domain: Some("bench.test".into()),
            ntp: vec![SERVER],
            mtu: None,
            lease: Seconds(12 * 3600),
            reservations: (0..RESERVED).map(kept).collect(),
        }
    };
    let rule =
        |n| Rule { name: format!("rule {n}"), when: others(n), persona: "persona-0".parse().unwrap(), armed: false };
    let quirk = |n| Quirk { when: others(n), option_43: None, option_67: Some(true), disk: None, rate: None };
    Site {
        mode: DhcpMode::Full,
        subnets: (0..RELAYS).map(subnet).collect(),
        authoritative: true,
        http_port: 80,
        addresses: [SERVER].into(),
        boot: BootPolicy {
            rules: (0..RULES).map(rule).collect(),
            default: None,
            nbps: ["undionly.kpxe", "snponly.efi"].map(str::to_owned).into(),
            uefi_nbp: vec![],
            quirks: (0..5).map(quirk).collect(),
            chain_window: Seconds(60),
            stuck_after: Seconds(900),
            installs_per_hour: 3,
            predict: Default::default(),
        },
        mirrors: Mirrors::default(),
    }
}

fn forecast(devices: u32) -> Table {
    let mut table = Table::new(Origin { name: "model 1".into(), trained: BEGAN }, BEGAN.plus(Seconds(90 * 86_400)));
    for n in 0..devices {
        let candidate = |k: u32, probability| Candidate {
            persona: format!("persona-{}", (n + k) % PERSONAS).parse().unwrap(),
            probability: Probability::near(probability),
        };
        let row = vec![candidate(0, 0.9), candidate(1, 0.05), candidate(2, 0.03)];
        table.put(DeviceId::new(mac(n)), Prediction::new(row));
    }
    table
}

/// What decisions stand on.
pub(crate) fn ground(devices: u32) -> Ground {
    let catalog = Catalog::new((0..PERSONAS).map(persona).collect(), (0..10).map(image).collect(), &Catalog::default());
    Ground {
        site: Arc::new(site()),
        catalog: Arc::new(catalog),
        secrets: Arc::default(),
        forecast: Arc::new(forecast(devices)),
    }
}
