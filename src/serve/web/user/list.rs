//! `/users`: everybody, or those who are looked for.

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::Serialize;

use crate::model::{Role, User, UserName, attribute::Attributes};

use super::super::{
    Fields, Frame, Trouble, Visitor, Wants, Web,
    frame::Section,
    word::{encoded, grouped},
};

/// How many rows a page has.
const SIZE: usize = 50;

/// What the page shows.
#[derive(Debug, Serialize)]
struct View {
    /// What was typed.
    q: String,
    /// Which page, from 1.
    page: usize,
    /// How many pages there are.
    pages: usize,
    /// How many people are meant.
    count: usize,
    /// Those of the page.
    rows: Vec<Row>,
}

/// One of them.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    active: bool,
    attributes: Attributes,
}

impl View {
    fn at(&self, page: usize) -> String {
        format!("/users?q={}&page={page}", encoded(&self.q))
    }

    fn told(&self) -> String {
        grouped(self.count)
    }
}

#[derive(Template)]
#[template(path = "html/users.html", config = ".askama.toml")]
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
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    let q = fields.get("q").unwrap_or_default().trim().to_owned();
    let page = fields.get("page").and_then(|page| page.parse().ok()).unwrap_or(1);
    let view = web.blocking(move |web| Ok(view(web, q, page))).await?;
    wants.answer(&view, || Page { frame: frame.titled(Section::Devices, "People"), view: &view })
}

fn view(web: &Web, q: String, page: usize) -> View {
    let world = web.context.engine.world();
    let words: Vec<String> = q.split_whitespace().map(str::to_lowercase).collect();
    let has = |text: &str, word: &str| text.to_lowercase().contains(word);
    // Everybody of whom every word is found, in their name or in what is said of them.
    let fits = |user: &&User| {
        words.iter().all(|word| {
            has(user.name.as_str(), word) || user.attributes.values().any(|value| has(value.as_str(), word))
        })
    };
    let found: Vec<&User> = world.users.values().filter(fits).collect();
    let pages = found.len().div_ceil(SIZE).max(1);
    let page = page.clamp(1, pages);
    let row =
        |user: &&User| Row { name: user.name.to_string(), active: user.active, attributes: user.attributes.clone() };
    let rows = found.iter().skip((page - 1) * SIZE).take(SIZE).map(row).collect();
    View { q, page, pages, count: found.len(), rows }
}

/// `POST`: on to the page of somebody, known or not.
pub(super) async fn add(visitor: Visitor, fields: Fields) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let name: UserName = fields.read("name")?.ok_or_else(|| Trouble::bad("a name is missing", "Go back."))?;
    Ok(Redirect::to(&format!("/users/{}", encoded(&name.to_string()))).into_response())
}
