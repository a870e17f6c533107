//! `/images/blob/DIGEST`: why a blob is where it is. `/images/blob/unnamed`: those that nothing names.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::Serialize;

use crate::{
    images::Unnamed,
    model::{Bytes, Digest},
    serve::{
        cache::{self, Explained},
        gc,
    },
};

use super::{Frame, Section, Trouble, Visitor, Wants, Web};

#[derive(Debug, Serialize)]
struct View {
    #[serde(flatten)]
    explained: Explained,
    /// The same in words.
    told: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "html/image/blob.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
}

pub(super) async fn page(
    State(web): State<Web>,
    Path(digest): Path<String>,
    wants: Wants,
    _visitor: Visitor,
    frame: Frame,
) -> Result<Response, Trouble> {
    let missing = Trouble::not_found("blob", &digest);
    let digest: Digest = digest.parse().map_err(|_| missing.clone())?;
    let explained = move |web: &Web| cache::explained(&web.context, &digest).ok_or(missing);
    let explained = web.blocking(explained).await?;
    let view = View { told: cache::told(&explained), explained };
    let title = view.explained.names.first().cloned().unwrap_or_else(|| digest.short());
    wants.answer(&view, || Page { frame: frame.titled(Section::Images, title), view: &view })
}

impl View {
    /// The images whose files it is, by name.
    fn images(&self) -> Vec<(&str, &str)> {
        self.explained.names.iter().filter_map(|name| name.split_once('/')).collect()
    }

    fn is_held(&self) -> bool {
        self.explained.account.ram || self.explained.account.disk
    }
}

#[derive(Debug, Serialize)]
struct UnnamedView {
    /// What could be removed.
    blobs: Vec<Unnamed>,
    /// What comes free.
    freed: Bytes,
    /// Why nothing may be removed now.
    refused: Option<String>,
}

#[derive(Template)]
#[template(path = "html/image/unnamed.html", config = ".askama.toml")]
struct UnnamedPage<'a> {
    frame: Frame,
    view: &'a UnnamedView,
}

pub(super) async fn unnamed(
    State(web): State<Web>,
    wants: Wants,
    _visitor: Visitor,
    frame: Frame,
) -> Result<Response, Trouble> {
    let problems = web.context.problems();
    let refused = problems.iter().find(|problem| problem.is_error()).map(gc::refusal);
    let blobs = web.blocking(|web| Ok(gc::unnamed(&web.context))).await?;
    let view = UnnamedView { freed: Bytes(blobs.iter().map(|one| one.disk.0).sum()), blobs, refused };
    wants.answer(&view, || UnnamedPage { frame: frame.titled(Section::Images, "What nothing names"), view: &view })
}
