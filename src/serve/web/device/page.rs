//! `/devices/MAC`: all about one device.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::Serialize;

use crate::{
    model::{Device, MacAddr, Moment, Probability, Role, attribute::AttributeName, decision::Voice, timeline::Boot},
    serve::{
        admin::{self, DeviceView, ExplainAsk},
        explain::{Told, explained, script, told},
        predict::{Foreseen, Proposal, foreseen, proposal},
        staging::{StagedImage, staged_for},
    },
    usage::timeline,
};

use super::{
    super::{Frame, Trouble, Visitor, Wants, Web, boot, frame::Section, word::When},
    act::Outlook,
    history::{Deed, latest},
    ladder::{Rung, ladder},
    row::Row,
};

/// How many of its boots are shown.
const BOOTS: usize = 12;

/// What the page shows.
#[derive(Debug, Serialize)]
struct View {
    /// The port that was asked for, or the device's name.
    device: String,
    /// What is remembered of it, as the API and the command line have it.
    known: Option<DeviceView>,
    /// What the list shows of it.
    row: Option<Row>,
    /// When it was first seen.
    first: Option<When>,
    /// What its next boot makes of it.
    outlook: Outlook,
    /// Whose word counts: each that could name a persona, the strongest first.
    ladder: Vec<Rung>,
    /// What it would be answered if it booted now.
    answers: Vec<Told>,
    /// The script that it would get then.
    script: Option<String>,
    /// What is predicted.
    foreseen: Option<Foreseen>,
    /// What is proposed.
    proposal: Option<Proposal>,
    /// The reason that accepting it gives.
    accepted: Option<String>,
    /// What is staged for it.
    staged: Vec<StagedImage>,
    /// Its latest boots.
    boots: Vec<Attempt>,
    /// What people did about it.
    deeds: Vec<Deed>,
}

/// One of its boots.
#[derive(Debug, Serialize)]
struct Attempt {
    id: String,
    state: &'static str,
    tone: &'static str,
    reason: String,
    began: When,
    took: String,
}

impl Attempt {
    fn of(boot: &Boot, now: Moment) -> Self {
        let (state, tone) = (timeline::state(boot), boot::tone(boot));
        let (reason, took) = (timeline::reason(boot), timeline::took(boot, now).to_string());
        Self { id: boot.id.to_string(), state, tone, reason, began: When::of(boot.began, now), took }
    }
}

impl View {
    /// Another form of a time.
    fn when(&self, at: &Moment, now: &Moment) -> When {
        When::of(*at, *now)
    }

    /// Whether something speaks against a candidate.
    fn is_against(&self, weight: &f64) -> bool {
        *weight < 0.0
    }

    /// Whether the device itself says so, whatever its user does.
    fn says(&self, name: &AttributeName) -> bool {
        self.known.as_ref().is_some_and(|known| known.device.attributes.contains_key(name))
    }

    /// Who named a persona, in a word.
    fn voice(&self, voice: &Voice) -> &'static str {
        match voice {
            Voice::Assigned => "assigned",
            Voice::Rule => "a rule",
            Voice::Experiment => "an experiment",
            Voice::Predicted => "predicted",
            Voice::Default => "the default",
        }
    }

    fn probability(&self, share: &f64) -> Probability {
        Probability::near(*share)
    }

    fn signed(&self, weight: &f64) -> String {
        format!("{weight:+.1}")
    }

    fn hindrances(&self, foreseen: &Foreseen) -> String {
        foreseen.hindrances.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

#[derive(Template)]
#[template(path = "html/device.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

pub(super) async fn page(
    State(web): State<Web>,
    wants: Wants,
    visitor: Visitor,
    Path(mac): Path<String>,
    frame: Frame,
) -> Result<Response, Trouble> {
    let mac = super::named(&mac)?;
    let foreseen = foreseen(&web.context, mac).await;
    let view = web.blocking(move |web| Ok(view(web, &visitor, mac, foreseen))).await?;
    let title = view.row.as_ref().and_then(|row| row.hostname.clone()).unwrap_or_else(|| view.device.clone());
    wants.answer(&view, || Page { frame: frame.titled(Section::Devices, title), view: &view })
}

fn view(web: &Web, visitor: &Visitor, mac: MacAddr, foreseen: Option<Foreseen>) -> View {
    let context = &web.context;
    let (world, ground, now) = (context.engine.world(), context.engine.ground(), (context.clock)());
    let known = world.device_of(mac);
    let stranger = Device::new(mac);
    let device = known.unwrap_or(&stranger);
    let explained = explained(context, &ExplainAsk { mac, arch: None, firmware: None });
    let proposal = known.and_then(|device| proposal(&world, &ground, device, now));
    let boots = world.recent_boots().filter(|boot| boot.device == device.id).take(BOOTS);
    let deeds = match known {
        Some(device) if visitor.role >= Role::Admin => latest(web, device.id, visitor, now),
        _ => vec![],
    };
    View {
        device: device.id.to_string(),
        known: known.map(|device| admin::view(context, device)),
        row: known.map(|device| Row::of(&world, &ground, device, now)),
        first: device.seen.map(|seen| When::of(seen.first, now)),
        outlook: Outlook::of(&world, &ground, device, now),
        ladder: ladder(&world, &ground, device, foreseen.as_ref(), now),
        answers: explained.as_ref().map(told).unwrap_or_default(),
        script: explained.as_ref().and_then(script),
        foreseen,
        accepted: proposal.as_ref().map(|proposal| crate::usage::quality::accepted_why(proposal.probability)),
        proposal,
        staged: staged_for(context, device.id),
        boots: boots.map(|boot| Attempt::of(boot, now)).collect(),
        deeds,
    }
}
