//! What happens, told to open pages as it happens: server-sent events (the HTML standard, section 9.2).
//!
//! An event says which section changed, and of which device or attempt; when what is counted changed and nothing happened, as a
//! day is over since a device spoke, the section is `counts`. It brings no content: a page that is concerned asks
//! for itself again (`static/live.js`), so what is shown live is what is shown at all, by the same code, with the same rights.

use std::{collections::BTreeSet, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{CONNECTION, RETRY_AFTER},
    },
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::stream;
use serde::Serialize;
use tokio::{
    sync::{
        broadcast::{Receiver, error::RecvError},
        watch,
    },
    time::sleep,
};

use crate::{
    model::{BootId, DeviceId, Fact, Record},
    serve::api::Peer,
};

use super::{Visitor, Web, door, place::Place};

/// Events are gathered for so long: a page that asks for itself fifty times a second shows no more.
const GATHER: Duration = Duration::from_millis(60);

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Change {
    /// The section.
    about: &'static str,
    /// The device's first port.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceId>,
    /// The attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    boot: Option<BootId>,
}

/// `GET /live`
pub(super) async fn stream(
    State(web): State<Web>,
    visitor: Visitor,
    Extension(Peer(address)): Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    let Some(place) = web.places.take(&visitor.name, address) else {
        // The connection ends with the answer: whoever asks for too many holds no connections either.
        let headers = [(CONNECTION, "close"), (RETRY_AFTER, "10")];
        let why = "as many pages as may be follow what happens already: close some, or look again now and then\n";
        return (StatusCode::SERVICE_UNAVAILABLE, headers, why).into_response();
    };
    let records = web.context.engine.records();
    let turns = web.census.turns();
    let events = stream::unfold(Following { web, headers, records, turns, _place: place }, next);
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response()
}

/// What happens from now on, and whoever follows it.
struct Following {
    web: Web,
    headers: HeaderMap,
    records: Receiver<Arc<Vec<Record>>>,
    turns: watch::Receiver<u64>,
    _place: Place,
}

async fn next(mut following: Following) -> Option<(Result<Event, Infallible>, Following)> {
    let (records, turns) = (&mut following.records, &mut following.turns);
    let mut changes = BTreeSet::new();
    while changes.is_empty() {
        tokio::select! {
            heard = records.recv() => match heard {
                Ok(batch) => changes.extend(batch.iter().filter_map(|record| change(&record.fact))),
                // Too slow to hear of everything: look at everything.
                Err(RecvError::Lagged(_)) => {
                    changes.insert(Change { about: "everything", device: None, boot: None });
                }
                Err(RecvError::Closed) => return None,
            },
            turned = turns.changed() => {
                turned.ok()?;
                changes.insert(Change { about: "counts", device: None, boot: None });
            }
        }
    }
    sleep(GATHER).await;
    if turns.has_changed().unwrap_or_default() {
        turns.mark_unchanged();
        changes.insert(Change { about: "counts", device: None, boot: None });
    }
    while let Ok(batch) = records.try_recv() {
        changes.extend(batch.iter().filter_map(|record| change(&record.fact)));
    }
    // Whoever has been signed out meanwhile hears no more.
    door::visitor_of(&following.web, &following.headers)?;
    let event = Event::default().event("change").json_data(&changes).unwrap_or_default();
    Some((Ok(event), following))
}

/// What a fact changes for those who look.
fn change(fact: &Fact) -> Option<Change> {
    let of = |about, device: Option<&DeviceId>, boot: Option<&BootId>| {
        Some(Change { about, device: device.copied(), boot: boot.copied() })
    };
    match fact {
        Fact::BootStarted { boot, device, .. } => of("boots", Some(device), Some(boot)),
        Fact::BootMoved { boot, .. } | Fact::BootPlanned { boot, .. } => of("boots", None, Some(boot)),
        Fact::ImagePinned { .. } | Fact::ImageUnpinned { .. } | Fact::ImageEvicted { .. } => of("images", None, None),
        Fact::TokenCreated { .. }
        | Fact::TokenRevoked { .. }
        | Fact::AccountCreated { .. }
        | Fact::AccountChanged { .. }
        | Fact::AccountRemoved { .. } => of("accounts", None, None),
        Fact::UserDescribed { .. } | Fact::UserForgotten { .. } => of("devices", None, None),
        Fact::ProposalDeclined { device, .. } => of("predictions", Some(device), None),
        Fact::LeaseOffered { .. }
        | Fact::LeaseBound { .. }
        | Fact::LeaseReleased { .. }
        | Fact::LeaseDeclined { .. } => of("leases", None, None),
        Fact::OrdersTaken { .. } => None,
        Fact::DeviceSeen { device, .. }
        | Fact::DevicePlaced { device, .. }
        | Fact::DeviceDescribed { device, .. }
        | Fact::HardwareReported { device, .. }
        | Fact::PersonaAssigned { device, .. }
        | Fact::PersonaUnassigned { device, .. }
        | Fact::DeviceArmed { device, .. }
        | Fact::DeviceDisarmed { device, .. }
        | Fact::DeviceInstalled { device, .. }
        | Fact::DeviceForgotten { device, .. } => of("devices", Some(device), None),
    }
}
