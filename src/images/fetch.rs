//! All bytes of one blob, once, from whichever origins give them, verified at the end.
//!
//! ```text
//!   open an origin at `got` ──bytes──> hash, hand out ──it ends at len──> digest right? end : WrongDigest
//!        ^                              │ broke off, silent, too slow
//!        └── the same origin, if it gave a good part; else the next; a pause after each round in vain
//! ```
//! What was handed out stays handed out: whoever continues must have the same bytes, and the digest says whether it had.
//!
//! **A fetch ends.** It is refused when each origin failed for good (404, wrong length, a certificate that does not hold) or
//! three times, or when there was no megabyte of progress for as long as the patience lasts (`origin/patience.rs`). An
//! origin that only drips is left for another; when there is none, a drip is better than nothing, down to 4 KiB a second.

use std::{collections::VecDeque, mem, sync::Arc, time::Instant};

use bytes::{Buf, Bytes};
use futures_util::{StreamExt, stream::BoxStream};
use sha2::{Digest as _, Sha256};

use crate::model::{
    Digest,
    image::{ImageFile, Origin},
    trouble::{Trouble, TroubleKind},
};

use super::{
    BlobError, blocking,
    origin::{
        Answer, OriginError,
        pace::{Pace, Rate},
        patience::Patience,
    },
    origins::{Origins, Vain},
};

/// How often each origin is asked in vain before a fetch gives up.
const ROUNDS: u32 = 3;
/// An origin that gave this many bytes since it was opened counts as working: the rounds begin anew.
const PROGRESS: u64 = 1 << 20;

/// An origin in a fetch.
struct Candidate {
    origin: Origin,
    /// What it said first of its version.
    validator: Option<Option<String>>,
    /// What it said when it failed last.
    said: Option<OriginError>,
    /// Whether asking again is of no use: it would say the same.
    out: bool,
}

impl Candidate {
    fn new(origin: Origin) -> Self {
        Self { origin, validator: None, said: None, out: false }
    }
}

/// A fetch under way.
pub(super) struct Fetch {
    origins: Arc<Origins>,
    digest: Digest,
    order: Vec<Candidate>,
    /// Who is asked next, by place in `order`; empty at the end of a round.
    queue: VecDeque<usize>,
    /// Who was asked last.
    turn: usize,
    /// The round that it is.
    round: u32,
    /// Since when there was no progress.
    since: Option<Instant>,
    source: Option<Source>,
    /// Who gave the first byte.
    first: Option<usize>,
    hash: Sha256,
    got: u64,
    len: Option<u64>,
}

/// An origin that is being read.
struct Source {
    bytes: BoxStream<'static, Result<Bytes, String>>,
    /// How many of the bytes to come are here already.
    before: u64,
    /// `got` when it was opened.
    since: u64,
    pace: Pace,
    /// Whether it gave enough to count as working.
    proved: bool,
}

impl Source {
    /// The next bytes that are new, and how fast they come; `None` at the end.
    async fn next(&mut self, patience: Patience) -> Option<Result<(Bytes, Rate), OriginError>> {
        loop {
            let asked = Instant::now();
            let Ok(heard) = tokio::time::timeout(patience.silence(), self.bytes.next()).await else {
                let why = format!("it fell silent for {:?}", patience.silence());
                return Some(Err(OriginError::new(TroubleKind::Silent, why)));
            };
            let mut chunk = match heard? {
                Ok(chunk) => chunk,
                Err(why) => {
                    let why = format!("it broke off: {why}");
                    return Some(Err(OriginError::new(TroubleKind::BrokeOff, why)));
                }
            };
            let rate = self.pace.heard(asked.elapsed(), chunk.len(), patience.silence());
            // As large as a chunk at most, so it fits the index type.
            let here = self.before.min(chunk.len() as u64);
            self.before -= here;
            chunk.advance(here as usize);
            if !chunk.is_empty() {
                return Some(Ok((chunk, rate)));
            }
            if rate == Rate::Hopeless {
                return Some(Err(OriginError::new(TroubleKind::Slow, TOO_SLOW)));
            }
        }
    }
}

/// What is said of an origin that is left because others may be faster, or because nothing would be as slow.
const TOO_SLOW: &str = "it gives its bytes too slowly";

impl Fetch {
    pub(super) fn new(origins: Arc<Origins>, file: &ImageFile) -> Self {
        let order: Vec<Candidate> = origins.order(file).into_iter().map(Candidate::new).collect();
        Self {
            digest: file.sha256,
            queue: (0..order.len()).collect(),
            order,
            origins,
            turn: 0,
            round: 1,
            since: None,
            source: None,
            first: None,
            hash: Sha256::new(),
            got: 0,
            len: file.size.map(|size| size.0),
        }
    }

    /// Opens an origin that answers; the length of the whole, if anybody knows it now.
    pub(super) async fn open(&mut self) -> Result<Option<u64>, BlobError> {
        let since = *self.since.get_or_insert_with(Instant::now);
        loop {
            if since.elapsed() >= self.origins.patience().whole() {
                return Err(self.refusal());
            }
            let Some(turn) = self.queue.pop_front() else {
                self.next_round().await?;
                continue;
            };
            self.turn = turn;
            match self.ask().await {
                Ok(source) => {
                    self.source = Some(source);
                    return Ok(self.len);
                }
                Err(Vain::Failed(error)) => self.fail(error),
                // Whom nobody asked did not fail.
                Err(Vain::Resting(error)) => self.order[turn].said = Some(error),
            }
        }
    }

    /// Lets all that may say something else be asked again, after a pause.
    async fn next_round(&mut self) -> Result<(), BlobError> {
        let again: VecDeque<usize> = (0..self.order.len()).filter(|turn| !self.order[*turn].out).collect();
        if again.is_empty() || self.round >= ROUNDS {
            return Err(self.refusal());
        }
        let pause = self.origins.pause(self.round, again.iter().map(|turn| &self.order[*turn].origin));
        if pause > self.origins.patience().answer() {
            return Err(self.refusal());
        }
        tokio::time::sleep(pause).await;
        self.round += 1;
        self.queue = again;
        Ok(())
    }

    /// Asks the origin whose turn it is for the rest.
    async fn ask(&mut self) -> Result<Source, Vain> {
        // In the second round, no other has given anything either.
        let alone = self.order.len() == 1 || self.round > 1;
        let candidate = &mut self.order[self.turn];
        let origin = &candidate.origin;
        let name = origin.loggable();
        let answer = self.origins.open(origin, self.got, alone).await?;
        if let (Some(expected), Some(found)) = (self.len, answer.len)
            && expected != found
        {
            let why = format!("{name}: it has {found} bytes, {expected} are expected");
            return Err(OriginError::new(TroubleKind::WrongLength, why).into());
        }
        let before = candidate.validator.get_or_insert_with(|| answer.validator.clone());
        if *before != answer.validator {
            let why = format!("{name}: it changed while it was read");
            return Err(OriginError::new(TroubleKind::Changed, why).into());
        }
        self.len = self.len.or(answer.len);
        let Answer { bytes, before, .. } = answer;
        Ok(Source { bytes, before, since: self.got, pace: Pace::default(), proved: false })
    }

    /// The next bytes; `None` once all were handed out and hash to the name.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        loop {
            let all = self.len == Some(self.got);
            let Some(source) = &mut self.source else {
                if all {
                    return self.check().map(|()| None);
                }
                self.open().await?;
                continue;
            };
            match source.next(self.origins.patience()).await {
                Some(Ok((chunk, _))) if self.len.is_some_and(|len| self.got + chunk.len() as u64 > len) => {
                    return Err(self.too_long());
                }
                Some(Ok((chunk, rate))) => {
                    let chunk = self.take(chunk).await?;
                    self.judge(rate);
                    return Ok(Some(chunk));
                }
                None if all || self.len.is_none() => return self.check().map(|()| None),
                None => self.broke_off(OriginError::new(TroubleKind::BrokeOff, "it broke off")),
                // Trouble after the last byte is none.
                Some(Err(_)) if all => self.source = None,
                Some(Err(error)) => self.broke_off(error),
            }
        }
    }

    async fn take(&mut self, chunk: Bytes) -> Result<Bytes, BlobError> {
        self.first.get_or_insert(self.turn);
        self.got += chunk.len() as u64;
        self.origins.came(chunk.len());
        if let Some(source) =
            self.source.as_mut().filter(|source| !source.proved && self.got - source.since >= PROGRESS)
        {
            source.proved = true;
            self.origins.well(&self.order[self.turn].origin);
        }
        let (hash, hashed) = (mem::take(&mut self.hash), chunk.clone());
        self.hash = blocking(move || hash.chain_update(&hashed)).await?;
        Ok(chunk)
    }

    /// Leaves an origin that is too slow, if there is a better one, or if it would never end.
    fn judge(&mut self, rate: Rate) {
        let others = (0..self.order.len()).filter(|turn| *turn != self.turn && !self.order[*turn].out);
        // One that failed in this fetch is no better than a drip.
        let (better, worse): (Vec<usize>, Vec<usize>) = others.partition(|turn| self.order[*turn].said.is_none());
        match rate {
            Rate::Fine => {}
            _ if self.len == Some(self.got) => {}
            Rate::Slow if better.is_empty() => {}
            Rate::Slow => {
                // It is asked again when the better ones fail.
                self.queue = better.into_iter().chain([self.turn]).chain(worse).collect();
                self.source = None;
                self.fail(self.named(OriginError::new(TroubleKind::Slow, TOO_SLOW)));
            }
            Rate::Hopeless => self.broke_off(OriginError::new(TroubleKind::Slow, TOO_SLOW)),
        }
    }

    /// The origin that is read ended before its time. One that works is asked to resume; else the next has its turn.
    fn broke_off(&mut self, error: OriginError) {
        let works = self.source.take().is_some_and(|source| source.proved) && error.kind != TroubleKind::Slow;
        let error = self.named(error);
        self.fail(error);
        if works {
            self.queue.push_front(self.turn);
            (self.round, self.since) = (1, None);
        }
    }

    fn named(&self, error: OriginError) -> OriginError {
        error.of(&self.order[self.turn].origin)
    }

    fn fail(&mut self, error: OriginError) {
        tracing::debug!(digest = %self.digest, why = error.why, "an origin failed");
        let candidate = &mut self.order[self.turn];
        self.origins.failed(&candidate.origin, &error);
        // What is of the file, and not of its server, will be the same in a second.
        candidate.out = !error.kind.is_of_server();
        candidate.said = Some(error);
    }

    /// What all of them said.
    fn refusal(&self) -> BlobError {
        let said =
            || self.order.iter().filter_map(|candidate| Some((candidate.origin.server(), candidate.said.as_ref()?)));
        let mut troubles: Vec<Trouble> = said().map(|(at, error)| Trouble { at, kind: error.kind }).collect();
        troubles.dedup();
        let why = match troubles.is_empty() {
            true => "the manifest names no origin".to_owned(),
            false => said().map(|(_, error)| error.why.clone()).collect::<Vec<_>>().join("; "),
        };
        BlobError::Origin { digest: self.digest, why, troubles }
    }

    /// Holds the digest against the name.
    fn check(&mut self) -> Result<(), BlobError> {
        let found = Digest::new(mem::take(&mut self.hash).finalize().into());
        if found == self.digest {
            if let Some(candidate) = self.order.get(self.turn) {
                self.origins.well(&candidate.origin);
            }
            return Ok(());
        }
        match self.blame(TroubleKind::WrongBytes) {
            Some(origin) => Err(BlobError::WrongDigest {
                expected: self.digest,
                found,
                origin: origin.loggable(),
                server: origin.server(),
            }),
            None => Err(self.refusal()),
        }
    }

    fn too_long(&mut self) -> BlobError {
        let (digest, expected) = (self.digest, self.len.unwrap_or(self.got));
        let Some(origin) = self.blame(TroubleKind::WrongLength) else { return self.refusal() };
        let (server, origin) = (origin.server(), origin.loggable());
        BlobError::TooLong { digest, expected, origin, server }
    }

    /// Gives whoever gave the first byte of something wrong the last turn next time, and names it. It may have been another
    /// who continued it, but trying each first in turn finds the one that has it right. `None` when nobody was asked.
    fn blame(&mut self, kind: TroubleKind) -> Option<Origin> {
        let origin = self.order.get(self.first.unwrap_or(self.turn))?.origin.clone();
        self.origins.blame(self.digest, &origin, kind);
        Some(origin)
    }
}
