//! What the site's own facts teach: a fold over the journal that makes examples of what devices became.
//!
//! An [`Example`] holds what was known of a device at the moment when it was given a persona, and which one that was. Only what
//! *people* wanted counts, or what turned out to be right:
//!
//! ```text
//!   an operator assigns a persona ───────────────────────────────────────────────────────────> example, at once
//!   a boot is planned ─ by a rule, an assignment ─ ends ready or installed ──────────────────> example
//!                     ├ by a prediction ─ ends ready or installed ─ nobody objects for a day ─> example
//!                     │                                           └ other persona, declined ──> nothing
//!                     └ by the default, or fails, or is never heard of again ────────────────> nothing
//! ```
//!
//! The first boot after an assignment is what the assignment said, and no second example: one want would count twice, and the
//! second time be easily foretold by the first.
//!
//! **An example knows nothing of its future.** It carries the number of the record at which it was planned, and that at which
//! it became known (when the boot had ended, or the day had passed). Folding only the first records of a journal gives
//! exactly the examples that were known by then, so that training can be replayed to any moment.
//!
//! What is remembered is bounded: the latest [`MOST_EXAMPLES`] examples, one description for each device. Of a device or a
//! person that was forgotten, the examples go as well.

mod attempt;
mod describe;
mod example;
mod experience;
mod lesson;
mod saved;
mod table;
mod temper;
mod version;
mod walk;

pub use describe::Features;
pub use example::{Example, Source};
pub use experience::{Experience, Judged, MOST_EXAMPLES, News};
pub use lesson::{FEWEST, IN_USE_BEFORE, Lesson, LessonError, lesson, review};
pub use saved::BadExperience;
pub use temper::Temper;
pub use version::{Asked, Entry, Report, Uses, VERSION_FORMAT, Version};
use walk::{Walk, walk};
