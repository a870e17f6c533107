//! `/devices`: all devices, or those that are looked for, a page at a time.

use std::borrow::Borrow;

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use serde::Serialize;

use crate::{
    usage::filter::{BadFilter, Filter, searched},
    world::World,
};

use super::{
    super::{
        Fields, Frame, Trouble, Visitor, Wants, Web,
        frame::Section,
        word::{encoded, grouped},
    },
    facet::Facets,
    find::{Sort, Wanted, find, sorted},
    row::Row,
};

/// How many rows a page has.
const SIZE: usize = 50;

/// Which list is looked at: all of it is in the address.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Asked {
    /// What was typed.
    pub(super) q: String,
    /// What it is sorted by.
    pub(super) sort: Sort,
    /// Whether the other way round.
    pub(super) down: bool,
    /// Which page, from 1.
    pub(super) page: usize,
}

impl Asked {
    /// What an address asks for. What means nothing there is left out: an address that somebody shortened still leads somewhere.
    pub(super) fn of(fields: &Fields) -> Self {
        let sorts = [Sort::Seen, Sort::Persona, Sort::State];
        let sort = sorts.into_iter().find(|sort| fields.get("sort") == Some(sort.name())).unwrap_or_default();
        let page = fields.get("page").and_then(|page| page.parse().ok()).filter(|page| *page > 0).unwrap_or(1);
        let q = fields.get("q").unwrap_or_default().trim().to_owned();
        Self { q, sort, down: fields.get("down").is_some(), page }
    }

    /// The address of the list.
    pub(super) fn path(&self) -> String {
        let mut parts = vec![];
        if !self.q.is_empty() {
            parts.push(format!("q={}", encoded(&self.q)));
        }
        if self.sort != Sort::Name {
            parts.push(format!("sort={}", self.sort.name()));
        }
        parts.extend(self.down.then(|| "down=1".to_owned()));
        parts.extend((self.page > 1).then(|| format!("page={}", self.page)));
        if parts.is_empty() { "/devices".into() } else { format!("/devices?{}", parts.join("&")) }
    }
}

/// A mistake in a filter, and its place.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Mistake {
    /// What is wrong.
    pub(super) message: String,
    /// The number of the character, from 1.
    pub(super) column: usize,
    /// What is written before it.
    pub(super) before: String,
    /// What is written from there on.
    pub(super) after: String,
}

impl From<BadFilter> for Mistake {
    fn from(bad: BadFilter) -> Self {
        let (before, after) = bad.sides();
        Self { column: bad.column, message: bad.message, before, after }
    }
}

/// What the list shows.
#[derive(Debug, Serialize)]
struct View {
    #[serde(flatten)]
    asked: Asked,
    /// The filter that it was taken for.
    filter: Option<String>,
    /// What is wrong with it.
    mistake: Option<Mistake>,
    /// How many devices fit.
    count: usize,
    /// How many pages that makes.
    pages: usize,
    /// The attributes that the filter asks for and no device has.
    strange: Vec<String>,
    /// The ways to narrow it down.
    facets: Facets,
    /// The page's rows.
    rows: Vec<Row>,
}

impl View {
    /// Sorted by this; once more by the same turns it round. Times begin with the latest.
    fn sorted(&self, name: &str) -> String {
        let sorts = [Sort::Name, Sort::Seen, Sort::Persona, Sort::State];
        let sort = sorts.into_iter().find(|sort| sort.name() == name).unwrap_or_default();
        let first = sort == Sort::Seen;
        let down = if self.asked.sort == sort { !self.asked.down } else { first };
        Asked { sort, down, page: 1, ..self.asked.clone() }.path()
    }

    /// What `aria-sort` says of a column.
    fn direction(&self, name: &str) -> Option<&'static str> {
        (self.asked.sort.name() == name).then_some(if self.asked.down { "descending" } else { "ascending" })
    }

    /// Another page of the same list.
    fn at(&self, page: impl Borrow<usize>) -> String {
        Asked { page: *page.borrow(), ..self.asked.clone() }.path()
    }

    /// The list narrowed down to a filter; to all, when it is that already.
    fn narrowed(&self, filter: &str) -> String {
        let q = if self.is(filter) { String::new() } else { filter.to_owned() };
        Asked { q, page: 1, ..self.asked.clone() }.path()
    }

    fn is(&self, filter: &str) -> bool {
        self.filter.as_deref() == Some(filter)
    }

    /// Whether the filter is not what was typed.
    fn is_translated(&self) -> bool {
        self.filter.as_ref().is_some_and(|filter| *filter != self.asked.q)
    }

    fn first(&self) -> String {
        grouped((self.asked.page - 1) * SIZE + 1)
    }

    fn last(&self) -> String {
        grouped((self.asked.page - 1) * SIZE + self.rows.len())
    }

    fn told(&self) -> String {
        grouped(self.count)
    }
}

#[derive(Template)]
#[template(path = "html/devices.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

pub(super) async fn page(
    State(web): State<Web>,
    wants: Wants,
    _visitor: Visitor,
    RawQuery(query): RawQuery,
    frame: Frame,
) -> Result<Response, Trouble> {
    let asked = Asked::of(&Fields::of(query.unwrap_or_default().as_bytes()));
    let view = web.blocking(move |web| Ok(view(web, asked))).await?;
    wants.answer(&view, || Page { frame: frame.titled(Section::Devices, "Devices"), view: &view })
}

fn view(web: &Web, mut asked: Asked) -> View {
    let facets = Facets::of(&web.sums());
    let (world, ground, now) = (web.context.engine.world(), web.context.engine.ground(), (web.context.clock)());
    let filter = match searched(&asked.q) {
        Ok(filter) => filter,
        Err(bad) => {
            let mistake = Some(Mistake::from(bad));
            return View { asked, filter: None, mistake, count: 0, pages: 1, strange: vec![], facets, rows: vec![] };
        }
    };
    let search = |page: usize| {
        let rows = page.saturating_sub(1).saturating_mul(SIZE)..page.saturating_mul(SIZE);
        let wanted = Wanted { sort: asked.sort, down: asked.down, rows };
        match filter {
            // What all devices are sorted by is at hand.
            None if wanted.sort != Sort::Name => web.rows(|rows| sorted(rows, &wanted)).of(&world),
            _ => find(&world, filter.as_ref(), &wanted, now),
        }
    };
    let mut found = search(asked.page);
    let pages = found.count.div_ceil(SIZE).max(1);
    if found.rows.is_empty() && found.count > 0 {
        // The list has become shorter than the page that somebody was on.
        found = search(pages);
    }
    let rows = found.rows.iter().map(|device| Row::of(&world, &ground, device, now)).collect();
    let count = found.count;
    asked.page = asked.page.min(pages);
    let strange = match &filter {
        Some(filter) if count == 0 => strange(&world, filter),
        _ => vec![],
    };
    let filter = filter.map(|filter| filter.to_string());
    View { asked, filter, mistake: None, count, pages, strange, facets, rows }
}

/// The attributes of a filter that no device has: a mistyped field is one.
fn strange(world: &World, filter: &Filter) -> Vec<String> {
    let known = |name: &str| world.devices.values().any(|device| world.attribute(device, name).is_some());
    let names = filter.attributes().into_iter().filter(|name| !known(name.as_str()));
    names.map(ToString::to_string).collect()
}
