//! Passwords of accounts: what is kept of one, and whether one is right.
//!
//! Looking at a password takes 19 MiB and tens of milliseconds on purpose (Argon2id; the parameters are OWASP's), so it happens
//! away from the threads that answer, two at a time. **A flood of sign-ins takes no more memory than that**: a few wait, the
//! others are told to come back. What is kept cannot be tried without the daemon's key, which is no part of the journal.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash};
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::model::account::PasswordPrint;

use super::seed::SeedKey;

/// How many passwords are looked at at once.
const AT_ONCE: usize = 2;
/// How many may wait for that: at twenty a second, the last one waits two seconds.
const MOST: usize = 40;

/// Who looks at passwords.
#[derive(Debug)]
pub struct Passwords {
    places: Semaphore,
    at_once: Semaphore,
}

/// More passwords wait to be looked at than can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many people sign in at this moment: try again in a few seconds")]
pub(super) struct Busy;

impl Default for Passwords {
    fn default() -> Self {
        Self { places: Semaphore::new(MOST), at_once: Semaphore::new(AT_ONCE) }
    }
}

impl Passwords {
    /// What is kept of a password.
    pub(super) async fn print(&self, key: &SeedKey, password: &str) -> Result<PasswordPrint, Busy> {
        let (pepper, password) = (pepper(key), password.to_owned());
        self.work(move || {
            let mut salt = [0; 16];
            getrandom::fill(&mut salt).expect("the kernel's random numbers are always to be had on Linux");
            let print = hasher(&pepper).hash_password_with_salt(password.as_bytes(), &salt);
            PasswordPrint::new(print.expect("a salt of 16 bytes and the usual parameters fit").to_string())
        })
        .await
    }

    /// Whether a password is right. Without anything to hold it against it is not, and that takes as long.
    pub(super) async fn fits(
        &self,
        key: &SeedKey,
        password: &str,
        print: Option<&PasswordPrint>,
    ) -> Result<bool, Busy> {
        let (pepper, password, print) = (pepper(key), password.to_owned(), print.cloned());
        self.work(move || {
            let known = print.as_ref().and_then(|print| PasswordHash::new(print.as_str()).ok());
            match known {
                Some(known) => hasher(&pepper).verify_password(password.as_bytes(), &known).is_ok(),
                None => {
                    let mut nowhere = [0; Params::DEFAULT_OUTPUT_LEN];
                    let looked =
                        hasher(&pepper).hash_password_into(password.as_bytes(), b"no such account.", &mut nowhere);
                    // Kept from being left out as work for nothing.
                    std::hint::black_box((looked.is_ok(), nowhere));
                    false
                }
            }
        })
        .await
    }

    async fn work<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let _place = self.places.try_acquire().map_err(|_| Busy)?;
        let _turn = self.at_once.acquire().await.map_err(|_| Busy)?;
        spawn_blocking(job).await.map_err(|_| Busy)
    }
}

/// What every print is made with, and the journal does not hold.
fn pepper(key: &SeedKey) -> [u8; 32] {
    key.derived("passwords of accounts")
}

fn hasher(pepper: &[u8]) -> Argon2<'_> {
    let usual = Params::default();
    Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, usual).expect("a secret of 32 bytes is short")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_right_with_the_key_that_it_was_kept_with_only() {
        let (passwords, key, other) = (Passwords::default(), SeedKey::new([1; 32]), SeedKey::new([2; 32]));
        let print = passwords.print(&key, "correct horse battery").await.expect("nobody else is here");
        assert!(print.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", print.as_str());
        assert_eq!(passwords.fits(&key, "correct horse battery", Some(&print)).await, Ok(true));
        assert_eq!(passwords.fits(&key, "correct horse batterz", Some(&print)).await, Ok(false));
        assert_eq!(passwords.fits(&other, "correct horse battery", Some(&print)).await, Ok(false));
        assert_eq!(passwords.fits(&key, "correct horse battery", None).await, Ok(false));
        let again = passwords.print(&key, "correct horse battery").await.expect("nobody else is here");
        assert_ne!(print, again, "each has a salt of its own");
    }

    #[tokio::test]
    async fn a_flood_is_turned_away() {
        let (passwords, key) = (Passwords::default(), SeedKey::new([1; 32]));
        let flood = (0..MOST + 5).map(|_| passwords.fits(&key, "x", None));
        let answers = futures_util::future::join_all(flood).await;
        assert_eq!(answers.iter().filter(|answer| **answer == Err(Busy)).count(), 5);
    }
}
