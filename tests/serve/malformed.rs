//! What is no TFTP request: it is dropped, counted by what is wrong with it, and troubles nobody else.
//!
//! The counter listens by a raw socket: run as root, as the lab does.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use etherparse::PacketBuilder;
use greenroom::wire::tftp_request::judge;
use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use crate::world::{House, noise};

/// By reason, how many.
type Counts = BTreeMap<String, u64>;

async fn stranger() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.unwrap()
}

/// What `/metrics` says.
async fn counted(house: &House) -> Counts {
    let text = house.curl(&["-f", &house.url("/metrics")]).await;
    let line = |line: &str| {
        let (reason, count) = line.strip_prefix("greenroom_tftp_malformed_total{kind=\"")?.split_once("\"} ")?;
        Some((reason.to_owned(), count.parse().unwrap()))
    };
    text.lines().filter_map(line).collect()
}

/// Waits until as many packets are counted as `wanted` has; what they are is for the caller to compare.
async fn settled(house: &House, wanted: &Counts) -> Counts {
    let look = async {
        loop {
            let counts = counted(house).await;
            if counts.values().sum::<u64>() >= wanted.values().sum() {
                return counts;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(Duration::from_secs(30), look).await {
        Ok(counts) => counts,
        Err(_) => panic!("counted {:?} of {wanted:?} (the counter needs root)", counted(house).await),
    }
}

/// Something that is answered at once: whatever came before it has been read.
async fn honest(house: &House) {
    let client = stranger().await;
    client.send_to(b"\0\x01nothing\0octet\0", house.tftp).await.unwrap();
    hear(&client).await;
}

async fn hear(client: &UdpSocket) -> Vec<u8> {
    let mut reply = [0; 2048];
    let heard = tokio::time::timeout(Duration::from_secs(30), client.recv_from(&mut reply)).await;
    let (length, _) = heard.expect("the server says something").unwrap();
    reply[..length].to_vec()
}

/// A UDP packet on loopback whose header claims `length` bytes.
fn send_lying(from: u16, to: SocketAddr, payload: &[u8], length: u16) {
    let builder = PacketBuilder::ipv4([127, 0, 0, 1], [127, 0, 0, 1], 64).udp(from, to.port());
    let mut packet = vec![];
    builder.write(&mut packet, payload).unwrap();
    packet[24..26].copy_from_slice(&length.to_be_bytes());
    // No checksum: it is the length that is wrong.
    packet[26..28].fill(0);
    let raw = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(255))).expect("the test runs as root");
    raw.send_to(&packet, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_packet_is_counted_once_by_what_is_wrong_with_it() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    let client = stranger().await;
    let long_name = [b"\0\x01", &[b'a'; 60_000][..]].concat();
    let mut wanted = Counts::new();
    for (junk, reason) in [
        (&b""[..], "too-short"),
        (b"\0", "too-short"),
        (b"\0\x01", "cut-off"),
        (b"\0\x01undionly.kpxe", "cut-off"),
        (b"\0\x01undionly.kpxe\0octet\0blksize\0", "cut-off"),
        // Far more than a frame: it comes in fragments, and is one packet.
        (&long_name, "too-long"),
        (b"\0\x01undionly.kpxe\xff\0octet\0", "not-utf8"),
        (b"\0\x01undionly.kpxe\0morse\0", "unknown-mode"),
        (b"\0\x03\0\x01data", "not-a-request"),
        (b"\0\x04\0\x01", "not-a-request"),
        (b"\xff\xff\xff\xff", "unknown-opcode"),
    ] {
        client.send_to(junk, house.tftp).await.unwrap();
        *wanted.entry(reason.to_owned()).or_default() += 1;
    }
    for length in [7, 4000] {
        send_lying(client.local_addr().unwrap().port(), house.tftp, b"\0\x01undionly.kpxe\0octet\0", length);
        *wanted.entry("wrong-length".to_owned()).or_default() += 1;
    }
    assert_eq!(settled(&house, &wanted).await, wanted);

    // A flood of noise beside a client that others wrote: the client gets its file, whose packets are none of these.
    let flood = async {
        for seed in 0..2000 {
            let packet = [b"\0\x09", &noise(seed as usize % 1400, seed)[..]].concat();
            client.send_to(&packet, house.tftp).await.unwrap();
        }
    };
    let get = format!("binary\nget {boot}/undionly.kpxe got\nquit\n");
    std::fs::write(house.dir.path().join("commands"), get).unwrap();
    let command = format!("tftp 127.0.0.1 {} < commands", house.tftp.port());
    let commands = ["-c", &command];
    let (told, ()) = tokio::join!(house.run("sh", &commands), flood);
    assert!(house.file("got") == noise(74_213, 1), "tftp-hpa: {told:?}");
    wanted.insert("unknown-opcode".into(), 2);
    let mut after = settled(&house, &wanted).await;
    // All of the flood that the buffer had room for.
    let flooded = after.insert("unknown-opcode".into(), 2).unwrap();
    assert!((2..=2001).contains(&flooded), "{flooded} of the flood");
    assert_eq!(after, wanted);
}

/// Requests good and bad: words that a ROM might send, then one thing done to the bytes.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop_oneof![8 => Just(1_u16), 2 => Just(2), 1 => 0..9_u16, 1 => any::<u16>()];
    let name = prop_oneof![3 => Just("undionly.kpxe".to_owned()), 6 => "[^\\x00]{0,20}", 1 => Just("a".repeat(5000))];
    let mode = prop_oneof![8 => "[oO][cC]tet|NETASCII|mail", 1 => "[a-z]{0,6}"];
    let option =
        prop_oneof![select(vec!["blksize", "TSIZE", "timeout", "windowsize"]).prop_map(str::to_owned), "[^\\x00]{0,8}"];
    let value = prop_oneof![3 => any::<u32>().prop_map(|number| number.to_string()), 1 => "[^\\x00]{0,8}"];
    let options = prop::collection::vec((option, value), 0..5);
    let good = (opcode, name, mode, options).prop_map(|(opcode, name, mode, options)| {
        let words = [name, mode].into_iter().chain(options.into_iter().flat_map(|(option, value)| [option, value]));
        let mut packet = opcode.to_be_bytes().to_vec();
        words.for_each(|word| packet.extend(word.bytes().chain([0])));
        packet
    });
    let change = (0..8_u8, any::<Index>(), any::<u8>());
    let changed = (good, change).prop_map(|(mut packet, (change, at, byte))| {
        let at = at.index(packet.len());
        match change {
            0 => packet.truncate(at),
            1 => packet[at] = byte,
            2 => packet.insert(at, byte),
            3 => drop(packet.remove(at)),
            4 => packet.extend(vec![byte; at]),
            _ => {}
        }
        packet
    });
    prop_oneof![12 => changed, 1 => prop::collection::vec(any::<u8>(), 0..600)]
}

#[test]
fn what_is_counted_is_what_the_server_is_silent_about() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let house = runtime.block_on(House::new());
    // Strangers stay, so that none gets the port of another whose transfer is still under way.
    let (strangers, wanted) = (RefCell::new(vec![]), RefCell::new(Counts::new()));
    // An answer that is missing takes long to be missed: few tries to make it smaller.
    let config = Config { cases: 400, max_shrink_iters: 4, failure_persistence: None, ..Config::default() };
    let ran = TestRunner::new(config).run(&packet(), |packet| {
        let client = runtime.block_on(async {
            let client = stranger().await;
            client.send_to(&packet, house.tftp).await.unwrap();
            match judge(&packet) {
                Ok(()) => drop(hear(&client).await),
                Err(malformed) => {
                    *wanted.borrow_mut().entry(malformed.name().to_owned()).or_default() += 1;
                    honest(&house).await;
                    honest(&house).await;
                }
            }
            client
        });
        let answered = judge(&packet).is_ok();
        prop_assert!(answered || client.try_recv_from(&mut [0; 2048]).is_err(), "it was answered after all");
        strangers.borrow_mut().push(client);
        Ok(())
    });
    ran.unwrap_or_else(|failed| panic!("{failed}"));
    let wanted = wanted.into_inner();
    assert!(wanted.len() >= 5, "the packets are of many kinds: {wanted:?}");
    let answered = strangers.borrow().len() as u64 - wanted.values().sum::<u64>();
    assert!(answered > 50, "{answered} were requests");
    assert_eq!(runtime.block_on(settled(&house, &wanted)), wanted);
}
