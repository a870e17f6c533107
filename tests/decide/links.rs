//! Where devices are: what option 82 says of it, and the rules by it and by what is said of people.

use std::net::Ipv4Addr;

use greenroom::model::{
    Fact, Link,
    command::{Line, Order, Orders, UserOrder},
    dhcp::{DhcpAsk, DhcpPort},
    request::Request,
    site::Match,
};

use super::world::{Lab, discover, ipxe, mac, told, uefi};

const RELAY: Ipv4Addr = Ipv4Addr::new(10, 77, 9, 1);

fn through_relay(port: &str) -> DhcpAsk {
    let (circuit, remote) = (Some(port.to_owned()), Some("sw-9".to_owned()));
    DhcpAsk { boot: Some(ipxe()), giaddr: RELAY, circuit, remote, ..discover(1) }
}

fn placed(facts: &[Fact]) -> Vec<Link> {
    let link = |fact: &Fact| match fact {
        Fact::DevicePlaced { link, .. } => Some(link.clone()),
        _ => None,
    };
    facts.iter().filter_map(link).collect()
}

#[test]
fn a_discover_tells_where_a_device_is_and_a_fact_when_it_is_somewhere_else() {
    let mut lab = Lab::new();
    let seen = placed(&lab.dhcp_on(through_relay("Gi1/0/7"), DhcpPort::Server).1);
    let there = Link {
        interface: Some("eth0".into()),
        subnet: Some("10.77.9.0/24".parse().unwrap()),
        relay: Some(RELAY),
        circuit: Some("Gi1/0/7".into()),
        remote: Some("sw-9".into()),
    };
    assert_eq!(seen, std::slice::from_ref(&there));
    assert_eq!(lab.world.device_of(mac(1)).unwrap().link, there);
    assert!(placed(&lab.dhcp_on(through_relay("Gi1/0/7"), DhcpPort::Server).1).is_empty(), "where it was: no fact");
    let moved = placed(&lab.dhcp_on(through_relay("Gi1/0/8"), DhcpPort::Server).1);
    assert_eq!(moved.len(), 1);
    assert_eq!(moved[0].circuit.as_deref(), Some("Gi1/0/8"));
    // A lease renewed past the relay says nothing of where it is.
    let renewal =
        DhcpAsk { kind: greenroom::model::dhcp::AskKind::Request, ciaddr: [10, 77, 9, 100].into(), ..discover(1) };
    assert!(placed(&lab.dhcp_on(renewal, DhcpPort::Server).1).is_empty());
    // What it runs when it has booted does; a stranger's client is no device.
    let elsewhere = placed(&lab.dhcp_on(discover(1), DhcpPort::Server).1);
    assert_eq!((elsewhere.len(), elsewhere[0].relay), (1, None));
    assert!(placed(&lab.dhcp_on(discover(7), DhcpPort::Server).1).is_empty());
    assert_eq!(lab.world, lab.replayed());
}

#[test]
fn a_rule_means_devices_by_their_place() {
    let when = Match { remote: vec!["SW-*".into()], circuit: vec!["gi1/0/7".into()], ..Match::default() };
    let mut lab = Lab::new().rule("socket 7", when, "live", false);
    for (port, fits) in [("Gi1/0/7", true), ("Gi1/0/8", false)] {
        lab.dhcp(through_relay(port));
        let decision = told(&lab.script_with(1, Default::default()).decision);
        assert_eq!(decision.contains("rule \"socket 7\""), fits, "{port}: {decision}");
    }
}

#[test]
fn a_rule_means_devices_by_what_is_said_of_them_and_of_their_users() {
    let patterns = |name: &str, pattern: &str| (name.parse().unwrap(), vec![pattern.to_owned()]);
    let attributes = [patterns("role", "dev*"), patterns("location", "Berlin")].into();
    let mut lab = Lab::new().rule("developers", Match { attributes, ..Match::default() }, "live", false);
    let said = |said: &[(&str, &str)]| {
        said.iter().map(|(name, value)| (name.parse().unwrap(), Some(value.parse().unwrap()))).collect()
    };
    let lines = vec![
        Line::User {
            user: "ann".parse().unwrap(),
            order: UserOrder::Describe { changes: said(&[("role", "developer")]), active: None },
            expects: None,
        },
        Line::Device {
            mac: mac(1),
            order: Order::Describe { changes: said(&[("user", "ann"), ("location", "berlin")]) },
            expects: None,
        },
    ];
    lab.ask(&Request::Orders(Orders { by: "op".into(), key: None, said: None, lines }));
    assert!(told(&lab.boot(1).decision).contains("rule \"developers\""));
    assert!(lab.world.device_of(mac(1)).unwrap().attributes.len() == 2, "what is Ann's stays Ann's");
    let not_in_berlin = Order::Describe { changes: said(&[("location", "paris")]) };
    lab.order(1, not_in_berlin);
    assert!(!told(&lab.boot(1).decision).contains("rule \""));
}

#[test]
fn the_nbp_follows_the_place_that_the_very_first_packet_tells() {
    let mut lab = Lab::new().site(|site| {
        let when = Match { circuit: vec!["Gi1/0/7".into()], ..Match::default() };
        site.boot.uefi_nbp.push(greenroom::model::site::NbpRule { when, nbp: "ipxe.efi".into() });
    });
    let nbp = |lab: &mut Lab, port| {
        let answer = super::world::answer(lab.dhcp(DhcpAsk { boot: Some(uefi()), ..through_relay(port) }));
        answer.boot.and_then(|boot| boot.bootfile).unwrap()
    };
    assert!(nbp(&mut lab, "Gi1/0/7").ends_with("/ipxe.efi"));
    assert!(nbp(&mut lab, "Gi1/0/8").ends_with("/snponly.efi"));
}
