//! What a promise costs: the journal and the engine over it, each beside a peer that does the least that could be called
//! durable, a plain file that is appended to and synced. Both write the same bytes to the same disk in the same run, turn
//! about, so that the ratio says something even where the numbers do not.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench shows its numbers, and stops at the first oddity"
)]

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use greenroom::{
    engine::{Engine, Handle},
    journal::{Checkpoint, Journal},
    model::{
        DeviceId, Fact, MacAddr, Moment, PersonaRef, Record, Seconds, Version,
        command::{Command, Order},
        lease::{Lease, LeaseState},
        reply::Reply,
        request::Request,
        site::{BootPolicy, DhcpMode, Mirrors, Site},
    },
    persona::catalog::{Catalog, Entry},
    world::{Ground, World},
};

/// How many batches of each size, how many promises to each number of clients.
const BATCHES: u64 = 300;
const PROMISES: u64 = 8000;
/// How often the engine and its peer take turns.
const ROUNDS: u64 = 6;
/// A journal as it is after some months.
const LONG: u64 = 200_000;

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    batches(folder.path());
    promises(folder.path());
    starts(folder.path());
}

fn mac(n: u64) -> MacAddr {
    let [.., a, b, c, d] = n.to_be_bytes();
    MacAddr::new([2, 0, a, b, c, d]).unwrap()
}

/// A fact of the usual size: about 170 bytes of JSON.
fn record(seq: u64) -> Record {
    let [.., a, b] = (seq % 50_000).to_be_bytes();
    let lease = Lease {
        ip: [10, 0, a, b].into(),
        mac: mac(seq % 50_000),
        state: LeaseState::Bound,
        until: Moment::from_millis(seq + 3_600_000),
        hostname: Some(format!("device-{}", seq % 50_000)),
    };
    Record { seq, at: Moment::from_millis(seq), fact: Fact::LeaseBound { lease } }
}

fn plain_file(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

fn append_plainly(file: &mut File, records: &[Record]) {
    let mut lines = vec![];
    for record in records {
        serde_json::to_writer(&mut lines, record).unwrap();
        lines.push(b'\n');
    }
    file.write_all(&lines).unwrap();
    file.sync_data().unwrap();
}

/// Latencies of one series.
struct Series(Vec<Duration>);

impl Series {
    fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted[(sorted.len() - 1) * percent / 100].as_secs_f64() * 1e3
    }

    fn total(&self) -> f64 {
        self.0.iter().sum::<Duration>().as_secs_f64()
    }
}

fn timed(act: impl FnOnce()) -> Duration {
    let began = Instant::now();
    act();
    began.elapsed()
}

/// One synced batch after another, by size.
fn batches(folder: &Path) {
    println!(
        "synced batches               journal                          plain file + fdatasync           journal/plain"
    );
    println!("facts   facts/s  p50 ms  p99 ms                facts/s  p50 ms  p99 ms                  time");
    for size in [1, 16, 128, 512] {
        let (mut journal, _) = Journal::open(&folder.join(format!("batch-{size}.redb"))).unwrap();
        let mut plain = plain_file(&folder.join(format!("batch-{size}.jsonl")));
        let (mut ours, mut theirs) = (Series(vec![]), Series(vec![]));
        for batch in 0..BATCHES {
            let records: Vec<Record> = (batch * size + 1..=(batch + 1) * size).map(record).collect();
            ours.0.push(timed(|| journal.append(&records, true).unwrap()));
            theirs.0.push(timed(|| append_plainly(&mut plain, &records)));
        }
        let rate = |series: &Series| (BATCHES * size) as f64 / series.total();
        println!(
            "{size:>5} {:>9.0} {:>7.2} {:>7.2}              {:>9.0} {:>7.2} {:>7.2}                 {:>5.2}x",
            rate(&ours),
            ours.percentile(50),
            ours.percentile(99),
            rate(&theirs),
            theirs.percentile(50),
            theirs.percentile(99),
            ours.total() / theirs.total()
        );
    }
}

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
        mode: DhcpMode::Off,
        subnets: vec![],
        authoritative: true,
        http_port: 80,
        addresses: Default::default(),
        boot,
        mirrors: Mirrors::default(),
    };
    let json = r#"{"apiVersion":"greenroom/v1","description":"x","effect":"ephemeral","os":{"image":"x"}}"#;
    let reference = PersonaRef { name: "x".parse().unwrap(), version: Version::new("v") };
    let entry = Entry { reference, persona: Arc::new(serde_json::from_str(json).unwrap()) };
    Ground {
        site: Arc::new(site),
        catalog: Arc::new(Catalog::new(vec![entry], vec![], &Catalog::default())),
        secrets: Arc::default(),
        forecast: Arc::default(),
    }
}

/// Clients that each wait for a promise before they ask for the next, by number. The peer is one plain file that syncs
/// every promise by itself: what there is to gain by group commit.
fn promises(folder: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!(
        "\npromises                     engine, group commit             plain file, one by one           engine/plain"
    );
    println!("clients promises/s  p50 ms  p99 ms  a batch  promises/s  p50 ms  p99 ms                  rate");
    for clients in [1, 16, 128, 1024] {
        let (journal, world) = Journal::open(&folder.join(format!("clients-{clients}.redb"))).unwrap();
        let (handle, engine) = Engine::start(journal, world, ground(), || Moment::from_millis(1), || 1);
        let mut plain = plain_file(&folder.join(format!("clients-{clients}.jsonl")));
        let (mut ours, mut theirs, mut took) = (Series(vec![]), Series(vec![]), 0.0);
        for round in 0..ROUNDS {
            let began = Instant::now();
            ours.0.extend(runtime.block_on(load(&handle, clients, round)));
            took += began.elapsed().as_secs_f64();
            for n in 1..=BATCHES / ROUNDS {
                let record = Record { seq: n, at: Moment::from_millis(n), fact: assigned(n) };
                theirs.0.push(timed(|| append_plainly(&mut plain, &[record])));
            }
        }
        let our_rate = ours.0.len() as f64 / took;
        let batches = handle.counters().batches.load(Ordering::Relaxed) as f64;
        runtime.block_on(engine.stop()).unwrap();
        let their_rate = theirs.0.len() as f64 / theirs.total();
        println!(
            "{clients:>7} {our_rate:>10.0} {:>7.2} {:>7.2} {:>8.1}  {their_rate:>10.0} {:>7.2} {:>7.2}                {:>5.1}x",
            ours.percentile(50),
            ours.percentile(99),
            ours.0.len() as f64 / batches,
            theirs.percentile(50),
            theirs.percentile(99),
            our_rate / their_rate
        );
    }
}

fn assigned(n: u64) -> Fact {
    Fact::PersonaAssigned {
        device: DeviceId::new(mac(n)),
        persona: "x".parse().unwrap(),
        by: "ann".into(),
        not_before: None,
        expires: None,
        why: None,
    }
}

async fn load(handle: &Handle, clients: u64, round: u64) -> Vec<Duration> {
    let each = (PROMISES / ROUNDS).div_ceil(clients);
    let client = |client: u64| {
        let handle = handle.clone();
        async move {
            let mut latencies = vec![];
            for turn in 0..each {
                let order = Order::AssignPersona {
                    persona: "x".parse().unwrap(),
                    arm: false,
                    not_before: None,
                    expires: None,
                    why: None,
                };
                let command = Command { mac: mac((round * clients + client) * each + turn), by: "ann".into(), order };
                let began = Instant::now();
                assert_eq!(handle.ask(Request::Command(command)).await, Ok(Reply::Done));
                latencies.push(began.elapsed());
            }
            latencies
        }
    };
    let running: Vec<_> = (0..clients).map(|n| tokio::spawn(client(n))).collect();
    let mut all = vec![];
    for client in running {
        all.extend(client.await.unwrap());
    }
    all
}

/// How long a start takes: every page checked, and either every fact folded or a checkpoint read. The peer reads the same
/// facts from lines.
fn starts(folder: &Path) {
    let path = folder.join("long.redb");
    let (mut journal, mut world) = Journal::open(&path).unwrap();
    let mut plain = plain_file(&folder.join("long.jsonl"));
    let all: Vec<Record> = (1..=LONG).map(record).collect();
    for records in all.chunks(1000) {
        journal.append(records, true).unwrap();
        append_plainly(&mut plain, records);
    }
    all.iter().for_each(|record| world.apply(record));
    drop(journal);
    let folded = timed(|| assert_eq!(Journal::open(&path).unwrap().1.seq, LONG));
    let read = timed(|| {
        let mut world = World::default();
        let lines = std::fs::read_to_string(folder.join("long.jsonl")).unwrap();
        lines.lines().for_each(|line| world.apply(&serde_json::from_str(line).unwrap()));
        assert_eq!(world.seq, LONG);
    });
    let (mut journal, _) = Journal::open(&path).unwrap();
    let checkpoint = timed(|| journal.checkpoint(&Checkpoint::of(&world)).unwrap());
    drop(journal);
    let from_checkpoint = timed(|| assert_eq!(Journal::open(&path).unwrap().1.seq, LONG));
    let (folded, read) = (folded.as_secs_f64() * 1e3, read.as_secs_f64() * 1e3);
    println!("\nstart with {LONG} facts, 50000 leases");
    println!("  checked and folded   {folded:>7.0} ms   the same from lines {read:>7.0} ms   {:>5.2}x", folded / read);
    println!("  from the checkpoint  {:>7.0} ms", from_checkpoint.as_secs_f64() * 1e3);
    println!(
        "  writing a checkpoint {:>7.0} ms, during which the engine answers nobody",
        checkpoint.as_secs_f64() * 1e3
    );
}
