//! `/images/NAME`: one image, for whom it is staged, and what may be done with it.

use std::collections::BTreeSet;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::Serialize;

use crate::{
    model::{
        Bytes, DeviceId, Millis, Moment, PersonaName, Probability,
        image::{Image, ImageName, Tier},
    },
    serve::{Context, image},
};

use super::{Frame, Section, Trouble, Visitor, Wants, Web, row::Row};

/// For how many devices it is told that an image is staged.
const DEVICES: usize = 20;

/// How many personas are listed.
const PERSONAS: usize = 50;

#[derive(Debug, Serialize)]
struct View {
    /// The manifest.
    manifest: Image,
    /// Where its files are.
    row: Row,
    /// The personas that boot it: the first of how many.
    personas: Vec<PersonaName>,
    used_by: usize,
    /// The devices that are most likely to boot it within the horizon.
    devices: Vec<ForDevice>,
    /// The end of the horizon.
    until: Option<Moment>,
    /// How long its origins take for all of it, as far as that was measured.
    fetching: Millis,
}

/// A device that may boot it.
#[derive(Debug, Serialize)]
struct ForDevice {
    device: DeviceId,
    persona: PersonaName,
    probability: Probability,
    why: String,
}

#[derive(Template)]
#[template(path = "html/image/one.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

pub(super) async fn page(
    State(web): State<Web>,
    Path(name): Path<String>,
    wants: Wants,
    _visitor: Visitor,
    frame: Frame,
) -> Result<Response, Trouble> {
    let missing = Trouble::not_found("image", &name);
    let name: ImageName = name.parse().map_err(|_| missing.clone())?;
    let view = web.blocking(move |web| view(&web.context, &name).ok_or(missing)).await?;
    let title = view.row.name.to_string();
    wants.answer(&view, || Page { frame: frame.titled(Section::Images, title), view: &view })
}

fn view(context: &Context, name: &ImageName) -> Option<View> {
    let catalog = context.engine.ground().catalog.clone();
    let found = image::views(context, |image| image == name).into_iter().next()?;
    let manifest = found.image.clone();
    let using: Vec<&PersonaName> =
        catalog.personas().filter(|entry| entry.persona.image() == name).map(|entry| &entry.reference.name).collect();
    let wanting: BTreeSet<&PersonaName> = using.iter().copied().collect();
    let demand = context.outlook.get();
    let of = |row: &crate::predict::demand::Row| {
        let candidate = row.personas.iter().find(|candidate| wanting.contains(&candidate.persona))?;
        Some(ForDevice {
            device: row.device,
            persona: candidate.persona.clone(),
            probability: Probability::near(row.probability.get() * candidate.probability.get()),
            why: row.cause.to_string(),
        })
    };
    let measured = manifest.files.values().filter_map(|file| context.keeper.account(&file.sha256));
    let fetching = measured.map(|account| account.cost_seconds).sum::<f64>();
    Some(View {
        personas: using.iter().take(PERSONAS).map(|name| (*name).clone()).collect(),
        used_by: using.len(),
        devices: demand.rows.iter().filter_map(of).take(DEVICES).collect(),
        until: (demand.at > Moment::default()).then_some(demand.until),
        fetching: Millis((fetching * 1000.0) as u64),
        row: Row::of(context, found),
        manifest,
    })
}

impl View {
    /// The bytes of its files that a tier of the cache has.
    fn held(&self) -> Bytes {
        let held = self.row.files.iter().filter(|file| file.tier != Tier::Origin).filter_map(|file| file.len);
        Bytes(held.map(|len| len.0).sum())
    }

    /// How many of its files are only at their origins.
    fn cold(&self) -> usize {
        self.row.files.iter().filter(|file| file.tier == Tier::Origin).count()
    }

    fn is_pinned_to(&self, tier: &str) -> bool {
        self.row.pin.is_some_and(|pin| pin.name() == tier)
    }
}
