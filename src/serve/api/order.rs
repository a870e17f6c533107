//! Writing: orders for the engine, as a request of the API gives them.

use sha2::{Digest, Sha256};

use crate::{
    model::{
        MacAddr, UserName,
        command::{Line, Orders},
        reply::Reply,
        request::Request,
    },
    world::World,
};

use super::{
    Api,
    problem::{Kind, Problem},
    tag::Conditions,
};

/// How often a change that stands on what was just read is tried, when others change the same thing at the same time.
const TRIES: usize = 5;

/// Who orders, on which conditions, in which words.
pub(super) struct Writer<'a> {
    pub(super) api: &'a Api,
    pub(super) by: String,
    pub(super) conditions: &'a Conditions,
    /// The body as it came.
    pub(super) body: &'a [u8],
}

impl Writer<'_> {
    /// Whether this was ordered before, with the same key.
    pub(super) fn was_ordered(&self) -> bool {
        let (world, now) = (self.api.context.engine.world(), (self.api.context.clock)());
        self.conditions.key.as_ref().is_some_and(|key| world.taken.before(&self.by, key, now).is_some())
    }

    /// The orders that a request means. With a key, they are what the request said, whatever they come to by now.
    pub(super) fn orders(&self, lines: Vec<Line>) -> Orders {
        let said = || {
            let hash = Sha256::new().chain_update(&self.conditions.said).chain_update(self.body).finalize();
            hash.iter().take(8).fold(0, |said, byte| said << 8 | u64::from(*byte))
        };
        let key = self.conditions.key.clone();
        Orders { by: self.by.clone(), said: key.as_ref().map(|_| said()), key, lines }
    }

    /// Has orders carried out, all or none.
    pub(super) async fn order(&self, lines: Vec<Line>) -> Result<(), Problem> {
        match self.api.context.engine.ask(Request::Orders(self.orders(lines))).await? {
            Reply::Rejected(rejection) => Err(Problem::rejected(&rejection)),
            _ => Ok(()),
        }
    }

    /// Has the order carried out that `line` makes of how things are. When they change between the look and the order, and
    /// the asker named no state, it looks again.
    pub(super) async fn order_by_looking(&self, line: impl Fn(&World) -> Result<Line, Problem>) -> Result<(), Problem> {
        for _ in 1..TRIES {
            let line = line(&self.api.context.engine.world())?;
            match self.order(vec![line]).await {
                Err(problem) if problem.is(Kind::Changed) && !self.conditions.are_given() => {}
                done => return done,
            }
        }
        let line = line(&self.api.context.engine.world())?;
        self.order(vec![line]).await
    }

    /// What the order expects of a device.
    pub(super) fn expects(&self, world: &World, mac: MacAddr) -> Result<Option<u64>, Problem> {
        let device = world.device_of(mac);
        self.conditions.expects(device.map_or(0, |device| device.changed), device.is_some())
    }

    /// What it expects of a person.
    pub(super) fn expects_of(&self, world: &World, user: &UserName) -> Result<Option<u64>, Problem> {
        let known = world.users.get(user);
        self.conditions.expects(known.map_or(0, |user| user.changed), known.is_some())
    }
}
