//! What somebody does to a field, as changes of the text; or what is wrong with it, at the field.

use indexmap::IndexMap;

use crate::{
    document::{Change, Content, Document, Path, Problem, View, did_you_mean},
    persona::{
        Draft,
        form::{
            Act,
            shape::{Shape, Sort},
        },
    },
};

/// The code of a field that was filled in wrongly.
const CODE: &str = "GR003";

/// What an act asks for.
pub(in crate::persona) fn changes(draft: &Draft, path: &Path, act: &Act) -> Result<Vec<Change>, Problem> {
    let Some(document) = &draft.document else {
        let help = "mend the text first";
        return Err(Problem::of_file(&draft.source.path, CODE, "the text cannot be read at the moment", help));
    };
    let Some(shape) = Shape::of_persona().at(path) else {
        return Err(document.problem_at(CODE, &path.plain(), format!("`{path}` is no field of a persona"), ""));
    };
    let own = path.steps().iter().try_fold(document.view(), |view, step| view.get(step));
    let wrong = |message: String, help: &str| {
        let problem = document.problem_at(CODE, &path.plain(), message, help);
        Problem { about: path.to_string(), fix: None, ..problem }
    };
    let answer = Answer { path, shape, own, wrong: &wrong };
    match act {
        Act::Say { texts } => answer.say(texts),
        Act::Clear => Ok(own.map(|_| Change::Remove { path: path.clone() }).into_iter().collect()),
        Act::Drop => answer.set(Content::Null),
        Act::Add { name } => answer.add(name),
        Act::Move { to } => answer.shift(document, *to),
        Act::Rename { to } if to.is_empty() => Err(wrong("a key is not empty".to_owned(), "name it")),
        Act::Rename { to } => Ok(vec![Change::Rename { path: path.clone(), to: to.clone() }]),
        Act::Long => answer.lengthen(),
        Act::Short => answer.shorten(),
    }
}

struct Answer<'a> {
    path: &'a Path,
    shape: &'a Shape,
    own: Option<View<'a>>,
    wrong: &'a dyn Fn(String, &str) -> Problem,
}

type Answered = Result<Vec<Change>, Problem>;

impl Answer<'_> {
    fn set(&self, value: Content) -> Answered {
        Ok(vec![Change::Set { path: self.path.clone(), value }])
    }

    fn fail<T>(&self, message: impl Into<String>, help: &str) -> Result<T, Problem> {
        Err((self.wrong)(message.into(), help))
    }

    fn say(&self, texts: &[String]) -> Answered {
        let written: Option<Vec<String>> = self.own.map(|own| match own.is_list() {
            true => own.items().map(View::brief).collect(),
            false => vec![own.brief()],
        });
        let lines: Vec<String> = match self.shape.sort {
            Sort::List(_) => texts.iter().filter(|text| !text.trim().is_empty()).cloned().collect(),
            _ => texts.iter().take(1).map(|text| self.trimmed(text)).filter(|text| !text.is_empty()).collect(),
        };
        // What is there already keeps its form, also where a number stands for a text.
        if written.as_ref().is_some_and(|written| *written == lines) {
            return Ok(vec![]);
        }
        if lines.is_empty() {
            return Ok(self.own.map(|_| Change::Remove { path: self.path.clone() }).into_iter().collect());
        }
        match &self.shape.sort {
            Sort::List(item) if !item.is_group() => {
                let known: Vec<View<'_>> =
                    self.own.filter(|own| own.is_list()).into_iter().flat_map(View::items).collect();
                let value = |text: &String| match known.iter().find(|view| view.brief() == *text) {
                    Some(view) => Ok(view.content()),
                    None => self.plain(&item.sort, text),
                };
                // One name alone, as it was written.
                if let (Some(own), [one]) = (self.own, lines.as_slice())
                    && !own.is_list()
                    && !own.is_null()
                {
                    return self.set(self.plain(&item.sort, one)?);
                }
                self.set(Content::List(lines.iter().map(value).collect::<Result<_, _>>()?))
            }
            Sort::Group(_) | Sort::List(_) | Sort::Map(_) => {
                self.fail(format!("`{}` has fields of its own", self.path), "fill in those")
            }
            sort => self.set(self.plain(sort, &lines[0])?),
        }
    }

    /// What browsers add or people leave at the ends of a line says nothing; in long texts it may.
    fn trimmed(&self, text: &str) -> String {
        match self.shape.sort {
            Sort::LongText | Sort::Any => text.replace("\r\n", "\n"),
            _ => text.trim().to_owned(),
        }
    }

    /// A plain value from its text.
    fn plain(&self, sort: &Sort, text: &str) -> Result<Content, Problem> {
        match sort {
            Sort::Number { min, max, .. } => {
                let number = text.trim().parse::<i64>().ok();
                let fits = |number: &i64| min.is_none_or(|min| *number >= min) && max.is_none_or(|max| *number <= max);
                match number.filter(fits) {
                    Some(number) => Ok(u64::try_from(number).map_or(Content::Signed(number), Content::Unsigned)),
                    None => {
                        let from = min.map(|min| format!(" from {min}")).unwrap_or_default();
                        let to = max.map(|max| format!(" to {max}")).unwrap_or_default();
                        self.fail(format!("a whole number{from}{to} is wanted here, and not {text}"), "")
                    }
                }
            }
            Sort::Bool => match text {
                "true" => Ok(Content::Bool(true)),
                "false" => Ok(Content::Bool(false)),
                _ => self.fail(format!("`true` or `false` is wanted here, and not {text}"), ""),
            },
            Sort::Choice(choices) if choices.iter().all(|choice| choice.value != text) => {
                let known: Vec<&str> = choices.iter().map(|choice| choice.value.as_str()).collect();
                self.fail(format!("`{text}` is not known here"), &did_you_mean(text, &known))
            }
            Sort::Any => match Document::read("field", text.as_bytes().to_vec()) {
                Ok(read) => Ok(read.view().content()),
                Err(problem) => self.fail(problem.message, problem.help.as_deref().unwrap_or_default()),
            },
            _ => Ok(Content::text(text)),
        }
    }

    /// A new item, or a new entry: with what it must have, empty.
    fn add(&self, name: &str) -> Answered {
        match self.shape.long.as_deref().map_or(&self.shape.sort, |long| &long.sort) {
            Sort::Map(_) if name.is_empty() => self.fail("a key is not empty", "name it"),
            Sort::Map(_) if self.own.is_some_and(|own| own.get(name).is_some()) => {
                self.fail(format!("`{name}` is there already"), "choose another key")
            }
            Sort::Map(value) => {
                let value = if value.is_group() { Content::Map(IndexMap::new()) } else { Content::text("") };
                Ok(vec![Change::Set { path: self.path.below(name), value }])
            }
            Sort::List(item) => {
                let at = self.own.map_or(0, |own| own.items().count());
                let value = if item.is_group() { blank(item, name) } else { self.plain(&item.sort, name)? };
                Ok(vec![Change::Insert { path: self.path.clone(), at, value }])
            }
            _ => self.fail(format!("`{}` is no list", self.path), "only lists and maps take more"),
        }
    }

    fn shift(&self, document: &Document, to: usize) -> Answered {
        let Some((list, from)) = self.path.split().and_then(|(list, at)| Some((list, at.parse().ok()?))) else {
            return self.fail(format!("`{}` is no item of a list", self.path), "only those have an order");
        };
        let view = list.steps().iter().try_fold(document.view(), |view, step| view.get(step));
        let last = view.map_or(0, |view| view.items().count().saturating_sub(1));
        Ok(vec![Change::Move { path: list, from, to: to.min(last) }])
    }

    /// What was written in short becomes the first field of the long form.
    fn lengthen(&self) -> Answered {
        let first = self.shape.long.as_deref().and_then(|long| long.members().first());
        match (first, self.own) {
            (Some(first), Some(own)) if !own.is_map() && !own.is_null() => {
                self.set(Content::Map(IndexMap::from([(first.name.clone(), own.content())])))
            }
            (Some(_), Some(own)) if own.is_map() => Ok(vec![]),
            (Some(_), _) => self.set(Content::Map(IndexMap::new())),
            (None, _) => self.fail(format!("`{}` has one form only", self.path), ""),
        }
    }

    fn shorten(&self) -> Answered {
        let first = self.shape.long.as_deref().and_then(|long| long.members().first());
        let (Some(first), Some(own)) = (first, self.own) else { return Ok(vec![]) };
        let mut entries = own.entries();
        match (entries.next(), entries.next()) {
            _ if !own.is_map() => Ok(vec![]),
            (None, _) => Ok(vec![Change::Remove { path: self.path.clone() }]),
            (Some((key, only)), None) if *key == *first.name => self.set(only.content()),
            _ => {
                let message = format!("the short form says `{}` only, and more is written here", first.name);
                self.fail(message, "take out the other fields first")
            }
        }
    }
}

/// What an item must have, and one thing that it may, when it must have nothing.
fn blank(item: &Shape, name: &str) -> Content {
    let members = item.members();
    let mut needed: Vec<&Shape> = members.iter().filter(|member| member.required).collect();
    if needed.is_empty() {
        needed.extend(members.first());
    }
    let mut name = Some(name);
    let value = |shape: &Shape| match &shape.sort {
        Sort::List(_) => Content::List(vec![]),
        Sort::Group(_) | Sort::Map(_) => Content::Map(IndexMap::new()),
        Sort::Number { min, .. } => Content::Unsigned(min.and_then(|min| u64::try_from(min).ok()).unwrap_or(0)),
        Sort::Bool => Content::Bool(false),
        Sort::Choice(choices) => Content::text(choices.first().map_or("", |choice| choice.value.as_str())),
        _ => Content::text(""),
    };
    let mut made = IndexMap::new();
    for shape in needed {
        let is_text = matches!(shape.sort, Sort::Text);
        let content = match name.take_if(|_| is_text) {
            Some(name) => Content::text(name),
            None => value(shape),
        };
        made.insert(shape.name.clone(), content);
    }
    Content::Map(made)
}
