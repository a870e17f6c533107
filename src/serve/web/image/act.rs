//! What an operator has done with images. Each says what came of it on the page where it was asked for.

use axum::{
    extract::{Path, State},
    response::Response,
};

use crate::{
    model::{
        Bytes, Digest, Role,
        command::PinImage,
        image::{Image, ImageName, Tier},
        reply::Reply,
        request::Request,
    },
    serve::cache::{self, Evicted},
};

use super::{Trouble, Visitor, Web, wake};
use crate::serve::web::{notice::Notice, order::Fields, word::count};

/// The image of that name.
fn image(web: &Web, name: &str) -> Result<Image, Trouble> {
    let found =
        name.parse::<ImageName>().ok().and_then(|name| web.context.engine.ground().catalog.image(&name).cloned());
    found.map(|image| Image::clone(&image)).ok_or_else(|| Trouble::not_found("image", name))
}

async fn pin_to(web: &Web, visitor: &Visitor, image: ImageName, tier: Tier) -> Result<(), Trouble> {
    let order = PinImage { image, tier, by: visitor.voice() };
    let reply = web.context.engine.ask(Request::Pin(order)).await?;
    wake(&web.context);
    match reply {
        Reply::Rejected(rejection) => Err(Trouble::from(&rejection)),
        _ => Ok(()),
    }
}

/// `POST /images/NAME/pin`
pub(super) async fn pin(
    State(web): State<Web>,
    visitor: Visitor,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let tier = match fields.need("tier")? {
        "ram" => Tier::Ram,
        "disk" => Tier::Disk,
        other => return Err(Trouble::bad(format!("{other} is no tier to pin to"), "Choose RAM or the disk.")),
    };
    let image = image(&web, &name)?;
    pin_to(&web, &visitor, image.name, tier).await?;
    let words = format!("{name} is pinned to {tier}. What is missing of it is being fetched.");
    Ok(Notice::done(words).on(&format!("/images/{name}")))
}

/// `POST /images/NAME/unpin`
pub(super) async fn unpin(
    State(web): State<Web>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let image: ImageName = name.parse().map_err(|_| Trouble::not_found("image", &name))?;
    // One that has left the library may be pinned still, and has no page any more.
    let page = if web.context.engine.ground().catalog.image(&image).is_some() {
        format!("/images/{name}")
    } else {
        "/images".into()
    };
    pin_to(&web, &visitor, image, Tier::Origin).await?;
    let words = format!("{name} is not pinned any more. Its files stay until something is worth more.");
    Ok(Notice::done(words).on(&page))
}

/// `POST /images/NAME/warm`: fetches what is missing, at full speed. It goes on when whoever asked leaves.
pub(super) async fn warm(
    State(web): State<Web>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let image = image(&web, &name)?;
    let cold: Vec<_> = image
        .files
        .into_iter()
        .filter(|(_, file)| web.context.images.status(&file.sha256).tier == Tier::Origin)
        .collect();
    let page = format!("/images/{name}");
    if cold.is_empty() {
        return Ok(Notice::done(format!("All of {name} is in the cache already.")).on(&page));
    }
    let words = format!(
        "{} of {name} {} being fetched.",
        count(cold.len(), "file"),
        if cold.len() == 1 { "is" } else { "are" }
    );
    let (images, by) = (web.context.images.clone(), visitor.voice());
    tokio::spawn(async move {
        for (role, file) in cold {
            match images.warm(&file, |_, _| ()).await {
                Ok(_) => tracing::info!(image = name, %role, by, "an image file was fetched for an operator"),
                Err(error) => tracing::warn!(image = name, %role, by, %error, "an image file could not be fetched"),
            }
        }
    });
    Ok(Notice::done(words).on(&page))
}

/// `POST /images/NAME/evict`
pub(super) async fn evict(
    State(web): State<Web>,
    visitor: Visitor,
    Path(name): Path<String>,
    fields: Fields,
) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let image = image(&web, &name)?;
    let mut digests: Vec<Digest> = image.files.values().map(|file| file.sha256).collect();
    digests.sort();
    digests.dedup();
    evicted(&web, &visitor, &digests, &fields).await.map(|notice| notice.on(&format!("/images/{name}")))
}

/// `POST /images/blob/DIGEST/evict`
pub(super) async fn evict_blob(
    State(web): State<Web>,
    visitor: Visitor,
    Path(digest): Path<String>,
    fields: Fields,
) -> Result<Response, Trouble> {
    visitor.must(Role::Operator)?;
    let blob: Digest = digest.parse().map_err(|_| Trouble::not_found("blob", &digest))?;
    // One that no image names has no page when it is gone.
    let named =
        web.context.engine.ground().catalog.images().any(|image| image.files.values().any(|file| file.sha256 == blob));
    let page = if named { format!("/images/blob/{digest}") } else { "/images".into() };
    evicted(&web, &visitor, &[blob], &fields).await.map(|notice| notice.on(&page))
}

async fn evicted(web: &Web, visitor: &Visitor, blobs: &[Digest], fields: &Fields) -> Result<Notice, Trouble> {
    cache::tell_keeper(&web.context);
    let only_ram = fields.get("from") == Some("ram");
    let all = cache::evicted(&web.context, blobs, only_ram, &visitor.voice()).await;
    let gone: Vec<&Evicted> = all.iter().filter(|one| one.kept.is_none()).collect();
    let freed = Bytes(gone.iter().map(|one| one.freed.0).sum());
    let kept: Vec<String> =
        all.iter().filter_map(|one| Some(format!("{} stays: {}", one.name, one.kept.as_ref()?))).collect();
    let whence = if only_ram { "RAM" } else { "the cache" };
    if gone.is_empty() {
        return Ok(Notice::refused(format!("Nothing was evicted. {}.", kept.join("; "))));
    }
    let mut words = format!("{} left {whence}; {freed} came free.", count(gone.len(), "file"));
    if !kept.is_empty() {
        words += &format!(" {}.", kept.join("; "));
    }
    Ok(Notice::done(words))
}
