//! Floor 2: the World, and the one door to it.
//!
//! **Every change of state is a fact that [`decide`] returned and [`World::apply`] folded in; `World == replay(journal)`.**
//! Both are plain functions: time and randomness arrive in a [`Stamp`], the site and the library in a [`Ground`].

mod apply;
mod decide;
mod state;

pub use decide::{Ground, Outcome, Stamp, decide};
pub use state::World;
