//! Images for people, by the admin's door: which there are, how much room they take, and the long works on their files.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    Json, Router,
    extract::{Path as UrlPath, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{
    images::{BlobStatus, Usage},
    model::{
        Bytes, Digest,
        image::{Image, ImageFile, ImageName, Role},
    },
};

use super::{
    Context,
    admin::{STEP, WAITING, as_lines, trouble},
};

pub(super) fn routes() -> Router<Context> {
    Router::new()
        .route("/images", get(images))
        .route("/images/take", post(take))
        .route("/images/usage", get(usage))
        .route("/images/{name}/warm", post(warm))
        .route("/images/{name}/verify", post(verify))
}

/// An image with where its files are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImageView {
    /// The manifest.
    #[serde(flatten)]
    pub image: Image,
    /// Where each file is.
    pub status: Vec<(Role, BlobStatus)>,
    /// How much room each file takes.
    pub usage: BTreeMap<Role, Usage>,
    /// How much room all of its files take: what they share counts once.
    pub together: Usage,
}

/// How a long work on an image file fares: one JSON line each.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "progress")]
pub enum Progress {
    /// So much of a file is done.
    Moved {
        /// Which file.
        role: Role,
        /// Bytes done.
        done: Bytes,
        /// Of so many.
        of: Bytes,
    },
    /// A file is done.
    Finished {
        /// Which file.
        role: Role,
        /// Its digest.
        digest: Digest,
        /// Whether it is as it should be.
        ok: bool,
        /// What there is to say of it.
        message: String,
    },
}

async fn images(State(context): State<Context>) -> Json<Vec<ImageView>> {
    Json(views(&context, |_| true))
}

/// The images of which `wanted` says so, by name.
pub(super) fn views(context: &Context, wanted: impl Fn(&ImageName) -> bool) -> Vec<ImageView> {
    let ground = context.engine.ground();
    let mut named: BTreeMap<Digest, usize> = BTreeMap::new();
    for image in ground.catalog.images() {
        let digests: BTreeSet<Digest> = image.files.values().map(|file| file.sha256).collect();
        digests.into_iter().for_each(|digest| *named.entry(digest).or_default() += 1);
    }
    let usage = |files: &[&ImageFile]| {
        // A file that another image names as well does not go with this one.
        let alone: Vec<&ImageFile> = files.iter().copied().filter(|file| named[&file.sha256] == 1).collect();
        Usage { unique: context.images.usage(&alone).unique, ..context.images.usage(files) }
    };
    let view = |image: &Image| ImageView {
        image: image.clone(),
        status: image.files.iter().map(|(role, file)| (*role, context.images.status(&file.sha256))).collect(),
        usage: image.files.iter().map(|(role, file)| (*role, usage(&[file]))).collect(),
        together: usage(&image.files.values().collect::<Vec<_>>()),
    };
    ground.catalog.images().filter(|image| wanted(&image.name)).map(|image| view(image)).collect()
}

/// How much room all images take together.
async fn usage(State(context): State<Context>) -> Json<Usage> {
    let ground = context.engine.ground();
    let files: Vec<&ImageFile> = ground.catalog.images().flat_map(|image| image.files.values()).collect();
    Json(context.images.usage(&files))
}

async fn warm(State(context): State<Context>, UrlPath(name): UrlPath<ImageName>) -> Response {
    over_files(context, name, warmed).await
}

/// Takes a file into the cache from where the asker has it, whatever manifest names it.
async fn take(State(context): State<Context>, Json((role, file)): Json<(Role, ImageFile)>) -> Response {
    work_on(context, vec![(role, file)], warmed)
}

async fn warmed(context: Context, role: Role, file: ImageFile, lines: mpsc::Sender<Progress>) -> (bool, String) {
    let mut last = 0;
    let progress = move |done: u64, of: u64| {
        if done == of || done >= last + STEP {
            last = done;
            // A reader that is behind misses a step of the bar, nothing else.
            lines.try_send(Progress::Moved { role, done: Bytes(done), of: Bytes(of) }).unwrap_or_default();
        }
    };
    let result = context.images.warm(&file, progress).await;
    (result.is_ok(), result.err().map_or_else(|| "in the cache".into(), |error| error.to_string()))
}

async fn verify(State(context): State<Context>, UrlPath(name): UrlPath<ImageName>) -> Response {
    over_files(context, name, |context, _, file, _| async move {
        let cached = context.images.status(&file.sha256).len.is_some();
        match (cached, context.images.verify(file.sha256).await) {
            (false, _) => (true, "not in the cache".to_owned()),
            (true, Ok(true)) => (true, "hashes to its name".to_owned()),
            (true, Ok(false)) => {
                (false, "had changed on disk: dropped, and fetched anew when next asked for".to_owned())
            }
            (true, Err(error)) => (false, error.to_string()),
        }
    })
    .await
}

/// Runs `work` over every file of an image and streams what it says.
async fn over_files<F, Fut>(context: Context, name: ImageName, work: F) -> Response
where
    F: Fn(Context, Role, ImageFile, mpsc::Sender<Progress>) -> Fut + Send + 'static,
    Fut: Future<Output = (bool, String)> + Send,
{
    context.catch_up().await;
    let Some(image) = context.engine.ground().catalog.image(&name).cloned() else {
        return trouble(StatusCode::NOT_FOUND, format!("image {name} is not in the library"));
    };
    work_on(context, image.files.clone().into_iter().collect(), work)
}

/// Runs `work` over these files, one after the other, and streams what it says.
fn work_on<F, Fut>(context: Context, files: Vec<(Role, ImageFile)>, work: F) -> Response
where
    F: Fn(Context, Role, ImageFile, mpsc::Sender<Progress>) -> Fut + Send + 'static,
    Fut: Future<Output = (bool, String)> + Send,
{
    let (lines, received) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        for (role, file) in files {
            let digest = file.sha256;
            let (ok, message) = work(context.clone(), role, file, lines.clone()).await;
            let finished = Progress::Finished { role, digest, ok, message };
            // A reader that went away need not be told; the work goes on all the same.
            lines.send(finished).await.unwrap_or_default();
        }
    });
    as_lines(received)
}
