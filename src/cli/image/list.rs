//! `greenroom image list`: what there is, and where its bytes are.

use crate::serve::admin::ImageView;

use super::{Done, Global, client::Daemon, out, say_json};

pub(super) async fn run(global: &Global) -> Done {
    let images: Vec<ImageView> = Daemon::new(global)?.get("/images").await?;
    if global.json {
        return say_json(&images);
    }
    let mut table = out::table(&["image", "arch", "file", "size", "in", "sha256"]);
    for view in &images {
        for (role, status) in &view.status {
            let file = &view.image.files[role];
            let size = file.size.or(status.len).map(|size| size.to_string()).unwrap_or_default();
            let place = match status.filling {
                Some(bytes) => format!("coming ({bytes})"),
                None => status.tier.to_string(),
            };
            table.add_row([
                view.image.name.to_string(),
                view.image.arch.to_string(),
                role.to_string(),
                size,
                place,
                file.sha256.short(),
            ]);
        }
    }
    out::say_table(&table, "the library has no image yet: `greenroom image add`");
    Ok(())
}
