//! Every address that was ever given, and two ways to find it.

use std::net::Ipv4Addr;

use rpds::{HashTrieMapSync, RedBlackTreeMapSync};
use serde::{Deserialize, Serialize};

use crate::model::{MacAddr, Moment, lease::Lease};

/// The leases. A clone shares structure with its origin, so snapshots are cheap.
///
/// `by_mac` and `by_end` are indexes: functions of `by_ip`, rebuilt from it on load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Lease>", into = "Vec<Lease>")]
pub struct Table {
    by_ip: HashTrieMapSync<Ipv4Addr, Lease>,
    by_mac: HashTrieMapSync<MacAddr, Vec<Ipv4Addr>>,
    by_end: RedBlackTreeMapSync<(Moment, Ipv4Addr), ()>,
}

impl Table {
    /// How many addresses were ever given.
    pub fn len(&self) -> usize {
        self.by_ip.size()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.by_ip.is_empty()
    }

    /// The lease of an address.
    pub fn get(&self, ip: Ipv4Addr) -> Option<&Lease> {
        self.by_ip.get(&ip)
    }

    /// The leases of a client, in the order of their addresses: one a subnet that it has been in.
    pub fn of(&self, mac: MacAddr) -> impl Iterator<Item = &Lease> {
        self.by_mac.get(&mac).into_iter().flatten().filter_map(|ip| self.by_ip.get(ip))
    }

    /// Every lease, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Lease> {
        self.by_ip.values()
    }

    /// The leases that have ended by `now`, the longest ended first.
    pub fn ended(&self, now: Moment) -> impl Iterator<Item = &Lease> {
        self.by_end.keys().take_while(move |(end, _)| *end <= now).filter_map(|(_, ip)| self.by_ip.get(ip))
    }

    /// Records the lease of an address, in place of what was known of that address.
    pub fn put(&mut self, lease: Lease) {
        if let Some(old) = self.by_ip.get(&lease.ip).cloned() {
            self.unindex(&old);
        }
        let mut ips = self.by_mac.get(&lease.mac).cloned().unwrap_or_default();
        if let Err(at) = ips.binary_search(&lease.ip) {
            ips.insert(at, lease.ip);
        }
        self.by_mac.insert_mut(lease.mac, ips);
        self.by_end.insert_mut((lease.until, lease.ip), ());
        self.by_ip.insert_mut(lease.ip, lease);
    }

    fn unindex(&mut self, old: &Lease) {
        self.by_end.remove_mut(&(old.until, old.ip));
        let mut ips = self.by_mac.get(&old.mac).cloned().unwrap_or_default();
        ips.retain(|&ip| ip != old.ip);
        if ips.is_empty() {
            self.by_mac.remove_mut(&old.mac);
        } else {
            self.by_mac.insert_mut(old.mac, ips);
        }
    }
}

impl From<Vec<Lease>> for Table {
    fn from(leases: Vec<Lease>) -> Self {
        let mut table = Self::default();
        leases.into_iter().for_each(|lease| table.put(lease));
        table
    }
}

impl From<Table> for Vec<Lease> {
    fn from(table: Table) -> Self {
        let mut leases: Vec<_> = table.by_ip.values().cloned().collect();
        leases.sort_by_key(|lease| lease.ip);
        leases
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::lease::LeaseState;

    fn lease(ip: [u8; 4], mac: u8, until: u64) -> Lease {
        Lease {
            ip: ip.into(),
            mac: MacAddr::new([2, 0, 0, 0, 0, mac]).expect("unicast"),
            state: LeaseState::Bound,
            until: Moment::from_millis(until),
            hostname: None,
        }
    }

    #[test]
    fn an_address_changes_hands_and_the_indexes_follow() {
        let mut table = Table::default();
        table.put(lease([10, 0, 0, 1], 1, 100));
        table.put(lease([10, 0, 0, 2], 1, 50));
        table.put(lease([10, 0, 0, 1], 2, 70));
        let of = |mac| table.of(MacAddr::new([2, 0, 0, 0, 0, mac]).expect("unicast")).map(|l| l.ip).collect::<Vec<_>>();
        assert_eq!(of(1), [Ipv4Addr::new(10, 0, 0, 2)]);
        assert_eq!(of(2), [Ipv4Addr::new(10, 0, 0, 1)]);
        let ended: Vec<_> = table.ended(Moment::from_millis(70)).map(|l| l.until.as_millis()).collect();
        assert_eq!(ended, [50, 70]);
        assert_eq!(Table::from(Vec::from(table.clone())), table);
    }
}
