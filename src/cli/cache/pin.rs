//! `greenroom cache pin` and `unpin`.

use crate::model::{
    command::PinImage,
    image::{ImageName, Tier},
};

use super::{
    Done, Global,
    client::{Daemon, operator},
    say, say_json,
};

/// A tier that an image can be pinned to.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(in crate::cli) enum To {
    /// In memory, and on disk.
    Ram,
    /// On disk; in memory when it is asked for.
    Disk,
}

impl From<To> for Tier {
    fn from(to: To) -> Self {
        match to {
            To::Ram => Self::Ram,
            To::Disk => Self::Disk,
        }
    }
}

pub(super) async fn run(image: ImageName, tier: Tier, global: &Global) -> Done {
    let order = PinImage { image: image.clone(), tier, by: operator() };
    Daemon::new(global)?.tell("/pins", &order).await?;
    let done = match tier {
        Tier::Origin => format!("{image} is not pinned any more"),
        Tier::Ram | Tier::Disk => {
            format!("{image} is pinned to {tier}: `greenroom cache status` shows what is being fetched")
        }
    };
    match global.json {
        true => say_json(&serde_json::json!({ "image": image, "tier": tier, "done": done })),
        false => {
            say(&done);
            Ok(())
        }
    }
}
