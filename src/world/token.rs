//! Operators' orders about tokens of the API, through the door.

use crate::model::{
    Fact, Moment,
    command::Rejection,
    reply::Reply,
    token::{Token, TokenOrder},
};

use super::{Outcome, World};

/// Decides one order.
pub(super) fn decide(world: &World, order: &TokenOrder, now: Moment) -> Outcome {
    match fact(world, order, now) {
        Ok(fact) => Outcome { reply: Reply::Done, facts: vec![fact] },
        Err(rejection) => Outcome { reply: Reply::Rejected(rejection), facts: vec![] },
    }
}

/// A name is free again when its token was revoked, or has expired.
fn fact(world: &World, order: &TokenOrder, now: Moment) -> Result<Fact, Rejection> {
    match order.clone() {
        TokenOrder::Create { name, scopes, print, expires, by } => {
            let known = world.tokens.get(&name);
            if known.is_some_and(|token: &Token| token.is_live(now)) {
                return Err(Rejection::TokenExists { name });
            }
            if known.is_none() && world.tokens.size() >= World::MAX_TOKENS {
                return Err(Rejection::TooManyTokens { most: World::MAX_TOKENS });
            }
            if scopes.is_empty() || expires.is_some_and(|expires| expires <= now) {
                return Err(Rejection::UselessToken);
            }
            Ok(Fact::TokenCreated { name, scopes, print, expires, by })
        }
        TokenOrder::Revoke { name, by } => match world.tokens.get(&name) {
            None => Err(Rejection::NoToken { name }),
            Some(_) => Ok(Fact::TokenRevoked { name, by }),
        },
    }
}
