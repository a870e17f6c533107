//! `greenroom replay`.

use crate::{model::BootId, serve::Replay};

use super::{Done, Global, client::Daemon, out, say, say_json};

pub(super) const EXAMPLES: &str = "\
Examples:
  greenroom replay 3k9x0m2v7q                   its script and its seed
  greenroom replay 3k9x0m2v7q --file user-data  one file of it, byte by byte

They are rendered anew, with the version of the persona, the mirrors and the hardware of that boot. Secrets are noted \
nowhere: their names stand in their place.";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which attempt.
    boot: BootId,
    /// Only this file.
    #[arg(long, value_name = "NAME")]
    file: Option<String>,
}

pub(super) async fn run(args: Args, global: &Global) -> Done {
    let mut replay: Replay = Daemon::new(global)?.get(&format!("/replay/{}", args.boot)).await?;
    if let Some(wanted) = &args.file {
        let names: Vec<String> = replay.files.iter().map(|file| file.name.clone()).collect();
        replay.files.retain(|file| file.name == *wanted);
        if replay.files.is_empty() {
            return Err(format!("boot {} was served no {wanted}: it was served {}", args.boot, names.join(", ")).into());
        }
    }
    if global.json {
        return say_json(&replay);
    }
    replay.notes.iter().for_each(|note| out::note(note));
    match (&args.file, &replay.files[..]) {
        (Some(_), [file]) => out::write(&file.text),
        _ => {
            say(&format!("# boot {} as {}", replay.boot, replay.persona));
            for file in &replay.files {
                say(&format!("==> {} <==\n{}\n", file.name, file.text.trim_end()));
            }
        }
    }
    Ok(())
}
