//! The origins of all blobs, and what is remembered of them.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;

use crate::model::{
    Digest,
    image::{ImageFile, Origin},
    trouble::{Trouble, TroubleKind},
};

use super::{
    Counters, OpenError, lock,
    origin::{Answer, Client, OriginError, OriginSettings, patience::Patience, standing::Standing},
};

/// The origins of all blobs, and what is remembered of them.
pub(super) struct Origins {
    client: Client,
    dice: fn() -> u64,
    pub(super) counters: Arc<Counters>,
    /// How often an origin gave the first byte of something that turned out wrong: it is tried after the others then.
    blame: Mutex<HashMap<(Digest, Origin), u32>>,
    standing: Mutex<Standing>,
}

impl Origins {
    pub(super) fn new(counters: Arc<Counters>, settings: &OriginSettings) -> Result<Self, OpenError> {
        let client = Client::new(settings.patience, &settings.s3).map_err(OpenError::Client)?;
        Ok(Self { client, dice: settings.dice, counters, blame: Mutex::default(), standing: Mutex::default() })
    }

    pub(super) fn patience(&self) -> Patience {
        self.client.patience
    }

    /// The pause after so many rounds in vain; longer when all of these servers are left alone for longer.
    pub(super) fn pause<'a>(&self, round: u32, origins: impl Iterator<Item = &'a Origin>) -> Duration {
        let (standing, now) = (lock(&self.standing), Instant::now());
        let rest = origins.map(|origin| standing.rest(&origin.place(), now)).min().unwrap_or_default();
        self.client.patience.pause(round, (self.dice)()).max(rest)
    }

    /// The origins of a blob in the order to try: as the manifest says, but those after the others that gave wrong bytes, and
    /// those whose server failed of late.
    pub(super) fn order(&self, file: &ImageFile) -> Vec<Origin> {
        let (blame, standing, now) = (lock(&self.blame), lock(&self.standing), Instant::now());
        let mut order = file.origins.clone();
        order.sort_by_key(|origin| {
            let blamed = blame.get(&(file.sha256, origin.clone())).copied().unwrap_or(0);
            (blamed, standing.is_doubted(&origin.place(), now))
        });
        order
    }

    /// Opens an origin at `offset`, unless its server is left alone; for less long by who is `alone` with it.
    pub(super) async fn open(&self, origin: &Origin, offset: u64, alone: bool) -> Result<Answer, Vain> {
        self.may_ask(origin, alone)?;
        self.client.open(origin, offset).await.map_err(Vain::Failed)
    }

    /// Exactly the bytes of a range, unless the origin's server is left alone.
    pub(super) async fn part(&self, origin: &Origin, range: Range<u64>) -> Result<Bytes, Vain> {
        self.may_ask(origin, false)?;
        self.client.part(origin, range).await.map_err(Vain::Failed)
    }

    fn may_ask(&self, origin: &Origin, alone: bool) -> Result<(), Vain> {
        let now = Instant::now();
        let asked = lock(&self.standing).ask(&origin.place(), alone, self.client.patience, now);
        asked.map_err(|(until, said)| {
            let seconds = until.saturating_duration_since(now).as_secs() + 1;
            let why = format!("not asked for another {seconds} s, as its server failed before ({})", said.why);
            Vain::Resting(OriginError::new(said.kind, why).of(origin))
        })
    }

    /// The servers that are left alone for a while, in words for everybody.
    pub(super) fn troubles(&self) -> Vec<Trouble> {
        let standing = lock(&self.standing);
        let host = |place: &str| match place.split_once("://") {
            Some(("s3", bucket)) => format!("bucket {bucket}"),
            Some((_, host)) => host.to_owned(),
            // A folder of this server is nobody's business out there.
            None => "this server".to_owned(),
        };
        standing
            .resting(self.client.patience, Instant::now())
            .map(|(place, kind)| Trouble { at: host(place), kind })
            .collect()
    }

    /// An origin gave what it should.
    pub(super) fn well(&self, origin: &Origin) {
        lock(&self.standing).well(&origin.place());
    }

    /// Counts and remembers that an origin failed.
    pub(super) fn failed(&self, origin: &Origin, error: &OriginError) {
        self.counters.origin_error(error.kind);
        if error.kind.is_of_server() {
            let mut standing = lock(&self.standing);
            standing.failed(&origin.place(), error, self.client.patience, Instant::now(), (self.dice)());
        }
    }

    /// Counts that an origin gave something wrong, and lets it be tried after the others for this blob.
    pub(super) fn blame(&self, digest: Digest, origin: &Origin, kind: TroubleKind) {
        self.counters.origin_error(kind);
        *lock(&self.blame).entry((digest, origin.clone())).or_default() += 1;
    }

    /// Counts bytes that came.
    pub(super) fn came(&self, bytes: usize) {
        self.counters.origin_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// Why an origin whose turn it is is not being read.
pub(super) enum Vain {
    /// It was asked in vain.
    Failed(OriginError),
    /// It was not asked, as its server is left alone.
    Resting(OriginError),
}

impl From<OriginError> for Vain {
    fn from(error: OriginError) -> Self {
        Self::Failed(error)
    }
}
