//! How it is connected.

use std::net::{IpAddr, Ipv4Addr};

use greenroom::persona::schema::*;
use proptest::{collection::vec, option, prelude::*, sample::select};

fn ip(subnet: u8) -> impl Strategy<Value = Ip> {
    let fixed = (2..250u8, any::<bool>(), any::<bool>(), option::of(1280..9000u16)).prop_map(
        move |(host, gateway, v6, mtu)| {
            let v4 = format!("10.9.{subnet}.{host}/24");
            let own6 = v6.then(|| format!("2001:db8:{subnet}::{host}/64"));
            Ip {
                dhcp: None,
                addresses: [Some(v4), own6].into_iter().flatten().map(|text| text.parse().unwrap()).collect(),
                // One way out of the device.
                gateway: (gateway && subnet == 0).then(|| Ipv4Addr::new(10, 9, subnet, 1)),
                gateway6: (v6 && subnet == 0).then(|| format!("2001:db8:{subnet}::1").parse().unwrap()),
                mtu,
            }
        },
    );
    let asked = option::of(1280..9000u16).prop_map(|mtu| Ip { dhcp: Some(true), mtu, ..Ip::default() });
    prop_oneof![fixed, asked]
}

pub(super) fn network() -> impl Strategy<Value = Network> {
    let port = |at: u8| {
        (any::<bool>(), option::of(ip(at))).prop_map(move |(by_mac, ip)| Interface {
            mac: by_mac.then(|| format!("52:54:00:00:00:0{at}").parse().unwrap()),
            name: Some(format!("lan{at}")),
            ip,
        })
    };
    let links = (
        port(0).boxed(),
        port(1).boxed(),
        port(2).boxed(),
        port(3).boxed(),
        ip(4).boxed(),
        ip(5).boxed(),
        ip(6).boxed(),
        1..4095u16,
    )
        .prop_flat_map(|(a, b, c, d, bonded, bridged, tagged, id)| {
            let mode = select(&[BondMode::ActiveBackup, BondMode::Lacp, BondMode::BalanceRr, BondMode::BalanceAlb][..]);
            let free = |mut port: Interface| {
                port.ip = None;
                port
            };
            (any::<[bool; 4]>(), mode, any::<bool>()).prop_map(move |([bond, bridge, vlan, any], mode, stp)| {
                let mut network = Network::default();
                if !any {
                    return network;
                }
                network.interfaces = vec![a.clone()];
                if bond {
                    network.interfaces.extend([free(b.clone()), free(c.clone())]);
                    let members = vec!["lan1".into(), "lan2".into()];
                    network.bonds.push(Bond { name: "bond0".into(), members, mode, ip: bonded.clone() });
                }
                if bridge {
                    network.interfaces.push(free(d.clone()));
                    let members = vec!["lan3".into()];
                    network.bridges.push(Bridge { name: "br0".into(), members, stp, ip: bridged.clone() });
                }
                if vlan {
                    let link = if bond { "bond0" } else { "lan0" }.to_owned();
                    network.vlans.push(Vlan { name: "vlan7".into(), id, link, ip: tagged.clone() });
                }
                network
            })
        });
    let hostname = option::of(select(&["ws-{{mac}}", "pc-{{serial}}", "fixed", "a.example.org"][..]));
    let names = (vec(select(&["10.9.0.53", "2001:db8::53"][..]), 0..3), vec("[a-z]{2,6}\\.example", 0..2));
    let proxy = ("http://proxy\\.example:[1-9][0-9]{3}", any::<bool>(), vec("\\.[a-z]{2,6}", 0..3)).prop_map(
        |(http, both, no_proxy)| Proxy { https: both.then(|| http.replace("http:", "https:")), http, no_proxy },
    );
    let more = (hostname, names, vec("[a-z]{2,5}\\.ntp\\.example", 0..3), option::of(proxy), option::of(any::<bool>()));
    (links, more).prop_map(|(network, (hostname, (dns, search), ntp, proxy, ipv6))| {
        let v6 = network.interfaces.iter().any(|port| port.ip.as_ref().is_some_and(speaks_v6))
            || network.vlans.iter().any(|vlan| speaks_v6(&vlan.ip))
            || network.bonds.iter().any(|bond| speaks_v6(&bond.ip))
            || network.bridges.iter().any(|bridge| speaks_v6(&bridge.ip));
        let mut dns: Vec<IpAddr> = dns.into_iter().map(|text| text.parse().unwrap()).collect();
        dns.dedup();
        let ipv6 = ipv6.filter(|on| *on || !v6 && dns.iter().all(IpAddr::is_ipv4));
        let hostname = hostname.map(str::to_owned);
        Network { hostname, dns, search, ntp, proxy, ipv6, ..network }
    })
}

fn speaks_v6(ip: &Ip) -> bool {
    ip.addresses.iter().any(|net| net.addr().is_ipv6())
}
