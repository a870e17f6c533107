//! What is said about a persona: description, owner, labels.

use crate::{document::Check, persona::Persona};

use super::brief;

pub(super) fn check(check: &mut Check<'_>, persona: &Persona) {
    let description = persona.description.trim();
    let said = !description.is_empty() && description.chars().count() <= 160 && !description.contains('\n');
    let message = match description {
        "" => "the description is empty".to_owned(),
        long => format!("`{}` is no line for a table", brief(long)),
    };
    let help = "say in one line of at most 160 characters what a device becomes";
    check.warn(said, "GR053", "description", message, help);
    if let Some(owner) = &persona.owner {
        let named = !owner.trim().is_empty() && owner.len() <= 120 && !owner.contains(char::is_control);
        let message = format!("nobody can be asked at `{}`", brief(owner));
        check.warn(named, "GR054", "owner", message, "write a team, or an e-mail address");
    }
    for (key, value) in &persona.labels {
        let key_fits = (1..=63).contains(&key.len())
            && key.starts_with(|c: char| c.is_ascii_alphanumeric())
            && key.chars().all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c));
        let value_fits = value.len() <= 63 && value.chars().all(|c| c.is_ascii_alphanumeric() || " ._/-".contains(c));
        let message = format!("`{}: {}` cannot be asked for in a selector", brief(key), brief(value));
        let help = "letters, digits, `.`, `_`, `/` and `-`, at most 63 characters";
        check.warn(key_fits && value_fits, "GR055", &format!("labels.{key}"), message, help);
    }
}
