//! The stager's two tasks: it looks ahead, and it meets who comes.
//!
//! ```text
//!   facts ──a boot began──> the device's files are pulled up at once
//!     └──anything else──> demand is reckoned anew ──> the policy's forecast ──> the keeper's steps
//! ```
//! **Nothing here is on the path of a packet**: it reads what the engine has published, and a forecast that is late or wrong
//! costs a device nothing but what staging would have saved.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, broadcast::error::RecvError},
    time::{sleep, timeout},
};

use crate::{
    model::{DeviceId, Fact, Record, Seconds},
    serve::{Context, cache},
    world::{Ground, arrival, demand},
};

/// What `/healthz` calls it.
const STAGER: &str = "staging";

/// Demand is reckoned anew so often, as time passes by itself.
const OFTEN: Duration = Duration::from_secs(120);
/// And not more often than this, whatever happens.
const CALM: Duration = Duration::from_secs(2);
/// How often it looks whether the library or the forecast was replaced.
const LOOK: Duration = Duration::from_secs(2);
/// So many batches of facts are taken together: a rack that is switched on is one arrival.
const TOGETHER: usize = 64;

/// Runs both, for as long as the daemon runs.
pub async fn stage(context: Context, horizon: Seconds) {
    let changed = Arc::new(Notify::new());
    tokio::join!(meet(context.clone(), changed.clone()), look_ahead(context, horizon, changed));
}

/// Meets devices: what they are about to ask for is pulled up as soon as their first packet has come.
async fn meet(context: Context, changed: Arc<Notify>) {
    let mut records = context.engine.records();
    loop {
        let mut batches = match records.recv().await {
            Ok(batch) => vec![batch],
            // Those who came meanwhile ask for themselves; what else changed counts all the same.
            Err(RecvError::Lagged(_)) => vec![],
            Err(RecvError::Closed) => return,
        };
        while let Some(batch) = (batches.len() < TOGETHER).then(|| records.try_recv().ok()).flatten() {
            batches.push(batch);
        }
        let facts = || batches.iter().flat_map(|batch| batch.iter());
        let come: Vec<DeviceId> = facts().filter_map(came).collect();
        if !come.is_empty() {
            greet(&context, come);
        }
        if batches.is_empty() || facts().any(|record| matters(&record.fact)) {
            changed.notify_one();
        }
    }
}

/// Pulls up what these devices will ask for, as far as that can be told.
fn greet(context: &Context, devices: Vec<DeviceId>) {
    let (world, ground) = (context.engine.world(), context.engine.ground());
    let count = devices.len();
    let wishes = arrival(&world, &ground, devices, (context.clock)());
    if wishes.is_empty() {
        return;
    }
    // The library may have changed since the keeper last heard of it.
    cache::tell_keeper(context);
    let begun = context.keeper.rush(&wishes);
    if begun > 0 {
        tracing::info!(devices = count, files = begun, "image files are pulled up for devices that have come");
    }
}

fn came(record: &Record) -> Option<DeviceId> {
    match &record.fact {
        Fact::BootStarted { device, .. } => Some(*device),
        _ => None,
    }
}

/// Whether a fact may change what is expected.
fn matters(fact: &Fact) -> bool {
    match fact {
        Fact::LeaseOffered { .. }
        | Fact::LeaseBound { .. }
        | Fact::LeaseReleased { .. }
        | Fact::LeaseDeclined { .. }
        | Fact::DeviceSeen { .. }
        | Fact::BootMoved { .. }
        | Fact::ImagePinned { .. }
        | Fact::ImageUnpinned { .. }
        | Fact::AccountCreated { .. }
        | Fact::AccountChanged { .. }
        | Fact::AccountRemoved { .. }
        | Fact::ImageEvicted { .. }
        | Fact::OrdersTaken { .. } => false,
        // What people say of devices and one another moves rules and forecasts; who boots moves everything.
        _ => true,
    }
}

/// Looks ahead: after every change, and every so often.
async fn look_ahead(context: Context, horizon: Seconds, changed: Arc<Notify>) {
    let mut rest = CALM;
    loop {
        let before = context.engine.ground();
        let reckoning = context.clone();
        // In a thread of its own: a large fleet takes a while, and a bug there is not the end of all forecasts.
        match tokio::task::spawn_blocking(move || reckon(&reckoning, horizon)).await {
            Ok(()) => {
                rest = CALM;
                context.well(STAGER);
            }
            Err(bug) => {
                rest = (rest * 2).min(OFTEN);
                tracing::error!(%bug, "what will be asked for could not be reckoned");
                context.trouble(STAGER, format!("it stumbled: {bug}"));
            }
        }
        sleep(rest).await;
        // Nothing that happens here is lost: a change that came meanwhile is waiting already.
        let mut waited = Duration::ZERO;
        while timeout(LOOK, changed.notified()).await.is_err() {
            waited += LOOK;
            if waited >= OFTEN || replaced(&before, &context.engine.ground()) {
                break;
            }
        }
    }
}

fn replaced(before: &Ground, now: &Ground) -> bool {
    !Arc::ptr_eq(&before.forecast, &now.forecast)
        || !Arc::ptr_eq(&before.catalog, &now.catalog)
        || !Arc::ptr_eq(&before.site, &now.site)
}

fn reckon(context: &Context, horizon: Seconds) {
    let (world, ground) = (context.engine.world(), context.engine.ground());
    let demand = demand(&world, &ground, (context.clock)(), horizon);
    tracing::debug!(boots = demand.boots, files = demand.asks.len(), "demand was reckoned");
    context.keeper.expect(demand.asks.clone(), horizon);
    context.outlook.set(demand);
}
