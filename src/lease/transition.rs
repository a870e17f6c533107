//! What each DHCP message does to a lease (RFC 2131 sections 3 and 4.3).

use std::net::Ipv4Addr;

use crate::model::{
    Fact, Moment, Refusal, Seconds,
    dhcp::DhcpAsk,
    lease::{Lease, LeaseState},
    reply::Silence,
    site::Subnet,
};

use super::{Table, address};

/// How long an offered address is held back. EDK2 takes 4 s from the first OFFER to its REQUEST, and repeats a lost
/// DISCOVER after up to 32 s.
const OFFER_HOLD: Seconds = Seconds(60);

/// How long nobody gets an address that a client found in use.
const QUARANTINE: Seconds = Seconds(600);

/// What a REQUEST comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    /// The address is the client's from now on.
    Bound(Lease),
    /// The client must start over.
    Nak(&'static str),
    /// Another server's business, or nobody's.
    Silent(Silence),
}

/// DISCOVER: the lease to offer.
pub fn offer(table: &Table, subnet: &Subnet, ask: &DhcpAsk, server: Ipv4Addr, now: Moment) -> Result<Lease, Refusal> {
    let ip = address::choose(table, subnet, ask.mac, ask.requested, server, now)?;
    // A client that DISCOVERs while it holds a lease (it was reset) must not lose what it was promised.
    match table.get(ip) {
        Some(held) if held.mac == ask.mac && held.state == LeaseState::Bound && held.holds(now) => Ok(held.clone()),
        _ => Ok(lease(ask, ip, LeaseState::Offered, now.plus(OFFER_HOLD))),
    }
}

/// REQUEST in any of its four states (section 4.3.2): selecting, init-reboot, renewing, rebinding.
pub fn request(
    table: &Table,
    subnet: &Subnet,
    ask: &DhcpAsk,
    server: Ipv4Addr,
    authoritative: bool,
    now: Moment,
) -> Requested {
    let selecting = match ask.server_id {
        Some(chosen) if chosen != server => {
            return Requested::Silent(Silence::Refused(Refusal::OtherServer { server: chosen }));
        }
        chosen => chosen.is_some(),
    };
    let Some(wanted) = ask.requested.or((!ask.ciaddr.is_unspecified()).then_some(ask.ciaddr)) else {
        return Requested::Nak("the request names no address");
    };
    let known = table.of(ask.mac).any(|lease| lease.ip == wanted);
    if !subnet.net.contains(&wanted) {
        // Section 4.3.2: a client on the wrong network is told so by any server that knows the network.
        return Requested::Nak("the address is of another network");
    }
    // A reservation made since sends the client to its new address at the next renewal.
    let moved = subnet.reservations.get(&ask.mac).is_some_and(|reservation| reservation.ip != wanted);
    if wanted != server && !moved && address::may_have(table, subnet, ask.mac, wanted, now) {
        // An unknown lease of a free address is honoured when this server answers for the network: its memory was lost.
        if known || selecting || authoritative {
            return Requested::Bound(lease(ask, wanted, LeaseState::Bound, now.plus(subnet.lease)));
        }
        return Requested::Silent(Silence::UnknownLease);
    }
    match authoritative || known || selecting {
        true => Requested::Nak("the address is not yours to use"),
        false => Requested::Silent(Silence::UnknownLease),
    }
}

/// RELEASE: the address is free for others, but kept in mind for this client.
pub fn release(table: &Table, ask: &DhcpAsk) -> Option<Fact> {
    let lease = table.get(ask.ciaddr).filter(|lease| lease.mac == ask.mac && lease.state == LeaseState::Bound)?;
    Some(Fact::LeaseReleased { ip: lease.ip, mac: lease.mac })
}

/// DECLINE: somebody else uses the address. Believed only of the client that was given it.
pub fn decline(table: &Table, ask: &DhcpAsk, now: Moment) -> Option<Fact> {
    let lease = table.get(ask.requested?).filter(|lease| lease.mac == ask.mac && lease.holds(now))?;
    (lease.state != LeaseState::Declined).then(|| Fact::LeaseDeclined {
        ip: lease.ip,
        mac: lease.mac,
        until: now.plus(QUARANTINE),
    })
}

fn lease(ask: &DhcpAsk, ip: Ipv4Addr, state: LeaseState, until: Moment) -> Lease {
    Lease { ip, mac: ask.mac, state, until, hostname: ask.hostname.clone() }
}
