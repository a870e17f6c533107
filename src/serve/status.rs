//! The status page: devices, attempts and what is wrong, for people with a browser. It changes nothing, and every device of
//! the network can read it, so it shows no secrets: of a broken document it says where to look, never what is written there.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;

use crate::{
    document::Problem,
    model::{
        BootId, Device, Moment,
        image::{ImageFile, Role},
        timeline::Boot,
    },
    usage::timeline::{self, Line},
    world::World,
};

use super::Context;

/// How many attempts the page shows.
const SHOWN: usize = 30;

#[derive(Template)]
#[template(path = "html/status.html", config = ".askama.toml")]
struct Page {
    now: Moment,
    devices: Vec<DeviceRow>,
    boots: Vec<BootRow>,
    /// Whether one attempt was asked for.
    one_boot: bool,
    images: Vec<ImageRow>,
    problems: Vec<String>,
    troubles: Vec<(String, String)>,
}

struct DeviceRow {
    name: String,
    address: String,
    what: String,
    persona: String,
    last: String,
}

struct BootRow {
    id: String,
    device: String,
    firmware: String,
    state: &'static str,
    reason: String,
    took: String,
    lines: Vec<Line>,
}

struct ImageRow {
    name: String,
    arch: String,
    files: Vec<(String, &'static str, String)>,
}

/// What of the page is wanted.
#[derive(Debug, Deserialize)]
pub(super) struct Ask {
    /// Only this attempt, however old it is.
    boot: Option<BootId>,
}

/// `GET /`, and `GET /?boot=ID`.
pub(super) async fn page(State(context): State<Context>, Query(ask): Query<Ask>) -> Response {
    let (world, ground) = (context.engine.world(), context.engine.ground());
    let now = (context.clock)();
    let images = ground.catalog.images().map(|image| ImageRow {
        name: image.name.to_string(),
        arch: image.arch.to_string(),
        files: image.files.iter().map(|(role, file)| file_row(&context, *role, file)).collect(),
    });
    let wanted = |boot: &&Boot| ask.boot.is_none_or(|id| boot.id == id);
    let boots = world.recent_boots().filter(wanted).take(SHOWN);
    let page = Page {
        now,
        devices: world.devices.values().map(|device| device_row(&world, device, now)).collect(),
        boots: boots.map(|boot| boot_row(boot, now)).collect(),
        one_boot: ask.boot.is_some(),
        images: images.collect(),
        problems: context.problems().iter().map(whereabouts).collect(),
        troubles: context.health().troubles.into_iter().collect(),
    };
    match page.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Where a problem is. Its message and its line may hold the very password that should not have been there.
fn whereabouts(problem: &Problem) -> String {
    let file = problem.path.rsplit('/').next().unwrap_or_default();
    let what = if problem.is_error() { "error" } else { "warning" };
    match problem.line {
        0 => format!("{file}: {what} {}", problem.code),
        line => format!("{file}, line {line}: {what} {}", problem.code),
    }
}

fn file_row(context: &Context, role: Role, file: &ImageFile) -> (String, &'static str, String) {
    let status = context.images.status(&file.sha256);
    let size = status.len.or(file.size).map(|size| size.to_string()).unwrap_or_default();
    (role.to_string(), status.tier.word(), size)
}

fn device_row(world: &World, device: &Device, now: Moment) -> DeviceRow {
    let lease = device.macs.iter().flat_map(|mac| world.leases.of(*mac)).find(|lease| lease.holds(now));
    let hardware = &device.hardware;
    let arch = device.arch.map(|arch| arch.to_string());
    let what = [hardware.manufacturer.clone(), hardware.product.clone(), arch];
    let persona = match (&device.assigned, &device.installed) {
        (Some(assigned), _) => format!("{} (assigned)", assigned.persona),
        (None, Some(installed)) => format!("{} (installed)", installed.persona.name),
        (None, None) => String::new(),
    };
    DeviceRow {
        name: device.id.to_string(),
        address: lease.map(|lease| lease.ip.to_string()).unwrap_or_default(),
        what: what.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        persona: if device.armed.is_some() { format!("{persona} ⚠ armed") } else { persona },
        last: device.seen.map(|seen| format!("{} ago", now.since(seen.last))).unwrap_or_default(),
    }
}

fn boot_row(boot: &Boot, now: Moment) -> BootRow {
    BootRow {
        id: boot.id.to_string(),
        device: boot.device.to_string(),
        firmware: boot.firmware.to_string(),
        state: timeline::state(boot),
        reason: timeline::reason(boot),
        took: timeline::took(boot, now).to_string(),
        lines: timeline::lines(boot),
    }
}
