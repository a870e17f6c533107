//! `greenroom cache evict`.

use crate::serve::cache::{EvictAsk, Evicted};

use super::{
    Done, Failure, Global,
    client::{Daemon, operator},
    out, say_json,
};

/// A tier that a blob can leave alone.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(in crate::cli) enum From {
    /// Out of memory.
    Ram,
}

pub(super) async fn run(of: String, only_ram: bool, global: &Global) -> Done {
    let ask = EvictAsk { of, only_ram, by: operator() };
    let evicted: Vec<Evicted> = Daemon::new(global)?.post("/cache/evict", &ask).await?;
    match global.json {
        true => say_json(&evicted)?,
        false => {
            let mut table = out::table(&["file", "sha256", "freed", "what became of it"]);
            for one in &evicted {
                let freed = if one.freed.0 == 0 { "-".into() } else { one.freed.to_string() };
                let became = match &one.kept {
                    Some(why) => format!("stays: {why}"),
                    None if only_ram => "gone from RAM".into(),
                    None => "gone".into(),
                };
                table.add_row([one.name.clone(), one.digest.short(), freed, became]);
            }
            out::say_table(&table, "");
        }
    }
    if evicted.iter().any(|one| one.kept.is_some()) { Err(Failure::Wanting) } else { Ok(()) }
}
