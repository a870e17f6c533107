//! `greenroom image list`: what there is, where its bytes are, and what room they take.

use comfy_table::{Cell, CellAlignment, Row};

use crate::{images::Usage, serve::image::ImageView};

use super::{Done, Global, client::Daemon, out, say_json};

pub(super) async fn run(global: &Global) -> Done {
    let daemon = Daemon::new(global)?;
    let images: Vec<ImageView> = daemon.get("/images").await?;
    if global.json {
        return say_json(&images);
    }
    let mut table = out::table(&["image", "arch", "file", "logical", "unique", "ram", "disk", "in", "sha256"]);
    for column in 3..=6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for view in &images {
        let (name, arch) = (view.image.name.to_string(), view.image.arch.to_string());
        for (role, status) in &view.status {
            let place = match status.filling {
                Some(bytes) => format!("coming ({bytes})"),
                None => status.tier.to_string(),
            };
            let usage = view.usage.get(role).copied().unwrap_or_default();
            let sha256 = view.image.files[role].sha256.short();
            table.add_row(row([&name, &arch, role.name()], usage, &place, &sha256));
        }
        if view.status.len() > 1 {
            table.add_row(row([&name, &arch, "together"], view.together, "", ""));
        }
    }
    if images.len() > 1 {
        let total: Usage = daemon.get("/images/usage").await?;
        table.add_row(row(["total", "", ""], total, "", ""));
    }
    out::say_table(&table, "the library has no image yet: `greenroom image add`");
    Ok(())
}

fn row(what: [&str; 3], usage: Usage, place: &str, sha256: &str) -> Row {
    let Usage { logical, unique, ram, disk } = usage;
    let bytes = [logical, unique, ram, disk].map(|bytes| match bytes.0 {
        0 => "-".to_owned(),
        _ => bytes.to_string(),
    });
    let cells = what.into_iter().map(str::to_owned).chain(bytes).chain([place.to_owned(), sha256.to_owned()]);
    cells.map(Cell::new).collect::<Vec<_>>().into()
}
