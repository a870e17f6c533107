//! `kill -9` at any moment loses nothing that was acknowledged.
//!
//! This test starts itself again as the victim: a real engine on a real journal, under load from many clients, each of
//! which writes down what it was promised after it was promised it. The parent kills the victim fifty times, opens the
//! journal, and looks for every promise.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "tests say what they mean by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddrV4},
    path::Path,
    process::{Command as Process, Stdio},
    sync::Arc,
    time::{Duration, SystemTime},
};

use greenroom::{
    engine::Engine,
    journal::Journal,
    model::{
        Effect, MacAddr, Moment, PersonaRef, Seconds, Version,
        command::{Command, Order},
        dhcp::{AskKind, DhcpAsk, DhcpPort, Ingress},
        lease::LeaseState,
        reply::Reply,
        request::Request,
        site::{BootPolicy, DhcpMode, Mirrors, Pool, Site, Subnet},
    },
    persona::catalog::{Catalog, Entry},
    world::Ground,
};

const ROUNDS: u32 = 50;
const CLIENTS: u64 = 16;
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const JOURNAL: &str = "GREENROOM_CRASH_JOURNAL";

fn ground() -> Ground {
    let subnet = Subnet {
        net: "10.0.0.0/8".parse().unwrap(),
        pools: vec![Pool { first: Ipv4Addr::new(10, 1, 0, 0), last: Ipv4Addr::new(10, 9, 0, 0) }],
        router: None,
        dns: vec![],
        domain: None,
        ntp: vec![],
        mtu: None,
        lease: Seconds(86_400),
        reservations: BTreeMap::new(),
    };
    let boot = BootPolicy {
        rules: vec![],
        default: None,
        nbps: BTreeSet::new(),
        uefi_nbp: vec![],
        quirks: vec![],
        chain_window: Seconds(60),
        stuck_after: Seconds(900),
        installs_per_hour: 3,
        predict: Default::default(),
    };
    let site = Site {
        mode: DhcpMode::Full,
        subnets: vec![subnet],
        authoritative: true,
        http_port: 80,
        addresses: Default::default(),
        boot,
        mirrors: Mirrors::default(),
    };
    let json = r#"{"apiVersion":"greenroom/v1","description":"x","effect":"ephemeral","os":{"image":"x"}}"#;
    let persona: greenroom::persona::Persona = serde_json::from_str(json).unwrap();
    assert_eq!(persona.effect(), Effect::Ephemeral);
    let reference = PersonaRef { name: "x".parse().unwrap(), version: Version::new("v") };
    let entry = Entry { reference, persona: Arc::new(persona) };
    Ground {
        site: Arc::new(site),
        catalog: Arc::new(Catalog::new(vec![entry], vec![], &Catalog::default())),
        secrets: Arc::default(),
        forecast: Arc::default(),
    }
}

fn now() -> Moment {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Moment::from_millis(since.as_millis() as u64)
}

fn ask(mac: MacAddr, kind: AskKind, requested: Option<Ipv4Addr>) -> Request {
    let ask = DhcpAsk { requested, server_id: requested.map(|_| SERVER), ..DhcpAsk::new(kind, mac) };
    let peer = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
    Request::Dhcp { ask, ingress: Ingress { interface: "eth0".into(), local: SERVER, peer, port: DhcpPort::Server } }
}

/// The victim: serves its own clients until it is killed. Does nothing when run as an ordinary test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victim() {
    let Some(path) = std::env::var_os(JOURNAL) else { return };
    let (journal, world) = Journal::open(Path::new(&path)).unwrap();
    // Each life has its own clients, so that every promise is a new one.
    let life = world.seq;
    let mut nonce = life;
    let (handle, _engine) = Engine::start(journal, world, ground(), now, move || {
        nonce += 1;
        nonce
    });
    let mut clients = vec![];
    for client in 0..CLIENTS {
        let handle = handle.clone();
        clients.push(tokio::spawn(async move {
            for turn in 0u64.. {
                let [.., a, b, c, d] = (life + turn * CLIENTS + client).to_be_bytes();
                let mac = MacAddr::new([2, 0, a, b, c, d]).unwrap();
                let promise = if turn % 2 == 0 {
                    let Ok(Reply::Dhcp { answer, .. }) = handle.ask(ask(mac, AskKind::Discover, None)).await else {
                        continue;
                    };
                    let taken = handle.ask(ask(mac, AskKind::Request, Some(answer.yiaddr))).await;
                    let Ok(Reply::Dhcp { answer, .. }) = taken else { continue };
                    format!("lease {mac} {}", answer.yiaddr)
                } else {
                    let order = Order::AssignPersona {
                        persona: "x".parse().unwrap(),
                        arm: true,
                        not_before: None,
                        expires: None,
                        why: None,
                    };
                    let done = handle.ask(Request::Command(Command { mac, by: "ann".into(), order })).await;
                    let Ok(Reply::Done) = done else { continue };
                    format!("order {mac}")
                };
                let mut out = std::io::stdout().lock();
                out.write_all(format!("PROMISED {promise}\n").as_bytes()).unwrap();
                out.flush().unwrap();
            }
        }));
    }
    for client in clients {
        client.await.unwrap();
    }
}

#[test]
fn fifty_kills_lose_nothing_that_was_promised() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    let mut promised = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut victim = Process::new(std::env::current_exe().unwrap())
            .args(["--exact", "victim", "--nocapture", "--test-threads", "1"])
            .env(JOURNAL, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = victim.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let lines = BufReader::new(out).lines().map_while(Result::ok);
            lines
                .filter_map(|line| line.split_once("PROMISED ").map(|(_, promise)| promise.to_owned()))
                .collect::<Vec<_>>()
        });
        // Somewhere in its life: while it opens, in its first batch, or in full flight.
        std::thread::sleep(Duration::from_millis(20 + u64::from(round * 37 % 150)));
        victim.kill().unwrap();
        victim.wait().unwrap();
        let mut lines = reader.join().unwrap();
        // The kill may have cut the last line short.
        lines.retain(|line| line.split(' ').next_back().is_some_and(|last| last.contains(['.', ':'])));
        promised.extend(lines);

        let (journal, world) = Journal::open(&path).unwrap_or_else(|error| panic!("round {round}: {error}"));
        drop(journal);
        for promise in &promised {
            let words: Vec<&str> = promise.split(' ').collect();
            let Ok(mac) = words[1].parse::<MacAddr>() else { continue };
            let kept = match words[..] {
                ["lease", _, ip] => {
                    let Ok(ip) = ip.parse::<Ipv4Addr>() else { continue };
                    world.leases.of(mac).any(|lease| {
                        lease.state == LeaseState::Bound && lease.ip.to_string().starts_with(&ip.to_string())
                    })
                }
                _ => world.device_of(mac).is_some_and(|device| device.assigned.is_some() && device.armed.is_some()),
            };
            assert!(kept, "round {round}: {promise} was promised and is gone");
        }
    }
    assert!(promised.len() > 500, "the victims were under load: {} promises", promised.len());
}
