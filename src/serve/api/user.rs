//! `/users`: people, as far as devices take their attributes.

use std::ops::Bound;

use aide::axum::{ApiRouter, routing::get_with};
use axum::{extract::State, response::NoContent};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    model::{
        User, UserName,
        attribute::{Attributes, Changes},
        command::{Line, UserOrder},
    },
    world::World,
};

use super::{
    Api,
    ask::{Asked, Named, Sent},
    caller::{Caller, Read, UsersWrite},
    order::Writer,
    page::{Cursor, Limit, Page},
    problem::Problem,
    shape,
    tag::{Conditions, Tagged},
};

/// A person.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "User")]
struct UserView {
    /// What the directory calls them.
    #[schemars(with = "shape::UserText")]
    user: UserName,
    /// What the organisation says of them.
    #[schemars(with = "shape::AttributesMap")]
    attributes: Attributes,
    /// Whether they are of the organisation still.
    active: bool,
    /// The number of the fact by which somebody last changed this.
    changed: u64,
}

/// One person.
#[derive(Debug, Deserialize, JsonSchema)]
struct Who {
    /// What the directory calls them.
    #[schemars(with = "shape::UserText")]
    user: UserName,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListAsk {
    /// At most so many.
    #[serde(default)]
    limit: Limit,
    /// Where the page begins: the `next` of the page before.
    cursor: Option<Cursor>,
}

/// What is said of a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UserSaid {
    /// All that the organisation says of them: what is not named here is not said any more.
    #[schemars(with = "shape::AttributesMap")]
    attributes: Attributes,
    /// Whether they are of the organisation still.
    #[serde(default = "yes")]
    active: bool,
}

const fn yes() -> bool {
    true
}

/// What is said of a person from now on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UserChanges {
    /// What changes; `null` takes an attribute away.
    #[serde(default)]
    #[schemars(with = "shape::ChangesMap")]
    attributes: Changes,
    /// Whether they are of the organisation still; as before when not given.
    active: Option<bool>,
}

pub(super) fn routes() -> ApiRouter<Api> {
    let one = get_with(show, |op| op.id("getUser").tag("users").summary("Get a user"))
        .put_with(put, |op| {
            op.id("putUser")
                .tag("users")
                .summary("Say who a user is")
                .description("Replaces their attributes. One who is not known yet becomes known.")
                .response::<201, Tagged<UserView>>()
        })
        .patch_with(patch, |op| {
            op.id("patchUser")
                .tag("users")
                .summary("Change what is said of a user")
                .description("JSON Merge Patch (RFC 7396): attributes that are not named stay.")
        })
        .delete_with(forget, |op| op.id("forgetUser").tag("users").summary("Forget a user"));
    let list = get_with(list, |op| {
        op.id("listUsers").tag("users").summary("List users").description(
            "A device whose attribute `user` names one takes their attributes where it has none of its own.",
        )
    });
    ApiRouter::new().api_route("/users", list).api_route("/users/{user}", one)
}

fn view(user: &User) -> UserView {
    UserView {
        user: user.name.clone(),
        attributes: user.attributes.clone(),
        active: user.active,
        changed: user.changed,
    }
}

fn unknown(user: &UserName) -> Problem {
    Problem::not_found(format!("no user {user} is known"))
}

fn now(api: &Api, name: &UserName) -> Result<Tagged<UserView>, Problem> {
    let world = api.context.engine.world();
    let user = world.users.get(name).ok_or_else(|| unknown(name))?;
    Ok(Tagged::changed(view(user), user.changed))
}

async fn list(_: Caller<Read>, State(api): State<Api>, Asked(ask): Asked<ListAsk>) -> Result<Page<UserView>, Problem> {
    let after: Option<UserName> = ask.cursor.as_ref().map(Cursor::key).transpose()?;
    let world = api.context.engine.world();
    let from: Bound<UserName> = after.map_or(Bound::Unbounded, Bound::Excluded);
    let users = world.users.range((from, Bound::Unbounded)).map(|(_, user)| user);
    Ok(Page::of(users, ask.limit, |user| user.name.to_string(), view))
}

async fn show(_: Caller<Read>, State(api): State<Api>, Named(who): Named<Who>) -> Result<Tagged<UserView>, Problem> {
    now(&api, &who.user)
}

async fn put(
    caller: Caller<UsersWrite>,
    State(api): State<Api>,
    Named(Who { user }): Named<Who>,
    conditions: Conditions,
    said: Sent<UserSaid>,
) -> Result<Tagged<UserView>, Problem> {
    let writer = Writer { api: &api, by: caller.voice(), conditions: &conditions, body: &said.bytes };
    let again = writer.was_ordered();
    let known = api.context.engine.world().users.contains_key(&user);
    let wanted = &said.value.attributes;
    let replace = |world: &World| {
        let known = world.users.get(&user);
        let gone = known.into_iter().flat_map(|user| user.attributes.keys());
        let mut changes: Changes =
            gone.filter(|name| !wanted.contains_key(*name)).map(|name| (name.clone(), None)).collect();
        changes.extend(wanted.iter().map(|(name, value)| (name.clone(), Some(value.clone()))));
        // What goes depends on what is there: nobody may have changed it in between.
        let expects = writer.expects_of(world, &user)?.or(Some(known.map_or(0, |user| user.changed)));
        let order = UserOrder::Describe { changes, active: Some(said.value.active) };
        Ok(Line::User { user: user.clone(), order, expects })
    };
    writer.order_by_looking(replace).await?;
    Ok(now(&api, &user)?.created(!known && !again).again(again))
}

async fn patch(
    caller: Caller<UsersWrite>,
    State(api): State<Api>,
    Named(Who { user }): Named<Who>,
    conditions: Conditions,
    said: Sent<UserChanges>,
) -> Result<Tagged<UserView>, Problem> {
    let writer = Writer { api: &api, by: caller.voice(), conditions: &conditions, body: &said.bytes };
    let again = writer.was_ordered();
    let change = |world: &World| {
        if !world.users.contains_key(&user) && !again {
            return Err(unknown(&user));
        }
        let order = UserOrder::Describe { changes: said.value.attributes.clone(), active: said.value.active };
        Ok(Line::User { user: user.clone(), order, expects: writer.expects_of(world, &user)? })
    };
    writer.order_by_looking(change).await?;
    Ok(now(&api, &user)?.again(again))
}

async fn forget(
    caller: Caller<UsersWrite>,
    State(api): State<Api>,
    Named(Who { user }): Named<Who>,
    conditions: Conditions,
) -> Result<NoContent, Problem> {
    let writer = Writer { api: &api, by: caller.voice(), conditions: &conditions, body: b"" };
    let drop = |world: &World| {
        let expects = writer.expects_of(world, &user)?;
        Ok(Line::User { user: user.clone(), order: UserOrder::Forget, expects })
    };
    writer.order_by_looking(drop).await?;
    Ok(NoContent)
}
