//! All bytes of one blob, once, from whichever origins give them, verified at the end.
//!
//! ```text
//!   open an origin at `got` ──bytes──> hash, hand out ──it ends at len──> digest right? end : WrongDigest
//!        ^                              │ broke off
//!        └── the same origin, if it gave a good part; else the next; a pause after each round in vain
//! ```
//! What was handed out stays handed out: whoever continues must have the same bytes, and the digest says whether it had.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use sha2::{Digest as _, Sha256};

use crate::model::{
    Digest,
    image::{ImageFile, Origin},
};

use super::{BlobError, Counters, OpenError, blocking, lock, origin::Client};

/// How often each origin is asked in vain before a fetch gives up.
const ROUNDS: usize = 3;
/// The pause before the second round; it doubles.
const PAUSE: Duration = Duration::from_millis(500);
/// An origin that gave this many bytes since it was opened counts as working: the rounds begin anew.
const PROGRESS: u64 = 1 << 20;

/// The origins of all blobs, and what is remembered of them.
pub(super) struct Origins {
    pub(super) client: Client,
    pub(super) counters: Arc<Counters>,
    /// How often an origin gave the first byte of something that turned out wrong: it is tried after the others then.
    blame: Mutex<HashMap<(Digest, Origin), u32>>,
}

impl Origins {
    pub(super) fn new(counters: Arc<Counters>) -> Result<Self, OpenError> {
        let client = Client::new().map_err(OpenError::Client)?;
        Ok(Self { client, counters, blame: Mutex::default() })
    }

    /// The origins of a blob in the order to try.
    pub(super) fn order(&self, file: &ImageFile) -> Vec<Origin> {
        let blame = lock(&self.blame);
        let mut order = file.origins.clone();
        order.sort_by_key(|origin| blame.get(&(file.sha256, origin.clone())).copied().unwrap_or(0));
        order
    }
}

/// A fetch under way.
pub(super) struct Fetch {
    origins: Arc<Origins>,
    digest: Digest,
    order: Vec<Origin>,
    /// Where in `order` to go on.
    turn: usize,
    /// How many origins in a row were asked in vain.
    vain: usize,
    source: Option<Source>,
    /// What each origin, by its place in `order`, said first of its version.
    validators: HashMap<usize, Option<String>>,
    /// Who gave the first byte.
    first: Option<usize>,
    hash: Sha256,
    got: u64,
    len: Option<u64>,
    /// What the last origin that failed said.
    why: String,
}

/// An origin that is being read.
struct Source {
    bytes: BoxStream<'static, Result<Bytes, String>>,
    /// `got` when it was opened.
    since: u64,
}

impl Fetch {
    pub(super) fn new(origins: Arc<Origins>, file: &ImageFile) -> Self {
        Self {
            digest: file.sha256,
            order: origins.order(file),
            origins,
            turn: 0,
            vain: 0,
            source: None,
            validators: HashMap::new(),
            first: None,
            hash: Sha256::new(),
            got: 0,
            len: file.size.map(|size| size.0),
            why: "the manifest names no origin".into(),
        }
    }

    /// Opens an origin that answers; the length of the whole, if anybody knows it now.
    pub(super) async fn open(&mut self) -> Result<Option<u64>, BlobError> {
        while self.vain < ROUNDS * self.order.len() {
            if self.vain > 0 && self.vain.is_multiple_of(self.order.len()) {
                tokio::time::sleep(PAUSE * (1 << (self.vain / self.order.len() - 1))).await;
            }
            match self.ask().await {
                Ok(source) => {
                    self.source = Some(source);
                    return Ok(self.len);
                }
                Err(why) => self.fail(why),
            }
        }
        Err(BlobError::Origin { digest: self.digest, why: mem::take(&mut self.why) })
    }

    /// Asks the origin whose turn it is for the rest.
    async fn ask(&mut self) -> Result<Source, String> {
        let origin = &self.order[self.turn];
        let answer = self.origins.client.open(origin, self.got).await?;
        if let (Some(expected), Some(found)) = (self.len, answer.len)
            && expected != found
        {
            return Err(format!("{origin}: it has {found} bytes, {expected} are expected"));
        }
        let before = self.validators.entry(self.turn).or_insert_with(|| answer.validator.clone());
        if *before != answer.validator {
            return Err(format!("{origin}: it changed while it was read"));
        }
        self.len = self.len.or(answer.len);
        Ok(Source { bytes: answer.bytes, since: self.got })
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
            match source.bytes.next().await {
                Some(Ok(chunk)) if self.len.is_some_and(|len| self.got + chunk.len() as u64 > len) => {
                    return Err(self.too_long());
                }
                Some(Ok(chunk)) => return self.take(chunk).await.map(Some),
                None if all || self.len.is_none() => return self.check().map(|()| None),
                None => self.broke_off("it broke off"),
                // Trouble after the last byte is none.
                Some(Err(_)) if all => self.source = None,
                Some(Err(why)) => self.broke_off(&why),
            }
        }
    }

    async fn take(&mut self, chunk: Bytes) -> Result<Bytes, BlobError> {
        self.first.get_or_insert(self.turn);
        self.got += chunk.len() as u64;
        self.origins.counters.origin_bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        let (hash, hashed) = (mem::take(&mut self.hash), chunk.clone());
        self.hash = blocking(move || hash.chain_update(&hashed)).await?;
        Ok(chunk)
    }

    /// The origin that is read ended before its time. One that works is asked to resume; else the next has its turn.
    fn broke_off(&mut self, why: &str) {
        let given = self.source.take().map_or(0, |source| self.got - source.since);
        let turn = self.turn;
        self.fail(format!("{}: {why}", self.order[turn]));
        if given >= PROGRESS {
            (self.turn, self.vain) = (turn, 0);
        }
    }

    fn fail(&mut self, why: String) {
        self.origins.counters.origin_errors.fetch_add(1, Ordering::Relaxed);
        tracing::debug!(digest = %self.digest, why, "an origin failed");
        self.why = why;
        self.vain += 1;
        self.turn = (self.turn + 1) % self.order.len();
    }

    /// Holds the digest against the name.
    fn check(&mut self) -> Result<(), BlobError> {
        let found = Digest::new(mem::take(&mut self.hash).finalize().into());
        if found == self.digest {
            return Ok(());
        }
        match self.blame() {
            Some(origin) => Err(BlobError::WrongDigest { expected: self.digest, found, origin }),
            None => Err(BlobError::Origin { digest: self.digest, why: mem::take(&mut self.why) }),
        }
    }

    fn too_long(&mut self) -> BlobError {
        let (digest, expected) = (self.digest, self.len.unwrap_or(self.got));
        BlobError::TooLong { digest, expected, origin: self.blame().unwrap_or_default() }
    }

    /// Gives whoever gave the first byte of something wrong the last turn next time, and names it. It may have been another
    /// who continued it, but trying each first in turn finds the one that has it right. `None` when nobody was asked.
    fn blame(&mut self) -> Option<String> {
        let origin = self.order.get(self.first.unwrap_or(self.turn))?;
        self.origins.counters.origin_errors.fetch_add(1, Ordering::Relaxed);
        *lock(&self.origins.blame).entry((self.digest, origin.clone())).or_default() += 1;
        Some(origin.to_string())
    }
}
