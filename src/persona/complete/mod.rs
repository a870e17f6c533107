//! What may be written at a place of a text: keys with their help, and values. The text need not be YAML at the moment:
//! its indentation tells where one is, as it tells the one who types.

mod context;

use std::{collections::BTreeMap, ops::Range};

use serde::Serialize;

use crate::{document::yaml, model::Arch};

use super::{
    form::{Offer, Shape, Sort},
    known::Known,
};

use context::{Context, Wanted};

/// Names that the schema does not know: those of the library and of the site, by what they are of.
pub type Names = BTreeMap<Offer, Vec<String>>;

/// So many are told at most, the best first.
const MOST: usize = 100;

/// What may stand at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Completion {
    /// The bytes that what is chosen takes the place of: the word around the place.
    pub word: Range<usize>,
    /// What may be chosen; what fits the word best first.
    pub items: Vec<Suggestion>,
}

/// One thing that may stand there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// What people see: `packages`.
    pub label: String,
    /// What is put in: `packages: `, or with a new line behind it.
    pub insert: String,
    /// What it is for.
    pub help: String,
}

/// What may stand at byte `at` of a text.
pub fn at(text: &str, at: usize, names: &Names) -> Completion {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let Some(context) = Context::of(text, at) else { return Completion { word: at..at, items: vec![] } };
    let top = Shape::of_persona();
    let shape = context.path.iter().try_fold(top, |shape, step| shape.below(step));
    let items = match (shape, &context.wanted) {
        (None, _) => vec![],
        (Some(shape), Wanted::Key { column, present, has_colon }) => keys(shape, *column, present, *has_colon),
        (Some(shape), Wanted::Value) => values(shape, names),
    };
    let typed = text[context.word.start..at].trim_start_matches(['"', '\'']).to_lowercase();
    let fit = |item: &Suggestion| {
        let label = item.label.to_lowercase();
        if label.starts_with(&typed) { Some(0) } else { label.contains(&typed).then_some(1) }
    };
    let mut fitting: Vec<_> = items.into_iter().filter_map(|item| Some((fit(&item)?, item))).collect();
    fitting.sort_by_key(|(fit, _)| *fit);
    let items = fitting.into_iter().map(|(_, item)| item).take(MOST).collect();
    Completion { word: context.word, items }
}

/// The keys that are not there yet; of a list, its next item.
fn keys(shape: &Shape, column: Option<usize>, present: &[String], has_colon: bool) -> Vec<Suggestion> {
    let shape = shape.long.as_deref().unwrap_or(shape);
    let (members, dash) = match &shape.sort {
        Sort::Group(members) => (members.as_slice(), ""),
        Sort::List(item) if column.is_some() => (item.members(), "- "),
        _ => return vec![],
    };
    let missing = members.iter().filter(|member| !present.contains(&member.name));
    let suggestion = |member: &Shape| {
        // Below a key that has more in it, the next line stands two further in.
        let below = |more: &str| match column {
            Some(column) => format!(":\n{}{more}", " ".repeat(column + dash.len() + 2)),
            None => ": ".to_owned(),
        };
        let end = match &member.sort {
            _ if has_colon => String::new(),
            Sort::Group(_) | Sort::Map(_) => below(""),
            Sort::List(item) if item.is_group() => below("- "),
            _ => ": ".to_owned(),
        };
        Suggestion {
            label: member.name.clone(),
            insert: format!("{dash}{}{end}", member.name),
            help: member.help.clone(),
        }
    };
    missing.map(suggestion).collect()
}

/// The values that a field may have.
fn values(shape: &Shape, names: &Names) -> Vec<Suggestion> {
    let shape = match &shape.sort {
        Sort::List(item) => item,
        _ => shape,
    };
    let suggestion = |value: &str, help: &str| Suggestion {
        label: value.to_owned(),
        insert: yaml::to_string(&value).trim_end().to_owned(),
        help: help.to_owned(),
    };
    match (&shape.sort, shape.offers) {
        (Sort::Choice(choices), _) => choices.iter().map(|choice| suggestion(&choice.value, &choice.help)).collect(),
        (Sort::Bool, _) => ["true", "false"].map(|value| bare(value, &shape.help)).into(),
        (_, Some(offer)) => {
            let own = names.get(&offer).into_iter().flatten().map(String::as_str);
            own.chain(known(offer)).map(|name| suggestion(name, "")).collect()
        }
        (_, None) => {
            shape.default.iter().map(|default| suggestion(default, "what holds when nothing is said")).collect()
        }
    }
}

fn bare(value: &str, help: &str) -> Suggestion {
    Suggestion { label: value.to_owned(), insert: value.to_owned(), help: help.to_owned() }
}

/// The names that the world has agreed on.
pub fn known(offer: Offer) -> Vec<&'static str> {
    match offer {
        Offer::Locales => Known::locales().names().to_vec(),
        Offer::Keyboards => Known::keyboards().names().to_vec(),
        Offer::Timezones => Known::timezones().names().to_vec(),
        Offer::Archs => Arch::ALL.iter().map(|arch| arch.name()).collect(),
        Offer::Images | Offer::Documents | Offer::Personas | Offer::Secrets => vec![],
    }
}
