//! What an attempt was given to read, rendered again, without what only the device may know.

use serde::Serialize;

use crate::{
    model::BootId,
    serve::{Context, replay::replay},
    wire::mask::mask,
};

/// A page shows so many bytes of a file; its twin has all of it.
const SHOWN: usize = 12 << 10;

/// What was served.
#[derive(Debug, Default, Serialize)]
pub(super) struct Served {
    /// The script and the seed, in the order in which they are read.
    pub(super) files: Vec<File>,
    /// What cannot be as it was.
    pub(super) notes: Vec<String>,
    /// Why there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nothing: Option<String>,
}

/// A file.
#[derive(Debug, Serialize)]
pub(super) struct File {
    /// Its name.
    pub(super) name: String,
    /// What it says, secrets left out.
    pub(super) text: String,
}

impl File {
    /// What a page shows of it.
    pub(super) fn head(&self) -> &str {
        let end = (0..=SHOWN.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or_default();
        &self.text[..end]
    }

    /// How many bytes a page leaves out.
    pub(super) fn left_out(&self) -> usize {
        self.text.len() - self.head().len()
    }

    /// How many lines it has.
    pub(super) fn lines(&self) -> usize {
        self.text.lines().count()
    }
}

/// What attempt `id` was served. Reads the library's folder: not for a thread that others wait for.
pub(super) fn served(context: &Context, id: BootId) -> Served {
    let token = context.seed_key.token(id);
    match replay(context, id) {
        Ok(replay) => {
            let shown = |text: &str| mask(text, &[&token]);
            let files = replay.files.iter().map(|file| File { name: file.name.clone(), text: shown(&file.text) });
            Served { files: files.collect(), notes: replay.notes, nothing: None }
        }
        Err(why) => Served { nothing: Some(why.to_string()), ..Served::default() },
    }
}
