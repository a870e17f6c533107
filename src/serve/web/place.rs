//! The places of those who follow what happens. Each holds a connection for as long as a page is open, so there are so many,
//! and nobody has them all: with an address' places taken, it still has half of the connections that it may hold.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use crate::serve::context::lock;

/// How many pages may follow at once. Others ask again by themselves, now and then.
const MOST: usize = 256;
/// How many of them from one address: half of the connections that it may hold.
const MOST_OF_ADDRESS: usize = 64;
/// How many of them of one account.
const MOST_OF_ACCOUNT: usize = 32;

/// The places that are taken.
#[derive(Clone, Default)]
pub(super) struct Places(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    all: usize,
    addresses: HashMap<IpAddr, usize>,
    accounts: HashMap<String, usize>,
}

/// A place, until it is dropped.
pub(super) struct Place {
    address: IpAddr,
    account: String,
    places: Places,
}

impl Places {
    /// One more for this account at this address, if it may have one.
    pub(super) fn take(&self, account: &str, address: IpAddr) -> Option<Place> {
        let mut taken = lock(&self.0);
        let of_address = taken.addresses.get(&address).copied().unwrap_or_default();
        let of_account = taken.accounts.get(account).copied().unwrap_or_default();
        if taken.all >= MOST || of_address >= MOST_OF_ADDRESS || of_account >= MOST_OF_ACCOUNT {
            return None;
        }
        taken.all += 1;
        taken.addresses.insert(address, of_address + 1);
        taken.accounts.insert(account.to_owned(), of_account + 1);
        Some(Place { address, account: account.to_owned(), places: self.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.places.0);
        taken.all -= 1;
        give_back(&mut taken.addresses, &self.address);
        give_back(&mut taken.accounts, &self.account);
    }
}

/// One less of them; who has none is forgotten.
fn give_back<K: Hash + Eq>(held: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = held.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            held.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn address(last: u8) -> IpAddr {
        Ipv4Addr::new(10, 0, 0, last).into()
    }

    #[test]
    fn nobody_has_them_all() {
        let places = Places::default();
        let taken: Vec<Place> = std::iter::from_fn(|| places.take("ann", address(1))).collect();
        assert_eq!(taken.len(), MOST_OF_ACCOUNT);
        assert!(places.take("ann", address(2)).is_none(), "an account has so many wherever it is");
        let others: Vec<Place> = std::iter::from_fn(|| places.take("bob", address(1))).collect();
        assert_eq!(others.len(), MOST_OF_ADDRESS - MOST_OF_ACCOUNT);
        assert!(places.take("carla", address(1)).is_none(), "the address has as many as it may");
        assert!(places.take("carla", address(2)).is_some());
        drop(taken);
        assert!(places.take("ann", address(1)).is_some(), "what was given back is there again");
    }

    #[test]
    fn there_are_so_many_in_all_and_none_is_lost() {
        let places = Places::default();
        let all: Vec<Place> = (0..=255)
            .flat_map(|n| (0..2).filter_map(|_| places.take(&format!("account-{n}"), address(n))).collect::<Vec<_>>())
            .collect();
        assert_eq!(all.len(), MOST);
        drop(all);
        let taken = lock(&places.0);
        assert!(taken.all == 0 && taken.addresses.is_empty() && taken.accounts.is_empty());
    }
}
