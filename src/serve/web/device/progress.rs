//! `/devices/work`: what is being done to many devices, and what came of it.

use std::borrow::Borrow;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::Serialize;

use super::{
    super::{
        Frame, Trouble, Visitor, Wants, Web,
        frame::Section,
        word::{When, grouped},
    },
    work::{Progress, Work},
};

/// What the page of one shows.
#[derive(Debug, Serialize)]
struct View {
    id: String,
    title: String,
    began: When,
    total: usize,
    over: bool,
    #[serde(flatten)]
    progress: Progress,
}

impl View {
    fn of(work: &Work, now: crate::model::Moment) -> Self {
        Self {
            id: work.id.clone(),
            title: work.title.clone(),
            began: When::of(work.began, now),
            total: work.total,
            over: work.is_over(),
            progress: work.progress(),
        }
    }

    fn number(&self, number: impl Borrow<usize>) -> String {
        grouped(*number.borrow())
    }

    fn gone(&self) -> usize {
        self.progress.done + self.progress.refused
    }

    fn untold(&self) -> usize {
        self.progress.refused - self.progress.told.len()
    }
}

#[derive(Template)]
#[template(path = "html/devices_work.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

#[derive(Template)]
#[template(path = "html/devices_works.html", config = ".askama.toml")]
struct AllPage<'a> {
    frame: Frame,
    works: &'a [View],
}

pub(super) async fn page(
    State(web): State<Web>,
    wants: Wants,
    _visitor: Visitor,
    Path(id): Path<String>,
    frame: Frame,
) -> Result<Response, Trouble> {
    let work = web.devices.works.get(&id).ok_or_else(|| Trouble::not_found("work", &id))?;
    let view = View::of(&work, (web.context.clock)());
    wants.answer(&view, || Page { frame: frame.titled(Section::Devices, view.title.clone()), view: &view })
}

pub(super) async fn all(
    State(web): State<Web>,
    wants: Wants,
    _visitor: Visitor,
    frame: Frame,
) -> Result<Response, Trouble> {
    let now = (web.context.clock)();
    let works: Vec<View> = web.devices.works.all().iter().map(|work| View::of(work, now)).collect();
    wants.answer(&works, || AllPage { frame: frame.titled(Section::Devices, "Work on many devices"), works: &works })
}
