//! Accounts of the pages: making and changing them, and the admin's door to that.
//!
//! A password comes in, and its print goes on ([`Passwords`](super::Passwords)); an invitation's code goes out once, and its
//! print is what is kept. Neither reaches the journal or the log.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{
    engine::Unavailable,
    model::{
        Account, AccountName, Moment, Role, Seconds,
        account::{AccountOrder, BadPassword, Proof, check_password},
        command::Rejection,
        reply::Reply,
        request::Request,
        token::TokenPrint,
    },
};

use super::{Context, admin::trouble, password::Busy, seed::SeedKey, token::mac};

/// For how long an invitation opens its account.
const INVITATION: Seconds = Seconds(7 * 86_400);

/// Which account shall be made.
#[derive(Clone, Serialize, Deserialize)]
pub struct CreateAsk {
    /// What it is called.
    pub name: AccountName,
    /// What it may do.
    pub role: Role,
    /// Its password; without one, there is an invitation to choose it.
    pub password: Option<String>,
    /// Who asks.
    pub by: String,
}

/// Which account shall have another password.
#[derive(Clone, Serialize, Deserialize)]
pub struct PasswordAsk {
    /// Which.
    pub name: AccountName,
    /// The password; without one, there is an invitation to choose it.
    pub password: Option<String>,
    /// Who asks.
    pub by: String,
}

/// Which account shall have another role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RoleAsk {
    /// Which.
    pub name: AccountName,
    /// What it may do from now on.
    pub role: Role,
    /// Who asks.
    pub by: String,
}

/// Which account shall be removed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RemoveAsk {
    /// Which.
    pub name: AccountName,
    /// Who asks.
    pub by: String,
}

/// What came of making an account, or of giving it another password.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Made {
    /// What it is called.
    pub name: AccountName,
    /// Where whoever it is for chooses their password, when they are invited. It is shown here, and never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<String>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
}

/// An account, as it may be shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccountView {
    /// What it is called.
    pub name: AccountName,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created: Moment,
    /// By whom.
    pub by: String,
    /// Until when whoever it is for may choose a password, when they have not yet.
    pub invited: Option<Moment>,
    /// Whether that time is over.
    pub expired: bool,
}

/// Why something about an account was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Refused {
    /// The password will not do.
    #[error(transparent)]
    Password(#[from] BadPassword),
    /// The engine says no.
    #[error("{0}")]
    Rejected(Rejection),
    /// Too many people sign in.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The engine does not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What an invitation is recognised by.
fn print(key: &SeedKey, code: &str) -> TokenPrint {
    TokenPrint::new(mac(&key.derived("invitations"), code.as_bytes()))
}

/// The account that an invitation is for, while it opens anything. Each is compared, so that the time tells nothing.
pub(super) fn invited(context: &Context, code: &str) -> Option<Account> {
    let (print, now) = (print(&context.seed_key, code), (context.clock)());
    let mut found = None;
    for account in context.engine.world().accounts.values() {
        if matches!(&account.proof, Proof::Invitation { print: kept, until } if *kept == print && now < *until) {
            found = Some(account.clone());
        }
    }
    found
}

/// Makes an account.
pub(super) async fn create(context: &Context, ask: &CreateAsk, first: bool) -> Result<Made, Refused> {
    let CreateAsk { name, role, password, by } = ask;
    let (proof, made) = proof(context, name, password.as_deref()).await?;
    let order = AccountOrder::Create { name: name.clone(), role: *role, proof, first, by: by.clone() };
    ordered(context, order).await.map(|()| made)
}

/// Gives an account another password, if nobody has changed it since `expects`.
pub(super) async fn prove(context: &Context, ask: &PasswordAsk, expects: Option<u64>) -> Result<Made, Refused> {
    let PasswordAsk { name, password, by } = ask;
    if !context.engine.world().accounts.contains_key(name) {
        return Err(Refused::Rejected(Rejection::NoAccount { name: name.clone() }));
    }
    let (proof, made) = proof(context, name, password.as_deref()).await?;
    let order = AccountOrder::Proof { name: name.clone(), proof, expects, by: by.clone() };
    ordered(context, order).await.map(|()| made)
}

/// Has an order about an account carried out.
pub(super) async fn ordered(context: &Context, order: AccountOrder) -> Result<(), Refused> {
    match context.engine.ask(Request::Account(order)).await? {
        Reply::Rejected(rejection) => Err(Refused::Rejected(rejection)),
        _ => Ok(()),
    }
}

/// What is kept of a password; without one, an invitation, and its code.
async fn proof(context: &Context, name: &AccountName, password: Option<&str>) -> Result<(Proof, Made), Refused> {
    if let Some(password) = password {
        check_password(name, password)?;
        let print = context.passwords.print(&context.seed_key, password).await?;
        return Ok((Proof::Password { print }, Made { name: name.clone(), invitation: None, until: None }));
    }
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).expect("the kernel's random numbers are always to be had on Linux");
    let code = URL_SAFE_NO_PAD.encode(bytes);
    let until = (context.clock)().plus(INVITATION);
    let proof = Proof::Invitation { print: print(&context.seed_key, &code), until };
    Ok((proof, Made { name: name.clone(), invitation: Some(format!("/invitation/{code}")), until: Some(until) }))
}

/// All accounts, as they may be shown.
pub(super) fn views(context: &Context) -> Vec<AccountView> {
    let now = (context.clock)();
    let view = |account: &Account| {
        let invited = match &account.proof {
            Proof::Password { .. } => None,
            Proof::Invitation { until, .. } => Some(*until),
        };
        AccountView {
            name: account.name.clone(),
            role: account.role,
            created: account.created,
            by: account.by.clone(),
            invited,
            expired: invited.is_some_and(|until| now >= until),
        }
    };
    context.engine.world().accounts.values().map(view).collect()
}

/// The admin's door, and where browsers find the pages.
#[derive(Clone)]
struct Desk {
    context: Context,
    url: Option<String>,
}

/// The routes of the admin's door. `url` is where browsers find the pages, when they are served.
pub fn routes(context: Context, url: Option<String>) -> Router {
    Router::new()
        .route("/accounts", get(list).post(add))
        .route("/accounts/password", post(password))
        .route("/accounts/role", post(role))
        .route("/accounts/remove", post(remove))
        .with_state(Desk { context, url })
}

async fn list(State(desk): State<Desk>) -> Json<Vec<AccountView>> {
    Json(views(&desk.context))
}

async fn add(State(desk): State<Desk>, Json(ask): Json<CreateAsk>) -> Response {
    desk.made(create(&desk.context, &ask, false).await)
}

async fn password(State(desk): State<Desk>, Json(ask): Json<PasswordAsk>) -> Response {
    desk.made(prove(&desk.context, &ask, None).await)
}

async fn role(State(desk): State<Desk>, Json(ask): Json<RoleAsk>) -> Response {
    let RoleAsk { name, role, by } = ask;
    done(ordered(&desk.context, AccountOrder::Role { name, role, by }).await)
}

async fn remove(State(desk): State<Desk>, Json(ask): Json<RemoveAsk>) -> Response {
    let RemoveAsk { name, by } = ask;
    done(ordered(&desk.context, AccountOrder::Remove { name, by }).await)
}

impl Desk {
    fn made(&self, made: Result<Made, Refused>) -> Response {
        match made {
            Ok(made) => {
                let url = self.url.as_deref().unwrap_or_default();
                let invitation = made.invitation.map(|path| format!("{url}{path}"));
                Json(Made { invitation, ..made }).into_response()
            }
            Err(refused) => done(Err(refused)),
        }
    }
}

fn done(done: Result<(), Refused>) -> Response {
    match done {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refused @ (Refused::Busy(_) | Refused::Unavailable(_))) => {
            trouble(StatusCode::SERVICE_UNAVAILABLE, refused)
        }
        Err(refused) => trouble(StatusCode::UNPROCESSABLE_ENTITY, refused),
    }
}
