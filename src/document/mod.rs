//! Floor 1: the YAML that people write, and problems that show where in it they are.
//!
//! ```text
//!   bytes -> Source -> Document -> parse::<T>() -> T, or every Problem with its place
//!                         ^
//!        other Documents -+  composed with them
//! ```
//! A [`Source`] is a text, a [`Document`] what one or several of them say. Personas, image manifests and the configuration
//! all come this way, so a mistake looks the same wherever it was made. [`yaml`] is the only user of `serde_yaml`.

pub mod check;
pub mod edit;
pub mod fix;
pub mod listing;
pub mod merge;
pub mod path;
pub mod problem;
pub mod source;
mod tree;
mod typed;
pub mod whole;
pub mod yaml;

pub use check::Check;
pub use edit::{Change, Content, Edited, edit};
pub use fix::Fix;
pub use path::Path;
pub use problem::{Problem, Severity};
pub use source::Source;
pub use whole::{Document, did_you_mean};
