//! `/devices/many`: one act on several devices, said before it is done: those that were ticked, or all that fit a filter.
//!
//! The page carries how many they were and the number of the newest fact. When others fit by the time it is confirmed, the page
//! comes again; a device that somebody changed since is left as it is, and told at the end.

use std::{borrow::Borrow, collections::BTreeMap};

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Serialize;

use crate::{
    model::{
        DeviceId, MacAddr, Moment, Role,
        command::{Line, Order},
    },
    usage::{
        filter::searched,
        roster::{Kind, Row, to_csv},
    },
    world::{Ground, World},
};

use super::{
    super::{
        Fields, Frame, Trouble, Visitor, Wants, Web,
        frame::Section,
        word::{count, encoded, grouped},
    },
    act::{Act, Fate, Said, tried, why_not},
    find::fitting,
    work::{NotDone, Task},
};

/// How many of the devices are shown by name.
const SHOWN: usize = 12;
/// How many kinds of outcomes are told apart.
const KINDS: usize = 20;

/// What the page shows.
#[derive(Debug, Serialize)]
struct View {
    act: Act,
    /// How many devices are meant.
    count: usize,
    /// The first of them.
    first: Vec<String>,
    /// Whether all that fit are meant, rather than those that were ticked.
    all: bool,
    /// What was typed to find them.
    q: String,
    /// The filter that it was taken for.
    filter: Option<String>,
    /// Those that were ticked.
    macs: Vec<String>,
    /// What the form says.
    said: Said,
    /// Whether it says enough.
    ready: bool,
    /// What their next boots make of them then.
    fates: Vec<Group>,
    /// How many would be given what they have already, or the like.
    same: usize,
    /// Those that it would not be done to.
    refused: Vec<Group>,
    /// The newest fact that all this stands on.
    seen: u64,
    /// What else there is to say.
    notice: Option<String>,
}

/// Several devices of which the same is to be said.
#[derive(Debug, Clone, Serialize)]
struct Group {
    words: String,
    tone: &'static str,
    count: usize,
    /// The first of them.
    first: Vec<String>,
}

impl View {
    fn told(&self) -> String {
        count(self.count, "device")
    }

    fn would(&self) -> usize {
        self.count.saturating_sub(self.refused.iter().map(|group| group.count).sum())
    }

    fn would_told(&self) -> String {
        count(self.would(), "device")
    }

    fn wiped(&self) -> usize {
        self.fates.iter().filter(|group| group.tone == Fate::Wiped.tone()).map(|group| group.count).sum()
    }

    fn more(&self) -> usize {
        self.count - self.first.len()
    }

    fn number(&self, number: impl Borrow<usize>) -> String {
        grouped(*number.borrow())
    }

    /// Where they are listed.
    fn list(&self) -> String {
        match self.q.as_str() {
            "" => "/devices".into(),
            q => format!("/devices?q={}", encoded(q)),
        }
    }
}

#[derive(Template)]
#[template(path = "html/devices_many.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

/// Which devices are meant, each with the fact that changed it last.
fn meant(world: &World, fields: &Fields, now: Moment) -> Result<Vec<(DeviceId, u64)>, Trouble> {
    if fields.get("all").is_some() {
        let filter = searched(fields.get("q").unwrap_or_default())
            .map_err(|bad| Trouble::bad(bad.message, "Go back, and correct the filter."))?;
        return Ok(fitting(world, filter.as_ref(), now).map(|device| (device.id, device.changed)).collect());
    }
    let mut meant = BTreeMap::new();
    for mac in fields.all("mac") {
        let mac: MacAddr = mac.parse().map_err(|bad| Trouble::bad(format!("{mac}: {bad}"), "Go back."))?;
        let known = world.device_of(mac);
        meant.insert(known.map_or(DeviceId::new(mac), |device| device.id), known.map_or(0, |device| device.changed));
    }
    Ok(meant.into_iter().collect())
}

/// `GET`: what would change.
pub(super) async fn page(
    State(web): State<Web>,
    wants: Wants,
    visitor: Visitor,
    RawQuery(query): RawQuery,
    frame: Frame,
) -> Result<Response, Trouble> {
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    if fields.get("act") == Some("export") {
        return web.blocking(move |web| export(web, &fields)).await;
    }
    visitor.must(Role::Operator)?;
    let view = web.blocking(move |web| view(web, &fields, None)).await?;
    wants.answer(&view, || Page { frame: frame.titled(Section::Devices, title(&view)), view: &view })
}

/// `POST`: it begins.
pub(super) async fn begin(
    State(web): State<Web>,
    wants: Wants,
    visitor: Visitor,
    frame: Frame,
    fields: Fields,
) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let act: Act = fields.need("act")?.parse()?;
    let (confirmed, seen) = (fields.read::<usize>("count")?, fields.read::<u64>("seen")?.unwrap_or_default());
    let looked = web.blocking(move |web| {
        let (world, ground) = (web.context.engine.world(), web.context.engine.ground());
        let meant = meant(&world, &fields, (web.context.clock)())?;
        if confirmed != Some(meant.len()) {
            let notice =
                format!("There are {} now, and not {}: look again.", meant.len(), confirmed.unwrap_or_default());
            return Ok(Err(view(web, &fields, Some(notice))?));
        }
        let order = Said::of(&fields, &ground.catalog).order(act)?;
        let order = order.ok_or_else(|| Trouble::bad("this says too little", "Go back and fill it in."))?;
        Ok(Ok(divided(web, &world, &ground, &meant, &order, seen)))
    });
    match looked.await? {
        Err(view) => {
            let shown =
                wants.answer(&view, || Page { frame: frame.titled(Section::Devices, title(&view)), view: &view })?;
            Ok((StatusCode::CONFLICT, shown).into_response())
        }
        Ok((tasks, refused)) => {
            let title = format!("{} {}", act.title(), count(tasks.len() + refused.len(), "device"));
            let work = web.devices.works.begin(&web.context, (title, visitor.voice()), tasks, refused)?;
            Ok(Redirect::to(&format!("/devices/work/{}", work.id)).into_response())
        }
    }
}

fn title(view: &View) -> String {
    format!("{} {}", view.act.title(), view.told())
}

/// What is to be done, and what cannot be. Each order expects its device as it is now.
fn divided(
    web: &Web,
    world: &World,
    ground: &Ground,
    meant: &[(DeviceId, u64)],
    order: &Order,
    seen: u64,
) -> (Vec<Task>, Vec<NotDone>) {
    let now = (web.context.clock)();
    let (mut tasks, mut refused) = (vec![], vec![]);
    for (device, changed) in meant {
        let (mac, name) = (device.mac(), device.to_string());
        match tried(world, ground, mac, order, now) {
            Ok(_) if *changed > seen => refused.push(NotDone { name, why: "somebody changed it meanwhile".into() }),
            Ok(_) => {
                let lines = vec![Line::Device { mac, order: order.clone(), expects: Some(*changed) }];
                tasks.push(Task { name, lines });
            }
            Err(rejection) => refused.push(NotDone { name, why: why_not(&rejection) }),
        }
    }
    (tasks, refused)
}

fn view(web: &Web, fields: &Fields, notice: Option<String>) -> Result<View, Trouble> {
    let (world, ground, now) = (web.context.engine.world(), web.context.engine.ground(), (web.context.clock)());
    let act: Act = fields.need("act")?.parse()?;
    let meant = meant(&world, fields, now)?;
    if meant.is_empty() {
        let help = "Go back, and tick some, or \"all\" below the list.";
        return Err(Trouble::bad("no device is meant", help));
    }
    let said = Said::of(fields, &ground.catalog);
    let order = said.order(act)?;
    let (mut fates, mut refused, mut same): (BTreeMap<_, Vec<_>>, BTreeMap<_, Vec<_>>, _) = Default::default();
    for (device, _) in meant.iter().filter(|_| order.is_some()) {
        let Some(order) = &order else { continue };
        match tried(&world, &ground, device.mac(), order, now) {
            Ok(tried) => {
                same += usize::from(tried.before == tried.after);
                let key = (tried.after.fate, tried.after.words);
                fates.entry(key).or_default().push(*device);
            }
            Err(rejection) => refused.entry(why_not(&rejection)).or_default().push(*device),
        }
    }
    let group = |words: String, tone, devices: Vec<DeviceId>| Group {
        words,
        tone,
        count: devices.len(),
        first: devices.iter().take(3).map(ToString::to_string).collect(),
    };
    let all = fields.get("all").is_some();
    let filter = searched(fields.get("q").unwrap_or_default()).ok().flatten().filter(|_| all);
    Ok(View {
        act,
        count: meant.len(),
        first: meant.iter().take(SHOWN).map(|(device, _)| device.to_string()).collect(),
        all,
        q: fields.get("q").unwrap_or_default().to_owned(),
        filter: filter.map(|filter| filter.to_string()),
        macs: if all { vec![] } else { meant.iter().map(|(device, _)| device.to_string()).collect() },
        said,
        ready: order.is_some(),
        fates: fewer(fates.into_iter().map(|((fate, words), devices)| group(words, fate.tone(), devices)).collect()),
        same,
        refused: fewer(refused.into_iter().map(|(words, devices)| group(words, "bad", devices)).collect()),
        seen: world.seq,
        notice,
    })
}

/// The commonest kinds; the others as one. What wipes disks is always told apart.
fn fewer(mut groups: Vec<Group>) -> Vec<Group> {
    let rank = |group: &Group| group.tone != Fate::Wiped.tone();
    groups.sort_by(|a, b| rank(a).cmp(&rank(b)).then(b.count.cmp(&a.count)));
    let rest = groups.split_off(KINDS.min(groups.len()));
    let others = rest.iter().map(|group| group.count).sum();
    if let Some(tone) = rest.iter().map(|group| group.tone).next() {
        let (words, first) = ("something else".to_owned(), vec![]);
        groups.push(Group { words, tone, count: others, first });
    }
    groups
}

/// What is said of them, as a file that imports back.
fn export(web: &Web, fields: &Fields) -> Result<Response, Trouble> {
    let world = web.context.engine.world();
    let meant = meant(&world, fields, (web.context.clock)())?;
    let rows: Vec<Row> = meant.iter().filter_map(|(id, _)| world.devices.get(id)).map(Row::of_device).collect();
    let kind = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"devices.csv\""),
    ];
    Ok((kind, to_csv(Kind::Devices, &rows)).into_response())
}
