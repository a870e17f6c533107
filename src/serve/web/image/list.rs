//! `/images`: the tiers, the images, what comes, and what the keeper does next.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::{Deserialize, Serialize};

use crate::{
    model::{Millis, Moment},
    serve::{
        Context,
        cache::{self, CacheStatus, ComingView, PlanView},
        image,
    },
};

use super::{Frame, Section, Trouble, Visitor, Wants, Web, row::Row, tiers};
use crate::serve::web::{
    chart::{Chart, percent},
    overview::Day,
    word::encoded,
};

/// How many images a page lists.
const A_PAGE: usize = 50;

/// How many of the keeper's steps are listed.
const STEPS: usize = 20;

/// What of the list is wanted.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Ask {
    /// The page, from 1.
    #[serde(default)]
    page: usize,
    /// What the image's name or description has in it.
    #[serde(default)]
    q: String,
}

#[derive(Debug, Serialize)]
struct View {
    /// What is looked for.
    q: String,
    /// The page, from 1, of how many.
    page: usize,
    pages: usize,
    /// How many images there are in all.
    images: usize,
    /// The images of this page.
    rows: Vec<Row>,
    /// What the cache holds and has done since the start.
    cache: CacheStatus,
    /// What is on its way.
    coming: Vec<Coming>,
    /// What the keeper would do now.
    plan: PlanView,
    /// When demand was last reckoned, and for until when.
    horizon: Option<(Moment, Moment)>,
    /// How many boots are expected until then.
    expected: f64,
    /// Blobs that nothing names, and what they take.
    unnamed: usize,
    /// How full the tiers are.
    tiers: Chart,
    /// The last 24 hours.
    day: Found,
}

/// How the boots of a day found their files.
#[derive(Debug, Serialize)]
struct Found {
    /// The share of files that were at hand when they were asked for, for people; nothing when none was.
    at_hand: Option<String>,
    /// The same in a sentence, with why they were.
    told: Option<String>,
    /// The bytes that were sent, by where they were.
    served: Chart,
}

/// A fill under way.
#[derive(Debug, Serialize)]
struct Coming {
    #[serde(flatten)]
    view: ComingView,
    /// How much longer it takes at the rate so far.
    left: Option<Millis>,
}

#[derive(Template)]
#[template(path = "html/image/list.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

pub(super) async fn page(
    State(web): State<Web>,
    Query(ask): Query<Ask>,
    wants: Wants,
    _visitor: Visitor,
    frame: Frame,
) -> Result<Response, Trouble> {
    // The room that files take is read from the disk's index.
    let view = web.blocking(move |web| Ok(view(&web.context, ask))).await?;
    wants.answer(&view, || Page { frame: frame.titled(Section::Images, "Images"), view: &view })
}

fn view(context: &Context, ask: Ask) -> View {
    let day = Day::of(&context.engine.world(), (context.clock)());
    let catalog = context.engine.ground().catalog.clone();
    let wanted = ask.q.trim().to_lowercase();
    let fits = |name: &str, description: &str| {
        wanted.is_empty() || name.contains(&wanted) || description.to_lowercase().contains(&wanted)
    };
    let found: Vec<_> = catalog.images().filter(|image| fits(&image.name.to_string(), &image.description)).collect();
    let pages = found.len().div_ceil(A_PAGE).max(1);
    let page = ask.page.clamp(1, pages);
    let names: Vec<_> = found.iter().skip((page - 1) * A_PAGE).take(A_PAGE).map(|image| &image.name).collect();
    let cache = cache::status_now(context);
    let rows = image::views(context, |name| names.contains(&name));
    let rows = rows.into_iter().map(|view| Row::of(context, view)).collect();
    let mut plan = cache::plan_now(context);
    plan.steps.truncate(STEPS);
    let demand = context.outlook.get();
    View {
        q: ask.q,
        page,
        pages,
        images: found.len(),
        rows,
        coming: cache.coming.iter().cloned().map(coming).collect(),
        cache,
        plan,
        horizon: (demand.at > Moment::default()).then_some((demand.at, demand.until)),
        expected: demand.boots,
        unnamed: crate::serve::gc::unnamed(context).len(),
        tiers: tiers(context),
        day: Found { at_hand: day.staged.hit_rate().map(percent), told: day.staged.told(), served: day.served() },
    }
}

fn coming(view: ComingView) -> Coming {
    let coming = &view.coming;
    let left = coming.len.filter(|_| coming.rate.0 > 0).map(|len| {
        let left = u128::from(len.0.saturating_sub(coming.arrived.0)) * 1000 / u128::from(coming.rate.0);
        Millis(u64::try_from(left).unwrap_or(u64::MAX))
    });
    Coming { left, view }
}

impl View {
    fn before(&self) -> Option<usize> {
        (self.page > 1).then(|| self.page - 1)
    }

    fn after(&self) -> Option<usize> {
        (self.page < self.pages).then(|| self.page + 1)
    }

    /// The search as a query has it.
    fn query(&self) -> String {
        encoded(&self.q)
    }

    /// The share of all asks that found their file in a tier.
    fn share(&self, hits: &u64) -> String {
        match self.cache.tiers.iter().map(|tier| tier.hits).sum::<u64>() {
            0 => "\u{2013}".into(),
            all => percent(*hits as f64 / all as f64),
        }
    }
}
