//! What is remembered of the servers that origins lie on, so that a hundred devices do not each wait for one that is dead.
//!
//! ```text
//!   well ──fails──> doubted: asked after the others ──three times in a row──> resting: not asked
//!     ^                                                                          │ its rest is over
//!     └────────────── gives a megabyte, or all ──────────── one fetch probes it <┘   fails: rests twice as long
//! ```
//! Who has nobody else to ask does not wait for a long rest to end: a short one is enough (`short_rest`), as no other would be
//! any better. Time and dice are arguments.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::model::trouble::TroubleKind;

use super::{OriginError, patience::Patience};

/// How often in a row a server fails before it is left alone.
const THRICE: u32 = 3;

/// The servers that failed of late. One that is well is not in it.
#[derive(Debug, Default)]
pub(in crate::images) struct Standing {
    servers: HashMap<String, Server>,
}

#[derive(Debug)]
struct Server {
    /// How often in a row.
    failures: u32,
    /// Until when it is doubted, or rests.
    until: Instant,
    /// Until when also who has nobody else to ask leaves it alone.
    until_alone: Instant,
    /// Whether it is not asked before: it failed often, or asked for it.
    resting: bool,
    /// Who probes it has so long to find out.
    probe: Option<Instant>,
    /// What it said last.
    said: OriginError,
}

impl Standing {
    /// Whether a server is asked after those that are well. One whose rest is over gets its old turn back, to be probed.
    pub(in crate::images) fn is_doubted(&self, place: &str, now: Instant) -> bool {
        self.servers.get(place).is_some_and(|server| now < server.until)
    }

    /// Whether a server may be asked now, by one who is `alone` with it. If not: when it may be, and what it said.
    pub(in crate::images) fn ask(
        &mut self,
        place: &str,
        alone: bool,
        patience: Patience,
        now: Instant,
    ) -> Result<(), (Instant, OriginError)> {
        let Some(server) = self.servers.get_mut(place).filter(|server| server.resting) else { return Ok(()) };
        let rests = if alone { server.until_alone } else { server.until };
        let until = server.probe.map_or(rests, |probe| rests.max(probe));
        if now < until {
            return Err((until, server.said.clone()));
        }
        server.probe = Some(now + patience.answer() + patience.silence());
        Ok(())
    }

    /// How long a server is left alone yet by who has nobody else to ask.
    pub(in crate::images) fn rest(&self, place: &str, now: Instant) -> Duration {
        let server = self.servers.get(place).filter(|server| server.resting);
        server.map_or(Duration::ZERO, |server| server.until_alone.saturating_duration_since(now))
    }

    /// A server gave what it should.
    pub(in crate::images) fn well(&mut self, place: &str) {
        if self.servers.remove(place).is_some_and(|server| server.resting) {
            tracing::info!(server = place, "a server of images is well again");
        }
    }

    /// A server failed. One that asked to be left alone is, within reason.
    pub(in crate::images) fn failed(
        &mut self,
        place: &str,
        said: &OriginError,
        patience: Patience,
        now: Instant,
        dice: u64,
    ) {
        let before = self.servers.get(place).map_or(0, |server| server.failures);
        let failures = before.saturating_add(1);
        let asked = said.again.map_or(Duration::ZERO, |again| again.min(patience.longest_rest()));
        let rest = patience.rest(failures.saturating_sub(THRICE), dice).max(asked);
        let resting = failures >= THRICE || !asked.is_zero();
        let until = now + if failures >= THRICE || asked.is_zero() { rest } else { asked };
        if resting {
            let seconds = until.saturating_duration_since(now).as_secs();
            tracing::warn!(server = place, failures, seconds, why = said.why, "a server of images is left alone");
        }
        let until_alone = until.min(now + patience.short_rest(dice).max(asked));
        let server = Server { failures, until, until_alone, resting, probe: None, said: said.clone() };
        self.servers.insert(place.to_owned(), server);
    }

    /// The servers that rest, with what ails each. One that nobody asks for any more is forgotten here in the end.
    pub(in crate::images) fn resting(
        &self,
        patience: Patience,
        now: Instant,
    ) -> impl Iterator<Item = (&str, TroubleKind)> {
        let shown = move |server: &Server| server.resting && now < server.until + patience.longest_rest();
        let resting = self.servers.iter().filter(move |(_, server)| shown(server));
        resting.map(|(place, server)| (place.as_str(), server.said.kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience(Duration::from_secs(60));
    const SECOND: Duration = Duration::from_secs(1);

    fn refused() -> OriginError {
        OriginError::new(TroubleKind::Refused, "it refuses connections")
    }

    #[test]
    fn a_server_that_fails_three_times_rests_and_is_probed_by_one() {
        let (mut standing, now) = (Standing::default(), Instant::now());
        for _ in 0..2 {
            standing.failed("a", &refused(), PATIENCE, now, 512);
            assert!(standing.ask("a", false, PATIENCE, now).is_ok() && standing.is_doubted("a", now));
        }
        standing.failed("a", &refused(), PATIENCE, now, 512);
        let (until, said) = standing.ask("a", false, PATIENCE, now + 14 * SECOND).unwrap_err();
        assert_eq!((until, said.kind), (now + 15 * SECOND, TroubleKind::Refused));
        let due = now + 15 * SECOND;
        assert!(!standing.is_doubted("a", due) && standing.ask("a", false, PATIENCE, due).is_ok(), "one probes it");
        assert!(standing.ask("a", false, PATIENCE, due).is_err(), "the others do not");
        assert!(
            standing.ask("a", false, PATIENCE, due + 31 * SECOND).is_ok(),
            "a probe that was given up holds up nobody"
        );
        standing.failed("a", &refused(), PATIENCE, due, 512);
        assert_eq!(standing.ask("a", false, PATIENCE, due).unwrap_err().0, due + 30 * SECOND);
        standing.well("a");
        assert!(standing.ask("a", false, PATIENCE, due).is_ok() && standing.resting(PATIENCE, due).next().is_none());
    }

    #[test]
    fn who_has_nobody_else_to_ask_does_not_wait_for_the_end_of_a_long_rest() {
        let (mut standing, now) = (Standing::default(), Instant::now());
        for _ in 0..9 {
            standing.failed("a", &refused(), PATIENCE, now, 512);
        }
        assert_eq!(standing.ask("a", false, PATIENCE, now).unwrap_err().0, now + 300 * SECOND);
        let due = now + PATIENCE.short_rest(512);
        assert_eq!(standing.ask("a", true, PATIENCE, now).unwrap_err().0, due);
        assert_eq!(standing.rest("a", now), PATIENCE.short_rest(512));
        assert!(standing.ask("a", true, PATIENCE, due).is_ok(), "one probes it");
        assert!(standing.ask("a", true, PATIENCE, due).is_err(), "the others do not");
        standing.failed("a", &refused(), PATIENCE, due, 512);
        assert_eq!(standing.ask("a", true, PATIENCE, due).unwrap_err().0, due + PATIENCE.short_rest(512));
        let busy = OriginError { again: Some(SECOND * 100), ..OriginError::new(TroubleKind::Busy, "429") };
        standing.failed("b", &busy, PATIENCE, now, 0);
        assert_eq!(standing.ask("b", true, PATIENCE, now).unwrap_err().0, now + 100 * SECOND, "it asked for it");
    }

    #[test]
    fn a_server_that_asks_for_a_pause_gets_it_within_reason() {
        let (mut standing, now) = (Standing::default(), Instant::now());
        let busy =
            |seconds| OriginError { again: Some(SECOND * seconds), ..OriginError::new(TroubleKind::Busy, "429") };
        standing.failed("a", &busy(2), PATIENCE, now, 0);
        assert_eq!(standing.ask("a", false, PATIENCE, now).unwrap_err().0, now + 2 * SECOND);
        standing.failed("b", &busy(1_000_000), PATIENCE, now, 0);
        assert_eq!(standing.ask("b", false, PATIENCE, now).unwrap_err().0, now + 300 * SECOND);
    }
}
