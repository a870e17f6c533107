//! `/`: the fleet at a glance. Every number is a link to what it counts.
//!
//! All of it comes from what is in memory: the attempts that the World keeps, the counters, the trainer's tally, and what was
//! counted over the devices (`census`).

mod care;
mod day;
mod step;

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use serde::Serialize;

use crate::{
    engine::trainer::Status,
    model::{Moment, image::Tier, timeline::Outcome},
};

use super::{
    Frame, Trouble, Visitor, Wants, Web,
    census::Sums,
    chart::{self, Chart},
    frame::Section,
};

use care::Care;
use step::FirstStep;

pub(super) use day::Day;

pub(super) fn routes() -> Router<Web> {
    Router::new().route("/", get(page))
}

/// What the overview shows.
#[derive(Debug, Serialize)]
struct View {
    /// What the last day was: from when on attempts are counted.
    since: Moment,
    /// When the oldest attempt began that is kept, when the day has more than are kept.
    cut: Option<Moment>,
    /// What is to be done first, on a daemon that has nothing yet.
    first_steps: Vec<FirstStep>,
    /// Boots.
    boots: Vec<Figure>,
    /// Devices.
    fleet: Vec<Figure>,
    /// What staging and predictions are good for.
    foresight: Vec<Figure>,
    /// What somebody should look at.
    care: Vec<Care>,
    /// Boots by hour.
    hours: Chart,
    /// Bytes by tier.
    served: Chart,
    /// How full the cache is.
    tiers: Chart,
}

/// A number, and where it leads.
#[derive(Debug, Serialize)]
struct Figure {
    /// What is counted.
    name: &'static str,
    /// The number, for people.
    shown: String,
    /// The number, when it is one.
    count: Option<u64>,
    /// What there is to add.
    note: String,
    /// The page that lists what was counted.
    link: &'static str,
    /// Whether it is bad news.
    bad: bool,
}

#[derive(Template)]
#[template(path = "html/overview.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

async fn page(State(web): State<Web>, wants: Wants, _visitor: Visitor, frame: Frame) -> Result<Response, Trouble> {
    let (context, sums) = (&web.context, web.count().await?);
    let world = context.engine.world();
    let day = Day::of(&world, frame.now);
    let status = context.trainer.status();
    let view = View {
        since: day.since,
        cut: day.cut,
        first_steps: step::first_steps(context),
        boots: boots(&day),
        fleet: fleet(&sums),
        foresight: foresight(&day, &status, &sums),
        care: care::care(context),
        hours: day.chart(),
        served: day.served(),
        tiers: super::image::tiers(context),
    };
    wants.answer(&view, || Page { frame: frame.titled(Section::Overview, "Overview"), view: &view })
}

fn counted(name: &'static str, count: u64, link: &'static str, note: impl Into<String>) -> Figure {
    Figure { name, shown: count.to_string(), count: Some(count), note: note.into(), link, bad: false }
}

fn boots(day: &Day) -> Vec<Figure> {
    let count = |outcome| day.count(outcome);
    let bad = |figure: Figure| Figure { bad: figure.count > Some(0), ..figure };
    vec![
        counted("booting now", day.under_way as u64, "/boots?state=under-way", ""),
        counted("ready", count(Outcome::Ready), "/boots?state=ready&since=1d", ""),
        counted("installed", count(Outcome::Installed), "/boots?state=installed&since=1d", ""),
        counted("local disk", count(Outcome::LocalDisk), "/boots?state=local-disk&since=1d", ""),
        bad(counted("stuck", count(Outcome::Stuck), "/boots?state=stuck&since=1d", "")),
        bad(counted("failed", count(Outcome::Failed), "/boots?state=failed&since=1d", "")),
        bad(counted("refused", count(Outcome::Refused), "/boots?state=refused&since=1d", "")),
    ]
}

fn fleet(sums: &Sums) -> Vec<Figure> {
    vec![
        counted("devices", sums.devices as u64, "/devices", "known here"),
        counted("seen", sums.seen as u64, "/devices?q=seen%3C1d", "in the last 24 h"),
        counted("armed", sums.armed as u64, "/devices?q=armed", "may be wiped at their next boot"),
        counted("proposals", sums.proposals() as u64, "/predictions/proposals", "wait for an answer"),
    ]
}

fn foresight(day: &Day, status: &Status, sums: &Sums) -> Vec<Figure> {
    let nothing = || "\u{2013}".to_owned();
    let staged = Figure {
        name: "files at hand",
        shown: day.staged.hit_rate().map_or_else(nothing, chart::percent),
        count: None,
        note: match day.staged.boots {
            0 => "no boot loaded a kernel in the last 24 h".into(),
            _ => format!("when {} boots asked; {} saved", day.staged.boots, day.staged.saved),
        },
        link: "/images#day",
        bad: false,
    };
    let lesson = status.lessons.last().filter(|lesson| lesson.held_out > 0);
    let right = Figure {
        name: "predictions right",
        shown: lesson.map_or_else(nothing, |lesson| chart::percent(lesson.used.top_1)),
        count: None,
        note: match lesson.map(|lesson| &lesson.plain) {
            None => "nothing was learned yet".into(),
            Some(None) => "at the first guess, when last tried".into(),
            Some(Some((name, score))) => {
                format!("at the first guess; {} by \u{201c}{name}\u{201d}", chart::percent(score.top_1))
            }
        },
        link: "/predictions",
        bad: false,
    };
    vec![staged, right, counted("predictions act", sums.acts() as u64, "/predictions#coverage", "for so many devices")]
}

/// The colour of a tier.
pub(super) const fn tier_class(tier: Tier) -> &'static str {
    match tier {
        Tier::Ram => "bar",
        Tier::Disk => "bar-3",
        Tier::Origin => "bar-2",
    }
}
