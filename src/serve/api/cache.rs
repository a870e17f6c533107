//! `/cache`: what the image cache holds, and what an operator wants in it.

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::{extract::State, http::StatusCode, response::NoContent};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    model::{
        Digest,
        command::PinImage,
        image::{ImageName, Tier},
        reply::Reply,
        request::Request,
    },
    serve::cache::{self, Evicted, TierView},
};

use super::{
    Api,
    ask::{Named, Sent},
    caller::{CacheWrite, Caller, Read},
    page::{Limit, Page},
    problem::{Kind, Problem},
    shape,
    tag::Tagged,
};

/// What the cache holds and has done since the start.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Cache")]
struct CacheView {
    /// The tiers, the nearest first.
    tiers: Vec<TierRow>,
    /// Bytes that origins gave.
    origin_bytes: u64,
    /// Fetches begun.
    fills: u64,
    /// Fetches that failed.
    failures: u64,
    /// What is being fetched: `IMAGE/ROLE`.
    coming: Vec<String>,
    /// Steps that the keeper would take now.
    planned: usize,
}

/// A tier.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Tier")]
struct TierRow {
    /// Which.
    tier: TierName,
    /// How many bytes it takes; the origin has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// How many it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<u64>,
    /// How many blobs.
    #[serde(skip_serializing_if = "Option::is_none")]
    blobs: Option<usize>,
    /// How many asks found their blob there.
    hits: u64,
    /// How many bytes readers took of these.
    served: u64,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum TierName {
    /// Memory.
    Ram,
    /// The disk.
    Disk,
    /// Where images come from.
    Origin,
}

/// A tier that an image can be pinned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum PinTier {
    /// In memory, and on disk.
    Ram,
    /// On disk; in memory when it is asked for.
    Disk,
}

impl From<Tier> for TierName {
    fn from(tier: Tier) -> Self {
        match tier {
            Tier::Ram => Self::Ram,
            Tier::Disk => Self::Disk,
            Tier::Origin => Self::Origin,
        }
    }
}

/// An image that stays in the cache.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Pin")]
struct PinView {
    /// Which.
    #[schemars(with = "shape::Name")]
    image: ImageName,
    /// Where.
    tier: PinTier,
}

/// Where an image shall stay.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PinSaid {
    /// Which tier.
    tier: PinTier,
}

/// What shall leave the cache.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EvictSaid {
    /// `IMAGE`, `IMAGE/ROLE`, or a digest or its beginning.
    of: String,
    /// Out of memory only.
    #[serde(default)]
    only_ram: bool,
}

/// What became of what should leave.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Evictions")]
struct EvictionsView {
    /// Each blob.
    blobs: Vec<EvictionView>,
}

/// What became of one blob.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Eviction")]
struct EvictionView {
    /// Which.
    #[schemars(with = "shape::DigestText")]
    digest: Digest,
    /// What it is called.
    name: String,
    /// The bytes that came free.
    freed: u64,
    /// Why it stays, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Which {
    /// The name of the image.
    #[schemars(with = "shape::Name")]
    image: ImageName,
}

pub(super) fn routes() -> ApiRouter<Api> {
    let status = get_with(status, |op| op.id("getCache").tag("cache").summary("See what the image cache holds"));
    let pins = get_with(pins, |op| op.id("listPins").tag("cache").summary("List pinned images"));
    let pin = get_with(pin, |op| op.id("getPin").tag("cache").summary("See where an image is pinned"))
        .put_with(put, |op| {
            op.id("pinImage")
                .tag("cache")
                .summary("Pin an image")
                .description("Its files are fetched soon, and stay whatever else is asked for.")
                .response::<201, Tagged<PinView>>()
        })
        .delete_with(delete, |op| op.id("unpinImage").tag("cache").summary("Take a pin back"));
    let evict = post_with(evict, |op| {
        op.id("evict").tag("cache").summary("Evict image files").description(
            "What is being read, or is pinned, stays: `kept` says why. What is evicted comes back when it is asked for.",
        )
    });
    ApiRouter::new()
        .api_route("/cache", status)
        .api_route("/cache/pins", pins)
        .api_route("/cache/pins/{image}", pin)
        .api_route("/cache/evictions", evict)
}

async fn status(_: Caller<Read>, State(api): State<Api>) -> Tagged<CacheView> {
    let status = cache::status_now(&api.context);
    let row = |tier: &TierView| TierRow {
        tier: tier.tier.into(),
        size: tier.size.map(|size| size.0),
        held: tier.held.map(|held| held.0),
        blobs: tier.blobs,
        hits: tier.hits,
        served: tier.served.0,
    };
    Tagged::new(CacheView {
        tiers: status.tiers.iter().map(row).collect(),
        origin_bytes: status.origin.bytes.0,
        fills: status.origin.fills,
        failures: status.origin.failures,
        coming: status.coming.into_iter().map(|coming| coming.name).collect(),
        planned: status.keeper.planned,
    })
}

fn view(image: &ImageName, tier: Tier) -> PinView {
    PinView { image: image.clone(), tier: if tier == Tier::Ram { PinTier::Ram } else { PinTier::Disk } }
}

/// Pins are few: they are one page.
async fn pins(_: Caller<Read>, State(api): State<Api>) -> Page<PinView> {
    let world = api.context.engine.world();
    Page::of(world.pins.iter(), Limit(usize::MAX), |(image, _)| image.to_string(), |(image, tier)| view(image, *tier))
}

fn now(api: &Api, image: &ImageName) -> Result<Tagged<PinView>, Problem> {
    let world = api.context.engine.world();
    let tier = world.pins.get(image).ok_or_else(|| Problem::not_found(format!("image {image} is not pinned")))?;
    Ok(Tagged::new(view(image, *tier)))
}

async fn pin(_: Caller<Read>, State(api): State<Api>, Named(which): Named<Which>) -> Result<Tagged<PinView>, Problem> {
    now(&api, &which.image)
}

async fn put(
    caller: Caller<CacheWrite>,
    State(api): State<Api>,
    Named(Which { image }): Named<Which>,
    said: Sent<PinSaid>,
) -> Result<Tagged<PinView>, Problem> {
    let tier = if said.value.tier == PinTier::Ram { Tier::Ram } else { Tier::Disk };
    let before = api.context.engine.world().pins.contains_key(&image);
    order(&api, PinImage { image: image.clone(), tier, by: caller.voice() }).await?;
    Ok(now(&api, &image)?.created(!before))
}

async fn delete(
    caller: Caller<CacheWrite>,
    State(api): State<Api>,
    Named(Which { image }): Named<Which>,
) -> Result<NoContent, Problem> {
    order(&api, PinImage { image, tier: Tier::Origin, by: caller.voice() }).await?;
    Ok(NoContent)
}

async fn order(api: &Api, order: PinImage) -> Result<(), Problem> {
    api.context.catch_up().await;
    let reply = api.context.engine.ask(Request::Pin(order)).await?;
    cache::tell_keeper(&api.context);
    api.context.keeper.wake();
    match reply {
        Reply::Rejected(rejection) => Err(Problem::rejected(&rejection)),
        _ => Ok(()),
    }
}

async fn evict(
    caller: Caller<CacheWrite>,
    State(api): State<Api>,
    said: Sent<EvictSaid>,
) -> Result<Tagged<EvictionsView>, Problem> {
    let found = cache::meant(&api.context, &said.value.of).await.map_err(|(status, words)| {
        let kind = if status == StatusCode::NOT_FOUND { Kind::NotFound } else { Kind::Invalid };
        Problem::new(kind, words).field("/of", None)
    })?;
    let view = |one: Evicted| EvictionView { digest: one.digest, name: one.name, freed: one.freed.0, kept: one.kept };
    let evicted = cache::evicted(&api.context, &found, said.value.only_ram, &caller.voice()).await;
    Ok(Tagged::new(EvictionsView { blobs: evicted.into_iter().map(view).collect() }))
}
