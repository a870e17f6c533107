//! What is counted over all devices, for pages that many look at: how many are armed, of how many a prediction acts.
//!
//! **A count is used again for twenty times as long as it took**, so that counting never takes more than a twentieth of a
//! core, however large the fleet and however many pages follow what happens. A small fleet is counted for each page; one of
//! 100,000 devices every second or so. Whoever changes something by a page has the next page count anew.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::task::spawn_blocking;

use crate::{
    boot::foresee::Standing,
    model::{DeviceId, Probability, Seconds},
    serve::{Context, context::lock, predict},
};

use super::{Trouble, Web};

/// How much longer than it took a count is used.
const LASTS: u32 = 20;

/// What is "of late" here.
pub(super) const DAY: Seconds = Seconds(24 * 3600);

/// The latest count.
#[derive(Debug, Clone, Default)]
pub(super) struct Census(Arc<Mutex<Option<Arc<Count>>>>);

/// What was counted.
#[derive(Debug)]
pub(super) struct Count {
    made: Instant,
    took: Duration,
    /// How many devices are known.
    pub(super) devices: usize,
    /// How many spoke within the last day.
    pub(super) seen: usize,
    /// How many may be wiped at their next boot.
    pub(super) armed: usize,
    /// Of how many a prediction would choose the persona.
    pub(super) acts: usize,
    /// For which one is proposed, the surest first.
    pub(super) proposed: Vec<(Probability, DeviceId)>,
    /// Of how many a prediction is known that nothing comes of.
    pub(super) silent: usize,
}

impl Count {
    fn of(context: &Context) -> Self {
        let (world, ground, now) = (context.engine.world(), context.engine.ground(), (context.clock)());
        let made = Instant::now();
        let mut count = Self {
            made,
            took: Duration::ZERO,
            devices: world.devices.size(),
            seen: 0,
            armed: 0,
            acts: 0,
            proposed: vec![],
            silent: 0,
        };
        for device in world.devices.values() {
            count.seen += usize::from(device.seen.is_some_and(|seen| now.since(seen.last).0 < u64::from(DAY.0) * 1000));
            count.armed += usize::from(device.armed.is_some());
            let Some(best) = ground.forecast.of(device.id, now).and_then(|prediction| prediction.ranked().first())
            else {
                continue;
            };
            match predict::standing(&world, &ground, device, now).0 {
                Standing::Acts => count.acts += 1,
                Standing::Proposed => count.proposed.push((best.probability, device.id)),
                Standing::Silent => count.silent += 1,
            }
        }
        count.proposed.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
        count.took = made.elapsed();
        count
    }
}

impl Web {
    /// What there is now, or was a moment ago.
    pub(super) async fn count(&self) -> Result<Arc<Count>, Trouble> {
        if let Some(count) = lock(&self.census.0).as_ref().filter(|count| count.made.elapsed() < count.took * LASTS) {
            return Ok(count.clone());
        }
        let context = self.context.clone();
        let count = Arc::new(spawn_blocking(move || Count::of(&context)).await.map_err(Trouble::bug)?);
        *lock(&self.census.0) = Some(count.clone());
        Ok(count)
    }

    /// Has the next page count anew.
    pub(super) fn count_anew(&self) {
        *lock(&self.census.0) = None;
    }
}
