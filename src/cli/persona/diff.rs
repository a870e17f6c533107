//! `greenroom persona diff`: what really changed, fragments and defaults included.

use similar::TextDiff;

use crate::{
    document::yaml,
    library::{Library, Past, Revision},
    model::PersonaName,
};

use super::{
    super::{Done, Failure, Global, out, say, say_json},
    From, failed,
};

/// How many lines are shown around a change.
const AROUND: usize = 3;

/// One side of a difference: what it is called, and the composed document.
struct Side {
    called: String,
    text: String,
}

pub(super) fn run(
    name: &PersonaName,
    old: Option<Revision>,
    new: Option<Revision>,
    from: From,
    global: &Global,
) -> Done {
    let path = from.path(global)?;
    let past = Past::of(&path).map_err(failed)?;
    let then = |revision: &Revision| -> Result<Side, Failure> {
        let commit = past.resolve(Some(name), revision).map_err(failed)?;
        // A side without the persona is empty: it came, or went, between the two.
        let text = past.persona(name, &commit).map(|found| yaml::to_string(&*found.persona));
        let text = match text {
            Ok(text) => text,
            Err(_) if past.lacks(name, &commit).map_err(failed)? => String::new(),
            Err(why) => return Err(why.into()),
        };
        Ok(Side { called: format!("{name}@{revision}"), text })
    };
    let head = Revision::new("HEAD").map_err(failed)?;
    let before = then(old.as_ref().unwrap_or(&head))?;
    let after = match &new {
        Some(revision) => then(revision)?,
        None => {
            let library = Library::open(&path);
            let broken =
                library.statuses().iter().any(|status| status.name == name.as_str() && status.state.is_broken());
            if broken {
                return Err(format!("{name} is not good as it is now: see `greenroom persona check`").into());
            }
            let text = library.catalog().persona(name).map(|entry| yaml::to_string(&*entry.persona));
            Side { called: format!("{name} as it is now"), text: text.unwrap_or_default() }
        }
    };
    if before.text.is_empty() && after.text.is_empty() {
        return Err(format!("there is no persona {name}, neither at {} nor at {}", before.called, after.called).into());
    }
    let diff = TextDiff::from_lines(&before.text, &after.text);
    let diff = diff.unified_diff().context_radius(AROUND).header(&before.called, &after.called).to_string();
    if global.json {
        let value = serde_json::json!({ "from": before.called, "to": after.called, "diff": diff });
        return say_json(&value);
    }
    match diff.is_empty() {
        true => say(&format!("{} and {} compose to the same", before.called, after.called)),
        false => say(&diff.lines().map(coloured).collect::<Vec<_>>().join("\n")),
    }
    Ok(())
}

fn coloured(line: &str) -> String {
    match line.chars().next() {
        Some('+') => out::coloured(line, 32),
        Some('-') => out::coloured(line, 31),
        Some('@') => out::coloured(line, 36),
        _ => line.to_owned(),
    }
}
