//! The directory: people, asked for page by page (RFC 7644 section 3.4.2.4), and taken over when all of them have come.
//!
//! **A pull that fails changes nothing**: an error, half a list, a list that moved while it was read, or one that has lost most
//! of the people who were in it. It shows in `/healthz`, and the next one tries again. Whoever is missing from a whole list
//! becomes inactive, and is never forgotten. People whom operators described themselves are left alone: the directory's are
//! those who have its `id` ([`scim::ID`]). Only what has changed becomes a fact.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, response::Response, routing::post};
use futures_util::StreamExt;
use reqwest::{Client, Url, header, redirect::Policy};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::{
    images::choose_tls,
    library::secret,
    model::{User, UserName, attribute::AttributeName},
    usage::roster::{MOST_ROWS, Name, Row},
    wire::scim::{self, Page, Path},
};

use super::{
    Context,
    admin::trouble,
    roster::{ImportAsk, Imported, taken},
};

/// What `/healthz` and the journal call it.
const NAME: &str = "directory";
/// How many people a page shall have: what most directories allow.
const PER_PAGE: u64 = 200;
/// How many pages are read; some directories make them small.
const MOST_PAGES: usize = 10_000;
/// The largest page, in bytes.
const LARGEST_PAGE: usize = 32 << 20;
/// How long the directory may be silent, and how long all of it may take.
const SILENCE: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(900);
/// From how many people on it is strange that half of them are gone at once.
const MANY: usize = 10;

/// Where it is, and what is taken over.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The list of users.
    pub url: String,
    /// The secret with the bearer token, if it takes one.
    pub token_secret: Option<String>,
    /// The folder of the secrets: read at each pull, so that a token can be changed.
    pub secrets_dir: PathBuf,
    /// Which attribute is which of a user's fields.
    pub attributes: Vec<(AttributeName, Path)>,
}

/// A directory. What it said last is kept, for answers that say only that nothing has changed.
pub struct Directory {
    settings: Settings,
    url: Url,
    web: Client,
    kept: Mutex<HashMap<u64, Kept>>,
}

/// A page as it came last, and the tag that it had.
#[derive(Clone)]
struct Kept {
    tag: String,
    page: Page,
}

/// How a pull shall be made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullAsk {
    /// Whether only to say what would change.
    #[serde(default)]
    pub dry_run: bool,
    /// Whether to believe a list that has lost most of its people.
    #[serde(default)]
    pub force: bool,
}

impl Directory {
    /// A directory that has not been asked yet.
    pub fn new(settings: Settings) -> Result<Self, String> {
        choose_tls();
        let url = Url::parse(&settings.url).map_err(|error| format!("{}: {error}", settings.url))?;
        let builder = || {
            // A redirect would carry the token to where nobody meant it to go.
            Client::builder().redirect(Policy::none()).connect_timeout(SILENCE).read_timeout(SILENCE)
        };
        let plain = url.scheme() == "http";
        let web = if plain { builder().tls_certs_only([]).build() } else { builder().build() };
        let web = web.map_err(|error| format!("the directory cannot be asked: {}", cause(&error)))?;
        Ok(Self { settings, url, web, kept: Mutex::default() })
    }

    /// Asks for everybody, and takes over what has changed.
    pub async fn pull(&self, context: &Context, ask: PullAsk) -> Result<Imported, String> {
        let mut kept = self.kept.lock().await;
        let result = self.pulled(context, ask, &mut kept).await;
        if !ask.dry_run {
            match &result {
                Ok(_) => context.well(NAME),
                Err(why) => context.trouble(NAME, why.clone()),
            }
        }
        result
    }

    async fn pulled(&self, context: &Context, ask: PullAsk, kept: &mut HashMap<u64, Kept>) -> Result<Imported, String> {
        let token = match &self.settings.token_secret {
            None => None,
            Some(name) => Some(secret(name, &self.settings.secrets_dir).map_err(|error| error.to_string())?),
        };
        let read = tokio::time::timeout(PATIENCE, self.everybody(token.as_deref(), kept)).await;
        let (pages, tags) =
            read.map_err(|_| format!("the directory took longer than {} minutes", PATIENCE.as_secs() / 60))??;
        let rows = rows(context, &pages, ask.force)?;
        let import = ImportAsk { by: NAME.into(), rows, prune: false, dry_run: ask.dry_run };
        let mut imported = taken(context, import).await.map_err(|problems| {
            let first = problems.told.first().map(|problem| problem.message.clone()).unwrap_or_default();
            format!("{} of the directory's people cannot be taken over: {first}", problems.count)
        })?;
        if let Some(why) = &imported.stopped {
            return Err(format!("{} of {} changes are made; then: {why}", imported.done, imported.differences.len()));
        }
        let left_out: usize = pages.iter().map(|page| page.left_out.1).sum();
        if left_out > 0 {
            let named = pages.iter().flat_map(|page| &page.left_out.0).take(5).cloned().collect::<Vec<_>>();
            imported.notes.push(format!("{left_out} of the directory's people are left out: {}", named.join("; ")));
        }
        *kept = tags;
        Ok(imported)
    }

    /// Every page, when they are one whole list; and those with a tag, by where they begin.
    async fn everybody(
        &self,
        token: Option<&str>,
        kept: &HashMap<u64, Kept>,
    ) -> Result<(Vec<Page>, HashMap<u64, Kept>), String> {
        let (mut pages, mut tags): (Vec<Page>, HashMap<u64, Kept>) = (vec![], HashMap::new());
        let mut got = 0;
        for _ in 0..MOST_PAGES {
            let start = got + 1;
            let (page, tag) = self.page(start, token, kept.get(&start)).await?;
            let total = pages.first().map_or(page.total, |first| first.total);
            if page.total != total {
                return Err(format!("the list changed while it was read: {total} people, then {}", page.total));
            }
            if page.start.is_some_and(|began| began != start) && page.count > 0 {
                return Err(format!("the directory was asked for people from {start} on, and gave others"));
            }
            got += page.count;
            if page.count == 0 && got < total || got > total {
                return Err(format!("the directory says that it has {total} people, and gave {got}"));
            }
            if total > MOST_ROWS as u64 {
                return Err(format!("the directory has {total} people, and {MOST_ROWS} are the most"));
            }
            if let Some(tag) = tag {
                tags.insert(start, Kept { tag, page: page.clone() });
            }
            pages.push(page);
            if got == total {
                return Ok((pages, tags));
            }
        }
        Err(format!("the directory has more than {MOST_PAGES} pages"))
    }

    /// One page, and its tag if it has one.
    async fn page(
        &self,
        start: u64,
        token: Option<&str>,
        kept: Option<&Kept>,
    ) -> Result<(Page, Option<String>), String> {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("startIndex", &start.to_string()).append_pair("count", &PER_PAGE.to_string());
        let mut request = self.web.get(url).header(header::ACCEPT, "application/scim+json, application/json");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(kept) = kept {
            request = request.header(header::IF_NONE_MATCH, &kept.tag);
        }
        // What went wrong is told without the request, which has the token.
        let silent = |error: reqwest::Error| format!("the directory does not answer: {}", cause(&error.without_url()));
        let response = request.send().await.map_err(silent)?;
        let status = response.status();
        if let (StatusCode::NOT_MODIFIED, Some(kept)) = (status, kept) {
            return Ok((kept.page.clone(), Some(kept.tag.clone())));
        }
        if status.is_redirection() {
            let to = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("elsewhere");
            return Err(format!("the directory sends us to {to}: if that is right, write it into `directory.url`"));
        }
        if !status.is_success() {
            let hint = match status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ": check the token that `token_secret` names",
                _ => "",
            };
            return Err(format!("the directory answered {status}{hint}"));
        }
        let tag = response.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let mut bytes: Vec<u8> = vec![];
        let mut body = response.bytes_stream();
        while let Some(piece) = body.next().await {
            bytes.extend_from_slice(&piece.map_err(silent)?);
            if bytes.len() > LARGEST_PAGE {
                return Err(format!("a page of the directory has more than {} MiB", LARGEST_PAGE >> 20));
            }
        }
        let page = scim::page(&bytes, &self.settings.attributes).map_err(|error| error.to_string())?;
        Ok((page, tag))
    }
}

/// What a whole list says of everybody: those who are in it, and those who were once and are not any more.
fn rows(context: &Context, pages: &[Page], force: bool) -> Result<Vec<Row>, String> {
    let world = context.engine.world();
    let mut named: BTreeSet<&UserName> = BTreeSet::new();
    let mut rows = vec![];
    let row = |name: &UserName| Row {
        name: Name::User(name.clone()),
        line: 0,
        attributes: Default::default(),
        persona: None,
        active: None,
    };
    for person in pages.iter().flat_map(|page| &page.people) {
        if !named.insert(&person.user) {
            return Err(format!("the directory names {} twice: its list changed while it was read", person.user));
        }
        rows.push(Row { attributes: person.attributes.clone(), active: Some(person.active), ..row(&person.user) });
    }
    let ours = |user: &&User| user.active && user.attributes.contains_key(scim::ID);
    let known: Vec<&User> = world.users.values().filter(ours).collect();
    let active = rows.iter().filter(|row| row.active == Some(true)).count();
    let lost = (known.len() >= MANY && active * 2 < known.len()) || (!known.is_empty() && rows.is_empty());
    if lost && !force {
        return Err(format!(
            "the directory has {active} active people, and had {}: nothing is changed; if that is right, run \
             `greenroom user pull --force`",
            known.len()
        ));
    }
    // Whom it cannot name as we need it is not missing.
    let left_out = |user: &User| {
        user.attributes.get(scim::ID).is_some_and(|id| pages.iter().any(|page| page.left_out_ids.contains(id.as_str())))
    };
    let missing = known.into_iter().filter(|user| !named.contains(&user.name) && !left_out(user));
    rows.extend(missing.map(|user| Row { active: Some(false), ..row(&user.name) }));
    Ok(rows)
}

/// What is at the bottom of an error: what the system or the other side said.
fn cause(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(below) = last.source() {
        last = below;
    }
    last.to_string()
}

/// The route of the admin's door that asks the directory now.
pub fn routes(context: Context, directory: Option<Arc<Directory>>) -> Router {
    Router::new().route("/users/pull", post(pull)).with_state((context, directory))
}

async fn pull(
    State((context, directory)): State<(Context, Option<Arc<Directory>>)>,
    Json(ask): Json<PullAsk>,
) -> Response {
    let Some(directory) = directory else {
        let words = "no directory is configured: `directory:` in the configuration says where it is";
        return trouble(StatusCode::CONFLICT, words);
    };
    match directory.pull(&context, ask).await {
        Ok(imported) => Json(imported).into_response(),
        Err(why) => trouble(StatusCode::BAD_GATEWAY, why),
    }
}
