//! Which address a client gets.
//!
//! RFC 2131 section 4.3.1 gives the order: its own, the one it asks for, any other. "Any other" starts at a place that
//! depends on the client's MAC, so that a client tends to get the same address again even when nothing is remembered of it.

use std::net::Ipv4Addr;

use crate::model::{
    MacAddr, Moment, Refusal,
    lease::{Lease, LeaseState},
    site::{Pool, Subnet},
};

use super::Table;

/// How far "any other" walks from its starting place before it takes the longest-ended lease instead.
const WALK: u32 = 64;

/// The address for `mac` in `subnet`: one that nobody else holds. `server` is never given away.
pub fn choose(
    table: &Table,
    subnet: &Subnet,
    mac: MacAddr,
    requested: Option<Ipv4Addr>,
    server: Ipv4Addr,
    now: Moment,
) -> Result<Ipv4Addr, Refusal> {
    let free = |ip: &Ipv4Addr| *ip != server && may_have(table, subnet, mac, *ip, now);
    let reserved = subnet.reservations.get(&mac).map(|reservation| reservation.ip);
    let own = || table.of(mac).filter(|l| l.state != LeaseState::Declined).map(|l| l.ip).find(free);
    reserved
        .filter(free)
        .or_else(own)
        .or_else(|| requested.filter(free))
        .or_else(|| walk(subnet, mac, WALK).find(free))
        .or_else(|| table.ended(now).map(|lease| lease.ip).find(free))
        .or_else(|| {
            // Only while some address was never given is the long way worth walking.
            let size = pool_size(subnet);
            (table.len() < size as usize).then(|| walk(subnet, mac, size).find(free)).flatten()
        })
        .ok_or_else(|| Refusal::PoolExhausted { subnet: subnet.net.to_string() })
}

/// Whether `mac` may have `ip` at `now`: it is in a pool or reserved for it, and nobody else holds it.
pub fn may_have(table: &Table, subnet: &Subnet, mac: MacAddr, ip: Ipv4Addr, now: Moment) -> bool {
    // Nobody gets a quarantined address, not even the client that complained of it.
    let held = |lease: &Lease| lease.holds(now) && (lease.mac != mac || lease.state == LeaseState::Declined);
    if table.get(ip).is_some_and(held) {
        return false;
    }
    let owner = subnet.reservations.iter().find(|(_, reservation)| reservation.ip == ip).map(|(mac, _)| *mac);
    match owner {
        Some(owner) => owner == mac,
        None => subnet.pools.iter().any(|pool| pool.contains(ip)) && subnet.router != Some(ip),
    }
}

fn pool_size(subnet: &Subnet) -> u32 {
    subnet.pools.iter().map(|pool| pool.size()).fold(0, u32::saturating_add)
}

/// At most `steps` addresses of the pools, from the place that `mac` points to, round past the end.
fn walk(subnet: &Subnet, mac: MacAddr, steps: u32) -> impl Iterator<Item = Ipv4Addr> {
    let size = pool_size(subnet);
    // FNV-1a: stable across versions and processes, unlike the standard library's hasher.
    let hash =
        mac.octets().iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (0..steps.min(size)).filter_map(move |step| nth(&subnet.pools, (hash % size + step) % size))
}

/// The `n`th address of the pools laid end to end.
fn nth(pools: &[Pool], mut n: u32) -> Option<Ipv4Addr> {
    for pool in pools {
        if n < pool.size() {
            return Some(Ipv4Addr::from(u32::from(pool.first) + n));
        }
        n -= pool.size();
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{Seconds, site::Reservation};

    const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 12);

    fn mac(last: u8) -> MacAddr {
        MacAddr::new([2, 0, 0, 0, 0, last]).expect("unicast")
    }

    fn subnet() -> Subnet {
        let pool = |first, last| Pool { first: [10, 0, 0, first].into(), last: [10, 0, 0, last].into() };
        let kept = Reservation { ip: [10, 0, 0, 10].into(), hostname: None };
        Subnet {
            net: "10.0.0.0/24".parse().expect("a subnet"),
            pools: vec![pool(10, 12), pool(20, 21)],
            router: None,
            dns: vec![],
            domain: None,
            ntp: vec![],
            mtu: None,
            lease: Seconds(3600),
            reservations: BTreeMap::from([(mac(9), kept)]),
        }
    }

    fn hold(table: &mut Table, ip: Ipv4Addr, mac: MacAddr, state: LeaseState, until: u64) {
        table.put(Lease { ip, mac, state, until: Moment::from_millis(until), hostname: None });
    }

    #[test]
    fn every_address_is_given_once_and_then_the_pool_is_exhausted() {
        let (mut table, subnet, now) = (Table::default(), subnet(), Moment::from_millis(0));
        let mut given = vec![];
        for client in 20..23 {
            let ip = choose(&table, &subnet, mac(client), None, SERVER, now).expect("three are free");
            hold(&mut table, ip, mac(client), LeaseState::Bound, 1000);
            given.push(ip.octets()[3]);
        }
        given.sort_unstable();
        assert_eq!(given, [11, 20, 21], "not the reserved .10, not the server's .12");
        let full = choose(&table, &subnet, mac(23), None, SERVER, now);
        assert_eq!(full, Err(Refusal::PoolExhausted { subnet: "10.0.0.0/24".into() }));
        assert!(choose(&table, &subnet, mac(23), None, SERVER, Moment::from_millis(1000)).is_ok(), "leases ended");
        let kept = choose(&table, &subnet, mac(9), None, SERVER, now);
        assert_eq!(kept, Ok([10, 0, 0, 10].into()), "a reservation is never exhausted");
    }

    #[test]
    fn a_client_keeps_its_address_until_another_needs_it() {
        let (mut table, subnet) = (Table::default(), subnet());
        let ip = Ipv4Addr::new(10, 0, 0, 21);
        hold(&mut table, ip, mac(1), LeaseState::Bound, 1000);
        let late = Moment::from_millis(5000);
        assert_eq!(choose(&table, &subnet, mac(1), None, SERVER, late), Ok(ip));
        assert_eq!(choose(&table, &subnet, mac(2), Some(ip), SERVER, late), Ok(ip), "ended, and asked for by name");
        assert!(!may_have(&table, &subnet, mac(2), ip, Moment::from_millis(999)));
    }

    #[test]
    fn nobody_gets_a_quarantined_address() {
        let (mut table, subnet, now) = (Table::default(), subnet(), Moment::from_millis(0));
        let ip = Ipv4Addr::new(10, 0, 0, 20);
        hold(&mut table, ip, mac(1), LeaseState::Declined, 1000);
        for client in 1..3 {
            assert_ne!(choose(&table, &subnet, mac(client), Some(ip), SERVER, now), Ok(ip));
        }
    }
}
