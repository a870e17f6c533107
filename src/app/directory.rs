//! The directory's task: asking it every so often.

use std::{sync::Arc, time::Duration};

use tokio::time::interval;

use crate::{
    config::Config,
    serve::{
        Context,
        directory::{Directory, PullAsk, Settings},
    },
};

/// The directory of the configuration. One that cannot be asked shows in `/healthz`: machines boot all the same.
pub(super) fn open(config: &Config, context: &Context) -> Option<Arc<Directory>> {
    let directory = config.directory.as_ref()?;
    let settings = Settings {
        url: directory.url.clone(),
        token_secret: directory.token_secret.clone(),
        secrets_dir: config.secrets_dir.clone(),
        attributes: directory.attributes.clone().into_iter().collect(),
    };
    match Directory::new(settings) {
        Ok(directory) => Some(Arc::new(directory)),
        Err(why) => {
            tracing::error!("{why}");
            context.trouble("directory", why);
            None
        }
    }
}

/// Asks now, and every so often.
pub(super) async fn watch(context: Context, directory: Arc<Directory>, every: Duration) {
    let mut times = interval(every);
    times.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut said = None;
    let mut noted: Vec<String> = vec![];
    loop {
        times.tick().await;
        match directory.pull(&context, PullAsk::default()).await {
            Ok(imported) => {
                if imported.done > 0 {
                    tracing::info!(
                        new = imported.new,
                        changed = imported.changed,
                        "the directory's people have changed"
                    );
                }
                if said.take().is_some() {
                    tracing::info!("the directory can be read again");
                }
                if noted != imported.notes {
                    imported.notes.iter().for_each(|note| tracing::warn!("{note}"));
                    noted = imported.notes;
                }
            }
            // What was said before is not said again.
            Err(why) if said.as_ref() == Some(&why) => {}
            Err(why) => {
                tracing::warn!("{why}");
                said = Some(why);
            }
        }
    }
}
