//! Downloads that go on where they broke off, also those of an earlier run.
//!
//! ```text
//!   <folder>/<SHA-256 of the origin's name>.part    the bytes so far
//!   <folder>/<SHA-256 of the origin's name>.json    whose they are: the origin, its version when they began, its length
//! ```
//! **Bytes are only continued when the origin says that it still is what it was** (an entity tag, a date): otherwise the
//! download begins anew. What was there is hashed again rather than remembered: a disk may have changed its mind.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Buf;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::model::{Bytes, Digest, image::Origin};

use super::{
    CHUNK,
    origin::{Client, OriginSettings, S3Settings},
};

/// How often in a row an origin may break off without having given a good part.
const TRIES: u32 = 5;
/// The pause before the second try; it doubles.
const PAUSE: Duration = Duration::from_millis(500);
/// So many bytes are a good part.
const GOOD: u64 = 1 << 20;

/// A file that was downloaded, and is still there.
#[derive(Debug)]
pub struct Downloaded {
    /// Its digest.
    pub sha256: Digest,
    /// Its length.
    pub size: Bytes,
    /// How much of it was there before.
    pub resumed: Bytes,
    part: Part,
}

/// Why a download failed.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The origin does not give it. What came is kept: the same command goes on from there.
    #[error("{0}")]
    Origin(String),
    /// Nothing can be kept there. The origin may be fine.
    #[error("{path}: {error}")]
    Disk {
        /// Where.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// What is known of the bytes so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Begun {
    origin: Origin,
    validator: Option<String>,
    len: Option<u64>,
}

#[derive(Debug)]
struct Part {
    path: PathBuf,
    about: PathBuf,
    file: Arc<File>,
}

impl Downloaded {
    /// Where the bytes are.
    pub fn path(&self) -> &Path {
        &self.part.path
    }

    /// Removes the bytes: they are elsewhere, or good for nothing.
    pub fn discard(self) {
        // What cannot be removed is overwritten by the next download.
        drop((fs::remove_file(&self.part.path), fs::remove_file(&self.part.about)));
    }
}

/// Downloads all of an origin into a folder, or the rest of it. `progress` hears how many bytes of how many are there.
pub async fn download(
    s3: &S3Settings,
    origin: &Origin,
    folder: &Path,
    mut progress: impl FnMut(u64, Option<u64>),
) -> Result<Downloaded, DownloadError> {
    let client = Client::new(OriginSettings::PATIENCE, s3).map_err(DownloadError::Origin)?;
    let part = Part::open(folder, origin)?;
    let disk = |error| DownloadError::Disk { path: part.path.clone(), error };
    let mut begun = part.begun(origin);
    let (mut hash, mut at) = match &begun {
        Some(_) => part.hashed().await.map_err(disk)?,
        None => (Sha256::new(), 0),
    };
    let mut resumed = at;
    // How far it has come in all: an origin that begins anew each time, and breaks off each time, gets nowhere.
    let (mut furthest, mut vain) = (at, 0);
    loop {
        // A server has no answer to "what comes after the last byte": what is there whole is asked for from its beginning.
        let whole = begun.as_ref().is_some_and(|begun| begun.len == Some(at) && at > 0);
        let why = match client.open(origin, if whole { 0 } else { at }).await {
            Err(error) => error.to_string(),
            Ok(answer) => {
                let now = Begun { origin: origin.clone(), validator: answer.validator, len: answer.len };
                let goes_on = at == 0 || begun.as_ref().is_some_and(|begun| begun.goes_on_as(&now));
                if !goes_on {
                    // It is another file now, or will not say.
                    part.file.set_len(0).map_err(disk)?;
                    (hash, at, resumed, begun) = (Sha256::new(), 0, 0, None);
                    continue;
                }
                if begun.as_ref() != Some(&now) {
                    part.note(&now).map_err(disk)?;
                    begun = Some(now);
                }
                let (len, mut before) = (answer.len, answer.before);
                let mut bytes = answer.bytes;
                let mut ended = Ok(());
                while let Some(chunk) = if whole { None } else { bytes.next().await } {
                    match chunk {
                        Ok(mut chunk) => {
                            // An origin that knows no ranges sends again what is there.
                            let again = before.min(chunk.len() as u64);
                            before -= again;
                            chunk.advance(again as usize);
                            let n = chunk.len() as u64;
                            hash = part.write(at, chunk, hash).await.map_err(disk)?;
                            at += n;
                            progress(at, len);
                        }
                        Err(why) => {
                            ended = Err(format!("{origin}: {why}"));
                            break;
                        }
                    }
                }
                match (ended, len) {
                    (Ok(()), Some(len)) if at < len => format!("{origin}: it broke off after {at} of {len} bytes"),
                    (Ok(()), Some(len)) if at > len => {
                        return Err(DownloadError::Origin(format!("{origin}: it gives more than its {len} bytes")));
                    }
                    (Ok(()), _) => break,
                    (Err(why), _) => why,
                }
            }
        };
        vain = if at >= furthest + GOOD { 1 } else { vain + 1 };
        furthest = furthest.max(at);
        if vain >= TRIES {
            return Err(DownloadError::Origin(why));
        }
        tokio::time::sleep(PAUSE * (1 << (vain - 1))).await;
    }
    part.file.sync_data().map_err(disk)?;
    progress(at, Some(at));
    Ok(Downloaded { sha256: Digest::new(hash.finalize().into()), size: Bytes(at), resumed: Bytes(resumed), part })
}

/// A download that nobody went on with.
#[derive(Debug)]
pub struct Abandoned {
    /// What was downloaded.
    pub origin: Origin,
    /// How much of it is there.
    pub len: Bytes,
    part: PathBuf,
}

impl Abandoned {
    /// Removes it.
    pub fn remove(&self) -> io::Result<()> {
        fs::remove_file(&self.part)?;
        fs::remove_file(self.part.with_extension("json"))
    }
}

/// The downloads in a folder that nobody has touched for so long, and nobody is at work on.
pub fn abandoned(folder: &Path, longer_than: Duration) -> Vec<Abandoned> {
    let parts = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let one = |part: PathBuf| {
        let about = fs::read(part.with_extension("json")).ok()?;
        let begun: Begun = serde_json::from_slice(&about).ok()?;
        let file = File::open(&part).ok()?;
        let known = file.metadata().ok()?;
        let is_old = known.modified().ok()?.elapsed().is_ok_and(|age| age >= longer_than);
        (is_old && file.try_lock().is_ok()).then_some(Abandoned { origin: begun.origin, len: Bytes(known.len()), part })
    };
    parts.filter(|path| path.extension().is_some_and(|extension| extension == "part")).filter_map(one).collect()
}

impl Begun {
    /// Whether an origin that answers so now has the rest of these bytes.
    fn goes_on_as(&self, now: &Self) -> bool {
        self.validator.is_some() && self.validator == now.validator && (self.len == now.len || now.len.is_none())
    }
}

impl Part {
    fn open(folder: &Path, origin: &Origin) -> Result<Self, DownloadError> {
        let name = Digest::new(Sha256::digest(origin.to_string()).into());
        let path = folder.join(format!("{name}.part"));
        let told = |error| DownloadError::Disk { path: path.clone(), error };
        fs::create_dir_all(folder).map_err(told)?;
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).map_err(told)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let why = format!("{origin}: another command is downloading it: wait until that is done");
                return Err(DownloadError::Origin(why));
            }
            Err(TryLockError::Error(error)) => return Err(told(error)),
        }
        Ok(Self { about: folder.join(format!("{name}.json")), file: Arc::new(file), path })
    }

    /// What is known of the bytes that are there.
    fn begun(&self, origin: &Origin) -> Option<Begun> {
        let begun: Begun = serde_json::from_slice(&fs::read(&self.about).ok()?).ok()?;
        let len = self.file.metadata().ok()?.size();
        (begun.origin == *origin && len > 0 && begun.len.is_none_or(|of| len <= of)).then_some(begun)
    }

    fn note(&self, begun: &Begun) -> io::Result<()> {
        fs::write(&self.about, serde_json::to_vec(begun).map_err(io::Error::other)?)
    }

    /// Hashes what is there.
    async fn hashed(&self) -> io::Result<(Sha256, u64)> {
        let file = self.file.clone();
        let hashed = tokio::task::spawn_blocking(move || {
            let (mut hash, mut buffer, mut at) = (Sha256::new(), vec![0; 4 * CHUNK], 0);
            loop {
                match file.read_at(&mut buffer, at)? {
                    0 => return Ok((hash, at)),
                    read => {
                        hash.update(&buffer[..read]);
                        at += read as u64;
                    }
                }
            }
        });
        hashed.await.map_err(io::Error::other)?
    }

    async fn write(&self, at: u64, chunk: bytes::Bytes, hash: Sha256) -> io::Result<Sha256> {
        let file = self.file.clone();
        let written = tokio::task::spawn_blocking(move || {
            file.write_all_at(&chunk, at)?;
            Ok(hash.chain_update(&chunk))
        });
        written.await.map_err(io::Error::other)?
    }
}
