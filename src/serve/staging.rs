//! What is staged for whom and why: the step that says how an attempt found its files, and the admin's view of all of it.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Query, State},
    routing::get,
};
use serde::{Deserialize, Serialize};

use crate::{
    images::{Hold, keeper::Staged},
    model::{
        BootId, Bytes, DeviceId, Digest, Moment, PersonaName, Probability,
        image::{Image, ImageName, Role, Tier},
        plan::{Action, BootPlan},
        staged::{Because, StagedFile},
        timeline::Step,
    },
    predict::demand::{Cause, Demand, Row},
    usage::staging::{Report, report},
    world::Ground,
};

use super::{Context, cache::tell_keeper, context::lock};

/// What is expected now: the stager replaces it as a whole.
#[derive(Debug, Default)]
pub struct Outlook(Mutex<Arc<Demand>>);

impl Outlook {
    /// Replaces it.
    pub fn set(&self, demand: Demand) {
        *lock(&self.0) = Arc::new(demand);
    }

    /// What is expected now.
    pub fn get(&self) -> Arc<Demand> {
        lock(&self.0).clone()
    }
}

/// Notes how an attempt finds its files, at the moment in which its script goes out: the device asks for them next.
pub(super) fn note(context: &Context, boot: BootId, plan: &BootPlan, peer: IpAddr) {
    let Action::Kernel(kernel) = &plan.action else { return };
    let files = kernel.files.iter().map(|file| {
        let found = context.keeper.found(&file.digest, file.size);
        context.metrics.staged(found.because);
        StagedFile {
            role: file.role,
            digest: file.digest,
            len: found.len,
            tier: found.tier,
            because: found.because,
            lead: found.lead,
            coming: found.coming,
            origin: found.origin,
        }
    });
    context.engine.note(boot, Step::Staged { files: files.collect() }, peer);
}

/// How much shall be told.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct StageAsk {
    /// At most so many devices of each image; all when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<usize>,
}

/// What is staged for whom, and what it was good for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StageStatus {
    /// When demand was last reckoned; `None` before the first time.
    pub at: Option<Moment>,
    /// The end of the horizon.
    pub until: Moment,
    /// How many devices are expected to boot within it.
    pub boots: f64,
    /// The share of devices that boot at such an hour.
    pub rate: f64,
    /// The images, the most wanted first.
    pub images: Vec<StagedImage>,
    /// Why the keeper gives way at the moment, if it does.
    pub hold: Option<Hold>,
    /// What was moved ahead since the start.
    pub moved: Staged,
    /// How the latest attempts found their files.
    pub found: Report,
}

/// One image.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StagedImage {
    /// Which.
    pub image: ImageName,
    /// How many boots of it are expected within the horizon.
    pub boots: f64,
    /// Where its files are.
    pub files: BTreeMap<Role, FileView>,
    /// For whom, the most probable first.
    pub devices: Vec<ForDevice>,
    /// How many devices may want it, in all.
    pub likely: usize,
}

/// One file of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileView {
    /// Which blob.
    pub digest: Digest,
    /// The nearest tier that has all of it.
    pub tier: Tier,
    /// Its length, when anybody knows it.
    pub len: Option<Bytes>,
    /// How often it is expected to be asked for within the horizon.
    pub asks: f64,
    /// Why it is there, or is not.
    pub because: Because,
    /// How much of it has come, when it is on its way.
    pub coming: Option<Bytes>,
}

/// A device that an image is staged for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ForDevice {
    /// Which.
    pub device: DeviceId,
    /// How probable it is that it boots this image within the horizon.
    pub probability: Probability,
    /// The persona that it becomes then.
    pub persona: PersonaName,
    /// What makes it likely to boot.
    pub cause: Cause,
    /// The same in words.
    pub why: String,
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/stage", get(status))
}

async fn status(State(context): State<Context>, Query(ask): Query<StageAsk>) -> Json<StageStatus> {
    tell_keeper(&context);
    let (demand, world, ground) = (context.outlook.get(), context.engine.world(), context.engine.ground());
    let mut devices: BTreeMap<&ImageName, Vec<ForDevice>> = BTreeMap::new();
    for row in &demand.rows {
        for (image, device) in wanted(row, |persona| image_of(&ground, persona)) {
            devices.entry(image).or_default().push(device);
        }
    }
    let mut images: Vec<StagedImage> = ground
        .catalog
        .images()
        .map(|image| view(&context, &demand, image, devices.remove(&image.name).unwrap_or_default(), ask.top))
        .collect();
    images.sort_by(|a, b| b.boots.total_cmp(&a.boots).then(a.image.cmp(&b.image)));
    Json(StageStatus {
        at: (demand.at > Moment::default()).then_some(demand.at),
        until: demand.until,
        boots: demand.boots,
        rate: demand.rate,
        images,
        hold: context.images.hold(),
        moved: context.keeper.staged(),
        found: report(world.recent_boots()),
    })
}

/// What is staged for one device, the most probable image first, and where its files are.
pub(super) fn staged_for(context: &Context, device: DeviceId) -> Vec<StagedImage> {
    let (demand, ground) = (context.outlook.get(), context.engine.ground());
    let Some(row) = demand.rows.iter().find(|row| row.device == device) else { return vec![] };
    let mut images: BTreeMap<&ImageName, Vec<ForDevice>> = BTreeMap::new();
    for (image, device) in wanted(row, |persona| image_of(&ground, persona)) {
        images.entry(image).or_default().push(device);
    }
    let known = images.into_iter().filter_map(|(name, devices)| Some((ground.catalog.image(name)?, devices)));
    let mut staged: Vec<_> = known.map(|(image, devices)| view(context, &demand, image, devices, None)).collect();
    staged.sort_by(|a, b| b.boots.total_cmp(&a.boots).then(a.image.cmp(&b.image)));
    staged
}

/// The image of a persona, or of the one that takes its place.
fn image_of<'a>(ground: &'a Ground, persona: &PersonaName) -> Option<&'a ImageName> {
    let entry = ground.catalog.persona(persona).or_else(|| ground.catalog.successor(persona));
    entry.and_then(|entry| ground.catalog.image(entry.persona.image())).map(|image| &image.name)
}

/// Which images a device may want.
fn wanted<'a>(
    row: &'a Row,
    image: impl Fn(&PersonaName) -> Option<&'a ImageName> + 'a,
) -> impl Iterator<Item = (&'a ImageName, ForDevice)> {
    row.personas.iter().filter_map(move |candidate| {
        let probability = Probability::near(row.probability.get() * candidate.probability.get());
        let (persona, cause, why) = (candidate.persona.clone(), row.cause.clone(), row.cause.to_string());
        Some((image(&candidate.persona)?, ForDevice { device: row.device, probability, persona, cause, why }))
    })
}

fn view(
    context: &Context,
    demand: &Demand,
    image: &Image,
    mut devices: Vec<ForDevice>,
    top: Option<usize>,
) -> StagedImage {
    devices.sort_by(|a, b| b.probability.cmp(&a.probability).then(a.device.cmp(&b.device)));
    let (boots, likely) = (devices.iter().map(|one| one.probability.get()).sum(), devices.len());
    devices.truncate(top.unwrap_or(usize::MAX));
    let files = image.files.iter().map(|(role, file)| {
        let found = context.keeper.found(&file.sha256, file.size);
        let asks = demand.asks.get(&file.sha256).copied().unwrap_or_default();
        let (tier, len, because, coming) = (found.tier, found.len, found.because, found.coming);
        (*role, FileView { digest: file.sha256, tier, len, asks, because, coming })
    });
    StagedImage { image: image.name.clone(), boots, files: files.collect(), devices, likely }
}
