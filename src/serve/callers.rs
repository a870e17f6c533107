//! Who calls the API, and how often: when each token was last used, and how much each token and each address may ask.
//!
//! Each has a bucket that fills at its rate and holds four seconds' worth; a request takes a drop. Tokens that are not ours
//! have a small one for each address: who guesses is told to wait, while others behind the same address go on. None of it
//! outlives the process.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::Mutex,
    time::Instant,
};

use crate::model::{Moment, TokenName};

use super::context::lock;

/// How many seconds' worth a bucket holds.
const DEPTH: f64 = 4.0;
/// Of so many requests that an address may make, one may show a token that is not ours.
const GUESS: u32 = 100;
/// How many seconds' worth of these may come at once: somebody mends a script by trying.
const GUESSES_DEPTH: f64 = 20.0;
/// How many addresses are told apart. With more, those that have not asked for longest start afresh.
const MOST: usize = 10_000;

/// Who calls, and how often.
#[derive(Debug, Default)]
pub struct Callers {
    used: Mutex<HashMap<TokenName, Moment>>,
    tokens: Mutex<Buckets<TokenName>>,
    addresses: Mutex<Buckets<IpAddr>>,
    guesses: Mutex<Buckets<IpAddr>>,
}

impl Callers {
    /// When a token was last used, since the start.
    pub fn used(&self, token: &TokenName) -> Option<Moment> {
        lock(&self.used).get(token).copied()
    }

    /// Notes that a token is used.
    pub(super) fn uses(&self, token: &TokenName, now: Moment) {
        lock(&self.used).insert(token.clone(), now);
    }

    /// Takes a request of a token; or says after how many seconds there may be one.
    pub(super) fn token(&self, token: &TokenName, rate: u32, now: Instant) -> Result<(), u64> {
        lock(&self.tokens).take(token.clone(), Bucket::of(rate), now)
    }

    /// Takes a request from an address, likewise.
    pub(super) fn address(&self, address: IpAddr, rate: u32, now: Instant) -> Result<(), u64> {
        lock(&self.addresses).take(network(address), Bucket::of(rate), now)
    }

    /// Takes a token that is not ours, likewise.
    pub(super) fn guess(&self, address: IpAddr, rate: u32, now: Instant) -> Result<(), u64> {
        let rate = f64::from((rate / GUESS).max(1));
        lock(&self.guesses).take(network(address), Bucket { rate, most: rate * GUESSES_DEPTH }, now)
    }
}

/// What is one caller: an IPv4 address, or a /64 of IPv6, of which anybody has as many addresses as there are.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

/// How fast a bucket fills, a second, and how much it holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    /// How much comes in, a second.
    pub(super) rate: f64,
    /// How much it holds.
    pub(super) most: f64,
}

impl Bucket {
    fn of(rate: u32) -> Self {
        Self { rate: rate.into(), most: f64::from(rate) * DEPTH }
    }
}

/// What is in each bucket, and since when.
#[derive(Debug)]
pub(super) struct Buckets<K>(HashMap<K, (f64, Instant)>);

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash + Clone> Buckets<K> {
    /// Takes a drop; or says after how many seconds there is one.
    pub(super) fn take(&mut self, key: K, Bucket { rate, most }: Bucket, now: Instant) -> Result<(), u64> {
        if self.0.len() >= MOST && !self.0.contains_key(&key) {
            self.forget();
        }
        let (left, at) = self.0.entry(key).or_insert((most, now));
        *left = (*left + now.saturating_duration_since(*at).as_secs_f64() * rate).min(most);
        *at = now;
        if *left < 1.0 {
            return Err(((1.0 - *left) / rate).ceil().max(1.0) as u64);
        }
        *left -= 1.0;
        Ok(())
    }

    /// Puts a drop back: what it was taken for has not come about.
    pub(super) fn put_back(&mut self, key: &K, Bucket { most, .. }: Bucket) {
        if let Some((left, _)) = self.0.get_mut(key) {
            *left = (*left + 1.0).min(most);
        }
    }

    /// Forgets the half that has not asked for longest.
    fn forget(&mut self) {
        let mut times: Vec<Instant> = self.0.values().map(|(_, at)| *at).collect();
        let half = times.len() / 2;
        let (_, middle, _) = times.select_nth_unstable(half);
        let middle = *middle;
        self.0.retain(|_, (_, at)| *at > middle);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_runs_dry_and_fills_again() {
        let (callers, now) = (Callers::default(), Instant::now());
        let address = "192.0.2.1".parse().expect("an address");
        let taken = (0..100).take_while(|_| callers.address(address, 10, now).is_ok()).count();
        assert_eq!(taken, 40, "four seconds' worth");
        assert_eq!(callers.address(address, 10, now), Err(1));
        assert_eq!(callers.address(address, 10, now + Duration::from_secs(1)), Ok(()));
        let mapped = "::ffff:192.0.2.1".parse().expect("an address");
        assert_eq!((0..20).filter(|_| callers.address(mapped, 10, now + Duration::from_secs(1)).is_ok()).count(), 9);
    }

    #[test]
    fn addresses_without_number_take_no_room_without_end() {
        let (callers, now) = (Callers::default(), Instant::now());
        for n in 0..30_000u32 {
            let later = now + Duration::from_millis(n.into());
            assert_eq!(callers.guess(std::net::Ipv4Addr::from(n).into(), 100, later), Ok(()));
        }
        assert!(lock(&callers.guesses).0.len() <= MOST);
        let of = |n: u128| IpAddr::from(Ipv6Addr::from(0x2001_0db8 << 96 | n));
        let guessed = (0..100).filter(|n| callers.guess(of(*n), 100, now).is_ok()).count();
        assert_eq!(guessed, 20, "a /64 is one caller");
    }
}
