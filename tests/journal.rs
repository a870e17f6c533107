//! The journal: the World is exactly the fold of what it holds, whatever was checkpointed, lost or broken in between.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests say what they mean by panicking")]

use std::{
    io,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use greenroom::{
    engine::{Engine, Unavailable},
    journal::{Journal, StorageBackend},
    model::{
        Arch, BootId, Decision, DeviceId, Fact, Firmware, MacAddr, Moment, Reason, Record,
        command::{Command, Order},
        lease::{Lease, LeaseState},
        reply::Reply,
        request::Request,
        site::{BootPolicy, DhcpMode, Mirrors, Site},
        smbios::Hardware,
        timeline::{Phase, Report, Step},
    },
    persona::catalog::Catalog,
    world::{Ground, World},
};
use proptest::prelude::*;

fn mac(n: u8) -> MacAddr {
    MacAddr::new([2, 0, 0, 0, 0, n % 8]).unwrap()
}

fn fact() -> impl Strategy<Value = Fact> {
    let device = any::<u8>().prop_map(|n| DeviceId::new(mac(n)));
    let lease = (any::<u8>(), any::<u8>(), any::<u32>()).prop_map(|(ip, n, until)| Lease {
        ip: Ipv4Addr::new(10, 0, 0, ip % 16),
        mac: mac(n),
        state: LeaseState::Bound,
        until: Moment::from_millis(until.into()),
        hostname: None,
    });
    let boot = any::<u8>().prop_map(|n| BootId::new(u64::from(n % 8)));
    let report =
        |phase| Report { phase, hostname: None, kernel: None, cloud_init: None, message: None, checks: vec![] };
    let step = prop_oneof![
        Just(Step::Discover { firmware: Firmware::Bios }),
        Just(Step::Script { decision: Decision::LocalDisk { reason: Reason::Fallback } }),
        Just(Step::Script { decision: Decision::LocalDisk { reason: Reason::Predicted { probability: 0.1 + 0.2 } } }),
        Just(Step::Seed { name: "user-data".into() }),
        Just(Step::Report(report(Phase::Ready))),
    ];
    let by = || String::from("ann");
    prop_oneof![
        lease.clone().prop_map(|lease| Fact::LeaseBound { lease }),
        lease.prop_map(|lease| Fact::LeaseReleased { ip: lease.ip, mac: lease.mac }),
        (any::<u8>(), any::<u8>()).prop_map(|(ip, n)| Fact::LeaseDeclined {
            ip: Ipv4Addr::new(10, 0, 0, ip % 16),
            mac: mac(n),
            until: Moment::from_millis(9)
        }),
        (device.clone(), any::<u8>()).prop_map(|(device, n)| Fact::DeviceSeen {
            device,
            mac: mac(n),
            uuid: None,
            arch: Some(Arch::X64),
            firmware: Firmware::Bios
        }),
        device.clone().prop_map(|device| Fact::HardwareReported { device, hardware: Hardware::default() }),
        device.clone().prop_map(move |device| Fact::PersonaAssigned {
            device,
            persona: "x".parse().unwrap(),
            by: by()
        }),
        device.clone().prop_map(move |device| Fact::DeviceArmed { device, by: by() }),
        device.clone().prop_map(move |device| Fact::DeviceForgotten { device, by: by() }),
        (boot.clone(), device).prop_map(|(boot, device)| Fact::BootStarted {
            boot,
            device,
            firmware: Firmware::Bios,
            arch: None
        }),
        (boot, step).prop_map(|(boot, step)| Fact::BootMoved { boot, step }),
    ]
}

/// What happens to a journal between two batches.
#[derive(Debug, Clone, Copy)]
enum Event {
    Nothing,
    Checkpoint,
    Reopen,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_world_is_the_fold_of_the_journal(
        batches in prop::collection::vec(
            (prop::collection::vec(fact(), 1..12), prop::sample::select(vec![Event::Nothing, Event::Checkpoint, Event::Reopen])),
            1..8,
        )
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.redb");
        let (mut journal, mut world) = Journal::open(&path).unwrap();
        prop_assert_eq!(&world, &World::default());
        let mut all = vec![];
        for (facts, event) in batches {
            let records: Vec<Record> = facts
                .into_iter()
                .zip(world.seq + 1..)
                .map(|(fact, seq)| Record { seq, at: Moment::from_millis(seq * 1000), fact })
                .collect();
            records.iter().for_each(|record| world.apply(record));
            journal.append(&records, true).unwrap();
            all.extend(records);
            match event {
                Event::Nothing => {}
                Event::Checkpoint => journal.checkpoint(&world).unwrap(),
                Event::Reopen => {
                    drop(journal);
                    let (again, replayed) = Journal::open(&path).unwrap();
                    prop_assert_eq!(&replayed, &world);
                    journal = again;
                }
            }
        }
        prop_assert_eq!(journal.records().unwrap(), all);
    }
}

/// Memory that fails from some write on, as a full or dying disk does.
#[derive(Debug)]
struct Failing {
    inner: redb::backends::InMemoryBackend,
    writes_left: Arc<AtomicU64>,
}

impl Failing {
    fn spend(&self) -> io::Result<()> {
        let left = self.writes_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        left.map(|_| ()).map_err(|_| io::Error::new(io::ErrorKind::StorageFull, "no space left on device"))
    }
}

impl StorageBackend for Failing {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.spend()?;
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.spend()?;
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.spend()?;
        self.inner.write(offset, data)
    }
}

fn ground() -> Ground {
    let boot = BootPolicy {
        rules: vec![],
        default: None,
        nbps: Default::default(),
        uefi_nbp: vec![],
        chain_window: greenroom::model::Seconds(60),
        stuck_after: greenroom::model::Seconds(900),
        installs_per_hour: 3,
    };
    let site = Site {
        mode: DhcpMode::Off,
        subnets: vec![],
        authoritative: true,
        http_port: 80,
        boot,
        mirrors: Mirrors::default(),
    };
    Ground { site: Arc::new(site), catalog: Arc::new(Catalog::default()) }
}

#[tokio::test]
async fn when_the_disk_is_full_nothing_more_is_acknowledged_and_the_engine_says_why() {
    let writes_left = Arc::new(AtomicU64::new(u64::MAX));
    let medium = Failing { inner: redb::backends::InMemoryBackend::new(), writes_left: writes_left.clone() };
    let (journal, world) = Journal::on(medium).unwrap();
    let mut nonce = 0;
    let (handle, mut engine) = Engine::start(
        journal,
        world,
        ground(),
        || Moment::from_millis(1),
        move || {
            nonce += 1;
            nonce
        },
    );
    // Forgetting needs a known device: make one known first, by a boot client's packet being seen.
    let dhcp = greenroom::wire::dhcp4::decode(&a_discover()).unwrap();
    let device = dhcp.mac;
    let order = |order| Request::Command(Command { mac: device, by: "ann".into(), order });
    assert!(matches!(handle.ask(order(Order::Forget)).await, Ok(Reply::Rejected(_))));
    writes_left.store(0, Ordering::Relaxed);
    let seen =
        Request::Observe { boot: BootId::new(1), step: Step::Seed { name: "x".into() }, peer: [127, 0, 0, 1].into() };
    assert_eq!(handle.ask(seen).await, Ok(Reply::Noted), "nothing to write, nothing to fail");
    let mut full = Site::clone(&handle.ground().site);
    full.mode = DhcpMode::Proxy;
    handle.set_ground(Ground { site: Arc::new(full), ..(*handle.ground()).clone() });
    let ingress = greenroom::model::dhcp::Ingress {
        interface: "eth0".into(),
        local: Ipv4Addr::new(10, 0, 0, 1),
        peer: std::net::SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68),
        port: greenroom::model::dhcp::DhcpPort::Server,
    };
    let offer = handle.ask(Request::Dhcp { ask: dhcp, ingress }).await;
    assert!(matches!(offer, Ok(Reply::Dhcp { .. })), "an offer promises nothing: it needs no disk");
    let promise = handle.ask(order(Order::Arm)).await;
    assert_eq!(promise, Err(Unavailable::Stopped), "a promise that is not on disk is not made");
    let why = engine.ended().await.unwrap_err().to_string();
    assert!(why.contains("no space left on device") && why.contains("check the disk"), "{why}");
    assert_eq!(handle.ask(order(Order::Arm)).await, Err(Unavailable::Stopped));
}

fn a_discover() -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/bios-virtio-rom.hex");
    let line = std::fs::read_to_string(path).unwrap().lines().next().unwrap().to_owned();
    (0..line.len() / 2).map(|at| u8::from_str_radix(&line[2 * at..2 * at + 2], 16).unwrap()).collect()
}

#[test]
fn a_journal_that_does_not_open_says_which_file_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    let open = Journal::open(&path).unwrap();
    let taken = Journal::open(&path).unwrap_err().to_string();
    assert!(taken.contains("in use by another greenroom"), "{taken}");
    drop(open);
    std::fs::write(&path, b"this is no journal, and was none for a long time").unwrap();
    let broken = Journal::open(&path).unwrap_err().to_string();
    assert!(broken.contains("journal.redb") && broken.contains("move the file away"), "{broken}");
}
