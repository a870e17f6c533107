//! DHCP: RFC 2131's table of messages and states, and where replies go.

use std::net::{Ipv4Addr, SocketAddrV4};

use greenroom::model::{
    Refusal,
    dhcp::{AnswerKind, AskKind, Destination, DhcpAsk, DhcpPort},
    reply::{Reply, Silence},
    site::DhcpMode,
};

use super::world::{Lab, SERVER, answer, destination, discover, ipxe, mac, silence, uefi};

fn request(client: u8, ip: Ipv4Addr) -> DhcpAsk {
    DhcpAsk { kind: AskKind::Request, requested: Some(ip), server_id: Some(SERVER), ..discover(client) }
}

fn renew(client: u8, ip: Ipv4Addr) -> DhcpAsk {
    DhcpAsk { kind: AskKind::Request, ciaddr: ip, ..discover(client) }
}

fn reboot(client: u8, ip: Ipv4Addr) -> DhcpAsk {
    DhcpAsk { kind: AskKind::Request, requested: Some(ip), ..discover(client) }
}

#[test]
fn no_two_clients_are_offered_one_address_and_the_last_one_hears_nothing() {
    let mut lab = Lab::new();
    let mut offered: Vec<Ipv4Addr> = (1..=3).map(|client| answer(lab.dhcp(discover(client))).yiaddr).collect();
    offered.sort();
    offered.dedup();
    assert_eq!(offered.len(), 3);
    let exhausted = Refusal::PoolExhausted { subnet: "10.77.0.0/24".into() };
    assert_eq!(silence(lab.dhcp(discover(4))), Silence::Refused(exhausted));
    lab.pass(60);
    assert_eq!(answer(lab.dhcp(discover(4))).kind, AnswerKind::Offer, "offers that nobody took lapse");
}

#[test]
fn a_lease_is_given_renewed_rebound_and_comes_to_its_owner_after_a_reboot() {
    let mut lab = Lab::new();
    let (ip, _) = lab.address(1, None);
    for _ in 0..3 {
        lab.pass(1800);
        let renewed = answer(lab.dhcp(renew(1, ip)));
        assert_eq!((renewed.kind, renewed.yiaddr), (AnswerKind::Ack, ip));
    }
    assert_eq!(answer(lab.dhcp(reboot(1, ip))).yiaddr, ip, "init-reboot");
    lab.pass(100_000);
    assert_eq!(lab.address(1, None).0, ip, "long after its end");
}

#[test]
fn what_is_not_the_clients_to_use_is_refused_outright() {
    let mut lab = Lab::new();
    let (ip, _) = lab.address(1, None);
    let elsewhere = Ipv4Addr::new(192, 168, 7, 7);
    for (ask, why) in [
        (reboot(2, ip), "another's address"),
        (request(2, ip), "another's address, selected"),
        (renew(2, ip), "another's address, renewed"),
        (reboot(1, elsewhere), "an address of another network"),
        (reboot(2, SERVER), "the server's own"),
        (reboot(2, Ipv4Addr::new(10, 77, 0, 50)), "a reserved one"),
        (reboot(2, Ipv4Addr::new(10, 77, 0, 200)), "one outside the pools"),
    ] {
        let reply = lab.dhcp(ask);
        assert_eq!(
            destination(reply.clone()),
            if answer(reply.clone()).kind == AnswerKind::Nak {
                Destination::Broadcast
            } else {
                panic!("{why}: {reply:?}")
            }
        );
    }
}

#[test]
fn a_server_that_is_not_authoritative_keeps_quiet_about_leases_it_does_not_know() {
    let mut lab = Lab::new().site(|site| site.authoritative = false);
    assert_eq!(silence(lab.dhcp(reboot(1, Ipv4Addr::new(10, 77, 0, 101)))), Silence::UnknownLease);
    let mut lab = Lab::new();
    let recovered = answer(lab.dhcp(reboot(1, Ipv4Addr::new(10, 77, 0, 101))));
    assert_eq!(recovered.kind, AnswerKind::Ack, "an authoritative one that lost its memory honours a free address");
}

#[test]
fn a_client_that_chose_another_server_is_left_to_it() {
    let mut lab = Lab::new();
    let ip = answer(lab.dhcp(discover(1))).yiaddr;
    let server = Ipv4Addr::new(10, 77, 0, 2);
    let other = DhcpAsk { server_id: Some(server), ..request(1, ip) };
    let refusal = Refusal::OtherServer { server };
    assert_eq!(silence(lab.dhcp(other.clone())), Silence::Refused(refusal.clone()));
    assert!(lab.world.devices.is_empty(), "an ordinary client has no timeline");

    lab.dhcp(DhcpAsk { boot: Some(uefi()), ..discover(1) });
    lab.dhcp(DhcpAsk { boot: Some(uefi()), ..other.clone() });
    assert_eq!(lab.refusal(1), Some(refusal));
    let mut lab = Lab::new().site(|site| site.addresses.extend([SERVER, server]));
    lab.dhcp(DhcpAsk { boot: Some(uefi()), ..discover(1) });
    assert_eq!(silence(lab.dhcp(DhcpAsk { boot: Some(uefi()), ..other })), Silence::OtherAddress);
    assert_eq!(lab.refusal(1), None, "two interfaces of one server on one network are no two servers");
}

#[test]
fn what_gets_no_answer_tells_its_reason_in_the_timeline() {
    let mut lab = Lab::new();
    let spoofed = Ipv4Addr::new(172, 16, 0, 1);
    lab.dhcp(DhcpAsk { giaddr: spoofed, boot: Some(uefi()), ..discover(1) });
    assert_eq!(lab.refusal(1), Some(Refusal::ForeignRelay { giaddr: spoofed.to_string() }));
    (2..=4).for_each(|client| drop(lab.dhcp(discover(client))));
    lab.dhcp(DhcpAsk { boot: Some(uefi()), ..discover(5) });
    assert_eq!(lab.refusal(5), Some(Refusal::PoolExhausted { subnet: "10.77.0.0/24".into() }));
    for client in [1, 5] {
        let boot = lab.world.boots.get(&lab.boot_of(client)).unwrap();
        let why = greenroom::usage::timeline::reason(boot);
        assert!(why.starts_with("nothing: "), "the table of attempts says it too: {why:?}");
    }
    let mut lab = lab.site(|site| drop(site.subnets.remove(0)));
    lab.dhcp(DhcpAsk { boot: Some(uefi()), ..discover(6) });
    assert!(matches!(lab.refusal(6), Some(Refusal::NoSubnet { .. })), "an interface that no subnet fits");
}

#[test]
fn a_reservation_holds_for_its_client_alone_even_when_it_is_made_later() {
    let mut lab = Lab::new();
    assert_eq!(lab.address(99, None).0, Ipv4Addr::new(10, 77, 0, 50));
    let (before, _) = lab.address(1, None);
    let mut lab = lab.site(|site| {
        let kept = site.subnets[0].reservations.remove(&mac(99)).unwrap();
        site.subnets[0].reservations.insert(mac(1), kept);
    });
    assert_eq!(answer(lab.dhcp(renew(1, before))).kind, AnswerKind::Nak, "sent to its new address");
    lab.pass(7200);
    assert_eq!(lab.address(1, None).0, Ipv4Addr::new(10, 77, 0, 50));
}

#[test]
fn a_released_address_waits_for_its_client_and_a_declined_one_for_nobody() {
    let mut lab = Lab::new();
    let (ip, _) = lab.address(1, None);
    let release = |client| DhcpAsk { kind: AskKind::Release, ciaddr: ip, ..discover(client) };
    lab.dhcp(release(2));
    assert!(lab.world.leases.get(ip).unwrap().holds(lab.now), "only the owner can give it back");
    lab.dhcp(release(1));
    assert!(!lab.world.leases.get(ip).unwrap().holds(lab.now));
    assert_eq!(lab.address(1, None).0, ip);
    lab.dhcp(DhcpAsk { kind: AskKind::Decline, requested: Some(ip), ..discover(2) });
    assert!(lab.world.leases.get(ip).unwrap().holds(lab.now), "only the owner can complain");
    lab.dhcp(DhcpAsk { kind: AskKind::Decline, requested: Some(ip), ..discover(1) });
    assert_ne!(answer(lab.dhcp(discover(1))).yiaddr, ip, "quarantined, for its former owner too");
    lab.pass(600);
    let again: Vec<Ipv4Addr> = (1..=3).map(|client| answer(lab.dhcp(discover(client))).yiaddr).collect();
    assert!(again.contains(&ip), "the quarantine ends: {again:?}");
}

#[test]
fn an_inform_is_told_everything_but_an_address() {
    let mut lab = Lab::new();
    let ip = Ipv4Addr::new(10, 77, 0, 7);
    let reply = lab.dhcp(DhcpAsk { kind: AskKind::Inform, ciaddr: ip, ..discover(1) });
    assert_eq!(destination(reply.clone()), Destination::Unicast(SocketAddrV4::new(ip, 68)));
    let answer = answer(reply);
    assert_eq!((answer.kind, answer.yiaddr.is_unspecified()), (AnswerKind::Ack, true));
    let network = answer.network.unwrap();
    assert_eq!((network.lease, network.dns), (None, vec![SERVER]));
    assert!(lab.world.leases.is_empty());
}

#[test]
fn row_18_replies_reach_clients_that_have_no_address() {
    let mut lab = Lab::new();
    let reply = lab.dhcp(discover(1));
    let ip = answer(reply.clone()).yiaddr;
    assert_eq!(destination(reply), Destination::Link(ip, mac(1)));
    let reply = lab.dhcp(DhcpAsk { broadcast: true, ..discover(1) });
    assert_eq!(destination(reply), Destination::Broadcast);
    lab.dhcp(request(1, ip));
    assert_eq!(destination(lab.dhcp(renew(1, ip))), Destination::Unicast(SocketAddrV4::new(ip, 68)));
}

#[test]
fn row_19_a_relays_client_gets_an_address_of_its_own_network_through_the_relay() {
    let mut lab = Lab::new();
    let relay = Ipv4Addr::new(10, 77, 9, 1);
    let reply = lab.dhcp(DhcpAsk { giaddr: relay, ..discover(1) });
    assert_eq!(destination(reply.clone()), Destination::Relay(relay));
    assert_eq!(answer(reply).yiaddr.octets()[2], 9);
    let by_link = DhcpAsk { giaddr: Ipv4Addr::new(172, 16, 0, 1), link: Some(relay), ..discover(2) };
    assert_eq!(answer(lab.dhcp(by_link)).yiaddr.octets()[2], 9, "82.5 before giaddr");
}

#[test]
fn a_relay_that_serves_none_of_our_networks_is_refused_with_a_reason() {
    let mut lab = Lab::new();
    for spoofed in [Ipv4Addr::new(172, 16, 0, 1), SERVER] {
        let refusal = Refusal::ForeignRelay { giaddr: spoofed.to_string() };
        assert_eq!(silence(lab.dhcp(DhcpAsk { giaddr: spoofed, ..discover(1) })), Silence::Refused(refusal));
    }
    assert!(lab.world.leases.is_empty());
}

#[test]
fn in_proxy_mode_no_address_is_given_and_only_boot_clients_hear_anything() {
    let mut lab = Lab::new().site(|site| {
        site.mode = DhcpMode::Proxy;
        site.subnets.clear();
    });
    assert_eq!(silence(lab.dhcp(discover(1))), Silence::NotBooting);
    let reply = lab.dhcp(DhcpAsk { boot: Some(uefi()), ..discover(1) });
    assert_eq!(destination(reply.clone()), Destination::Broadcast, "row 18");
    let offer = answer(reply);
    assert_eq!((offer.kind, offer.yiaddr.is_unspecified(), offer.network), (AnswerKind::Offer, true, None));
    let ask = DhcpAsk { kind: AskKind::Request, boot: Some(uefi()), ..discover(1) };
    assert_eq!(silence(lab.dhcp(ask.clone())), Silence::NotBooting, "the REQUEST is the other server's");

    let ip = Ipv4Addr::new(10, 77, 0, 200);
    for kind in [AskKind::Request, AskKind::Inform] {
        let (reply, _) = lab.dhcp_on(DhcpAsk { kind, ciaddr: ip, ..ask.clone() }, DhcpPort::Proxy);
        assert_eq!(
            destination(reply.clone()),
            Destination::Unicast(SocketAddrV4::new(ip, 4011)),
            "row 7: its own port"
        );
        let ack = answer(reply);
        assert_eq!(ack.kind, AnswerKind::Ack);
        assert!(ack.boot.unwrap().bootfile.unwrap().ends_with("/snponly.efi"));
    }
    let mut bis = uefi();
    bis.boot_item = Some([0, 1, 0x80, 0]);
    let (reply, _) = lab.dhcp_on(DhcpAsk { boot: Some(bis), ciaddr: ip, ..ask }, DhcpPort::Proxy);
    assert_eq!(silence(reply), Silence::BootItemWithBis, "row 8");
}

#[test]
fn row_24_only_in_full_mode_ipxe_need_not_wait_for_a_proxy() {
    for (mode, wanted) in [(DhcpMode::Full, true), (DhcpMode::Proxy, false)] {
        let mut lab = Lab::new().site(|site| site.mode = mode);
        let offer = answer(lab.dhcp(DhcpAsk { boot: Some(ipxe()), ..discover(1) }));
        assert_eq!(offer.boot.unwrap().ipxe_no_proxy, wanted, "{mode:?}");
    }
}

#[test]
fn a_server_that_speaks_no_dhcp_is_silent() {
    let mut lab = Lab::new().site(|site| site.mode = DhcpMode::Off);
    assert!(matches!(lab.dhcp(discover(1)), Reply::Silence(Silence::WrongMode)));
}
