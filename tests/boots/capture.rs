//! The packets that are kept: bounded, and as a file that tshark and tcpdump read.

use std::{net::SocketAddrV4, process::Command};

use greenroom::{
    model::{BootId, MacAddr, Moment},
    serve::{
        Capture,
        capture::{Direction, Packet, Protocol, file},
    },
};

use crate::dissect::captured;

fn port(n: u8) -> MacAddr {
    MacAddr::new([0x52, 0x54, 0, 0x77, 0, n]).unwrap()
}

fn packet(n: u8, at: u64, bytes: &[u8]) -> Packet {
    Packet {
        at: Moment::from_millis(at),
        direction: Direction::In,
        protocol: Protocol::Dhcp,
        interface: "eth0".into(),
        from: "0.0.0.0:68".parse().unwrap(),
        to: "255.255.255.255:67".parse().unwrap(),
        port: port(n),
        boot: Some(BootId::new(u64::from(n))),
        bytes: bytes.to_vec().into(),
    }
}

#[test]
fn a_loud_device_pushes_out_its_own_past_only() {
    let capture = Capture::new(8, 1 << 20);
    capture.add(packet(1, 1, b"first"));
    (0..100).for_each(|at| capture.add(packet(2, at, &[2; 300])));
    let loud = capture.of(&[port(2)], None);
    assert_eq!((loud.len(), loud[0].at), (8, Moment::from_millis(92)));
    assert_eq!(capture.of(&[port(1)], None).len(), 1);
    assert_eq!((capture.kept().entries, capture.kept().dropped), (9, 92));
}

#[test]
fn all_together_never_exceed_their_bytes_and_the_oldest_goes_first() {
    let most = 64 << 10;
    let capture = Capture::new(1000, most);
    for at in 0..5000u64 {
        capture.add(packet((at % 250) as u8 + 1, at, &vec![0; (at % 1400) as usize]));
        assert!(capture.kept().bytes <= most);
    }
    let kept = capture.kept();
    let all: Vec<u64> =
        (1..=250).flat_map(|n| capture.of(&[port(n)], None)).map(|packet| packet.at.as_millis()).collect();
    assert_eq!(all.len(), kept.entries);
    assert_eq!(kept.entries as u64 + kept.dropped, 5000);
    assert_eq!(
        all.iter().min().copied(),
        Some(5000 - kept.entries as u64),
        "none that is older than any that was dropped"
    );
}

#[test]
fn an_attempt_has_its_own_packets_in_order() {
    let capture = Capture::default();
    for (at, boot) in [(3, 7), (1, 7), (2, 9)] {
        capture.add(Packet { boot: Some(BootId::new(boot)), ..packet(1, at, b"x") });
    }
    let own: Vec<u64> =
        capture.of(&[port(1), port(2)], Some(BootId::new(7))).iter().map(|packet| packet.at.as_millis()).collect();
    assert_eq!(own, [1, 3]);
}

/// tshark's fields of each packet of a capture.
fn tshark(path: &std::path::Path, fields: &[&str]) -> Vec<Vec<String>> {
    let mut command = Command::new("tshark");
    command
        .args([
            "-o",
            "udp.check_checksum:TRUE",
            "-o",
            "ip.check_checksum:TRUE",
            "-T",
            "fields",
            "-E",
            "separator=|",
            "-r",
        ])
        .arg(path);
    command.args(fields.iter().flat_map(|field| ["-e", field]));
    let output = command.output().expect("`make setup` installs tshark");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
}

#[test]
fn other_tools_read_the_file_without_complaint() {
    let sent = captured("bios-virtio-rom");
    let mut packets: Vec<Packet> =
        (0..).zip(&sent).map(|(at, bytes)| packet(1, 1_800_000_000_123 + at, bytes)).collect();
    let request = b"\0\x01k3/undionly.kpxe\0octet\0blksize\x001432\0";
    packets.push(Packet {
        protocol: Protocol::Tftp,
        from: "10.77.0.100:2070".parse().unwrap(),
        to: "10.77.0.1:69".parse().unwrap(),
        ..packet(1, 1_800_000_001_000, request)
    });
    let server: SocketAddrV4 = "10.77.0.1:67".parse().unwrap();
    packets.push(Packet {
        direction: Direction::Out,
        from: server,
        to: "10.77.0.100:68".parse().unwrap(),
        ..packet(1, 1_800_000_002_000, &sent[0])
    });
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("boot.pcap");
    std::fs::write(&path, file(&packets)).unwrap();

    let read = tshark(
        &path,
        &[
            "frame.time_epoch",
            "ip.src",
            "ip.dst",
            "eth.src",
            "eth.dst",
            "udp.checksum.status",
            "dhcp.option.dhcp",
            "tftp.source_file",
            "_ws.malformed",
        ],
    );
    assert_eq!(read.len(), packets.len());
    assert!(read[0][0].starts_with("1800000000.123"), "{read:?}");
    assert_eq!(
        read[0][1..5],
        ["0.0.0.0", "255.255.255.255", "52:54:00:77:00:01", "ff:ff:ff:ff:ff:ff"].map(str::to_owned)
    );
    assert!(
        read.iter().all(|packet| packet[5] == "1" && packet[8].is_empty()),
        "checksums are good, nothing is malformed: {read:?}"
    );
    assert_eq!(read[0][6], "1", "a DISCOVER");
    let [tftp, answer] = &read[packets.len() - 2..] else { panic!("two") };
    assert_eq!((tftp[7].as_str(), tftp[2].as_str()), ("k3/undionly.kpxe", "10.77.0.1"));
    assert_eq!((answer[1].as_str(), answer[4].as_str()), ("10.77.0.1", "52:54:00:77:00:01"));
    let tcpdump = Command::new("tcpdump").args(["-nr"]).arg(&path).output().unwrap();
    assert!(tcpdump.status.success() && String::from_utf8_lossy(&tcpdump.stdout).contains("BOOTP/DHCP, Request"));
}
