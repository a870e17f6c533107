//! What people order on pages: fields of forms, and what the engine makes of orders.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
};

use crate::model::{
    command::{Line, Orders},
    reply::Reply,
    request::Request as Asked,
};

use super::{Trouble, Visitor, Web};

/// The fields of a form, in their order; a name may come several times.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Those of a form as it was sent, or of a query.
    pub(super) fn of(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// What a field says; nothing when it is empty or not there.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let field = self.0.iter().find(|(field, _)| field == name);
        field.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Everything that fields of this name say.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// What a field says, which must be there.
    pub(super) fn need(&self, name: &str) -> Result<&str, Trouble> {
        self.get(name).ok_or_else(|| Trouble::bad(format!("{name} is missing"), "Go back and fill it in."))
    }

    /// What a field says, as what it means.
    pub(super) fn read<T: std::str::FromStr<Err: std::fmt::Display>>(&self, name: &str) -> Result<Option<T>, Trouble> {
        let read = |text: &str| {
            text.trim().parse().map_err(|error| Trouble::bad(format!("{name}: {error}"), "Go back and correct it."))
        };
        self.get(name).map(read).transpose()
    }
}

impl FromRequest<Web> for Fields {
    type Rejection = Trouble;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Trouble> {
        let body = Bytes::from_request(request, web).await.map_err(|error| {
            Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, "That is too much", error.to_string(), "Send less at once.")
        })?;
        Ok(Self::of(&body))
    }
}

impl Web {
    /// Has orders carried out by this visitor: all of them, or none.
    pub(super) async fn order(&self, visitor: &Visitor, lines: Vec<Line>) -> Result<(), Trouble> {
        let orders = Orders { by: visitor.voice(), key: None, said: None, lines };
        match self.context.engine.ask(Asked::Orders(orders)).await? {
            Reply::Rejected(rejection) => Err(Trouble::from(&rejection)),
            _ => Ok(()),
        }
    }
}
