//! `greenroom cache explain`.

use crate::serve::cache::{Explained, Subject, told};

use super::{Done, Global, client::Daemon, say, say_json};

pub(super) async fn run(of: String, global: &Global) -> Done {
    let all: Vec<Explained> = Daemon::new(global)?.post("/cache/explain", &Subject { of }).await?;
    if global.json {
        return say_json(&all);
    }
    for (n, one) in all.iter().enumerate() {
        if n > 0 {
            say("");
        }
        let lines: Vec<String> = told(one).iter().map(|(name, value)| format!("{name:10} {value}")).collect();
        say(&lines.join("\n"));
    }
    Ok(())
}
