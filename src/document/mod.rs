//! Floor 1: the YAML that people write, and problems that show where in it they are.
//!
//! [`yaml`] is the only user of `serde_yaml`. Personas, image manifests and the configuration all come through it, so a
//! mistake looks the same wherever it was made.

pub mod check;
pub mod problem;
pub mod yaml;

pub use check::Check;
pub use problem::{Problem, Severity};
pub use yaml::Source;
