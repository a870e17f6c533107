//! `greenroom image warm` and `verify`: what the daemon does with each file of an image.

use std::collections::BTreeMap;

use crate::{
    model::image::{ImageName, Role},
    serve::image::Progress,
};

use super::{Done, Failure, Global, client::Daemon, out, say};

/// Has the daemon work on every file of an image, with a bar for each.
pub(super) async fn run(name: &ImageName, work: &str, global: &Global) -> Done {
    let daemon = Daemon::new(global)?;
    let mut good = true;
    let mut bars: BTreeMap<Role, indicatif::ProgressBar> = BTreeMap::new();
    let each = |progress: Progress| match progress {
        Progress::Moved { role, done, of } => {
            let bar = bars.entry(role).or_insert_with(|| out::bar(role.name(), Some(of.0)));
            bar.set_position(done.0);
        }
        Progress::Finished { role, ok, ref message, .. } => {
            if let Some(bar) = bars.remove(&role) {
                bar.finish_and_clear();
            }
            good &= ok;
            match global.json {
                true => say(&serde_json::to_string(&progress).unwrap_or_default()),
                false => say(&format!("{role:8} {message}")),
            }
        }
    };
    daemon.lines(true, &format!("/images/{name}/{work}"), each).await?;
    if good { Ok(()) } else { Err(Failure::Wanting) }
}
