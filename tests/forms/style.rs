//! Values written as YAML in all the ways that people have: block and brackets, three kinds of quotes, long texts, comments
//! everywhere, any indentation.

use serde_json::Value;

/// Decides how to write; the same seed always decides alike.
pub(crate) struct Style {
    state: u64,
    step: usize,
    dash: usize,
    pub(crate) newline: &'static str,
    ends: bool,
    comments: bool,
    /// The comments so far, with the steps to what they belong to.
    pub(crate) told: Vec<(Vec<String>, String)>,
}

impl Style {
    pub(crate) fn of(seed: u64) -> Self {
        let mut style =
            Self { state: seed | 1, step: 2, dash: 2, newline: "\n", ends: true, comments: true, told: vec![] };
        style.step = [2, 2, 3, 4][style.below(4)];
        style.dash = [2, 0, 4][style.below(3)];
        style.newline = if style.below(4) == 0 { "\r\n" } else { "\n" };
        style.ends = style.below(4) > 0;
        style.comments = style.below(4) > 0;
        style
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.state = self.state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.state >> 33) as usize % count
    }

    /// A document that says this.
    pub(crate) fn document(&mut self, value: &Value) -> String {
        let mut lines = vec![];
        if self.below(3) == 0 {
            lines.extend(["# The head of the file.".to_owned(), String::new()]);
        }
        self.entries(value, 0, &mut vec![], &mut lines, true);
        let mut text = lines.join(self.newline);
        if self.ends {
            text.push_str(self.newline);
        }
        text
    }

    fn comment(&mut self, way: &[String]) -> Option<String> {
        if !self.comments || self.below(3) > 0 {
            return None;
        }
        let comment = format!("# c{}: it's \"so\"", self.told.len());
        self.told.push((way.to_vec(), comment.clone()));
        Some(comment)
    }

    fn above(&mut self, column: usize, way: &[String], lines: &mut Vec<String>, first: bool) {
        if !first && self.below(5) == 0 {
            lines.push(String::new());
        }
        if let Some(comment) = self.comment(way).filter(|_| !first || column > 0) {
            lines.push(format!("{}{comment}", " ".repeat(column)));
        } else {
            self.told.retain(|(_, comment)| lines.iter().any(|line| line.contains(comment.as_str())));
        }
    }

    fn entries(&mut self, value: &Value, column: usize, way: &mut Vec<String>, lines: &mut Vec<String>, top: bool) {
        let entries = value.as_object().unwrap();
        if entries.is_empty() {
            lines.push(format!("{}{{}}", " ".repeat(column)));
        }
        for (at, (key, value)) in entries.iter().enumerate() {
            way.push(key.clone());
            self.above(column, way, lines, at == 0 && top);
            let key = self.scalar(&Value::String(key.clone()), true, true);
            self.value(format!("{}{key}:", " ".repeat(column)), value, column, false, way, lines);
            way.pop();
        }
    }

    /// Writes a value behind `start`.
    fn value(
        &mut self,
        start: String,
        value: &Value,
        column: usize,
        in_list: bool,
        way: &mut Vec<String>,
        lines: &mut Vec<String>,
    ) {
        let collection = match value {
            Value::Object(entries) => !entries.is_empty(),
            Value::Array(items) => !items.is_empty(),
            _ => false,
        };
        if collection && self.below(3) > 0 {
            if in_list && self.below(4) > 0 {
                // Its first line stands behind the dash.
                let (mut below, first) = (vec![], lines.len());
                let column = column + 2;
                match value {
                    Value::Object(_) => self.entries(value, column, way, &mut below, true),
                    _ => self.items(value, column, way, &mut below, true),
                }
                while below[0].trim_start().starts_with('#') {
                    lines.push(format!("{}{}", " ".repeat(column - 2), below.remove(0).trim_start()));
                }
                let _ = first;
                below[0] = format!("{start} {}", below[0].trim_start());
                lines.extend(below);
                return;
            }
            let comment = self.comment(way).map(|comment| format!(" {comment}")).unwrap_or_default();
            lines.push(format!("{start}{comment}"));
            let deeper = if in_list { 2 } else { self.step };
            match value {
                Value::Object(_) => self.entries(value, column + deeper, way, lines, false),
                _ if in_list => self.items(value, column + 2, way, lines, false),
                _ => self.items(value, column + self.dash, way, lines, false),
            }
            return;
        }
        if let Value::String(text) = value
            && self.below(2) == 0
            && self.is_literal(text)
        {
            let chomping = if text.ends_with('\n') { "" } else { "-" };
            let indent = if in_list { 2 } else { self.step };
            let digit = if text.starts_with(' ') { indent.to_string() } else { String::new() };
            lines.push(format!("{start} |{digit}{chomping}"));
            let indented = |line: &str| {
                if line.is_empty() { String::new() } else { format!("{}{line}", " ".repeat(column + indent)) }
            };
            lines.extend(text.strip_suffix('\n').unwrap_or(text).split('\n').map(indented));
            return;
        }
        let written = self.flow(value, false);
        let comment = self.comment(way).map(|comment| format!("  {comment}")).unwrap_or_default();
        lines.push(format!("{start} {written}{comment}"));
    }

    fn items(&mut self, value: &Value, column: usize, way: &mut Vec<String>, lines: &mut Vec<String>, top: bool) {
        for (at, item) in value.as_array().unwrap().iter().enumerate() {
            way.push(at.to_string());
            self.above(column, way, lines, at == 0 && top);
            self.value(format!("{}-", " ".repeat(column)), item, column, true, way, lines);
            way.pop();
        }
    }

    fn is_literal(&self, text: &str) -> bool {
        let body = text.strip_suffix('\n').unwrap_or(text);
        let plain = text.chars().all(|c| c == '\n' || (!c.is_control() && !"\u{2028}\u{2029}\u{feff}".contains(c)));
        plain && !body.is_empty() && !body.ends_with('\n') && body.lines().all(|line| !line.trim().is_empty())
    }

    fn flow(&mut self, value: &Value, within: bool) -> String {
        match value {
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.flow(item, true)).collect();
                let comma = ["", ","][usize::from(!items.is_empty() && self.below(5) == 0)];
                format!("[{}{comma}]", items.join([", ", " , ", ","][self.below(2)]))
            }
            Value::Object(entries) => {
                let mut written = vec![];
                for (key, value) in entries {
                    let key = self.scalar(&Value::String(key.clone()), true, true);
                    written.push(format!("{key}: {}", self.flow(value, true)));
                }
                format!("{{{}}}", written.join(", "))
            }
            value => self.scalar(value, within, false),
        }
    }

    fn scalar(&mut self, value: &Value, flow: bool, is_key: bool) -> String {
        let Value::String(text) = value else { return value.to_string() };
        let quoted = || {
            let mut quoted = serde_json::to_string(text).unwrap();
            for c in ['\u{7f}', '\u{85}', '\u{2028}', '\u{2029}', '\u{feff}', '\u{fffe}', '\u{ffff}'] {
                quoted = quoted.replace(c, &format!("\\u{:04x}", c as u32));
            }
            quoted
        };
        let simple = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '/' || c == '_');
        let plain = simple && text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.len() > 5;
        match self.below(if is_key { 4 } else { 3 }) {
            _ if text.chars().any(|c| c.is_control() || "\u{2028}\u{2029}\u{feff}\u{fffe}\u{ffff}".contains(c)) => {
                quoted()
            }
            1 => quoted(),
            2 => format!("'{}'", text.replace('\'', "''")),
            _ if plain && !(flow && text.contains(['[', ','])) => text.clone(),
            _ => quoted(),
        }
    }
}
