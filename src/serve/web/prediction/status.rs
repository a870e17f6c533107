//! `/predictions`: how predictions stand.

use askama::Template;
use axum::{extract::State, response::Response};
use serde::Serialize;

use crate::{
    model::{Moment, site::ArmPredicted},
    predict::Score,
    serve::{
        predict::{Standings, standings},
        web::chart::{Chart, percent},
    },
};

use super::{
    Frame, Section, Trouble, Visitor, Wants, Web, figure,
    proposal::{self, Row},
};

/// How many proposals are shown beside all else.
const PROPOSALS: usize = 5;

/// How many lessons the log shows.
const LESSONS: usize = 12;

#[derive(Debug, Serialize)]
struct View {
    #[serde(flatten)]
    standings: Standings,
    /// Whether the predictions are too old to be used.
    stale: bool,
    /// How many proposals wait, and the surest.
    waiting: usize,
    proposals: Vec<Row>,
    /// For how many devices predictions act.
    coverage: Chart,
    /// Quality from lesson to lesson.
    by_lesson: Option<Chart>,
    calibration: Option<Chart>,
    confusion: Option<Chart>,
    held: Option<Chart>,
    #[serde(skip)]
    now: Moment,
}

#[derive(Template)]
#[template(path = "html/prediction/status.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

pub(super) async fn page(
    State(web): State<Web>,
    wants: Wants,
    _visitor: Visitor,
    frame: Frame,
) -> Result<Response, Trouble> {
    let sums = web.count().await?;
    let standings = standings(&web.context);
    let status = &standings.status;
    let view = View {
        stale: standings.until.is_some_and(|until| until < frame.now),
        waiting: sums.proposals(),
        proposals: proposal::rows(&web, &sums, 0, PROPOSALS),
        coverage: figure::coverage(&sums),
        by_lesson: figure::lessons(&status.lessons),
        calibration: figure::calibration(status),
        confusion: figure::confusion(status),
        held: figure::days(&status.by_day, &status.quality),
        now: frame.now,
        standings,
    };
    wants.answer(&view, || Page { frame: frame.titled(Section::Predictions, "Predictions"), view: &view })
}

impl View {
    /// What there is to say of what predicts, by name.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let (status, policy, now) = (&self.standings.status, &self.standings.policy, self.now);
        let mut facts = vec![];
        match &status.in_use {
            None => facts.push(("in use", "nothing yet".into())),
            Some(version) => {
                let age = now.since(version.trained);
                facts.push(("in use", format!("{}, trained {age} ago on {} examples", version.name, version.examples)));
                facts.push(("because", version.report.why.clone()));
                facts.extend(version.tempered.clone().map(|tempered| ("tempered", tempered)));
            }
        }
        facts.push((
            "predicts",
            format!("{} devices; {} predictions made since the start", self.standings.devices, status.made),
        ));
        facts.push(("examples", format!("{}, {} of them new", status.examples, status.new_examples)));
        let next = match (&status.learning, status.next) {
            (Some((since, done)), _) => format!("now, for {}: {:.0} %", now.since(*since), 100.0 * done),
            (None, Some(next)) if status.new_examples > 0 && next > now => format!("in {}", next.since(now)),
            (None, Some(_)) if status.new_examples > 0 => "at once".into(),
            (None, _) => "when something new is known".into(),
        };
        facts.push(("next lesson", next));
        let arm = match policy.arm {
            ArmPredicted::Never => "wipe no disk",
            ArmPredicted::NewDevices => "wipe the disks of devices that were never installed",
        };
        facts.push((
            "may",
            match policy.choose {
                false => "warm the cache and be proposed, nothing else".into(),
                true => format!("act from {} on, be proposed from {} on, {arm}", policy.act(), policy.propose),
            },
        ));
        facts
    }

    /// The same of those that were tried beside it.
    fn tried(&self) -> Vec<(&str, bool, &Score)> {
        let entries = self.standings.status.in_use.iter().flat_map(|version| &version.report.entries);
        entries.map(|entry| (entry.name.as_str(), entry.in_use, &entry.score)).collect()
    }

    /// What it goes by.
    fn weighs(&self) -> Vec<(&str, String, String)> {
        let weighs = self.standings.status.in_use.iter().flat_map(|version| &version.weighs);
        // A bar of so many hundredths: the attribute of an SVG.
        let shown = weighs.filter(|(_, part)| *part >= 0.005);
        shown.map(|(name, part)| (name.as_str(), percent(*part), format!("{:.1}", 100.0 * part))).collect()
    }

    /// The latest lessons, the newest first.
    fn log(&self) -> impl Iterator<Item = &crate::engine::trainer::Taught> {
        self.standings.status.lessons.iter().rev().take(LESSONS)
    }

    fn share(share: &f64) -> String {
        percent(*share)
    }
}
