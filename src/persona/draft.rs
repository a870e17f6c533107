//! A persona or fragment as it is being written: read, composed and checked as far as it goes.

use std::sync::Arc;

use crate::document::{Change, Document, Edited, Path, Problem, Source, edit};

use super::{
    Persona,
    compose::{Lineage, Shelf},
    form::{self, Act, Form},
    validate::validate,
};

/// How the names of fragments begin.
const FRAGMENTS: &str = "fragments/";

/// A text that somebody is writing, and what is known of it.
#[derive(Debug)]
pub struct Draft {
    /// The document's name: `kiosk-live`, `fragments/base-linux`.
    pub name: String,
    /// Its text.
    pub source: Arc<Source>,
    /// What the text says by itself; nothing when it cannot be read.
    pub document: Option<Arc<Document>>,
    /// What it says with all that it extends.
    pub composed: Option<Document>,
    /// Itself, and what it extends.
    pub lineage: Option<Lineage>,
    /// What it is, when nothing is missing; never so of a fragment.
    pub persona: Option<Persona>,
    /// All that is wrong with it. Those who know the library may add to them before they ask for the form.
    pub problems: Vec<Problem>,
}

impl Draft {
    /// What is known of a text: `name` is the document's, `path` its file as people know it, and `shelf` holds the documents
    /// that it may extend. An error when the text cannot be a document's at all: it is too large, or not UTF-8.
    pub fn of(name: &str, path: &str, text: &str, shelf: &Shelf) -> Result<Self, Problem> {
        let source = Arc::new(Source::new(path, text.into())?);
        let mut draft = Self {
            name: name.to_owned(),
            source,
            document: None,
            composed: None,
            lineage: None,
            persona: None,
            problems: vec![],
        };
        if let Err(problems) = draft.read(shelf) {
            draft.problems = problems;
        }
        Ok(draft)
    }

    fn read(&mut self, shelf: &Shelf) -> Result<(), Vec<Problem>> {
        let document = Document::of(self.source.clone()).map_err(|problem| vec![problem])?;
        let document = self.document.insert(Arc::new(document)).clone();
        let lineage = self.lineage.insert(Lineage::over(&self.name, document, shelf)?);
        let composed = lineage.compose()?;
        let composed = self.composed.insert(composed);
        if self.name.starts_with(FRAGMENTS) {
            self.problems = composed.problems_as_part::<Persona>();
            return Ok(());
        }
        let persona = composed.parse::<Persona>()?;
        self.problems = validate(&persona, composed);
        self.persona = Some(persona);
        Ok(())
    }

    /// Whether it is a fragment, of which nothing is required.
    pub fn is_fragment(&self) -> bool {
        self.name.starts_with(FRAGMENTS)
    }

    /// It as a form.
    pub fn form(&self) -> Form {
        form::fill(self)
    }

    /// What a submitted field asks for, as changes; or what is wrong with it, at the field.
    pub fn changes(&self, path: &Path, act: &Act) -> Result<Vec<Change>, Problem> {
        form::changes(self, path, act)
    }

    /// Its text with changes made: new keys stand where the schema has them.
    pub fn edit(&self, changes: &[Change]) -> Result<Edited, Problem> {
        edit(&self.source, changes, &form::order)
    }
}
