//! `/predictions/proposals`: what is sure enough to be proposed and may not act, to be accepted or declined.
//!
//! Whoever answers sees the consequence first, on a page of its own. The answer names the persona and the state of the device
//! that were seen there: what has changed meanwhile is left alone, and said.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use serde::Serialize;

use crate::{
    model::{
        DeviceId, Effect, MacAddr, PersonaName, Probability, Role,
        command::{Line, Order},
    },
    serve::predict::{self, Proposal},
    usage::quality::accepted_why,
};

use super::{Frame, Notice, Section, Trouble, Visitor, Wants, Web};
use crate::serve::web::{census::Sums, order::Fields};

/// How many proposals a page has, and how many are answered at once.
const A_PAGE: usize = 50;

/// One proposal.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    /// For which device.
    pub(super) device: DeviceId,
    /// What people call it, if they do.
    pub(super) user: Option<String>,
    /// What is proposed.
    pub(super) persona: PersonaName,
    /// How probable it is.
    pub(super) probability: Probability,
    /// Whether it wipes the disk.
    pub(super) wipes: bool,
    /// Why it does not act by itself.
    pub(super) why: String,
    /// The number of the device's last change.
    pub(super) changed: u64,
}

impl Row {
    fn of(web: &Web, device: DeviceId) -> Option<Self> {
        let context = &web.context;
        let (world, ground) = (context.engine.world(), context.engine.ground());
        let known = world.devices.get(&device)?;
        let Proposal { persona, probability, effect, hindrances, .. } =
            predict::proposal(&world, &ground, known, (context.clock)())?;
        let why: Vec<String> = hindrances.iter().map(ToString::to_string).collect();
        Some(Self {
            device,
            user: world.attribute(known, crate::model::attribute::USER).map(ToString::to_string),
            persona,
            probability,
            wipes: effect == Effect::Destructive,
            why: why.join("; "),
            changed: known.changed,
        })
    }

    /// What an answer says of it.
    pub(super) fn said(&self) -> String {
        format!("{} {} {}", self.device, self.persona, self.changed)
    }

    /// What comes of accepting it.
    fn consequence(&self) -> String {
        match self.wipes {
            true => format!(
                "{} is assigned {}. That wipes its disk, and happens only once the device is armed.",
                self.device, self.persona
            ),
            false => format!("{} becomes {} at its next boot. Its disk stays as it is.", self.device, self.persona),
        }
    }
}

/// Those that still hold, of the surest ones from a place on.
pub(super) fn rows(web: &Web, sums: &Sums, from: usize, most: usize) -> Vec<Row> {
    sums.proposed().skip(from).take(most).filter_map(|device| Row::of(web, device)).collect()
}

#[derive(Debug, Serialize)]
struct View {
    /// How many there are.
    waiting: usize,
    /// The page, from 1, of how many.
    page: usize,
    pages: usize,
    /// Those of this page.
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "html/prediction/proposals.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

pub(super) async fn page(
    State(web): State<Web>,
    RawQuery(query): RawQuery,
    wants: Wants,
    _visitor: Visitor,
    frame: Frame,
) -> Result<Response, Trouble> {
    let sums = web.count().await?;
    let pages = sums.proposals().div_ceil(A_PAGE).max(1);
    let page = Fields::of(query.unwrap_or_default().as_bytes()).read::<usize>("page")?.unwrap_or(1).clamp(1, pages);
    let rows = rows(&web, &sums, (page - 1) * A_PAGE, A_PAGE);
    let view = View { waiting: sums.proposals(), page, pages, rows };
    wants.answer(&view, || Page { frame: frame.titled(Section::Predictions, "Proposals"), view: &view })
}

impl View {
    fn before(&self) -> Option<usize> {
        (self.page > 1).then(|| self.page - 1)
    }

    fn after(&self) -> Option<usize> {
        (self.page < self.pages).then(|| self.page + 1)
    }
}

/// What is answered, and how.
#[derive(Debug, Serialize)]
struct Answer {
    /// Whether they are accepted; else they are declined.
    accept: bool,
    /// Those that are proposed still.
    rows: Vec<Row>,
    /// What was asked for and is not proposed any more.
    gone: Vec<String>,
}

#[derive(Template)]
#[template(path = "html/prediction/answer.html", config = ".askama.toml")]
struct AnswerPage<'a> {
    frame: Frame,
    view: &'a Answer,
}

impl Answer {
    fn of(web: &Web, fields: &Fields) -> Result<Self, Trouble> {
        let accept = match fields.need("answer")? {
            "accept" => true,
            "decline" => false,
            other => return Err(Trouble::bad(format!("{other} is no answer"), "Accept or decline.")),
        };
        let (mut rows, mut gone) = (vec![], vec![]);
        for said in fields.all("proposal").take(A_PAGE) {
            let device = said.split(' ').next().and_then(|mac| mac.parse::<MacAddr>().ok());
            match device.and_then(|mac| Row::of(web, DeviceId::new(mac))).filter(|row| row.said() == said) {
                Some(row) => rows.push(row),
                None => gone.push(said.rsplit_once(' ').map_or(said, |(shown, _)| shown).to_owned()),
            }
        }
        if rows.is_empty() && gone.is_empty() {
            return Err(Trouble::bad("no proposal is chosen", "Go back, and tick some."));
        }
        Ok(Self { accept, rows, gone })
    }

    /// How many of them would wipe a disk.
    fn wiping(&self) -> usize {
        self.rows.iter().filter(|row| row.wipes).count()
    }
}

/// `GET /predictions/proposals/answer`: what would come of it.
pub(super) async fn confirm(
    State(web): State<Web>,
    RawQuery(query): RawQuery,
    wants: Wants,
    visitor: Visitor,
    frame: Frame,
) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let view = Answer::of(&web, &Fields::of(query.unwrap_or_default().as_bytes()))?;
    let title = if view.accept { "Accept proposals" } else { "Decline proposals" };
    wants.answer(&view, || AnswerPage { frame: frame.titled(Section::Predictions, title), view: &view })
}

/// `POST /predictions/proposals/answer`: does it, all or nothing.
pub(super) async fn answer(State(web): State<Web>, visitor: Visitor, fields: Fields) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let Answer { accept, rows, gone } = Answer::of(&web, &fields)?;
    let arm = fields.get("arm").is_some();
    let line = |row: &Row| Line::Device {
        mac: row.device.mac(),
        expects: Some(row.changed),
        order: match accept {
            true => Order::AssignPersona {
                persona: row.persona.clone(),
                arm: arm && row.wipes,
                not_before: None,
                expires: None,
                why: Some(accepted_why(row.probability)),
            },
            false => Order::DeclineProposal { persona: row.persona.clone() },
        },
    };
    if !rows.is_empty() {
        web.order(&visitor, rows.iter().map(line).collect()).await?;
    }
    let left = match gone.len() {
        0 => String::new(),
        _ => format!(" No longer proposed, and left alone: {}.", gone.join(", ")),
    };
    let what = if accept { "accepted" } else { "declined" };
    let words = match &rows[..] {
        [] => format!("Nothing was {what}.{left}"),
        [row] => format!("{} for {} is {what}.{left}", row.persona, row.device),
        rows => format!("{} proposals are {what}.{left}", rows.len()),
    };
    let notice = if rows.is_empty() { Notice::refused(words) } else { Notice::done(words) };
    Ok(notice.on("/predictions/proposals"))
}
