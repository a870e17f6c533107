//! Orders about accounts of the pages, through the door.
//!
//! The last admin who can sign in stays: otherwise nobody could say any more who may do what, but on the server itself.

use crate::model::{Account, AccountName, Fact, account::AccountOrder, command::Rejection, reply::Reply};

use super::{Outcome, World};

/// Decides one order.
pub(super) fn decide(world: &World, order: &AccountOrder) -> Outcome {
    match fact(world, order) {
        Ok(fact) => Outcome { reply: Reply::Done, facts: vec![fact] },
        Err(rejection) => Outcome { reply: Reply::Rejected(rejection), facts: vec![] },
    }
}

fn fact(world: &World, order: &AccountOrder) -> Result<Fact, Rejection> {
    match order.clone() {
        AccountOrder::Create { name, role, proof, first, by } => {
            if first && !world.accounts.is_empty() {
                return Err(Rejection::NotFirst);
            }
            if world.accounts.contains_key(&name) {
                return Err(Rejection::AccountExists { name });
            }
            if world.accounts.size() >= World::MAX_ACCOUNTS {
                return Err(Rejection::TooManyAccounts { most: World::MAX_ACCOUNTS });
            }
            Ok(Fact::AccountCreated { name, role, proof, by })
        }
        AccountOrder::Role { name, role, by } => {
            let account = known(world, &name)?;
            let changed = Account { role, ..account.clone() };
            may_lose(world, account, Some(&changed))?;
            Ok(Fact::AccountChanged { name, role: Some(role), proof: None, by })
        }
        AccountOrder::Proof { name, proof, expects, by } => {
            let account = known(world, &name)?;
            if expects.is_some_and(|expects| expects != account.changed) {
                return Err(Rejection::Changed { what: format!("the account {name}") });
            }
            let changed = Account { proof: proof.clone(), ..account.clone() };
            may_lose(world, account, Some(&changed))?;
            Ok(Fact::AccountChanged { name, role: None, proof: Some(proof), by })
        }
        AccountOrder::Remove { name, by } => {
            may_lose(world, known(world, &name)?, None)?;
            Ok(Fact::AccountRemoved { name, by })
        }
    }
}

fn known<'a>(world: &'a World, name: &AccountName) -> Result<&'a Account, Rejection> {
    world.accounts.get(name).ok_or_else(|| Rejection::NoAccount { name: name.clone() })
}

/// Refuses that the last admin becomes something else.
fn may_lose(world: &World, account: &Account, becomes: Option<&Account>) -> Result<(), Rejection> {
    let stays = !account.governs() || becomes.is_some_and(Account::governs);
    let others = || world.accounts.values().any(|other| other.governs() && other.name != account.name);
    if stays || others() { Ok(()) } else { Err(Rejection::LastAdmin { name: account.name.clone() }) }
}
