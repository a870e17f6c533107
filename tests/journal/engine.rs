//! The engine over a journal: promises wait for the disk, time does not run backwards, and a failure ends it by name.

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use greenroom::{
    engine::{Engine, Handle, Unavailable},
    journal::Journal,
    model::{
        BootId, Moment, PersonaRef, Seconds, Version,
        command::{Command, Order},
        dhcp::{DhcpPort, Ingress},
        reply::Reply,
        request::Request,
        site::{BootPolicy, DhcpMode, Mirrors, Site},
        timeline::Step,
    },
    persona::catalog::{Catalog, Entry},
    wire::dhcp4,
    world::{Ground, World},
};

use super::{armed, mac, medium::Medium, next, records_of};

fn ground() -> Ground {
    let boot = BootPolicy {
        rules: vec![],
        default: None,
        nbps: Default::default(),
        uefi_nbp: vec![],
        quirks: vec![],
        chain_window: Seconds(60),
        stuck_after: Seconds(900),
        installs_per_hour: 3,
        predict: Default::default(),
    };
    let site = Site {
        mode: DhcpMode::Proxy,
        subnets: vec![],
        authoritative: true,
        http_port: 80,
        addresses: Default::default(),
        boot,
        mirrors: Mirrors::default(),
    };
    let json = r#"{"apiVersion":"greenroom/v1","description":"x","effect":"destructive","os":{"image":"x"}}"#;
    let reference = PersonaRef { name: "x".parse().unwrap(), version: Version::new("v") };
    let entry = Entry { reference, persona: Arc::new(serde_json::from_str(json).unwrap()) };
    Ground {
        site: Arc::new(site),
        catalog: Arc::new(Catalog::new(vec![entry], vec![], &Catalog::default())),
        secrets: Arc::default(),
        forecast: Arc::default(),
    }
}

fn start(journal: Journal, world: World, clock: &Arc<AtomicU64>) -> (Handle, Engine) {
    let clock = clock.clone();
    let mut nonce = 0;
    let dice = move || {
        nonce += 1;
        nonce
    };
    Engine::start(journal, world, ground(), move || Moment::from_millis(clock.load(Ordering::Relaxed)), dice)
}

/// An order that any device can be given, seen before or not. Two facts.
fn arm(n: u8) -> Request {
    let order =
        Order::AssignPersona { persona: "x".parse().unwrap(), arm: true, not_before: None, expires: None, why: None };
    Request::Command(Command { mac: mac(n), by: "ann".into(), order })
}

fn seed_read() -> Request {
    Request::Observe { boot: BootId::new(1), step: Step::Seed { name: "x".into() }, peer: [127, 0, 0, 1].into() }
}

/// A boot ROM's discover, as captured.
fn discover() -> Request {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/bios-virtio-rom.hex");
    let line = std::fs::read_to_string(path).unwrap().lines().next().unwrap().to_owned();
    let bytes: Vec<u8> =
        (0..line.len() / 2).map(|at| u8::from_str_radix(&line[2 * at..2 * at + 2], 16).unwrap()).collect();
    let ingress = Ingress {
        interface: "eth0".into(),
        local: Ipv4Addr::new(10, 0, 0, 1),
        peer: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68),
        port: DhcpPort::Server,
    };
    Request::Dhcp { ask: dhcp4::decode(&bytes).unwrap(), ingress }
}

#[tokio::test]
async fn when_the_disk_is_full_nothing_more_is_promised_and_the_engine_says_why() {
    let medium = Medium::default();
    let (journal, world) = Journal::on(medium.clone()).unwrap();
    let (handle, mut engine) = start(journal, world, &Arc::new(AtomicU64::new(1)));
    medium.fails_after(0);
    assert_eq!(handle.ask(seed_read()).await, Ok(Reply::Noted), "nothing to write, nothing to fail");
    let offer = handle.ask(discover()).await;
    assert!(matches!(offer, Ok(Reply::Dhcp { .. })), "an offer promises nothing: it needs no disk");
    assert_eq!(handle.ask(arm(1)).await, Err(Unavailable::Stopped), "a promise that is not on disk is not made");
    assert!(handle.world().device_of(mac(1)).is_none(), "nor is it shown to anybody");
    let why = engine.ended().await.unwrap_err().to_string();
    assert!(why.contains("no space left on device") && why.contains("check the space on the disk"), "{why}");
    assert_eq!(handle.ask(arm(1)).await, Err(Unavailable::Stopped));
}

#[tokio::test]
async fn whichever_write_fails_what_was_promised_before_is_there_and_nothing_is_promised_after() {
    let mut cut_short = 0;
    for operations in 0..80 {
        let medium = Medium::default();
        let (journal, world) = Journal::on(medium.clone()).unwrap();
        let (handle, mut engine) = start(journal, world, &Arc::new(AtomicU64::new(1)));
        medium.fails_after(operations);
        let mut promised = vec![];
        let mut failed = false;
        for n in 0..12 {
            match handle.ask(arm(n)).await {
                Ok(reply) => {
                    assert!(!failed, "operation {operations}: promised after a failure");
                    assert_eq!(reply, Reply::Done);
                    promised.push(n);
                }
                Err(unavailable) => {
                    assert_eq!(unavailable, Unavailable::Stopped);
                    failed = true;
                }
            }
        }
        let disks = [medium.after_kill(), medium.after_power_cut(operations)];
        if failed {
            cut_short += 1;
            assert!(engine.ended().await.is_err(), "operation {operations}: it says why");
        }
        for disk in disks {
            let (_, world) = Journal::on(disk).unwrap();
            for n in &promised {
                let kept = world.device_of(mac(*n)).is_some_and(|device| device.armed.is_some());
                assert!(kept, "operation {operations}: device {n} was promised, and is gone");
            }
        }
    }
    assert!(cut_short > 20, "the disk died under the engine {cut_short} times");
}

#[tokio::test]
async fn a_clock_that_is_set_back_stops_neither_the_ticks_nor_the_order_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    let (mut journal, mut world) = Journal::open(&path).unwrap();
    journal.append(&next(&mut world, (0..10).map(armed)), true).unwrap();
    assert_eq!(journal.latest(), Moment::from_millis(10_000));
    drop(journal);

    let (journal, world) = Journal::open(&path).unwrap();
    let clock = Arc::new(AtomicU64::new(4_000));
    let (handle, engine) = start(journal, world, &clock);
    assert_eq!(handle.ask(arm(20)).await, Ok(Reply::Done));
    clock.store(12_000, Ordering::Relaxed);
    assert_eq!(handle.ask(arm(21)).await, Ok(Reply::Done));
    clock.store(1_000, Ordering::Relaxed);
    assert_eq!(handle.ask(arm(22)).await, Ok(Reply::Done));
    // The engine goes on looking after itself, which is what brings unpromised facts to the disk.
    let asked = handle.counters().requests.load(Ordering::Relaxed);
    let ticked = async {
        while handle.counters().requests.load(Ordering::Relaxed) == asked {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ticked).await.expect("a tick comes whatever the clock says");
    engine.stop().await.unwrap();

    let (journal, _) = Journal::open(&path).unwrap();
    let times: Vec<u64> = records_of(&journal)[9..].iter().map(|record| record.at.as_millis()).collect();
    assert_eq!(times, [10_000, 10_000, 10_000, 12_000, 12_000, 12_000, 12_000]);
}

#[tokio::test]
async fn facts_that_nobody_waits_for_reach_the_disk_by_themselves() {
    let medium = Medium::default();
    let (journal, world) = Journal::on(medium.clone()).unwrap();
    let (handle, engine) = start(journal, world, &Arc::new(AtomicU64::new(1)));
    assert!(matches!(handle.ask(discover()).await, Ok(Reply::Dhcp { .. })));
    let seen = handle.world().seq;
    assert!(seen > 0, "the sighting is a fact");
    let on_disk = || Journal::on(medium.after_power_cut(0)).unwrap().1.seq;
    let synced = async {
        while on_disk() < seen {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), synced).await.expect("they are synced soon");
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn stopping_answers_what_was_asked_before_and_writes_everything_down() {
    let medium = Medium::default();
    let (journal, world) = Journal::on(medium.clone()).unwrap();
    let (handle, engine) = start(journal, world, &Arc::new(AtomicU64::new(1)));
    let mut tail = handle.records();
    let asked: Vec<_> = (0..50)
        .map(|n| {
            let handle = handle.clone();
            tokio::spawn(async move { handle.ask(arm(n)).await })
        })
        .collect();
    for asked in asked {
        assert_eq!(asked.await.unwrap(), Ok(Reply::Done));
    }
    assert!(matches!(handle.ask(discover()).await, Ok(Reply::Dhcp { .. })));
    let last = handle.world();
    engine.stop().await.unwrap();
    assert_eq!(handle.ask(arm(1)).await, Err(Unavailable::Stopped));
    let (journal, world) = Journal::on(medium.after_power_cut(0)).unwrap();
    assert_eq!(world, *last);
    let mut heard = vec![];
    while let Ok(batch) = tail.try_recv() {
        heard.extend_from_slice(&batch);
    }
    assert_eq!(heard, records_of(&journal), "whoever listened to the tail heard it all, in order");
}

#[tokio::test]
async fn a_panic_in_the_writer_is_loud_and_takes_no_promise_back() {
    let medium = Medium::default();
    let (journal, world) = Journal::on(medium.clone()).unwrap();
    let sound = Arc::new(AtomicBool::new(true));
    let thrown = sound.clone();
    let dice = move || {
        assert!(thrown.load(Ordering::Relaxed), "the dice are broken");
        1
    };
    let (handle, mut engine) = Engine::start(journal, world, ground(), || Moment::from_millis(1), dice);
    assert_eq!(handle.ask(arm(1)).await, Ok(Reply::Done));
    assert_eq!(handle.ask(arm(2)).await, Ok(Reply::Done));
    sound.store(false, Ordering::Relaxed);
    assert_eq!(handle.ask(arm(3)).await, Err(Unavailable::Stopped));
    assert!(handle.world().device_of(mac(3)).is_none(), "half a change is never shown");
    let ended = tokio::spawn(async move { engine.ended().await.is_ok() }).await;
    assert!(ended.unwrap_err().is_panic(), "who waits for the engine goes down with it");
    let (_, world) = Journal::on(medium.after_kill()).unwrap();
    assert!(world.device_of(mac(2)).is_some_and(|device| device.armed.is_some()));
}
