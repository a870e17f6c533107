//! What an importer reads: texts by their paths within one folder.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::LeftBehind;

/// The texts of a folder, and what of it was not read.
#[derive(Debug, Default)]
pub struct Folder {
    /// Texts by their paths, relative to the folder.
    pub texts: BTreeMap<String, String>,
    /// What was not read, and why.
    pub unread: Vec<LeftBehind>,
}

impl Folder {
    /// The JSON objects directly in `dir`. One that is broken is told with its line; the others go on.
    pub(super) fn objects(&self, dir: &str, left: &mut Vec<LeftBehind>) -> Vec<Object<'_>> {
        let prefix = format!("{dir}/");
        let mut objects = vec![];
        for (path, text) in self.texts.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix)) {
            let name = &path[prefix.len()..];
            let Some(stem) = name.strip_suffix(".json").filter(|_| !name.contains('/')) else { continue };
            match serde_json::from_str(text) {
                Ok(Value::Object(map)) => objects.push(Object { path, stem, text, map }),
                Ok(_) => left.push(LeftBehind::unread(path, "the whole file", "it is JSON, but no object", "")),
                Err(error) => {
                    let place = format!("{path}:{}:{}", error.line(), error.column());
                    let message = error.to_string();
                    let message = message.rfind(" at line ").map_or(message.as_str(), |at| &message[..at]);
                    let why = format!("it is not JSON: {message}");
                    left.push(LeftBehind::unread(&place, "the whole file", &why, "mend it, and import again"));
                }
            }
        }
        objects
    }
}

/// One JSON object and where it stands.
#[derive(Debug)]
pub(super) struct Object<'a> {
    pub(super) path: &'a str,
    pub(super) stem: &'a str,
    text: &'a str,
    pub(super) map: Map<String, Value>,
}

impl Object<'_> {
    /// A text that is not empty.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Where a key stands: the first line that has it, which in these small files is the right one.
    pub(super) fn place(&self, key: &str) -> String {
        let quoted = format!("\"{key}\"");
        let line = self.text.lines().position(|line| line.contains(&quoted)).map_or(1, |at| at + 1);
        format!("{}:{line}", self.path)
    }
}

/// The items of a list, or the words of a text.
pub(super) fn words(value: Option<&Value>) -> Vec<String> {
    match value {
        // What is no text is written out, so that whoever takes the words can say what is wrong with it.
        Some(Value::Array(items)) => {
            let words = items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
            words.filter(|word| !word.is_empty()).collect()
        }
        Some(Value::String(text)) => {
            text.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        }
        _ => vec![],
    }
}
