//! DHCP on the wire: what real firmware sent (captured), what we answer (read by a decoder that is not ours), and what no
//! client should send.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests say what they mean by panicking")]

use std::{fmt::Write, fs, net::Ipv4Addr, path::Path};

use dhcproto::v4::{Decodable, Decoder, DhcpOption, Message, OptionCode};
use greenroom::{
    model::{
        Seconds,
        dhcp::{AnswerKind, BootFlavour, BootOptions, DhcpAnswer, DhcpAsk, NetworkOptions, VendorOptions},
    },
    wire::dhcp4::{decode, encode},
};
use proptest::prelude::*;

/// The packets of one capture.
fn captured(name: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire").join(format!("{name}.hex"));
    let text = fs::read_to_string(path).unwrap();
    let bytes =
        |line: &str| (0..line.len() / 2).map(|at| u8::from_str_radix(&line[2 * at..2 * at + 2], 16).unwrap()).collect();
    text.lines().map(bytes).collect()
}

fn all_captured() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let hex = names.filter(|path| path.extension().is_some_and(|extension| extension == "hex"));
    hex.flat_map(|path| captured(path.file_stem().unwrap().to_str().unwrap())).collect()
}

/// What a person checks of a decoded packet, on one screen.
fn told(name: &str) -> String {
    let mut text = String::new();
    for packet in captured(name) {
        let ask = decode(&packet).unwrap();
        write!(text, "{:?} {} xid {:08x} secs {}", ask.kind, ask.mac, ask.xid, ask.secs).unwrap();
        write!(text, "{}", if ask.broadcast { " broadcast" } else { "" }).unwrap();
        for (what, ip) in [("ciaddr", Some(ask.ciaddr)), ("requested", ask.requested), ("server", ask.server_id)] {
            if let Some(ip) = ip.filter(|ip| !ip.is_unspecified()) {
                write!(text, " {what} {ip}").unwrap();
            }
        }
        writeln!(text, "\n  class {:?} max {:?} client-id {}", ask.vendor_class, ask.max_size, ask.client_id.is_some())
            .unwrap();
        writeln!(text, "  wants {:?}", ask.wants).unwrap();
        match &ask.boot {
            None => writeln!(text, "  no boot client"),
            Some(boot) => writeln!(
                text,
                "  {} {} codes {:?} {:?} uuid {} item {:?}",
                boot.firmware,
                boot.arch.map(|arch| arch.to_string()).unwrap_or_default(),
                boot.arch_codes,
                boot.flavour,
                boot.uuid.map(|uuid| uuid.to_string()).unwrap_or("none".into()),
                boot.boot_item
            ),
        }
        .unwrap();
    }
    text
}

#[test]
fn bios_rom_of_ipxe() {
    insta::assert_snapshot!(told("bios-virtio-rom"));
}

#[test]
fn undionly_chainloaded() {
    insta::assert_snapshot!(told("bios-undi-chain"));
}

#[test]
fn ovmf_pxe() {
    insta::assert_snapshot!(told("ovmf-pxe-virtio"));
}

#[test]
fn ovmf_http_boot_repeats_a_code_in_option_55() {
    insta::assert_snapshot!(told("ovmf-http-virtio"));
}

#[test]
fn ipxe_as_uefi_option_rom() {
    insta::assert_snapshot!(told("ovmf-pxe-e1000"));
}

#[test]
fn ovmf_with_a_proxy_asks_on_4011() {
    insta::assert_snapshot!(told("proxy-ovmf"));
}

#[test]
fn ipxe_with_a_proxy() {
    insta::assert_snapshot!(told("proxy-bios"));
}

#[test]
fn aavmf_on_arm64() {
    insta::assert_snapshot!(told("aavmf-pxe-full"));
}

#[test]
fn debian_installer_and_live_system_are_ordinary_clients_in_the_end() {
    insta::assert_snapshot!(format!("{}\n{}", told("di-amd64-bios"), told("live-bios")));
}

fn ask(name: &str) -> DhcpAsk {
    decode(&captured(name)[0]).unwrap()
}

fn answer(bootfile: &str, vendor: VendorOptions) -> DhcpAnswer {
    DhcpAnswer {
        kind: AnswerKind::Offer,
        server: Ipv4Addr::new(10, 77, 0, 1),
        yiaddr: Ipv4Addr::new(10, 77, 0, 100),
        network: Some(NetworkOptions {
            lease: Some(Seconds(3600)),
            mask: Ipv4Addr::new(255, 255, 255, 0),
            broadcast: Ipv4Addr::new(10, 77, 0, 255),
            router: Some(Ipv4Addr::new(10, 77, 0, 1)),
            dns: vec![Ipv4Addr::new(10, 77, 0, 1)],
            domain: Some("lab.test".into()),
            ntp: vec![],
            mtu: None,
            hostname: None,
        }),
        boot: Some(BootOptions {
            flavour: BootFlavour::Pxe,
            bootfile: Some(bootfile.into()),
            vendor,
            in_option_67: true,
            ipxe_no_proxy: false,
        }),
        message: None,
    }
}

/// Reads a reply with dhcproto alone.
fn read(packet: &[u8]) -> Message {
    Message::decode(&mut Decoder::new(packet)).unwrap()
}

fn raw(message: &Message, code: u8) -> Option<Vec<u8>> {
    // Everything is compared as it travels.
    use dhcproto::Encodable;
    let option = message.opts().get(OptionCode::from(code))?;
    let mut bytes = vec![];
    option.encode(&mut dhcproto::Encoder::new(&mut bytes)).unwrap();
    Some(bytes[2..].to_vec())
}

#[test]
fn rows_9_10_12_13_14_16_a_reply_to_firmware() {
    let ask = ask("ovmf-pxe-virtio");
    let packet = encode(&ask, &answer("0123456789/snponly.efi", VendorOptions::None));
    assert!(packet.len() >= 300, "row 16: {}", packet.len());
    let reply = read(&packet);
    assert_eq!((reply.xid(), reply.chaddr()), (ask.xid, &ask.mac.octets()[..]));
    assert!(reply.flags().broadcast(), "OVMF asks for broadcasts");
    let server = Ipv4Addr::new(10, 77, 0, 1);
    assert_eq!(reply.siaddr(), server, "row 9");
    assert_eq!(reply.opts().get(OptionCode::ServerIdentifier), Some(&DhcpOption::ServerIdentifier(server)), "row 9");
    let header = String::from_utf8_lossy(reply.fname().unwrap()).trim_end_matches('\0').to_owned();
    assert_eq!(header, "0123456789/snponly.efi", "row 13: the header");
    assert_eq!(raw(&reply, 67).unwrap(), b"0123456789/snponly.efi\0", "rows 13 and 14: option 67, closed by a NUL");
    assert_eq!(raw(&reply, 60).unwrap(), b"PXEClient", "row 10");
    assert_eq!(raw(&reply, 97), ask.boot.unwrap().uuid_raw, "row 12: echoed exactly");
    assert_eq!(raw(&reply, 43), None, "row 5");
    assert_eq!(raw(&reply, 52), None, "row 15: never overloaded");
    let times = [51u8, 58, 59].map(|code| u32::from_be_bytes(raw(&reply, code).unwrap().try_into().unwrap()));
    assert_eq!(times, [3600, 1800, 3150]);
}

#[test]
fn row_14_a_rom_that_wants_no_option_67_finds_the_bootfile_in_the_header() {
    let mut answer = answer("0123456789/undionly.kpxe", VendorOptions::UseBootfile);
    answer.boot.as_mut().unwrap().in_option_67 = false;
    let reply = read(&encode(&ask("bios-virtio-rom"), &answer));
    assert_eq!(raw(&reply, 67), None);
    assert!(reply.fname().unwrap().starts_with(b"0123456789/undionly.kpxe"));
}

#[test]
fn rows_4_8_24_the_options_inside_options() {
    let ask = ask("bios-virtio-rom");
    let bios = read(&encode(&ask, &answer("x/undionly.kpxe", VendorOptions::UseBootfile)));
    assert_eq!(raw(&bios, 43).unwrap(), [6, 1, 8, 255], "row 4");
    let item = read(&encode(&ask, &answer("x/undionly.kpxe", VendorOptions::BootItem([0, 1, 0, 0]))));
    assert_eq!(raw(&item, 43).unwrap(), [6, 1, 8, 71, 4, 0, 1, 0, 0, 255], "row 8");
    let mut full = answer("http://10.77.0.1/boot/0123456789/start.ipxe", VendorOptions::None);
    full.boot.as_mut().unwrap().ipxe_no_proxy = true;
    assert_eq!(raw(&read(&encode(&ask, &full)), 175).unwrap(), [176, 1, 1], "row 24");
}

#[test]
fn row_17_a_reply_fits_what_the_client_takes_and_a_long_url_only_option_67() {
    let mut ask = ask("ovmf-http-virtio");
    ask.max_size = Some(576);
    let long = format!("http://10.77.0.1/{}", "x".repeat(180));
    let mut answer = answer(&long, VendorOptions::None);
    answer.network.as_mut().unwrap().dns = vec![Ipv4Addr::new(10, 77, 0, 1); 40];
    let packet = encode(&ask, &answer);
    assert!(packet.len() <= 548, "{}", packet.len());
    let reply = read(&packet);
    assert_eq!(
        reply.fname().unwrap_or_default().iter().filter(|byte| **byte != 0).count(),
        0,
        "does not fit the header"
    );
    assert_eq!(raw(&reply, 67).unwrap().len(), long.len() + 1, "what boots is never left out");
}

#[test]
fn row_19_a_relays_option_is_echoed_last_and_verbatim() {
    let mut ask = ask("bios-virtio-rom");
    ask.relay_info = Some(vec![1, 4, b'p', b'o', b'r', b't', 5, 4, 10, 9, 0, 0]);
    ask.giaddr = Ipv4Addr::new(10, 9, 0, 1);
    let packet = encode(&ask, &answer("x/undionly.kpxe", VendorOptions::UseBootfile));
    let reply = read(&packet);
    assert_eq!((reply.giaddr(), raw(&reply, 82)), (ask.giaddr, ask.relay_info.clone()));
    let option = [&[82, 12][..], &ask.relay_info.unwrap(), &[255]].concat();
    let end = packet.iter().rposition(|byte| *byte == 255).unwrap() + 1;
    assert!(packet[..end].ends_with(&option), "last before the end");
}

#[test]
fn row_19_the_link_that_a_relay_names_is_read() {
    let mut packet = captured("bios-virtio-rom")[0].clone();
    let end = packet.iter().rposition(|byte| *byte == 255).unwrap();
    packet.truncate(end);
    packet.extend([82, 6, 5, 4, 10, 9, 0, 0, 255]);
    assert_eq!(decode(&packet).unwrap().link, Some(Ipv4Addr::new(10, 9, 0, 0)));
}

#[test]
fn an_option_94_of_the_wrong_length_hides_nothing_that_follows() {
    let mut packet = captured("ovmf-pxe-virtio")[0].clone();
    // Directly behind the message type, so that everything else comes after it.
    let at = packet.windows(3).position(|window| window == [53, 1, 1]).unwrap() + 3;
    packet.splice(at..at, [94, 1, 1]);
    let ask = decode(&packet).unwrap();
    assert_eq!(ask.boot.map(|boot| boot.arch_codes), Some(vec![7]));
}

#[test]
fn the_kind_of_reply_and_its_server_come_first() {
    let packet = encode(&ask("ovmf-pxe-virtio"), &answer("x/snponly.efi", VendorOptions::None));
    assert_eq!(packet[240..249], [53, 1, 2, 54, 4, 10, 77, 0, 1]);
}

#[test]
fn a_host_name_that_is_no_utf8_hides_nothing_that_follows() {
    let mut packet = captured("live-bios").pop().unwrap();
    let kind = decode(&packet).unwrap().kind;
    // Before everything else; "Büro" as Windows of old wrote it.
    packet.splice(240..240, [12, 4, b'B', 0xfc, b'r', b'o']);
    let ask = decode(&packet).unwrap();
    assert_eq!((ask.kind, ask.hostname), (kind, None));
}

#[test]
fn row_15_options_in_the_fields_of_the_header_are_read() {
    let plain = captured("bios-virtio-rom")[0].clone();
    let class = plain.windows(2).position(|window| window == [60, 32]).unwrap();
    let mut packet = plain.clone();
    let moved: Vec<u8> = packet.splice(class..class + 34, [52, 1, 1]).collect();
    packet[108..108 + moved.len()].copy_from_slice(&moved);
    packet[108 + moved.len()] = 255;
    assert_eq!(decode(&packet).unwrap(), decode(&plain).unwrap());
}

#[test]
fn row_17_what_was_not_asked_for_goes_first_and_nothing_is_longer_than_a_frame() {
    let mut ask = ask("ovmf-http-virtio");
    ask.wants.retain(|code| *code != 6);
    let mut answer = answer("http://10.77.0.1/boot/0123456789/ipxe.efi", VendorOptions::None);
    let network = answer.network.as_mut().unwrap();
    (network.dns, network.ntp) = (vec![Ipv4Addr::new(10, 77, 0, 1); 300], vec![Ipv4Addr::new(10, 77, 0, 1)]);
    // OVMF's REQUEST claims to take 65280 bytes.
    ask.max_size = Some(0xff00);
    let packet = encode(&ask, &answer);
    assert!(packet.len() <= 1472, "{}", packet.len());
    let reply = read(&packet);
    assert_eq!((raw(&reply, 6), raw(&reply, 42)), (None, Some(vec![10, 77, 0, 1])));
}

#[test]
fn rows_18_and_19_a_nak_through_a_relay_is_broadcast_to_the_client() {
    let mut ask = ask("bios-virtio-rom");
    (ask.broadcast, ask.ciaddr, ask.giaddr) = (false, Ipv4Addr::new(10, 9, 0, 7), Ipv4Addr::new(10, 9, 0, 1));
    let nak = DhcpAnswer {
        kind: AnswerKind::Nak,
        yiaddr: Ipv4Addr::UNSPECIFIED,
        network: None,
        boot: None,
        message: Some("not here".into()),
        ..answer("", VendorOptions::None)
    };
    let reply = read(&encode(&ask, &nak));
    assert!(reply.flags().broadcast(), "RFC 2131 section 4.3.2");
    assert_eq!((reply.ciaddr(), reply.siaddr()), (Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED));
    assert_eq!(raw(&reply, 56).unwrap(), b"not here");
    assert_eq!(raw(&reply, 61), ask.client_id, "RFC 6842");
}

/// A capture file of UDP packets to a client, for tools that read such files.
fn pcap(replies: &[Vec<u8>]) -> Vec<u8> {
    // The header of the format's version 2.4, link type 228: bare IPv4.
    let mut file = [0xa1b2_c3d4, 0x0002_0004, 0, 0, 65535, 228].map(u32::to_be_bytes).concat();
    for reply in replies {
        let length = 28 + reply.len() as u16;
        file.extend([0, 0, u32::from(length), u32::from(length)].map(u32::to_be_bytes).concat());
        file.extend([0x45, 0]);
        file.extend(length.to_be_bytes());
        file.extend([0, 0, 0, 0, 64, 17, 0, 0, 10, 77, 0, 1, 255, 255, 255, 255, 0, 67, 0, 68]);
        file.extend((length - 20).to_be_bytes());
        file.extend([0, 0]);
        file.extend(reply);
    }
    file
}

#[test]
fn wireshark_reads_every_reply_and_finds_nothing_wrong() {
    let mut full = answer("http://10.77.0.1/boot/0123456789/start.ipxe", VendorOptions::None);
    full.boot.as_mut().unwrap().ipxe_no_proxy = true;
    let mut relayed = ask("bios-virtio-rom");
    relayed.relay_info = Some(vec![1, 4, b'p', b'o', b'r', b't', 5, 4, 10, 9, 0, 0]);
    let replies = [
        encode(&ask("ovmf-pxe-virtio"), &answer("0123456789/snponly.efi", VendorOptions::None)),
        encode(&ask("bios-virtio-rom"), &answer("0123456789/undionly.kpxe", VendorOptions::UseBootfile)),
        encode(&ask("proxy-bios"), &answer("0123456789/undionly.kpxe", VendorOptions::BootItem([0, 1, 0, 0]))),
        encode(&relayed, &full),
    ];
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), pcap(&replies)).unwrap();
    let fields =
        ["dhcp.option.dhcp", "dhcp.option.vendor_class_id", "dhcp.file", "_ws.malformed", "_ws.expert.severity"];
    let mut tshark = std::process::Command::new("tshark");
    tshark.args(["-r", file.path().to_str().unwrap(), "-T", "fields", "-E", "separator=|"]);
    tshark.args(fields.iter().flat_map(|field| ["-e", field]));
    let output = tshark.output().expect("tshark is installed (make setup)");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    insta::assert_snapshot!(told);
}

proptest! {
    #[test]
    fn what_clients_and_relays_want_back_comes_back_whatever_its_length(
        id in prop::collection::vec(any::<u8>(), 2..600),
        relay in prop::collection::vec(any::<u8>(), 1..600),
        uuid in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        let mut ask = ask("bios-virtio-rom");
        ask.client_id = Some(id.clone());
        ask.relay_info = Some(relay.clone());
        ask.boot.as_mut().unwrap().uuid_raw = Some(uuid.clone());
        let packet = encode(&ask, &answer("x/undionly.kpxe", VendorOptions::UseBootfile));
        let options = greenroom::wire::option_scan::scan(&packet).unwrap();
        prop_assert_eq!((&options[&61], &options[&82], &options[&97]), (&id, &relay, &uuid));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
        drop(decode(&bytes));
    }

    #[test]
    fn no_change_to_a_real_packet_makes_it_panic_and_what_decodes_can_be_answered(
        packet in prop::sample::select(all_captured()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        length in any::<prop::sample::Index>(),
    ) {
        let mut packet = packet;
        for (at, byte) in changes {
            let at = at.index(packet.len());
            packet[at] = byte;
        }
        packet.truncate(240 + length.index(packet.len() - 239));
        if let Ok(ask) = decode(&packet) {
            let reply = encode(&ask, &answer("x/undionly.kpxe", VendorOptions::UseBootfile));
            prop_assert!(reply.len() >= 300);
            prop_assert_eq!(Message::decode(&mut Decoder::new(&reply)).map(|reply| reply.xid()).ok(), Some(ask.xid));
        }
    }
}

#[test]
fn option_82_says_where_a_captured_client_is_whatever_is_in_it() {
    let with = |option: &[u8]| {
        let mut packet = captured("ovmf-pxe-virtio")[0].clone();
        while packet.last() != Some(&255) {
            packet.pop();
        }
        packet.pop();
        packet.extend([&[82, u8::try_from(option.len()).unwrap()], option, &[255]].concat());
        decode(&packet).unwrap()
    };
    let ask = with(b"\x01\x07Gi1/0/7\x02\x06\x00\x1b\x0c\x11\x22\x33\x05\x04\x0a\x09\x00\x00");
    assert_eq!((ask.circuit.as_deref(), ask.remote.as_deref()), (Some("Gi1/0/7"), Some("001b0c112233")));
    assert_eq!(ask.link, Some(Ipv4Addr::new(10, 9, 0, 0)));
    let ask = with(b"\x01\xffcut off");
    assert_eq!((ask.circuit, ask.remote, ask.relay_info), (None, None, Some(b"\x01\xffcut off".to_vec())));
}
