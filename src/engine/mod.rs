//! Floor 4: the one writer.
//!
//! **A reply that promises something leaves only after its facts are on disk.** One thread owns the World and runs this loop:
//!
//! ```text
//!   take what lies in the inbox -> decide and apply, one by one -> append the batch -> publish the World -> send the replies
//! ```
//! While one batch is being synced, the next gathers in the inbox: group commit, without a timer. When the journal fails,
//! nothing more is acknowledged: the engine stops and says why. A panic in policy is a bug; it stops the engine likewise,
//! and nothing that was acknowledged is lost by it.

mod handle;
mod writer;

pub use handle::{Handle, Unavailable};
pub use writer::{Counters, Engine, Stopped};
