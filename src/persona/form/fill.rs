//! A draft's values in the shape of a persona.

use std::collections::HashMap;

use crate::{
    document::{Path, Problem, View},
    persona::{
        Draft,
        compose::OWN,
        form::{
            Field, Form, Inherited, Kind, Length, State, label,
            shape::{Shape, Sort},
        },
    },
};

/// How much of an inherited value is shown.
const WIDEST: usize = 200;

/// A draft as a form.
pub(in crate::persona) fn fill(draft: &Draft) -> Form {
    let mut problems: HashMap<&str, Vec<&Problem>> = HashMap::new();
    for problem in &draft.problems {
        problems.entry(&problem.about).or_default().push(problem);
    }
    let Some(document) = &draft.document else {
        return Form { fields: vec![], problems: draft.problems.clone() };
    };
    let composed = draft.composed.as_ref().map(|composed| composed.view());
    let behind = draft.lineage.iter().flat_map(|lineage| lineage.split().1).map(|document| document.view()).collect();
    let mut filling = Filling { file: document.view().file(), problems };
    let from = From { own: Some(document.view()), composed, behind };
    let shape = Shape::of_persona();
    let fields = shape.members().iter().map(|member| {
        let mut below = from.below(&member.name);
        if OWN.contains(&member.name.as_str()) {
            below.behind.clear();
        }
        filling.field(member, Path::of([member.name.as_str()]), &below)
    });
    let fields = fields.collect();
    // What is about no field that there is (an unknown key, another file) is told above them all, in the order of the text.
    let mut left: Vec<Problem> = filling.problems.into_values().flatten().cloned().collect();
    left.sort_by(|a, b| (a.line, a.column).cmp(&(b.line, b.column)));
    Form { fields, problems: left }
}

/// What there is at one path: in the document itself, in what comes of it, in each of those that it extends.
#[derive(Clone)]
struct From<'d> {
    own: Option<View<'d>>,
    composed: Option<View<'d>>,
    behind: Vec<View<'d>>,
}

impl<'d> From<'d> {
    fn below(&self, step: &str) -> Self {
        Self {
            own: self.own.and_then(|view| view.get(step)),
            composed: self.composed.and_then(|view| view.get(step)),
            behind: self.behind.iter().filter_map(|view| view.get(step)).collect(),
        }
    }

    /// An item of a list, which has nothing behind it.
    fn item(own: View<'d>) -> Self {
        Self { own: Some(own), composed: None, behind: vec![] }
    }
}

struct Filling<'d> {
    file: &'d str,
    problems: HashMap<&'d str, Vec<&'d Problem>>,
}

impl Filling<'_> {
    fn field(&mut self, shape: &Shape, path: Path, from: &From<'_>) -> Field {
        let (shape, length) = self.form_of(shape, from);
        let (line, column) = from.own.map_or((0, 0), View::place);
        let inherited = self.inherited(shape, from);
        let state = match from.own {
            Some(own) if own.is_null() => State::Dropped,
            Some(_) => State::Written,
            None if !inherited.is_empty() || from.composed.is_some() => State::Inherited,
            None => State::Unsaid,
        };
        let problems = self.problems.remove(path.to_string().as_str()).unwrap_or_default();
        let mut field = Field {
            name: path.steps().last().cloned().unwrap_or_default(),
            label: shape.label.clone(),
            help: shape.help.clone(),
            kind: kind(shape),
            required: shape.required,
            default: shape.default.clone(),
            state,
            texts: from.own.map(|own| texts(shape, own)).unwrap_or_default(),
            inherited,
            line,
            column,
            length,
            offers: shape.offers,
            problems: problems.into_iter().cloned().collect(),
            fields: vec![],
            path,
        };
        field.fields = self.below(shape, &field.path, from);
        // A problem of an item is shown at the list, when the items are no fields.
        if field.fields.is_empty() {
            let prefix = format!("{}.", field.path);
            let within: Vec<&str> = self.problems.keys().copied().filter(|about| about.starts_with(&prefix)).collect();
            for about in within {
                field.problems.extend(self.problems.remove(about).into_iter().flatten().cloned());
            }
            field.problems.sort_by(|a, b| (a.line, a.column).cmp(&(b.line, b.column)));
        }
        field
    }

    /// Which of its two forms a value has: that in which it is written, or inherited.
    fn form_of<'s>(&self, shape: &'s Shape, from: &From<'_>) -> (&'s Shape, Option<Length>) {
        let Some(long) = &shape.long else { return (shape, None) };
        let said = from.own.filter(|own| !own.is_null()).or(from.composed).or_else(|| from.behind.last().copied());
        match said {
            Some(view) if view.is_map() => (long, Some(Length::Long)),
            _ => (shape, Some(Length::Short)),
        }
    }

    fn below(&mut self, shape: &Shape, path: &Path, from: &From<'_>) -> Vec<Field> {
        match &shape.sort {
            Sort::Group(members) => members
                .iter()
                .map(|member| self.field(member, path.below(&member.name), &from.below(&member.name)))
                .collect(),
            Sort::List(item) if item.is_group() => {
                let items = from.own.into_iter().flat_map(View::items).enumerate();
                let fields = items.map(|(at, view)| {
                    let mut field = self.field(item, path.below(at), &From::item(view));
                    field.label = titled(&shape.name, at, view);
                    field
                });
                fields.collect()
            }
            Sort::Map(value) => {
                let entries = from.own.into_iter().flat_map(View::entries);
                let fields = entries.map(|(key, _)| {
                    let mut field = self.field(value, path.below(key), &from.below(key));
                    field.label = key.to_owned();
                    field
                });
                fields.collect()
            }
            _ => vec![],
        }
    }

    /// What others say: all of it, of lists and maps.
    fn inherited(&self, shape: &Shape, from: &From<'_>) -> Vec<Inherited> {
        let elsewhere = |view: &View<'_>| view.file() != self.file;
        match &shape.sort {
            Sort::Group(_) => vec![],
            Sort::List(_) => {
                let said = from.composed.map_or_else(|| from.behind.clone(), |composed| vec![composed]);
                let items = said.into_iter().flat_map(|list| match list.is_list() {
                    true => list.items().collect(),
                    false => vec![list],
                });
                items.filter(elsewhere).map(|item| told(item, item.brief())).collect()
            }
            Sort::Map(_) => {
                let entries = from.composed.into_iter().flat_map(View::entries);
                let others = entries.filter(|(_, view)| elsewhere(view));
                others.map(|(key, view)| told(view, format!("{key}: {}", view.brief()))).collect()
            }
            _ => {
                let composed = from.composed.filter(elsewhere);
                let said = composed.or_else(|| from.behind.last().copied()).filter(|view| !view.is_null());
                said.map(|view| told(view, view.brief())).into_iter().collect()
            }
        }
    }
}

fn told(view: View<'_>, mut text: String) -> Inherited {
    if let Some((end, _)) = text.char_indices().nth(WIDEST) {
        text.truncate(end);
        text.push('…');
    }
    Inherited { text, file: view.file().to_owned(), line: view.place().0 }
}

/// An item by what it calls itself: "user dev".
fn titled(list: &str, at: usize, item: View<'_>) -> String {
    let keys = ["name", "id", "mount", "path", "service", "port", "url", "mac"];
    let name = keys.iter().find_map(|key| item.get(key)?.text()).filter(|name| !name.is_empty());
    let one = label::one_of(list);
    name.map_or_else(|| format!("{one} {}", at + 1), |name| format!("{one} {name}"))
}

fn kind(shape: &Shape) -> Kind {
    match &shape.sort {
        Sort::Text => Kind::Text,
        Sort::LongText => Kind::LongText,
        Sort::Secret => Kind::Secret,
        Sort::Size => Kind::Size,
        Sort::Number { min, max, unit } => Kind::Number { min: *min, max: *max, unit },
        Sort::Bool => Kind::Bool,
        Sort::Choice(choices) => Kind::Choice { choices: choices.clone() },
        Sort::Group(_) => Kind::Group,
        Sort::List(item) if item.is_group() => Kind::Groups { item: label::one_of(&shape.name) },
        Sort::List(_) => Kind::Texts,
        Sort::Map(value) if value.is_group() => Kind::MapOfGroups,
        Sort::Map(_) => Kind::Map,
        Sort::Any => Kind::Any,
    }
}

/// What is written, as texts.
fn texts(shape: &Shape, own: View<'_>) -> Vec<String> {
    match &shape.sort {
        _ if own.is_null() => vec![],
        Sort::List(item) if !item.is_group() => match own.is_list() {
            true => own.items().map(View::brief).collect(),
            false => vec![own.brief()],
        },
        Sort::Group(_) | Sort::List(_) | Sort::Map(_) => vec![],
        Sort::Any => vec![own.yaml()],
        _ => vec![own.brief()],
    }
}
