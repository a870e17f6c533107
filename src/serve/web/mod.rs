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

mod account;
mod answer;
mod asset;
mod audit;
mod boot;
mod census;
mod chart;
mod code;
mod device;
mod door;
mod frame;
mod gate;
mod image;
mod live;
mod notice;
mod order;
mod overview;
mod persona;
mod place;
mod prediction;
mod trouble;
mod user;
mod visitor;
mod word;

use axum::{Router, routing::get};
use tokio::task::spawn_blocking;

use super::Context;

pub use door::{Door, OidcSettings, Settings as DoorSettings};

use self::{answer::Wants, frame::Frame, order::Fields, trouble::Trouble, visitor::Visitor};

/// What every page needs. Cheap to clone.
#[derive(Clone)]
struct Web {
    context: Context,
    door: Door,
    /// Who follows what happens.
    places: place::Places,
    /// What is counted over all devices.
    census: census::Census,
    /// Works on many devices, and files that were sent.
    devices: device::Kept,
    /// What was read of the library's past.
    shelf: persona::Kept,
    /// The drafts that are being checked.
    checks: persona::Checks,
}

impl Web {
    /// Reads disks, runs git, or goes through all devices, away from those who only look.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let web = self.clone();
        spawn_blocking(move || work(&web)).await.map_err(Trouble::bug)?
    }
}

/// The routes of the pages: everything on the listener that is not the API's. Called where tasks can be started.
pub fn router(context: Context, door: Door) -> Router {
    let web = Web {
        census: census::Census::begin(&context),
        context,
        door,
        places: place::Places::default(),
        devices: device::Kept::default(),
        shelf: persona::Kept::default(),
        checks: persona::Checks::default(),
    };
    let pages = Router::new()
        .merge(audit::routes())
        .merge(image::routes())
        .merge(overview::routes())
        .merge(account::routes())
        .merge(prediction::routes())
        .merge(device::routes())
        .merge(user::routes())
        .merge(boot::routes())
        .merge(persona::routes())
        .route("/live", get(live::stream))
        .route("/static/{version}/{file}", get(asset::file))
        .fallback(trouble::nowhere)
        .with_state(web.clone());
    gate::before(web, pages)
}
