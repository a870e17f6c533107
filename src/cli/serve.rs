//! `greenroom serve`.

use std::path::Path;

use crate::app;

use super::{Done, Failure, Global};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom serve                     with /etc/greenroom/greenroom.yaml
  greenroom serve --config lab.yaml   with another configuration
  RUST_LOG=debug greenroom serve --config lab.yaml  and say more";

/// What to do when there is no configuration.
pub(super) fn no_config(path: &Path) -> String {
    format!(
        "there is no configuration at {0}\n\n\
         Greenroom needs to know which interface to serve, whether it gives addresses, and where the personas are.\n\
         To begin with one that works beside your DHCP server:\n\n    \
             greenroom config init > greenroom.yaml\n    \
             greenroom config check --config greenroom.yaml\n    \
             greenroom serve --config greenroom.yaml\n\n\
         or put it at {0}, where it is found by itself.",
        path.display()
    )
}

pub(super) async fn run(global: &Global) -> Done {
    let config = global.config()?;
    app::start_log(&config);
    app::run(config).await.map_err(|error| Failure::Failed(error.to_string()))
}
