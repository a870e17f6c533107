//! `/images`: the cache and staging. Which images there are, where their files lie and why, what is on its way, what the keeper
//! does next; and what an operator may have done with them.

mod act;
mod blob;
mod list;
mod one;
mod row;

use axum::{
    Router,
    routing::{get, post},
};

use crate::{
    model::{Bytes, image::Tier},
    serve::{Context, cache},
};

use super::{
    Frame, Trouble, Visitor, Wants, Web,
    chart::{About, Chart, Part, Series, Stack},
    frame::Section,
    overview::tier_class,
};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/images", get(list::page))
        .route("/images/{name}", get(one::page))
        .route("/images/{name}/pin", post(act::pin))
        .route("/images/{name}/unpin", post(act::unpin))
        .route("/images/{name}/warm", post(act::warm))
        .route("/images/{name}/evict", post(act::evict))
        .route("/images/blob/unnamed", get(blob::unnamed))
        .route("/images/blob/{digest}", get(blob::page))
        .route("/images/blob/{digest}/evict", post(act::evict_blob))
}

/// How full the tiers are.
pub(super) fn tiers(context: &Context) -> Chart {
    let (rooms, (ram, disk)) = (context.images.rooms(), context.images.held());
    let bar = |tier: Tier, held: Bytes, room: u64| {
        let part = |class, name: &str, value: Bytes, told: String| Part {
            series: Series::new(class, name),
            value: value.0 as f64,
            told,
        };
        let free = Bytes(room.saturating_sub(held.0));
        let parts = vec![
            part(
                tier_class(tier),
                match tier {
                    Tier::Ram => "held in RAM",
                    Tier::Disk | Tier::Origin => "held on disk",
                },
                held,
                format!("{held} held"),
            ),
            part("free", "free", free, format!("{free} free")),
        ];
        (format!("{}, {}", tier, Bytes(room)), room as f64, parts)
    };
    let about = About {
        id: "tiers",
        title: "The cache".into(),
        said: "What the tiers hold of what they take. What is held goes when something comes that is worth more."
            .into(),
    };
    let bars = vec![bar(Tier::Ram, ram, rooms.ram), bar(Tier::Disk, disk, rooms.disk)];
    Stack { about, columns: ["tier", "what", "bytes"], bars }.draw()
}

/// Tells the keeper what is pinned now, and has it look.
fn wake(context: &Context) {
    cache::tell_keeper(context);
    context.keeper.wake();
}
