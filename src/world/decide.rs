//! The door: one request in, a reply and facts out.

use std::sync::Arc;

use crate::model::{
    Fact, Moment,
    reply::{Reply, Silence},
    request::Request,
    site::Site,
};

use super::World;

/// What the caller's clock and dice said when the request was taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The time.
    pub now: Moment,
    /// Random bits, for the name of an attempt that may begin.
    pub nonce: u64,
}

/// What decisions stand on and the journal does not hold: the configuration and the library. Replaced as a whole.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The configuration's view of this place.
    pub site: Arc<Site>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The answer.
    pub reply: Reply,
    /// What happened, in order; the engine folds it into the World and appends it to the journal.
    pub facts: Vec<Fact>,
}

/// Decides one request. Pure: nothing happens until the engine applies the facts and sends the reply.
pub fn decide(world: &World, ground: &Ground, request: &Request, stamp: Stamp) -> Outcome {
    let _ = (world, ground, request, stamp);
    Outcome { reply: Reply::Silence(Silence::NoAnswerNeeded), facts: vec![] }
}
