//! `/devices/MAC/ACT`: what an act would do to one device, said before it is done.
//!
//! The form carries the number of the fact by which the device was last changed when its page was made. When somebody else
//! changed it since, nothing is done: the page comes again, and says what they did.

use askama::Template;
use axum::{
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::model::{
    Device, MacAddr, Moment, Role,
    command::{Line, Order, Orders, Rejection},
    reply::Reply,
    request::Request,
    timeline::Stage,
};

use super::{
    super::{Fields, Frame, Trouble, Visitor, Wants, Web, frame::Section, notice::Notice, word::count},
    act::{Act, Fate, Said, Tried, tried, why_not},
    history::{self, Deed},
};

/// A sentence about what comes of it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Note {
    /// The class of its box.
    pub(super) tone: &'static str,
    /// The sentence.
    pub(super) words: String,
}

/// What the page shows.
#[derive(Debug, Serialize)]
struct View {
    act: Act,
    /// The device's name, or the port that was asked for.
    device: String,
    /// Whether anything is known of it.
    known: bool,
    /// The number of the fact by which it was last changed.
    changed: u64,
    /// What the form says.
    said: Said,
    /// What the attributes become.
    changes: Vec<Change>,
    /// What its next boot makes of it as things are, and then.
    tried: Option<Tried>,
    /// Why it would not be carried out.
    refused: Option<String>,
    /// What comes of it.
    notes: Vec<Note>,
    /// What others did meanwhile.
    conflict: Option<Vec<Deed>>,
}

/// An attribute that changes.
#[derive(Debug, Clone, Serialize)]
struct Change {
    name: String,
    before: Option<String>,
    after: Option<String>,
}

impl View {
    /// Whether there is anything to confirm.
    fn is_ready(&self) -> bool {
        self.tried.is_some()
    }

    /// Whether the button is one to think about.
    fn is_grave(&self) -> bool {
        self.act == Act::Forget || self.tried.as_ref().is_some_and(|tried| tried.after.fate == Fate::Wiped)
    }
}

#[derive(Template)]
#[template(path = "html/device_act.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

/// `GET`: what would come of it.
pub(super) async fn page(
    State(web): State<Web>,
    wants: Wants,
    visitor: Visitor,
    Path((mac, act)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    frame: Frame,
) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let (mac, act) = (super::named(&mac)?, act.parse::<Act>()?);
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    let view = view(&web, &visitor, mac, act, &fields).await?;
    wants.answer(&view, || Page { frame: frame.titled(Section::Devices, title(&view)), view: &view })
}

/// `POST`: it is done.
pub(super) async fn carry_out(
    State(web): State<Web>,
    wants: Wants,
    visitor: Visitor,
    Path((mac, act)): Path<(String, String)>,
    frame: Frame,
    fields: Fields,
) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let (mac, act) = (super::named(&mac)?, act.parse::<Act>()?);
    let said = said(&web, mac, act, &fields);
    let order = said.order(act)?.ok_or_else(|| Trouble::bad("this says too little", "Go back and fill it in."))?;
    let expects = Some(fields.read::<u64>("changed")?.unwrap_or_default());
    let lines = vec![Line::Device { mac, order, expects }];
    let orders = Orders { by: visitor.voice(), key: None, said: None, lines };
    match web.context.engine.ask(Request::Orders(orders)).await? {
        Reply::Rejected(Rejection::Changed { .. }) => {
            let view = view(&web, &visitor, mac, act, &fields).await?;
            let shown =
                wants.answer(&view, || Page { frame: frame.titled(Section::Devices, title(&view)), view: &view })?;
            Ok((StatusCode::CONFLICT, shown).into_response())
        }
        Reply::Rejected(rejection) => Err(Trouble::from(&rejection)),
        _ => {
            let known = web.context.engine.world().device_of(mac).is_some();
            let place = if known { format!("/devices/{mac}") } else { "/devices".to_owned() };
            Ok(Notice::done(format!("{mac} is {}", act.done())).on(&place))
        }
    }
}

fn title(view: &View) -> String {
    format!("{} {}", view.act.title(), view.device)
}

/// What the form says. Attributes come as names and values; those that say what is said already are left out.
fn said(web: &Web, mac: MacAddr, act: Act, fields: &Fields) -> Said {
    let (world, ground) = (web.context.engine.world(), web.context.engine.ground());
    let mut said = Said::of(fields, &ground.catalog);
    if act == Act::Describe {
        let device = world.device_of(mac);
        let before =
            |name: &str| device.and_then(|device| device.attributes.get(name)).map_or("", |value| value.as_str());
        for (name, value) in fields.all("name").map(str::trim).zip(fields.all("value").map(str::trim)) {
            if !name.is_empty() && before(name) != value {
                let line = if value.is_empty() { format!("{name}-\n") } else { format!("{name}={value}\n") };
                said.said += &line;
            }
        }
    }
    said
}

async fn view(web: &Web, visitor: &Visitor, mac: MacAddr, act: Act, fields: &Fields) -> Result<View, Trouble> {
    let (world, ground, now) = (web.context.engine.world(), web.context.engine.ground(), (web.context.clock)());
    let known = world.device_of(mac);
    let changed = known.map_or(0, |device| device.changed);
    let said = said(web, mac, act, fields);
    let order = said.order(act)?;
    let result = order.as_ref().map(|order| tried(&world, &ground, mac, order, now));
    let (tried, refused) = match result {
        Some(Ok(tried)) => (Some(tried), None),
        Some(Err(rejection)) => (None, Some(why_not(&rejection))),
        None => (None, None),
    };
    let device = known.cloned().unwrap_or_else(|| Device::new(mac));
    let notes = tried.as_ref().zip(order.as_ref()).map(|(tried, order)| notes(web, &device, order, tried, now));
    // A form that was made before the device was changed.
    let conflict = match fields.read::<u64>("changed")? {
        Some(made) if made != changed => {
            let (visitor, id) = (visitor.clone(), device.id);
            Some(web.blocking(move |web| Ok(history::since(web, id, made, &visitor, now))).await?)
        }
        _ => None,
    };
    Ok(View {
        act,
        device: device.id.to_string(),
        known: known.is_some(),
        changed,
        changes: changes(&device, order.as_ref()),
        said,
        tried,
        refused,
        notes: notes.unwrap_or_default(),
        conflict,
    })
}

fn changes(device: &Device, order: Option<&Order>) -> Vec<Change> {
    let Some(Order::Describe { changes }) = order else { return vec![] };
    let change = |(name, value): (&crate::model::attribute::AttributeName, &Option<_>)| Change {
        name: name.to_string(),
        before: device.attributes.get(name).map(ToString::to_string),
        after: value.as_ref().map(|value: &crate::model::attribute::AttributeValue| value.to_string()),
    };
    changes.iter().map(change).collect()
}

/// What comes of it, in sentences: what is wiped at which boot, what stays.
fn notes(web: &Web, device: &Device, order: &Order, tried: &Tried, now: Moment) -> Vec<Note> {
    let mut notes = vec![];
    let mut note = |tone, words: String| notes.push(Note { tone, words });
    let Tried { before, after } = tried;
    let begins = match order {
        Order::AssignPersona { not_before: Some(from), .. } if *from > now => format!("the first boot after {from}"),
        _ => "its next boot".to_owned(),
    };
    let installed = device.installed.as_ref().map(|installed| format!("{} since {}", installed.persona, installed.at));
    if before.fate == Fate::Wiped && after.fate != Fate::Wiped {
        note("", "Its disk will not be wiped any more.".into());
    }
    match after.fate {
        Fate::Wiped => {
            let persona = after.persona.as_deref().unwrap_or_default();
            let lost = match &installed {
                Some(installed) => format!("What is installed now ({installed}) is lost."),
                None => "Whatever is on it now is lost.".to_owned(),
            };
            note("bad", format!("At {begins} its disk will be wiped, and {persona} installed on it. {lost}"));
        }
        Fate::Runs if installed.is_some() => {
            let installed = installed.unwrap_or_default();
            note("", format!("At {begins} {}: {installed} stays on it.", after.words));
        }
        Fate::Nothing if after.unarmed => {
            let persona = after.persona.as_deref().unwrap_or_default();
            let words =
                format!("At {begins} it would be refused: {persona} wipes the disk, and the device is not armed.");
            note("warn", words);
        }
        Fate::Nothing => note("warn", format!("At {begins} {}.", after.words)),
        Fate::Runs | Fate::Disk => {}
    }
    let wishes = |wanted: &str| after.persona.as_deref() == Some(wanted);
    match order {
        Order::AssignPersona { persona, .. } if after.fate == Fate::Disk => {
            let words =
                format!("{persona} wipes the disk: the device goes on to boot what is installed until it is armed.");
            note("warn", words);
        }
        Order::AssignPersona { persona, expires, arm, .. } => {
            if *arm && after.fate == Fate::Runs && wishes(persona.as_str()) {
                let words =
                    format!("{persona} leaves the disk alone: the leave to wipe it stays, for whatever comes next.");
                note("warn", words);
            }
            if let Some(until) = expires {
                note(
                    "",
                    format!(
                        "From {until} on the assignment holds no longer: what rules and predictions say counts again."
                    ),
                );
            }
        }
        Order::Arm if after.fate != Fate::Wiped => {
            note(
                "",
                "As things are the next boot wipes nothing; the leave stays until it is used or taken back.".into(),
            );
        }
        Order::Forget => {
            let said = count(device.attributes.len(), "attribute");
            let visits = count(device.visits.len(), "remembered boot");
            note(
                "bad",
                format!("{said}, {visits} and its assignment are dropped. What is on its disk stays as it is."),
            );
            if let (Some(installed), false) = (&device.installed, after.fate == Fate::Disk) {
                let words = format!(
                    "That {} is installed is forgotten, too: it does not boot its disk by itself any more.",
                    installed.persona
                );
                note("bad", words);
            }
        }
        _ => {}
    }
    let world = web.context.engine.world();
    if let Some(boot) = device.boot.and_then(|boot| world.boots.get(&boot)).filter(|boot| boot.stage != Stage::Ended) {
        note(
            "",
            format!("A boot is under way now ({}): what it was told stays, this holds from the next one on.", boot.id),
        );
    }
    notes
}
