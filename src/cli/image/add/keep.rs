//! What was downloaded goes into the cache, so that no origin gives the same bytes twice: by the daemon, or without it when
//! none runs.

use std::path::PathBuf;

use crate::{
    app,
    images::{self, Downloaded, Images, OriginSettings, Settings},
    model::image::{ImageFile, Origin, Role},
    serve::image::Progress,
};

use super::{Failure, Global, client::Daemon, out, read::Read};

/// Hands over what was downloaded. The manifest is written and good: what does not work here costs a download later.
pub(super) async fn all(read: Vec<Read>, global: &Global) {
    for Read { role, place, sha256, size, downloaded } in read {
        let Some(downloaded) = downloaded else { continue };
        let here = Origin::File(absolute(&downloaded).display().to_string());
        let file = ImageFile { sha256, size: Some(size), origins: vec![here], name: None };
        if let Err(why) = take(role, &file, global).await {
            let origin = place.origin;
            out::note(&format!(
                "the cache did not take the {role}: {why}; it is fetched from {origin} when it is asked for"
            ));
        }
        downloaded.discard();
    }
}

fn absolute(downloaded: &Downloaded) -> PathBuf {
    let path = downloaded.path();
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

async fn take(role: Role, file: &ImageFile, global: &Global) -> Result<(), String> {
    let mut ended = Err("the daemon said nothing of it".to_owned());
    let each = |progress: Progress| {
        if let Progress::Finished { ok, message, .. } = progress {
            ended = if ok { Ok(()) } else { Err(message) };
        }
    };
    let asked = match Daemon::new(global) {
        Ok(daemon) => daemon.lines_of("/images/take", &(role, file), each).await,
        Err(failure) => Err(failure),
    };
    match asked {
        Ok(()) => ended,
        Err(Failure::NoDaemon(_)) => without_daemon(file, global).await,
        Err(Failure::Failed(why) | Failure::Wrong(why)) => Err(why),
        Err(Failure::Wanting) => Err("the daemon does not want it".into()),
    }
}

/// The cache is opened by one process at a time: here, when no daemon has it.
async fn without_daemon(file: &ImageFile, global: &Global) -> Result<(), String> {
    let config = global.config().map_err(|_| "the configuration does not read".to_owned())?;
    let settings = Settings {
        dir: images::folder(&config.state_dir),
        ram: config.images_ram,
        disk: config.images_disk,
        aim: config.images_aim,
        origins: OriginSettings { s3: global.s3(), ..OriginSettings::new(app::dice) },
    };
    let (images, _) = Images::open(&settings).map_err(|error| error.to_string())?;
    images.warm(file, |_, _| ()).await.map_err(|error| error.to_string())
}
