//! `greenroom stage`: what is staged for whom, and what it was good for.

use clap::Subcommand;

use crate::{
    model::image::Tier,
    serve::staging::{FileView, ForDevice, StageStatus, StagedImage},
    usage::staging::Score,
};

use super::{Done, Global, client::Daemon, out, say, say_json};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom stage status                 what is staged, for whom, and why
  greenroom stage status --top 10        with ten devices of each image
  greenroom --json stage status          with all of them";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show which images are staged for whom and why, and what staging was good for.
    ///
    /// Demand is what devices are expected to ask for within `predict.horizon`: by their habits, by orders that wait, and by
    /// the forecast of their personas.
    Status {
        /// So many devices of each image; with --json all, when not given.
        #[arg(long)]
        top: Option<usize>,
    },
}

/// How many devices of each image a table shows.
const TOP: usize = 3;

pub(super) async fn run(command: Command, global: &Global) -> Done {
    let Command::Status { top } = command;
    let top = top.or(if global.json { None } else { Some(TOP) });
    let query = top.map(|top| format!("?top={top}")).unwrap_or_default();
    let status: StageStatus = Daemon::new(global)?.get(&format!("/stage{query}")).await?;
    if global.json {
        return say_json(&status);
    }
    let mut table = out::table(&["image", "boots", "kernel", "initrd", "rootfs", "for", "p", "because"]);
    for image in status.images.iter().filter(|image| image.boots >= 0.01) {
        table.add_rows(rows(image));
    }
    out::fit(&mut table, &[3, 2, 4]);
    out::say_table(&table, "no device is expected to boot any image");
    say("");
    for (name, value) in lines(&status) {
        say(format!("{name:9} {value}").trim_end());
    }
    Ok(())
}

/// The lines of an image: one for each device that is shown.
fn rows(image: &StagedImage) -> Vec<[String; 8]> {
    use crate::model::image::Role::{Initrd, Kernel, Rootfs};
    let files = [Kernel, Initrd, Rootfs].map(|role| image.files.get(&role).map_or_else(String::new, file));
    let mut rows = vec![];
    let row = |first: bool, device: Option<&ForDevice>| {
        let told = |text: &str| if first { text.to_owned() } else { String::new() };
        [
            told(&image.image.to_string()),
            told(&format!("{:.1}", image.boots)),
            told(&files[0]),
            told(&files[1]),
            told(&files[2]),
            device.map_or_else(String::new, |one| one.device.to_string()),
            device.map_or_else(String::new, |one| one.probability.to_string()),
            device.map_or_else(String::new, |one| one.why.clone()),
        ]
    };
    for (at, device) in image.devices.iter().enumerate() {
        rows.push(row(at == 0, Some(device)));
    }
    if image.devices.is_empty() {
        rows.push(row(true, None));
    }
    let more = image.likely.saturating_sub(image.devices.len());
    if let Some(last) = rows.last_mut().filter(|_| more > 0) {
        last[7] += &format!("; and {more} more");
    }
    rows
}

/// Where a file is, and that it was put there ahead.
fn file(file: &FileView) -> String {
    match (file.tier, file.coming, file.because) {
        (Tier::Origin, Some(came), _) => format!("coming, {came}"),
        (tier, _, because) if because.is_ahead() => format!("{tier}, staged"),
        (tier, ..) => tier.to_string(),
    }
}

/// What there is to say beside the images.
fn lines(status: &StageStatus) -> Vec<(&'static str, String)> {
    let mut lines = vec![];
    lines.push((
        "expected",
        match status.at {
            Some(at) => format!("{:.1} boots until {}, reckoned at {at}", status.boots, status.until),
            None => "nothing was reckoned yet".to_owned(),
        },
    ));
    if let Some(hold) = status.hold {
        lines.push(("waits", hold.to_string()));
    }
    let moved = &status.moved;
    let fetched = format!("{} for forecasts, {} for devices that had come", moved.forecast, moved.discover);
    let fate = format!("{} were asked for, {} in vain, {} still to be seen", moved.useful, moved.vain, moved.open);
    let held = match moved.held_back {
        0 => String::new(),
        times => format!("; {times} held back"),
    };
    lines.push(("fetched", format!("{fetched}: {fate}{held}")));
    lines.push(("found", found(&status.found.all)));
    for (persona, score) in status.found.personas.iter().filter(|_| status.found.personas.len() > 1) {
        lines.push(("", format!("{persona}: {}", found(score))));
    }
    lines
}

/// How attempts found their files.
fn found(score: &Score) -> String {
    score.told().unwrap_or_else(|| "no attempt has loaded a kernel yet".into())
}
