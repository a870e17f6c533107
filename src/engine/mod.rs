//! Floor 4: the one writer, and [`trainer`], who learns from what it wrote.
//!
//! **A reply that promises something leaves only after its facts are on disk.** One thread owns the World and runs this loop:
//!
//! ```text
//!   take what lies in the inbox -> decide and apply, one by one -> append the batch -> publish the World -> send the replies
//! ```
//! While one batch is being synced, the next gathers in the inbox: group commit, without a timer.
//!
//! When the journal fails, nothing more is acknowledged: the engine stops and says why. A panic in policy is a bug. It ends
//! the thread, and whoever awaits [`Engine::ended`] panics with it, so that the process dies loudly rather than serve from a
//! World that holds half a change; that World was never published, and nothing in it was acknowledged.
//!
//! Time in the journal never runs backwards, restarts included: while the clock is behind the newest fact, that fact's time
//! is used. Ticks and syncs follow the monotonic clock and do not care.

mod handle;
pub mod trainer;
mod writer;

pub use handle::{Handle, Unavailable};
pub use writer::{Counters, Engine, Stopped};
