//! The browser's part of a flow: a random seed, where to go then, and since when, under an HMAC. State, nonce and verifier follow
//! from the seed and the daemon's key, so none of them has to be kept, and none tells anything of another.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

use crate::{
    model::{Moment, Seconds},
    serve::token::mac,
};

use super::super::way;

/// How long somebody may take to sign in at the issuer.
pub(super) const LASTS: Seconds = Seconds(900);

/// A flow that somebody is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flow {
    seed: [u8; 32],
    began: Moment,
    /// Where to go then: a page of ours.
    pub(super) next: String,
}

impl Flow {
    pub(super) fn begin(next: &str, now: Moment) -> Self {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).expect("the kernel's random numbers are always to be had on Linux");
        Self { seed, began: now, next: way(Some(next)).to_owned() }
    }

    /// What the cookie says.
    pub(super) fn written(&self, key: &[u8; 32]) -> String {
        let said = self.said();
        format!("{said}.{}", URL_SAFE_NO_PAD.encode(mac(key, said.as_bytes())))
    }

    fn said(&self) -> String {
        let (seed, next) = (URL_SAFE_NO_PAD.encode(self.seed), URL_SAFE_NO_PAD.encode(&self.next));
        format!("{seed}.{}.{next}", self.began.as_millis())
    }

    /// The flow that a cookie is of, while it lasts.
    pub(super) fn read(cookie: &str, key: &[u8; 32], now: Moment) -> Option<Self> {
        let (said, sealed) = cookie.rsplit_once('.')?;
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        if !bool::from(mac(key, said.as_bytes()).ct_eq(sealed.as_slice())) {
            return None;
        }
        let mut parts = said.split('.');
        let seed = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?.try_into().ok()?;
        let began = Moment::from_millis(parts.next()?.parse().ok()?);
        let next = String::from_utf8(URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok()?;
        (now < began.plus(LASTS)).then_some(Self { seed, began, next })
    }

    fn derived(&self, key: &[u8; 32], what: &str) -> String {
        URL_SAFE_NO_PAD.encode(mac(&mac(key, what.as_bytes()), &self.seed))
    }

    /// What comes back with the browser.
    pub(super) fn state(&self, key: &[u8; 32]) -> String {
        self.derived(key, "state")
    }

    /// What comes back in the token.
    pub(super) fn nonce(&self, key: &[u8; 32]) -> String {
        self.derived(key, "nonce")
    }

    /// What shows the issuer that the token is for whoever began (RFC 7636): 43 characters.
    pub(super) fn verifier(&self, key: &[u8; 32]) -> String {
        self.derived(key, "verifier")
    }

    pub(super) fn has_state(&self, key: &[u8; 32], state: &str) -> bool {
        self.state(key).as_bytes().ct_eq(state.as_bytes()).into()
    }

    pub(super) fn has_nonce(&self, key: &[u8; 32], nonce: &str) -> bool {
        self.nonce(key).as_bytes().ct_eq(nonce.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_is_read_back_from_its_own_cookie_only() {
        let (key, now) = ([5; 32], Moment::from_millis(1_000_000));
        let flow = Flow::begin("/boots?x=1", now);
        let cookie = flow.written(&key);
        assert_eq!(Flow::read(&cookie, &key, now), Some(flow.clone()));
        assert_eq!(Flow::read(&cookie, &[6; 32], now), None);
        assert_eq!(Flow::read(&cookie, &key, now.plus(LASTS)), None, "it took too long");
        for at in 0..cookie.len() {
            let mut other = cookie.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap_or_default();
            // The last digit of base64 says less than six bits.
            assert!(at + 1 == cookie.len() || Flow::read(&other, &key, now).is_none(), "{at}");
        }
        let other = Flow::begin("//elsewhere", now);
        assert_eq!(other.next, "/");
        assert!(flow.has_state(&key, &flow.state(&key)) && !other.has_state(&key, &flow.state(&key)));
        assert!(flow.has_nonce(&key, &flow.nonce(&key)) && !flow.has_nonce(&key, &flow.state(&key)));
        assert_eq!(flow.verifier(&key).len(), 43);
    }
}
