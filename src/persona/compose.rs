//! Composition: a persona that extends others is all of them, merged.
//!
//! ```yaml
//! extends: [fragments/base-linux, fragments/hardened, kiosk-live]
//! ```
//! names personas, and fragments: documents in `fragments/` with the same fields, of which none is required but
//! `apiVersion`. A fragment may extend others too.
//!
//! # What comes of it
//! 1. **Maps are merged** key by key, as deep as they go.
//! 2. **Lists are appended**: those of the documents that are extended, in the order of `extends`, then one's own. Tagged
//!    `!replace`, a list stands alone:
//!    ```yaml
//!    apps:
//!      packages: !replace [tmux]
//!    ```
//!    Items are never merged with one another. `!replace` works on maps likewise.
//! 3. **`null` removes** what was inherited: `preferences: {desktop: null}`.
//! 4. **The nearer document wins** where texts, numbers and yes-or-no differ. A document is nearer than all that it extends,
//!    directly or through others. So what a fragment says over its base holds also when the base comes in by another way.
//! 5. **Otherwise a difference is an error**: when two documents of which neither extends the other say different things,
//!    the order of `extends` decides nothing. The error names both places; saying the value in the persona itself settles
//!    it. The same value twice is no difference. A list in one and a map in the other is an error as well.
//! 6. **What comes by two ways is taken once**: when two fragments extend a third, its list items are there once.
//! 7. `apiVersion`, `description`, `extends` and `supersedes` are each document's own, and not inherited.
//!
//! A document that extends itself, also through others, is an error that shows the way round.

use std::{collections::BTreeMap, sync::Arc};

use crate::document::{
    Document, Problem, did_you_mean,
    merge::{self, Part},
};

/// What is each document's own.
const OWN: [&str; 4] = ["apiVersion", "description", "extends", "supersedes"];

/// How many documents one may be composed of. Nobody can foresee what comes of more.
const MOST: usize = 64;

/// The documents that can be extended, by the names that `extends` uses; or what is wrong with them.
pub type Shelf = BTreeMap<String, Result<Arc<Document>, Vec<Problem>>>;

/// A document and all that it extends, those that are extended first.
#[derive(Debug, Clone)]
pub struct Lineage(Vec<Part>);

impl Lineage {
    /// The lineage of the document of this name, which must be on the shelf.
    pub fn of(name: &str, shelf: &Shelf) -> Result<Self, Vec<Problem>> {
        let mut walk = Walk { shelf, own: None, found: BTreeMap::new(), parts: vec![], way: vec![] };
        walk.visit(name)?;
        Ok(Self(walk.parts))
    }

    /// The same, of a document that takes the place of the one of this name on the shelf, if there is one.
    pub fn over(name: &str, document: Arc<Document>, shelf: &Shelf) -> Result<Self, Vec<Problem>> {
        let own = Some((name, Ok(document)));
        let mut walk = Walk { shelf, own, found: BTreeMap::new(), parts: vec![], way: vec![] };
        walk.visit(name)?;
        Ok(Self(walk.parts))
    }

    /// Its documents, the last of which is the one that extends the others.
    pub fn documents(&self) -> impl Iterator<Item = &Arc<Document>> {
        self.0.iter().map(|part| &part.document)
    }

    /// The document that extends the others, and those.
    pub fn split(&self) -> (&Arc<Document>, impl Iterator<Item = &Arc<Document>>) {
        let (own, behind) = self.0.split_last().expect("a lineage begins with the document that it is of");
        (&own.document, behind.iter().map(|part| &part.document))
    }

    /// Whether it is of the very same documents as another, none of them read again.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.documents().zip(other.documents()).all(|(one, other)| Arc::ptr_eq(one, other))
    }

    /// What its documents say together.
    pub fn compose(&self) -> Result<Document, Vec<Problem>> {
        merge::compose(&self.0, &OWN)
    }
}

/// The way through what documents extend.
struct Walk<'a> {
    shelf: &'a Shelf,
    /// A document that stands before the one of its name on the shelf.
    own: Option<(&'a str, Result<Arc<Document>, Vec<Problem>>)>,
    /// Where the documents are among the parts, by their names.
    found: BTreeMap<&'a str, usize>,
    parts: Vec<Part>,
    /// The documents that led here.
    way: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    fn read(&self, name: &str) -> Option<(&'a str, Result<Arc<Document>, Vec<Problem>>)> {
        match &self.own {
            Some((own, document)) if *own == name => Some((own, document.clone())),
            _ => self.shelf.get_key_value(name).map(|(name, document)| (name.as_str(), document.clone())),
        }
    }

    /// Adds a document behind those that it extends. All its unknown names are told at once.
    fn visit(&mut self, name: &str) -> Result<usize, Vec<Problem>> {
        let Some((name, document)) = self.read(name) else { return Err(vec![]) };
        let document = &document?;
        let names = document.texts("extends");
        self.way.push(name);
        let (mut extends, mut problems) = (vec![], vec![]);
        for (at, parent) in names.iter().enumerate() {
            match self.parent(document, &format!("extends.{at}"), parent) {
                Ok(part) => extends.push(part),
                Err(more) => problems.extend(more),
            }
        }
        self.way.pop();
        if !problems.is_empty() {
            return Err(problems);
        }
        self.parts.push(Part { document: document.clone(), extends });
        self.found.insert(name, self.parts.len() - 1);
        Ok(self.parts.len() - 1)
    }

    fn parent(&mut self, document: &Document, place: &str, name: &str) -> Result<usize, Vec<Problem>> {
        if let Some(part) = self.found.get(name) {
            return Ok(*part);
        }
        if self.read(name).is_none() {
            return Err(vec![self.unknown(document, place, name)]);
        }
        if let Some(first) = self.way.iter().position(|before| *before == name) {
            return Err(vec![self.cycle(first)]);
        }
        if self.parts.len() + self.way.len() >= MOST {
            let message = format!("this is composed of more than {MOST} documents");
            return Err(vec![document.problem_at("GR065", place, message, "extend fewer")]);
        }
        self.visit(name)
    }

    fn unknown(&self, document: &Document, place: &str, name: &str) -> Problem {
        let plain = name.trim_start_matches("./").trim_end_matches(".yml").trim_end_matches(".yaml");
        // Among a thousand personas that all miss a fragment, none is a near name of it.
        let is_alike = |known: &&str| known.contains('/') == plain.contains('/');
        let names: Vec<&str> = self.shelf.keys().map(String::as_str).filter(is_alike).collect();
        let fragment = format!("fragments/{plain}");
        let meant = match self.shelf.contains_key(&fragment) {
            true => format!("did you mean `{fragment}`?"),
            false => did_you_mean(plain, &names),
        };
        // Without a near name it lists them all, which may be a thousand.
        let known = "fragments are named `fragments/...`; `greenroom persona list` lists the personas";
        let help = if meant.starts_with("did") { meant.as_str() } else { known };
        document.problem_at("GR060", place, format!("there is no persona or fragment `{name}`"), help)
    }

    /// The same problem, whichever of its documents one comes from: so it is told once.
    fn cycle(&self, first: usize) -> Problem {
        let mut round: Vec<&str> = self.way[first..].to_vec();
        let least = (0..round.len()).min_by_key(|at| round[*at]).unwrap_or(0);
        round.rotate_left(least);
        let chain = round.iter().chain(round.first()).copied().collect::<Vec<_>>().join(" -> ");
        let message = format!("this goes round in a circle: {chain}");
        let help = "take one of them out of an `extends`";
        match round.first().and_then(|name| self.read(name)) {
            Some((_, Ok(document))) => document.problem_at("GR061", "extends", message, help),
            _ => Problem::of_file(round.first().unwrap_or(&""), "GR061", message, help),
        }
    }
}
