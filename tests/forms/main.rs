//! Edits of YAML texts that keep every byte which they are not about, and forms made of personas: by examples that people
//! would write, and by properties over personas that nobody would.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests say what they mean by panicking")]

mod completion;
mod draft;
mod edits;
mod properties;
mod style;
#[path = "../personas/wild/mod.rs"]
#[allow(dead_code, reason = "tests/personas uses all of it")]
mod wild;

use std::{fs, path::Path, sync::Arc};

use greenroom::{document::Document, persona::compose::Shelf};

/// The sample library's documents by their names, with their texts.
fn samples() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("personas");
    let mut found = vec![];
    for folder in ["", "fragments"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                let name = Path::new(folder).join(path.file_stem().unwrap());
                found.push((name.to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap()));
            }
        }
    }
    assert!(found.len() > 12, "the samples were found");
    found
}

/// The sample library as what documents may extend.
fn shelf() -> Shelf {
    let read = |(name, text): (String, String)| {
        let document = Document::read(format!("{name}.yaml"), text.into_bytes()).unwrap();
        (name, Ok(Arc::new(document)))
    };
    samples().into_iter().map(read).collect()
}
