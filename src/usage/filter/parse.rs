//! From a text to a filter, or to what is wrong with the text, and where.

use std::{borrow::Cow, fmt};

use unicode_width::UnicodeWidthStr;

use super::{
    Filter, Node,
    check::{Check, Operator, comparable},
    field::Field,
};

/// The words of the language: an attribute or a value that is called so needs `attr:` or quotes.
pub(super) const WORDS: [&str; 3] = ["and", "or", "not"];

/// How much of a long filter is shown on either side of a mistake, in characters.
const SHOWN: usize = 60;

/// Some text that is no filter: what was expected, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct BadFilter {
    /// What is wrong there, on one line.
    pub message: String,
    /// Where: the number of the character, from 1.
    pub column: usize,
    /// The filter as it was written.
    text: String,
}

impl BadFilter {
    /// What was written before the place of the mistake, and what from there on.
    pub fn sides(&self) -> (String, String) {
        let before = self.text.chars().take(self.column - 1).collect();
        (before, self.text.chars().skip(self.column - 1).collect())
    }
}

impl fmt::Display for BadFilter {
    /// The message, and the place in the filter below it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whatever was written stays on its line.
        let plain: Vec<char> = self.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let at = (self.column - 1).min(plain.len());
        let from = at.saturating_sub(SHOWN);
        let before: String = plain[from..at].iter().collect();
        let after: String = plain[at..].iter().take(SHOWN).collect();
        let (head, tail) = (if from > 0 { "..." } else { "" }, if plain.len() > at + SHOWN { "..." } else { "" });
        let margin = " ".repeat(head.len() + before.width());
        write!(f, "column {}: {}\n  {head}{before}{after}{tail}\n  {margin}^", self.column, self.message)
    }
}

/// Reads a filter.
pub(super) fn parse(text: &str) -> Result<Node, BadFilter> {
    let mut reader = Reader { text, at: 0, tests: 0 };
    if text.len() > Filter::LONGEST {
        return Err(reader.wrong(format!("a filter is at most {} bytes long", Filter::LONGEST)));
    }
    if let Some((at, _)) = text.char_indices().find(|(_, c)| c.is_control() && !c.is_whitespace()) {
        reader.at = at;
        return Err(reader.wrong("this character cannot be written in a filter"));
    }
    let node = reader.any(0)?;
    match reader.rest() {
        "" => Ok(node),
        rest if rest.starts_with(')') => Err(reader.wrong("nothing was opened that this could close")),
        _ => Err(reader.wrong("expected `and`, `or`, or the end")),
    }
}

/// A value as it is written: in quotes, if it needs them.
pub(super) fn quoted(value: &str) -> Cow<'_, str> {
    let plain = !value.is_empty()
        && !value.starts_with(is_operator)
        && !value.starts_with('\'')
        && value.chars().all(is_bare)
        && !WORDS.contains(&value.to_lowercase().as_str());
    match plain {
        true => value.into(),
        false => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")).into(),
    }
}

fn is_bare(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '(' | ')' | '"')
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')
}

fn is_operator(c: char) -> bool {
    matches!(c, '=' | '!' | '~' | '<' | '>')
}

struct Reader<'a> {
    text: &'a str,
    /// Where it is, in bytes; between two characters.
    at: usize,
    tests: usize,
}

impl<'a> Reader<'a> {
    fn any(&mut self, depth: usize) -> Result<Node, BadFilter> {
        self.several("or", depth, Self::all, Node::Any)
    }

    fn all(&mut self, depth: usize) -> Result<Node, BadFilter> {
        self.several("and", depth, Self::one, Node::All)
    }

    /// One or more of a kind, with a word between them.
    fn several(
        &mut self,
        word: &str,
        depth: usize,
        part: impl Fn(&mut Self, usize) -> Result<Node, BadFilter>,
        together: impl Fn(Vec<Node>) -> Node,
    ) -> Result<Node, BadFilter> {
        let first = part(self, depth)?;
        let mut nodes = vec![];
        while self.word(word) {
            nodes.push(part(self, depth)?);
        }
        if nodes.is_empty() {
            return Ok(first);
        }
        nodes.insert(0, first);
        Ok(together(nodes))
    }

    fn one(&mut self, depth: usize) -> Result<Node, BadFilter> {
        self.blanks();
        if depth > Filter::DEEPEST {
            return Err(self.wrong(format!("this nests deeper than {} levels", Filter::DEEPEST)));
        }
        if self.word("not") {
            return self.one(depth + 1).map(|node| Node::Not(Box::new(node)));
        }
        let opened = self.at;
        if !self.rest().starts_with('(') {
            return self.test();
        }
        self.at += 1;
        let node = self.any(depth + 1)?;
        self.blanks();
        if !self.rest().starts_with(')') {
            return Err(match self.rest() {
                "" => self.wrong_at(opened, "this is not closed: expected `)` at the end"),
                _ => self.wrong("expected `and`, `or` or `)`"),
            });
        }
        self.at += 1;
        Ok(node)
    }

    fn test(&mut self) -> Result<Node, BadFilter> {
        let began = self.at;
        let name = self.run(is_name).to_lowercase();
        if name.is_empty() || WORDS.contains(&name.as_str()) {
            let example = "expected a field or an attribute, like role=developer";
            return Err(self.wrong_at(began, example));
        }
        self.tests += 1;
        if self.tests > Filter::MOST_TESTS {
            return Err(self.wrong_at(began, format!("a filter makes at most {} tests", Filter::MOST_TESTS)));
        }
        let field = Field::named(&name).map_err(|bad| self.wrong_at(began, bad))?;
        self.blanks();
        let placed = self.at;
        let found = Operator::ALL.iter().find(|(written, _)| self.rest().starts_with(written));
        let Some((written, operator)) = found else {
            return match self.rest().chars().next() {
                Some(c) if c != ')' && !self.is_word_ahead() => {
                    Err(self.wrong("expected an operator (= != ~ !~ < <= > >=), `and`, `or`, or the end"))
                }
                _ => Ok(Node::Test(field, Check::There)),
            };
        };
        self.at += written.len();
        comparable(*operator, field.kind())
            .map_err(|instead| self.wrong_at(placed, format!("`{name}` is compared by {instead}")))?;
        self.blanks();
        let placed = self.at;
        let value = self.value(written)?;
        if value.trim().is_empty() {
            return Err(self.wrong_at(placed, format!("nothing has an empty value: write `not {name}`")));
        }
        let check = Check::read(&field, *operator, &value).map_err(|wrong| self.wrong_at(placed, wrong))?;
        Ok(Node::Test(field, check))
    }

    /// The value after an operator.
    fn value(&mut self, operator: &str) -> Result<Cow<'a, str>, BadFilter> {
        let opened = self.at;
        match self.rest().chars().next() {
            Some(quote @ ('"' | '\'')) => return self.in_quotes(quote).map(Cow::Owned),
            Some(c) if is_operator(c) => {
                return Err(self.wrong(format!("expected a value after `{operator}`; one that begins so needs quotes")));
            }
            _ => {}
        }
        let value = self.run(is_bare);
        if WORDS.contains(&value.to_lowercase().as_str()) {
            let what = format!("expected a value after `{operator}`; if it is `{value}`, write it in quotes");
            return Err(self.wrong_at(opened, what));
        }
        match value {
            "" => Err(self.wrong(format!("expected a value after `{operator}`"))),
            value => Ok(value.into()),
        }
    }

    /// A value in quotes, in which `\` makes the next character plain.
    fn in_quotes(&mut self, quote: char) -> Result<String, BadFilter> {
        let opened = self.at;
        let mut value = String::new();
        let mut inside = self.rest().char_indices().skip(1);
        while let Some((at, c)) = inside.next() {
            match c {
                '\\' => value.extend(inside.next().map(|(_, c)| c)),
                c if c == quote => {
                    self.at = opened + at + 1;
                    return Ok(value);
                }
                c => value.push(c),
            }
        }
        Err(self.wrong(format!("this quote is not closed: expected {quote} at the end")))
    }

    /// Passes over a word of the language, if it stands here.
    fn word(&mut self, word: &str) -> bool {
        self.blanks();
        let before = self.at;
        let found = self.run(is_name).eq_ignore_ascii_case(word);
        if !found {
            self.at = before;
        }
        found
    }

    fn is_word_ahead(&mut self) -> bool {
        let before = self.at;
        let found = WORDS.iter().any(|word| self.word(word));
        self.at = before;
        found
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        self.run(char::is_whitespace);
    }

    /// Passes over characters of a kind.
    fn run(&mut self, kind: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !kind(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn wrong(&self, message: impl ToString) -> BadFilter {
        self.wrong_at(self.at, message)
    }

    fn wrong_at(&self, at: usize, message: impl ToString) -> BadFilter {
        let column = self.text[..at].chars().count() + 1;
        // A text of a gigabyte need not be carried about to say that it is too long.
        let text = self.text.chars().take(Filter::LONGEST).collect();
        BadFilter { message: message.to_string(), column, text }
    }
}
