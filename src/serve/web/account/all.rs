//! `/accounts`: who may do what here, who is signed in, and the tokens of the API.
//!
//! On pages nobody chooses another's password: whoever is to have an account gets an invitation to choose it.

use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    http::request::Parts,
    response::Response,
    routing::{get, post},
};
use serde::Serialize;

use crate::{
    model::{AccountName, Moment, Role, Scope, account::AccountOrder},
    serve::{
        account::{self, AccountView, CreateAsk, Made, PasswordAsk, Refused, create, ordered, prove},
        token::{self, TokenView},
    },
};

use super::{
    super::{Wants, frame::Section, order::Fields},
    ALL, Frame, Notice, SessionView, Shown, Trouble, Visitor, Web, admin, back, rejected, sentence, sessions,
};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/accounts", get(page).post(add))
        .route("/accounts/{name}/role", post(role))
        .route("/accounts/{name}/invite", post(invite))
        .route("/accounts/{name}/end", post(end))
        .route("/accounts/{name}/remove", get(consequence).post(remove))
        .route("/accounts/sessions/{session}/end", post(end_session))
}

/// An account, and how often it is signed in.
#[derive(Debug, Serialize)]
struct Line {
    #[serde(flatten)]
    account: AccountView,
    /// With how many browsers.
    sessions: usize,
    /// When somebody was there last, of those who are signed in.
    seen: Option<Moment>,
}

/// What the page shows.
#[derive(Debug, Serialize)]
struct View {
    /// The accounts.
    accounts: Vec<Line>,
    /// Who is signed in.
    sessions: Vec<SessionView>,
    /// The tokens of the API.
    tokens: Vec<TokenView>,
    /// Whose identities are let in as well.
    issuer: Option<String>,
}

#[derive(Template)]
#[template(path = "html/accounts.html", config = ".askama.toml")]
struct Page<'a> {
    frame: Frame,
    view: &'a View,
    roles: [Role; 4],
    scopes: [Scope; 7],
}

async fn page(
    State(web): State<Web>,
    wants: Wants,
    visitor: Visitor,
    parts: Parts,
    frame: Frame,
) -> Result<Response, Trouble> {
    admin(&visitor)?;
    let this = web.door.session(&web, &parts.headers, false).map(|(id, _)| id);
    let sessions = sessions(&web, this, |_| true);
    let line = |account: AccountView| {
        let mut theirs = sessions.iter().filter(|session| session.who == account.name.as_str()).peekable();
        let seen = theirs.peek().map(|latest| latest.seen);
        Line { sessions: theirs.count(), seen, account }
    };
    let accounts = account::views(&web.context).into_iter().map(line).collect();
    let view = View { accounts, tokens: token::views(&web.context), issuer: web.door.issuer(), sessions };
    wants.answer(&view, || Page {
        frame: frame.titled(Section::Accounts, "Accounts"),
        view: &view,
        roles: Role::ALL,
        scopes: Scope::ALL,
    })
}

/// Shows an invitation, once.
fn invitation(web: &Web, frame: Frame, made: Result<Made, Refused>) -> Result<Response, Trouble> {
    let made = match made {
        Err(Refused::Rejected(rejection)) => return Ok(rejected(&rejection, ALL)),
        made => made?,
    };
    let link = format!("{}{}", web.door.url(), made.invitation.unwrap_or_default());
    let what = format!("An invitation for {}", made.name);
    let help = "Send this link to whoever the account is for: there they choose their password. It opens the account once, and is \
                not shown again.";
    let frame = frame.titled(Section::Accounts, &what);
    Shown { frame, what: &what, secret: &link, help, until: made.until }.answer()
}

async fn add(State(web): State<Web>, visitor: Visitor, frame: Frame, fields: Fields) -> Result<Response, Trouble> {
    admin(&visitor)?;
    let name = match fields.need("name")?.trim().to_lowercase().parse() {
        Ok(name) => name,
        Err(bad) => {
            let bad: crate::model::account::BadAccountName = bad;
            return Ok(Notice::refused(sentence(&bad)).on(ALL));
        }
    };
    let role = fields.read("role")?.unwrap_or(Role::Viewer);
    let ask = CreateAsk { name, role, password: None, by: visitor.voice() };
    invitation(&web, frame, create(&web.context, &ask, false).await)
}

async fn invite(
    State(web): State<Web>,
    visitor: Visitor,
    frame: Frame,
    Path(name): Path<AccountName>,
) -> Result<Response, Trouble> {
    admin(&visitor)?;
    let ask = PasswordAsk { name, password: None, by: visitor.voice() };
    invitation(&web, frame, prove(&web.context, &ask, None).await)
}

async fn role(
    State(web): State<Web>,
    visitor: Visitor,
    Path(name): Path<AccountName>,
    fields: Fields,
) -> Result<Response, Trouble> {
    admin(&visitor)?;
    let role: Role = fields.read("role")?.ok_or_else(|| Trouble::bad("role is missing", "Go back and choose one."))?;
    let same = web.account(&name).is_some_and(|(_, now)| now == role);
    if same {
        return Ok(Notice::done(format!("{name} is {role} already.")).on(ALL));
    }
    let words = format!("{name} is {role} now, and has to sign in again.");
    let order = AccountOrder::Role { name, role, by: visitor.voice() };
    back(ordered(&web.context, order).await, words, ALL)
}

async fn end(State(web): State<Web>, visitor: Visitor, Path(name): Path<AccountName>) -> Result<Response, Trouble> {
    admin(&visitor)?;
    let ended = web.door.end(|_, session| session.who.is_account(&name)).await;
    tracing::info!(account = %name, by = visitor.name, ended, "sessions were ended");
    Ok(Notice::done(format!("{name} is signed out everywhere.")).on(ALL))
}

async fn end_session(
    State(web): State<Web>,
    visitor: Visitor,
    Path(wanted): Path<String>,
) -> Result<Response, Trouble> {
    admin(&visitor)?;
    let ended = web.door.end(|id, _| id.name() == wanted).await;
    tracing::info!(by = visitor.name, ended, "sessions were ended");
    Ok(match ended {
        0 => Notice::refused("That session has ended already.").on(ALL),
        _ => Notice::done("That browser is signed out.").on(ALL),
    })
}

/// What removing an account means.
#[derive(Debug, Serialize)]
struct Consequence {
    /// Which.
    name: AccountName,
    /// What it may do.
    role: Role,
    /// With how many browsers it is signed in.
    sessions: usize,
}

#[derive(Template)]
#[template(path = "html/account_remove.html", config = ".askama.toml")]
struct RemovePage<'a> {
    frame: Frame,
    view: &'a Consequence,
}

async fn consequence(
    State(web): State<Web>,
    wants: Wants,
    visitor: Visitor,
    frame: Frame,
    Path(name): Path<AccountName>,
) -> Result<Response, Trouble> {
    admin(&visitor)?;
    let (_, role) = web.account(&name).ok_or_else(|| Trouble::not_found("account", &name))?;
    let sessions = sessions(&web, None, |session| session.who.is_account(&name)).len();
    let view = Consequence { name, role, sessions };
    let title = format!("Remove {}?", view.name);
    wants.answer(&view, || RemovePage { frame: frame.titled(Section::Accounts, title), view: &view })
}

async fn remove(State(web): State<Web>, visitor: Visitor, Path(name): Path<AccountName>) -> Result<Response, Trouble> {
    admin(&visitor)?;
    let words = format!("{name} is removed, and signed out everywhere.");
    let order = AccountOrder::Remove { name: name.clone(), by: visitor.voice() };
    let removed = ordered(&web.context, order).await;
    if removed.is_ok() {
        web.door.end(|_, session| session.who.is_account(&name)).await;
    }
    back(removed, words, ALL)
}
