//! The way to a value of a document: the keys and the numbers that lead there.
//!
//! ```text
//!   security.users.0.ssh_keys.1
//!   resources.limits.services."nginx.service".memory      a key that holds dots stands in quotes
//! ```
//! Rules and problems write paths without the quotes; [`Path::plain`] does too.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Steps from the top of a document to a value: keys of maps, and numbers of items from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<String>);

impl Path {
    /// The document as a whole.
    pub fn top() -> Self {
        Self::default()
    }

    /// The path of these steps.
    pub fn of<S: Into<String>>(steps: impl IntoIterator<Item = S>) -> Self {
        Self(steps.into_iter().map(Into::into).collect())
    }

    /// Its steps.
    pub fn steps(&self) -> &[String] {
        &self.0
    }

    /// The path one step on.
    pub fn below(&self, step: impl fmt::Display) -> Self {
        let mut steps = self.0.clone();
        steps.push(step.to_string());
        Self(steps)
    }

    /// The path one step back, and the step; nothing at the top.
    pub fn split(&self) -> Option<(Self, &str)> {
        let (last, above) = self.0.split_last()?;
        Some((Self(above.to_vec()), last))
    }

    /// Whether this is `other`, or leads on from it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// As rules and problems write it: without quotes, whatever the keys hold.
    pub fn plain(&self) -> String {
        self.0.join(".")
    }
}

/// Whether a step needs quotes.
fn is_bare(step: &str) -> bool {
    !step.is_empty() && !step.contains(['.', '"', '\\']) && step.trim() == step
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { "." })?;
            match is_bare(step) {
                true => f.write_str(step)?,
                false => write!(f, "\"{}\"", step.replace('\\', "\\\\").replace('"', "\\\""))?,
            }
        }
        Ok(())
    }
}

impl FromStr for Path {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no path: steps stand between dots, and those with dots in quotes");
        let mut steps = vec![];
        let mut chars = text.chars().peekable();
        while chars.peek().is_some() {
            let mut step = String::new();
            if chars.next_if_eq(&'"').is_some() {
                loop {
                    match chars.next().ok_or_else(wrong)? {
                        '"' => break,
                        '\\' => step.push(chars.next().ok_or_else(wrong)?),
                        c => step.push(c),
                    }
                }
            } else {
                while let Some(c) = chars.next_if(|c| *c != '.') {
                    step.push(c);
                }
                if !is_bare(&step) {
                    return Err(wrong());
                }
            }
            steps.push(step);
            match chars.next() {
                None => break,
                Some('.') if chars.peek().is_some() => {}
                Some(_) => return Err(wrong()),
            }
        }
        Ok(Self(steps))
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        writer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        String::deserialize(reader)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for steps in [vec![], vec!["a"], vec!["a", "0", "b c"], vec!["", "x.y", "q\"\\", " z"], vec![".", "\""]] {
            let path = Path::of(steps);
            assert_eq!(path.to_string().parse(), Ok(path.clone()), "{path}");
        }
        assert_eq!(Path::of(["a", "nginx.service"]).to_string(), "a.\"nginx.service\"");
        for wrong in [".", "a.", ".a", "a..b", "\"a", "\"a\"b", "a\"b", "\"a\\"] {
            assert!(wrong.parse::<Path>().is_err(), "{wrong}");
        }
    }
}
