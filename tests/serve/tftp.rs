//! TFTP, to clients that others wrote, and packet by packet as boot ROMs speak it.

use std::{net::SocketAddr, time::Duration};

use greenroom::model::timeline::Step;
use tokio::net::UdpSocket;

use crate::world::{House, efi, noise};

const RRQ: u16 = 1;
const DATA: u16 = 3;
const ACK: u16 = 4;
const ERROR: u16 = 5;
const OACK: u16 = 6;

/// A ROM: one socket, one packet at a time.
struct Rom {
    socket: UdpSocket,
    server: SocketAddr,
}

impl Rom {
    async fn new(house: &House) -> Self {
        Self { socket: UdpSocket::bind("127.0.0.1:0").await.unwrap(), server: house.tftp }
    }

    /// Asks for a file with options, as `name\0octet\0blksize\01468\0`.
    async fn ask(&self, name: &str, options: &[&str]) {
        let mut packet = RRQ.to_be_bytes().to_vec();
        for word in [name, "octet"].iter().chain(options) {
            packet.extend(word.as_bytes());
            packet.push(0);
        }
        self.socket.send_to(&packet, self.server).await.unwrap();
    }

    /// The next packet: its kind, its number, what follows, and where it came from.
    async fn hear(&self) -> (u16, u16, Vec<u8>, SocketAddr) {
        let mut buffer = [0; 65_536];
        let heard = tokio::time::timeout(Duration::from_secs(30), self.socket.recv_from(&mut buffer)).await;
        let (length, from) = heard.expect("the server says something").unwrap();
        let number = |at: usize| u16::from_be_bytes([buffer[at], buffer[at + 1]]);
        match number(0) {
            OACK => (OACK, 0, buffer[2..length].to_vec(), from),
            kind => (kind, number(2), buffer[4..length].to_vec(), from),
        }
    }

    async fn say(&self, kind: u16, number: u16, to: SocketAddr) {
        let mut packet = [kind.to_be_bytes(), number.to_be_bytes()].concat();
        if kind == ERROR {
            packet.push(0);
        }
        self.socket.send_to(&packet, to).await.unwrap();
    }

    /// Takes a whole file in windows of `window` blocks of `block` bytes; `0` as the number to acknowledge an OACK.
    async fn take(&self, block: usize, window: u16, first: u16) -> Vec<u8> {
        let (mut bytes, mut expected) = (vec![], first);
        loop {
            let (kind, number, data, from) = self.hear().await;
            if kind == OACK {
                self.say(ACK, 0, from).await;
                continue;
            }
            assert_eq!(kind, DATA, "{}", String::from_utf8_lossy(&data));
            if number != expected {
                continue; // A block that was sent again.
            }
            let last = data.len() < block;
            bytes.extend(data);
            if last || expected % window == 0 {
                self.say(ACK, expected, from).await;
            }
            if last {
                return bytes;
            }
            expected = expected.wrapping_add(1);
        }
    }
}

/// Options as words with a blank after each.
fn words(options: Vec<u8>) -> String {
    String::from_utf8(options).unwrap().replace('\0', " ")
}

fn whole(step: &Step) -> Option<u64> {
    match step {
        Step::Nbp { transfer, .. } if transfer.is_whole() => Some(transfer.bytes.0),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_others_get_exactly_these_bytes() {
    let house = House::new().await;
    let port = house.tftp.port().to_string();
    // (name, bytes): one ends in a short block, the other in an empty one.
    for (last, name, bytes) in [(1, "undionly.kpxe", noise(74_213, 1)), (2, "snponly.efi", efi(512 * 300, 2))] {
        let boot = house.begin(last).await;
        let path = format!("{boot}/{name}");
        let hpa = format!("binary\nget {path} hpa\nquit\n");
        std::fs::write(house.dir.path().join("commands"), hpa).unwrap();
        let told = house.run("sh", &["-c", &format!("tftp 127.0.0.1 {port} < commands")]).await;
        assert!(house.file("hpa") == bytes, "tftp-hpa: {told:?}");
        for (file, options) in [
            ("plain", &[][..]),
            ("block", &["--option", "blksize 1432"]),
            ("window", &["--option", "blksize 1468", "--option", "windowsize 4"]),
            ("wide", &["--option", "windowsize 64"]),
        ] {
            let arguments = [options, &["-g", "-r", &path, "-l", file, "127.0.0.1", &port]].concat();
            let told = house.run("atftp", &arguments).await;
            assert!(house.file(file) == bytes, "atftp {options:?}: {told:?}");
        }
        let told =
            house.run("busybox", &["tftp", "-g", "-r", &path, "-l", "busy", "-b", "1468", "127.0.0.1", &port]).await;
        assert!(house.file("busy") == bytes, "busybox: {told:?}");
        assert_eq!(house.wait_for(boot, whole).await, bytes.len() as u64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_28_and_29_uefi_probes_the_size_and_comes_back_with_a_window() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    let name = format!("{boot}/snponly.efi");
    let probe = Rom::new(&house).await;
    probe.ask(&name, &["tsize", "0", "blksize", "1468", "windowsize", "4"]).await;
    let (kind, _, options, from) = probe.hear().await;
    let granted = words(options);
    assert_eq!(kind, OACK);
    for option in ["tsize 153600 ", "blksize 1468 ", "windowsize 4 "] {
        assert!(granted.contains(option), "{granted:?}");
    }
    probe.say(ERROR, 8, from).await;

    let rom = Rom::new(&house).await;
    rom.ask(&name, &["blksize", "1468", "windowsize", "4"]).await;
    assert!(rom.take(1468, 4, 1).await == efi(512 * 300, 2));
    assert_eq!(house.wait_for(boot, whole).await, 512 * 300);

    // The probe ends in the end, and is neither a delivery nor a step of the attempt.
    while house.metric("greenroom_tftp_transfers_total{kind=\"probe\"}").await != Some(1) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let steps = house.boot(boot).steps;
    assert_eq!(steps.iter().filter(|moved| matches!(moved.step, Step::Nbp { .. })).count(), 1, "{steps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_is_bounded() {
    let house = House::new().await;
    let name = format!("{}/snponly.efi", house.begin(1).await);
    let rom = Rom::new(&house).await;
    rom.ask(&name, &["blksize", "65464", "windowsize", "65535", "timeout", "255", "TSIZE", "0", "color", "red"]).await;
    let (kind, _, options, from) = rom.hear().await;
    let granted = words(options);
    assert_eq!(kind, OACK);
    assert!(granted.contains("blksize 1468 ") && granted.contains("windowsize 64 "), "{granted:?}");
    assert!(!granted.contains("timeout") && !granted.contains("color"), "{granted:?}");
    rom.say(ERROR, 0, from).await;
    // Options that are none are passed over, and the file is sent as RFC 1350 says.
    let rom = Rom::new(&house).await;
    rom.ask(&name, &["blksize", "7", "windowsize", "0", "tsize", "-1"]).await;
    let (kind, number, data, _) = rom.hear().await;
    assert_eq!((kind, number, data.len()), (DATA, 1, 512));
}

#[tokio::test(flavor = "multi_thread")]
async fn row_29_the_block_number_rolls_over_to_zero() {
    let house = House::new().await;
    let name = format!("{}/ipxe.efi", house.begin(1).await);
    let rom = Rom::new(&house).await;
    // 66,251 blocks of eight bytes.
    rom.ask(&name, &["blksize", "8", "windowsize", "64"]).await;
    assert!(rom.take(8, 64, 1).await == efi(530_000, 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_is_lost_is_sent_again_and_an_old_acknowledgement_is_not_answered() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    let rom = Rom::new(&house).await;
    rom.ask(&format!("{boot}/undionly.kpxe"), &[]).await;
    let (_, first, block, from) = rom.hear().await;
    let (_, again, same, _) = rom.hear().await;
    assert_eq!((first, again), (1, 1), "nothing was acknowledged");
    assert_eq!(block, same);
    // The sorcerer's apprentice (RFC 1123 section 4.2.3.1): two acknowledgements of one block bring one next block.
    rom.say(ACK, 1, from).await;
    rom.say(ACK, 1, from).await;
    assert_eq!(rom.hear().await.1, 2);
    rom.say(ACK, 2, from).await;
    assert_eq!(rom.hear().await.1, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_before_the_last_acknowledgement_was_not_served() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    let rom = Rom::new(&house).await;
    rom.ask(&format!("{boot}/autoexec.ipxe"), &[]).await;
    let (kind, _, script, _) = rom.hear().await;
    assert!(kind == DATA && script.starts_with(b"#!ipxe"));
    let broken = Rom::new(&house).await;
    broken.ask(&format!("{boot}/snponly.efi"), &["blksize", "1468", "windowsize", "64"]).await;
    let (kind, _, _, from) = broken.hear().await;
    assert_eq!(kind, OACK);
    broken.say(ACK, 0, from).await;
    // 105 blocks: the second window holds the end of the file, and nobody acknowledges it.
    broken.say(ACK, 64, from).await;
    let transfer = house
        .wait_for(boot, |step| match step {
            Step::Nbp { transfer, .. } => Some(*transfer),
            _ => None,
        })
        .await;
    assert!(!transfer.is_whole() && transfer.bytes.0 > 0, "{transfer:?}");
    let attempt = house.boot(boot);
    assert!(attempt.chainloaded.is_none(), "asking again is no loop: {:?}", attempt.steps);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_not_there_and_writes_are_refused_at_once() {
    let house = House::new().await;
    for name in ["revocations_sbat.efi", "grub/x86_64-efi/command.lst", "../../etc/passwd", "/", ""] {
        let rom = Rom::new(&house).await;
        rom.ask(name, &["blksize", "512", "windowsize", "4"]).await;
        let (kind, code, _, _) = rom.hear().await;
        assert_eq!((kind, code), (ERROR, 1), "{name:?}");
    }
    let port = house.tftp.port().to_string();
    std::fs::write(house.dir.path().join("mine"), "x").unwrap();
    let told = house.run("atftp", &["-p", "-l", "mine", "-r", "yours", "127.0.0.1", &port]).await;
    assert_eq!(house.metric("greenroom_tftp_transfers_total{kind=\"write-refused\"}").await, Some(1), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_tftp_is_passed_over() {
    let house = House::new().await;
    let boot = house.begin(1).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for junk in [
        &b""[..],
        b"\0",
        b"\0\x01",
        b"\0\x01name",
        b"\0\x01name\0",
        b"\0\x01name\0octet",
        b"\0\x01\xff\xfe\0octet\0",
        b"\0\x01name\0octet\0blksize\0",
        b"\0\x03\0\x01data",
        b"\0\x04\0\x01",
        b"\0\x05\0\x01\0",
        b"\xff\xff\xff\xff",
    ] {
        socket.send_to(junk, house.tftp).await.unwrap();
    }
    // A good request, cut off anywhere, with any one byte turned into another kind of byte, or far too long.
    let good = b"\0\x01undionly.kpxe\0octet\0blksize\x001432\0tsize\x000\0windowsize\x004\0";
    let turned = (0..good.len()).flat_map(|at| {
        [0x00, 0xff, b'/', b'9'].map(|byte| {
            let mut packet = good.to_vec();
            packet[at] = byte;
            packet
        })
    });
    let long = [[&good[..], &b"x\0y\0".repeat(8000)].concat(), [&good[..15], &[b'a'; 60_000]].concat()];
    for packet in (0..good.len()).map(|end| good[..end].to_vec()).chain(turned).chain(long) {
        UdpSocket::bind("127.0.0.1:0").await.unwrap().send_to(&packet, house.tftp).await.unwrap();
    }
    for seed in 0..500 {
        let mut packet = noise(seed as usize % 700, seed);
        if let [first, second, ..] = &mut packet[..] {
            (*first, *second) = (0, *second % 7);
        }
        socket.send_to(&packet, house.tftp).await.unwrap();
    }
    let rom = Rom::new(&house).await;
    rom.ask(&format!("{boot}/undionly.kpxe"), &["blksize", "1432", "tsize", "0"]).await;
    assert!(rom.take(1432, 1, 1).await == noise(74_213, 1));
}
