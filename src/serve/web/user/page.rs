//! `/users/NAME`: one person: what is said of them, and their devices.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    model::{
        Device, Role, User, UserName,
        attribute::{AttributeName, AttributeValue, Attributes, Changes},
        command::{Line, Orders, Rejection, UserOrder},
        reply::Reply,
        request::Request,
    },
    usage::filter::persona,
};

use super::super::{
    Fields, Frame, Trouble, Visitor, Wants, Web,
    frame::Section,
    notice::Notice,
    word::{When, count, encoded},
};

/// How many devices are shown.
const SHOWN: usize = 100;

/// What the page shows.
#[derive(Debug, Serialize)]
struct View {
    name: String,
    /// Whether anything is known of them.
    known: bool,
    active: bool,
    attributes: Attributes,
    /// The number of the fact by which they were last changed.
    changed: u64,
    /// Their devices: the first of them.
    devices: Vec<DeviceRow>,
    /// How many there are.
    count: usize,
    /// Whether somebody changed them while a form was open: what the form said.
    conflict: Option<Vec<(String, String)>>,
}

/// A device of theirs.
#[derive(Debug, Serialize)]
struct DeviceRow {
    device: String,
    what: String,
    persona: Option<String>,
    seen: Option<When>,
}

impl View {
    fn path(&self) -> String {
        format!("/users/{}", encoded(&self.name))
    }

    fn told(&self) -> String {
        count(self.count, "device")
    }
}

#[derive(Template)]
#[template(path = "html/user.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

#[derive(Template)]
#[template(path = "html/user_forget.html", config = ".askama.toml")]
struct ForgetPage<'a> {
    frame: Frame,
    view: &'a View,
}

fn named(name: &str) -> Result<UserName, Trouble> {
    name.parse().map_err(|bad| Trouble::not_found("person", format!("{name} ({bad})")))
}

async fn view(web: &Web, name: UserName) -> Result<View, Trouble> {
    let view = web.blocking(move |web| {
        let (world, now) = (web.context.engine.world(), (web.context.clock)());
        let known = world.users.get(&name);
        let row = |device: &Device| DeviceRow {
            device: device.id.to_string(),
            what: device.hardware.product.clone().unwrap_or_default(),
            persona: persona(&world, device, now).map(|(name, _)| name.to_string()),
            seen: device.seen.map(|seen| When::of(seen.last, now)),
        };
        Ok(View {
            known: known.is_some(),
            active: known.is_none_or(|user| user.active),
            attributes: known.map(|user| user.attributes.clone()).unwrap_or_default(),
            changed: known.map_or(0, |user| user.changed),
            count: world.used_by(&name).count(),
            devices: world.used_by(&name).take(SHOWN).map(row).collect(),
            name: name.to_string(),
            conflict: None,
        })
    });
    view.await
}

pub(super) async fn page(
    State(web): State<Web>,
    wants: Wants,
    _visitor: Visitor,
    Path(name): Path<String>,
    frame: Frame,
) -> Result<Response, Trouble> {
    let view = view(&web, named(&name)?).await?;
    wants.answer(&view, || Page { frame: frame.titled(Section::Devices, view.name.clone()), view: &view })
}

/// What a form changes, beside what was said when it was made.
fn changes(user: Option<&User>, fields: &Fields) -> Result<Changes, Trouble> {
    let mut changes = Changes::new();
    for (name, value) in fields.all("name").map(str::trim).zip(fields.all("value").map(str::trim)) {
        let before = user.and_then(|user| user.attributes.get(name)).map_or("", |value| value.as_str());
        if name.is_empty() || before == value {
            continue;
        }
        let wrong = |what: &str, why: String| Trouble::bad(format!("{what}: {why}"), "Go back and correct it.");
        let attribute = name.parse::<AttributeName>().map_err(|bad| wrong(name, bad.to_string()))?;
        let value = match value {
            "" => None,
            value => Some(value.parse::<AttributeValue>().map_err(|bad| wrong(value, bad.to_string()))?),
        };
        changes.insert(attribute, value);
    }
    Ok(changes)
}

/// `POST`: they are described.
pub(super) async fn describe(
    State(web): State<Web>,
    wants: Wants,
    visitor: Visitor,
    Path(name): Path<String>,
    frame: Frame,
    fields: Fields,
) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let user = named(&name)?;
    let changes = changes(web.context.engine.world().users.get(&user), &fields)?;
    let expects = Some(fields.read::<u64>("changed")?.unwrap_or_default());
    let order = UserOrder::Describe { changes, active: Some(fields.get("active").is_some()) };
    let lines = vec![Line::User { user: user.clone(), order, expects }];
    let orders = Orders { by: visitor.voice(), key: None, said: None, lines };
    match web.context.engine.ask(Request::Orders(orders)).await? {
        Reply::Rejected(Rejection::Changed { .. }) => {
            let mut view = view(&web, user).await?;
            let said = fields.all("name").map(str::trim).zip(fields.all("value").map(str::trim));
            let differs = |(name, value): &(&str, &str)| {
                !name.is_empty() && view.attributes.get(*name).map_or("", |value| value.as_str()) != *value
            };
            let kept = said.filter(differs).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            view.conflict = Some(kept);
            let title = view.name.clone();
            let shown = wants.answer(&view, || Page { frame: frame.titled(Section::Devices, title), view: &view })?;
            Ok((StatusCode::CONFLICT, shown).into_response())
        }
        Reply::Rejected(rejection) => Err(Trouble::from(&rejection)),
        _ => Ok(Notice::done(format!("{user} is described")).on(&format!("/users/{}", encoded(&name)))),
    }
}

/// `GET`: what would come of it.
pub(super) async fn forgetting(
    State(web): State<Web>,
    wants: Wants,
    visitor: Visitor,
    Path(name): Path<String>,
    frame: Frame,
) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let view = view(&web, named(&name)?).await?;
    if !view.known {
        return Err(Trouble::not_found("person", &view.name));
    }
    let title = format!("Forget {}", view.name);
    wants.answer(&view, || ForgetPage { frame: frame.titled(Section::Devices, title), view: &view })
}

/// `POST`: they are forgotten.
pub(super) async fn forget(
    State(web): State<Web>,
    visitor: Visitor,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let user = named(&name)?;
    let expects = fields.read::<u64>("changed")?;
    web.order(&visitor, vec![Line::User { user: user.clone(), order: UserOrder::Forget, expects }]).await?;
    Ok(Notice::done(format!("{user} is forgotten")).on("/users"))
}
