//! Who asks, and whether they may.

use std::{marker::PhantomData, net::IpAddr, time::Instant};

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};

use crate::{
    model::{Scope, Token},
    serve::token,
};

use super::{
    Api,
    problem::{Kind, Problem},
};

/// The address that a request comes from.
#[derive(Debug, Clone, Copy)]
pub(in crate::serve) struct Peer(pub(in crate::serve) IpAddr);

/// Somebody with a token that allows what the operation needs.
pub(super) struct Caller<N> {
    token: Token,
    needs: PhantomData<fn() -> N>,
}

impl<N> Caller<N> {
    /// What facts call them.
    pub(super) fn voice(&self) -> String {
        self.token.voice()
    }

    /// Whether they may do this as well.
    pub(super) fn may(&self, scope: Scope) -> Result<(), Problem> {
        may(&self.token, scope)
    }
}

/// What an operation needs.
pub(super) trait Needs: Send {
    /// The scope.
    const SCOPE: Scope;
}

macro_rules! needs {
    ($($name:ident)*) => {$(
        /// The scope of this name.
        pub(super) enum $name {}

        impl Needs for $name {
            const SCOPE: Scope = Scope::$name;
        }
    )*};
}

needs! { Read AuditRead DevicesWrite UsersWrite AssignmentsWrite Arm CacheWrite }

/// What the document calls the way of telling who one is.
pub(super) const SCHEME: &str = "token";

fn may(token: &Token, scope: Scope) -> Result<(), Problem> {
    let lacks = || {
        let has = token.scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(", ");
        Problem::new(Kind::Forbidden, format!("this needs the scope `{scope}`; the token `{}` has {has}", token.name))
    };
    token.allows(scope).then_some(()).ok_or_else(lacks)
}

impl<N: Needs> FromRequestParts<Api> for Caller<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let token = known(parts, api)?;
        let callers = &api.context.callers;
        callers.token(&token.name, api.rates.token, Instant::now()).map_err(|seconds| {
            let detail = format!("the token `{}` asks more than {} times a second", token.name, api.rates.token);
            Problem::new(Kind::TooMany, detail).retry_after(seconds)
        })?;
        callers.uses(&token.name, (api.context.clock)());
        may(&token, N::SCOPE)?;
        Ok(Self { token, needs: PhantomData })
    }
}

/// The token that a request shows. One that is not ours counts as a guess of its address.
fn known(parts: &Parts, api: &Api) -> Result<Token, Problem> {
    let mut shown = parts.headers.get_all(header::AUTHORIZATION).iter();
    let (shown, more) = (shown.next(), shown.next());
    let Some(shown) = shown.filter(|_| more.is_none()) else {
        return Err(Problem::new(Kind::Unauthorized, "no token was sent: `Authorization: Bearer TOKEN`"));
    };
    let bearer = shown.to_str().ok().and_then(|shown| {
        let (scheme, token) = shown.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    if let Some(token) = bearer.and_then(|bearer| token::recognise(&api.context, bearer)) {
        return Ok(token);
    }
    match api.context.callers.guess(peer(parts), api.rates.address, Instant::now()) {
        Ok(()) => Err(Problem::new(Kind::Unauthorized, "this token is not known, or no longer")),
        Err(seconds) => {
            let detail = "too many tokens from this address were not known";
            Err(Problem::new(Kind::TooMany, detail).retry_after(seconds))
        }
    }
}

/// Where a request comes from. A server that does not say so is one caller.
pub(in crate::serve) fn peer(parts: &Parts) -> IpAddr {
    parts.extensions.get::<Peer>().map_or(IpAddr::from([0; 4]), |peer| peer.0)
}

impl<N: Needs> OperationInput for Caller<N> {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        let scope = N::SCOPE.name().to_owned();
        operation.security = vec![[(SCHEME.to_owned(), vec![scope])].into_iter().collect()];
    }
}
