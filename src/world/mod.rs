//! Floor 2: the World, and the one door to it.
//!
//! **Every change of state is a fact that [`decide()`] returned and [`World::apply`] folded in: `World == replay(journal)`.**
//! Both are plain functions. Time and randomness arrive in a [`Stamp`], the configuration and the library in a [`Ground`].

mod apply;
mod attempt;
mod command;
mod decide;
mod dhcp;
mod explain;
mod foresee;
mod impact;
mod orders;
mod script;
mod state;
mod taken;
mod token;

pub use command::nearest;
pub use decide::{Ground, Outcome, Stamp, decide};
pub use explain::{Answer, Explanation, Subject, explain};
pub use foresee::{arrival, demand};
pub use impact::{Impact, Sides, Turn, Turned};
pub use state::World;
pub use taken::{Taken, TakenOrders};
