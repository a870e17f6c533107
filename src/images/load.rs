//! How busy the cache is with devices: what the keeper gives way to.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::model::image::Tier;

use super::{Counters, lock};

/// Devices that take more than this many bytes in a second are not to be disturbed. One slow reader is below it.
const BUSY: f64 = (4 << 20) as f64;
/// Over how long that is measured, at least.
const WINDOW: Duration = Duration::from_millis(500);

/// Why the keeper moves nothing at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    /// Devices are being sent image files.
    Serving,
    /// A device waits for an image file that comes from an origin.
    Filling,
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Serving => "devices are being sent image files",
            Self::Filling => "a device waits for an image file from an origin",
        })
    }
}

/// What devices ask of the cache now.
pub(super) struct Load {
    counters: Arc<Counters>,
    /// Fills that a device waits for.
    waited: AtomicUsize,
    window: Mutex<Window>,
}

struct Window {
    since: Instant,
    /// What had been served when it began.
    served: u64,
    /// Whether the one before was busy.
    busy: bool,
}

/// Held while a device waits for a fill.
pub(super) struct Waited(Arc<Load>);

impl Load {
    pub(super) fn new(counters: Arc<Counters>) -> Self {
        let window = Mutex::new(Window { since: Instant::now(), served: 0, busy: false });
        Self { counters, waited: AtomicUsize::new(0), window }
    }

    /// A device waits for a fill, as long as this lives.
    pub(super) fn waited(self: &Arc<Self>) -> Waited {
        self.waited.fetch_add(1, Ordering::Relaxed);
        Waited(self.clone())
    }

    /// Why nothing should be moved now, if it should not.
    pub(super) fn hold(&self) -> Option<Hold> {
        if self.waited.load(Ordering::Relaxed) > 0 {
            return Some(Hold::Filling);
        }
        let tiers = [Tier::Ram, Tier::Disk, Tier::Origin];
        let served: u64 = tiers.iter().map(|tier| self.counters.served(*tier).load(Ordering::Relaxed)).sum();
        let mut window = lock(&self.window);
        let span = window.since.elapsed();
        if span >= WINDOW {
            let busy = (served - window.served) as f64 / span.as_secs_f64() > BUSY;
            *window = Window { since: Instant::now(), served, busy };
        }
        window.busy.then_some(Hold::Serving)
    }
}

impl Drop for Waited {
    fn drop(&mut self) {
        self.0.waited.fetch_sub(1, Ordering::Relaxed);
    }
}
