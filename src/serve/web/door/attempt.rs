//! How often somebody may try to sign in.
//!
//! Each address has a bucket, and each account has one, whoever tries it; a try takes a drop of both, and a good one puts them
//! back. Whoever guesses is told to wait, longer than a person who mistypes minds. So that nobody can lock an account by
//! guessing at it, addresses that it is signed in from have a bucket of their own. None of it outlives the process, and it takes
//! no room without end.

use std::{net::IpAddr, sync::Mutex, time::Instant};

use crate::serve::{
    callers::{Bucket, Buckets, network},
    context::lock,
};

/// What an address may try: twenty at once, then one in ten seconds.
const ADDRESS: Bucket = Bucket { rate: 0.1, most: 20.0 };
/// How often an account may be tried: ten times at once, then once in half a minute.
const ACCOUNT: Bucket = Bucket { rate: 1.0 / 30.0, most: 10.0 };
/// No account has a longer name: what was typed is not kept at any length.
const LONGEST_NAME: usize = 63;

/// Who has tried.
#[derive(Default)]
pub(in crate::serve::web) struct Attempts {
    addresses: Mutex<Buckets<IpAddr>>,
    accounts: Mutex<Buckets<Tried>>,
}

/// An account, and the address that it is signed in from, when it is.
type Tried = (String, Option<IpAddr>);

/// A try that was let through.
pub(in crate::serve::web) struct Try {
    address: IpAddr,
    tried: Tried,
}

impl Attempts {
    /// Takes a try; or says after how many seconds there may be one. `at_home`: the account is signed in from this address.
    pub(in crate::serve::web) fn take(
        &self,
        address: IpAddr,
        account: &str,
        at_home: bool,
        now: Instant,
    ) -> Result<Try, u64> {
        let address = network(address);
        let account: String = account.chars().take(LONGEST_NAME).collect();
        let tried = (account, at_home.then_some(address));
        lock(&self.addresses).take(address, ADDRESS, now)?;
        lock(&self.accounts).take(tried.clone(), ACCOUNT, now)?;
        Ok(Try { address, tried })
    }

    /// Takes a try of an address that asks an issuer; likewise.
    pub(in crate::serve::web) fn ask(&self, address: IpAddr, now: Instant) -> Result<(), u64> {
        lock(&self.addresses).take(network(address), ADDRESS, now)
    }

    /// The issuer knew them.
    pub(in crate::serve::web) fn was_known(&self, address: IpAddr) {
        lock(&self.addresses).put_back(&network(address), ADDRESS);
    }

    /// It was a good one.
    pub(in crate::serve::web) fn was_good(&self, good: &Try) {
        lock(&self.addresses).put_back(&good.address, ADDRESS);
        lock(&self.accounts).put_back(&good.tried, ACCOUNT);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn whoever_guesses_waits_and_locks_nobody_out() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let of = |n: u8| IpAddr::from([192, 0, 2, n]);
        let tries = |address, account: &str, at_home| {
            (0..50).take_while(|_| attempts.take(address, account, at_home, now).is_ok()).count()
        };
        assert_eq!(tries(of(1), "admin", false), 10, "an account");
        assert_eq!(tries(of(2), "admin", false), 0, "from wherever");
        assert_eq!(tries(of(3), "admin", true), 10, "but where it is at home");
        assert_eq!(tries(of(1), "other", false), 9, "an address: ten, and one that found the account's bucket dry");
        assert!(attempts.take(of(4), "admin", false, now + Duration::from_secs(31)).is_ok(), "and later again");
        for _ in 0..100 {
            let good = attempts.take(of(5), "good", false, now);
            attempts.was_good(&good.unwrap_or_else(|seconds| panic!("good ones cost nothing: {seconds}")));
        }
    }
}
