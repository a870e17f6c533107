//! Floor 1: what other boot servers keep, as Greenroom's documents. Pure: texts in, documents out.
//!
//! **Nothing is dropped in silence.** What an importer reads either stands in a document, or is listed as left behind, with
//! its file and line, the reason, and what to do about it. Nothing is guessed either where a guess could wipe a disk: a rule
//! is never armed, and a disk that the other server did not name is left for a person to name.
//!
//! [`matchbox`] reads Matchbox' data folder, [`cobbler`] Cobbler's collections, [`dnsmasq`] dnsmasq's configuration;
//! [`folder`] is what they read, [`draft`] and [`section`] what they write.

pub mod cobbler;
pub mod dnsmasq;
pub mod draft;
pub mod folder;
pub mod matchbox;
pub mod name;
pub mod section;

use serde::Serialize;

use crate::model::PersonaName;

pub use draft::{ImageDraft, PersonaDraft};
pub use folder::Folder;
pub use section::Section;

/// What came out of an import.
#[derive(Debug, Default)]
pub struct Imported {
    /// The personas.
    pub personas: Vec<PersonaDraft>,
    /// The images, whose digests nobody knows yet.
    pub images: Vec<ImageDraft>,
    /// What goes into `greenroom.yaml`.
    pub section: Section,
    /// What does not stand in any of them as it stood there.
    pub left_behind: Vec<LeftBehind>,
}

impl Imported {
    /// Takes a persona out again, and every rule that names it: it did not pass our own checks.
    pub fn withdraw(&mut self, name: &PersonaName, why: &str) {
        let (gone, kept) = std::mem::take(&mut self.personas).into_iter().partition(|draft| draft.name == *name);
        self.personas = kept;
        for draft in Vec::<PersonaDraft>::into_iter(gone) {
            let file = format!("{name}.yaml");
            let left =
                LeftBehind::lost(&draft.place, &format!("persona {name}"), why, "mend the text, and add it by hand");
            self.left_behind.push(left.with_text(&file, &draft.text()));
        }
        self.section.withdraw(name, &mut self.left_behind);
    }
}

/// How something fared that does not stand in a document as it stood before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It could not be read at all.
    Unread,
    /// It did not carry over.
    Lost,
    /// It carried over, changed or completed: somebody should look.
    Look,
    /// Greenroom does it by itself.
    Unneeded,
}

/// Something that did not carry over as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftBehind {
    /// How it fared.
    pub fate: Fate,
    /// Where it stood: `groups/node1.json:7`.
    pub place: String,
    /// What it is.
    pub what: String,
    /// The reason.
    pub why: String,
    /// What to do about it, when there is something.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// A text that goes beside the documents, so that it is at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
}

/// A text that is kept as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// A plain file name.
    pub file: String,
    /// What it says.
    pub text: String,
}

impl LeftBehind {
    fn new(fate: Fate, place: &str, what: &str, why: &str, help: &str) -> Self {
        let plain = |text: &str| name::one_line(text);
        Self { fate, place: plain(place), what: plain(what), why: plain(why), help: plain(help), kept: None }
    }

    /// Something that could not be read.
    pub fn unread(place: &str, what: &str, why: &str, help: &str) -> Self {
        Self::new(Fate::Unread, place, what, why, help)
    }

    /// Something that did not carry over.
    pub fn lost(place: &str, what: &str, why: &str, help: &str) -> Self {
        Self::new(Fate::Lost, place, what, why, help)
    }

    /// Something that carried over, changed.
    pub fn look(place: &str, what: &str, why: &str, help: &str) -> Self {
        Self::new(Fate::Look, place, what, why, help)
    }

    /// Something that Greenroom does by itself.
    pub fn unneeded(place: &str, what: &str, why: &str) -> Self {
        Self::new(Fate::Unneeded, place, what, why, "")
    }

    /// The same, with a text to keep beside the documents.
    pub fn with_text(self, file: &str, text: &str) -> Self {
        Self { kept: Some(Kept { file: name::file_name(file), text: text.to_owned() }), ..self }
    }
}
