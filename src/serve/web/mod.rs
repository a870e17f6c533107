//! The pages: what people with a browser see and do, on the API's listener.
//!
//! ```text
//!   port -> gate (who is it, may it write, .json?) -> a page's handler -> answer (HTML or JSON) -> gate (headers, trouble as a page)
//! ```
//! A page is made of a *view*, plain data that serialises, and a template that shows it: `/devices` is the template,
//! `/devices.json` the view. Templates are in `html/`, what browsers load beside them in `static/`; all of it is in the
//! binary, and no page asks any other host for anything.
//!
//! **Everything works without scripts for reading.** Scripts are small modules that add to pages what only they can: pages
//! that change while one looks (`live`), questions before something is done, the editor.
//!
//! What anybody typed, and what a device said of itself, reaches a page through askama's escaping only; the content security
//! policy allows no script and no style but the files in `static/`.

mod answer;
mod asset;
mod code;
mod door;
mod frame;
mod gate;
mod live;
mod notice;
mod order;
mod overview;
mod persona;
mod trouble;
mod visitor;

use axum::{Router, routing::get};

use super::Context;

use self::{answer::Wants, frame::Frame, trouble::Trouble, visitor::Visitor};

/// What every page needs. Cheap to clone.
#[derive(Clone)]
struct Web {
    context: Context,
    streams: live::Streams,
    counted: persona::Counted,
    kept: persona::Kept,
    checks: persona::Checks,
}

/// The routes of the pages: everything on the listener that is not the API's.
pub fn router(context: Context) -> Router {
    let web = Web {
        context,
        streams: live::Streams::default(),
        counted: persona::Counted::default(),
        kept: persona::Kept::default(),
        checks: persona::Checks::default(),
    };
    let pages = Router::new()
        .merge(overview::routes())
        .merge(persona::routes())
        .route("/live", get(live::stream))
        .route("/static/{version}/{file}", get(asset::file))
        .fallback(trouble::nowhere)
        .with_state(web.clone());
    gate::before(web, pages)
}
