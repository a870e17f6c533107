//! Where everything of a text stands, to the byte; nothing else names `granit_parser`.
//!
//! ```text
//!   - name: !replace [a, b]   # why
//!   ^ dash        |   ^^^^^^ at
//!     ^^^^ key    ^^^^^^^^ properties: tag and anchor
//!         ^ colon
//! ```
//! `serde_yaml` reads what documents say. Where the two should ever differ, what is read again after an edit is not what was
//! asked for, and the edit is refused.

use std::{collections::HashSet, ops::Range};

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle, options};

/// A text, taken apart.
#[derive(Debug)]
pub(super) struct Spans {
    pub(super) top: Node,
    /// Where comments begin, in order.
    comments: Vec<usize>,
    /// The anchors that an alias repeats.
    pub(super) repeated: HashSet<usize>,
}

/// A value.
#[derive(Debug)]
pub(super) struct Node {
    /// Its own bytes: a block scalar with its header, a block collection from its first key or dash. Empty when it is
    /// nothing at all.
    pub(super) at: Range<usize>,
    /// The tag and the anchor before it.
    pub(super) properties: Option<Range<usize>>,
    /// Its anchor; 0 when it has none.
    pub(super) anchor: usize,
    pub(super) shape: Shape,
}

#[derive(Debug)]
pub(super) enum Shape {
    Scalar(Style),
    Alias,
    List { flow: bool, items: Vec<Item> },
    Map { flow: bool, entries: Vec<Entry> },
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Nothing stands there, which means `null`.
    Nothing,
    Plain,
    Single,
    Double,
    /// `|` or `>`: the header without comment, and the column of its text.
    Block {
        header: usize,
        column: usize,
    },
}

#[derive(Debug)]
pub(super) struct Item {
    /// Where its dash stands; where it begins, in brackets.
    pub(super) dash: usize,
    pub(super) node: Node,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: Node,
    pub(super) name: String,
    /// Where the colon stands: a key alone in braces has none.
    pub(super) colon: Option<usize>,
    pub(super) node: Node,
}

impl Item {
    pub(super) fn whole(&self) -> Range<usize> {
        self.dash..self.node.end()
    }
}

impl Entry {
    pub(super) fn whole(&self) -> Range<usize> {
        let head = self.colon.map_or(self.key.at.end, |colon| colon + 1);
        self.key.start()..self.node.end().max(head)
    }
}

impl Node {
    /// Where it begins, with its tag and anchor.
    pub(super) fn start(&self) -> usize {
        self.properties.as_ref().map_or(self.at.start, |properties| properties.start)
    }

    /// Where it ends.
    pub(super) fn end(&self) -> usize {
        self.properties.as_ref().map_or(self.at.end, |properties| properties.end.max(self.at.end))
    }

    pub(super) fn is_block(&self) -> bool {
        matches!(&self.shape, Shape::List { flow: false, .. } | Shape::Map { flow: false, .. })
    }

    /// Whether this, or a value in it, holds for one of them.
    pub(super) fn any(&self, holds: &impl Fn(&Self) -> bool) -> bool {
        holds(self)
            || match &self.shape {
                Shape::List { items, .. } => items.iter().any(|item| item.node.any(holds)),
                Shape::Map { entries, .. } => entries.iter().any(|entry| entry.key.any(holds) || entry.node.any(holds)),
                _ => false,
            }
    }
}

impl Spans {
    /// Takes a text apart, which `serde_yaml` has read before.
    pub(super) fn of(text: &str) -> Result<Self, String> {
        let options = options! {
            emit_anchor_events: true,
            block_scalar_eof_without_line_feed: true,
            bom_inside_document_as_content: true,
            max_buffered_comment_events: usize::MAX,
        };
        let (mut events, mut comments, mut repeated) = (vec![], vec![], HashSet::new());
        for next in Parser::new_from_str_with_options(text, options) {
            let (event, span) = next.map_err(|error| error.info())?;
            let at = span.byte_range().ok_or("a place without bytes")?;
            match event {
                Event::Comment(..) => comments.push(at.start),
                Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd => {}
                event => {
                    if let Event::Alias(anchor) = event {
                        repeated.insert(anchor);
                    }
                    let tag = span.tag_span().and_then(|span| span.byte_range());
                    let column = span.indent.unwrap_or_default();
                    events.push(Told { event, at, tag, column });
                }
            }
        }
        comments.sort_unstable();
        let mut building = Building { text, events: events.into_iter().peekable() };
        let top = building.node(0)?;
        Ok(Self { top, comments, repeated })
    }

    /// Whether a comment begins at this byte.
    pub(super) fn is_comment(&self, at: usize) -> bool {
        self.comments.binary_search(&at).is_ok()
    }

    /// Whether a comment begins among these bytes.
    pub(super) fn has_comment(&self, within: Range<usize>) -> bool {
        let first = self.comments.partition_point(|at| *at < within.start);
        self.comments.get(first).is_some_and(|at| *at < within.end)
    }
}

struct Told<'t> {
    event: Event<'t>,
    at: Range<usize>,
    tag: Option<Range<usize>>,
    column: usize,
}

struct Building<'t> {
    text: &'t str,
    events: std::iter::Peekable<std::vec::IntoIter<Told<'t>>>,
}

impl<'t> Building<'t> {
    /// The next value, which stands behind the byte `after`: behind its colon, dash, bracket or comma.
    fn node(&mut self, after: usize) -> Result<Node, String> {
        let told = self.events.next().ok_or("the text ends too soon")?;
        let anchored = |told: &Told<'t>| matches!(told.event, Event::Anchor(..));
        let anchor = self.events.next_if(anchored).map(|told| told.at);
        let properties = match (told.tag.clone(), anchor) {
            (Some(tag), Some(anchor)) => Some(tag.start.min(anchor.start)..tag.end.max(anchor.end)),
            (tag, anchor) => tag.or(anchor),
        };
        let head = properties.as_ref().map_or(after, |properties| properties.end);
        let is = |anchor: usize, at, shape| Node { at, properties: properties.clone(), anchor, shape };
        Ok(match told.event {
            Event::Alias(_) => is(0, told.at, Shape::Alias),
            Event::Scalar(_, style, anchor, _) => {
                let (at, style) = self.scalar(style, told.at, told.column, head);
                is(anchor, at, Shape::Scalar(style))
            }
            Event::SequenceStart(style, anchor, _) => {
                let flow = style == StructureStyle::Flow;
                // Of dashes in the column of their key, another place is told.
                let start = if flow || head == 0 { told.at.clone() } else { self.skip(head)..told.at.end };
                let (items, end) = self.items(flow, &start)?;
                is(anchor, start.start..end, Shape::List { flow, items })
            }
            Event::MappingStart(style, anchor, _) => {
                let flow = style == StructureStyle::Flow;
                let (entries, end) = self.entries(flow, &told.at)?;
                is(anchor, told.at.start..end, Shape::Map { flow, entries })
            }
            _ => return Err("a value was expected".to_owned()),
        })
    }

    fn scalar(&self, style: ScalarStyle, at: Range<usize>, column: usize, head: usize) -> (Range<usize>, Style) {
        match style {
            ScalarStyle::Plain if at.is_empty() => (head..head, Style::Nothing),
            ScalarStyle::Plain => (at, Style::Plain),
            ScalarStyle::SingleQuoted => (at, Style::Single),
            ScalarStyle::DoubleQuoted => (at, Style::Double),
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let start = self.skip(head);
                let header = self.text[start..].find(|c: char| c.is_whitespace()).unwrap_or(self.text.len() - start);
                let keeps = self.text[start..start + header].contains('+');
                let mut end = at.end.max(start + header);
                // Blank lines behind a text are part of it only where it says so.
                let blank: fn(char) -> bool = if keeps { |c| c == '\n' } else { char::is_whitespace };
                let content = &self.text[start + header..end];
                let kept = match keeps {
                    true => content.strip_suffix('\n').map_or(content, |rest| rest.strip_suffix('\r').unwrap_or(rest)),
                    // Spaces at the end of the last line with something on it are text.
                    false => {
                        let bare = content.trim_end_matches(blank).len();
                        let line = content[bare..].find('\n').map_or(content.len(), |at| bare + at);
                        content[..line].strip_suffix('\r').unwrap_or(&content[..line])
                    }
                };
                end = start + header + kept.len();
                (start..end, Style::Block { header: start + header, column })
            }
        }
    }

    /// The items up to the end of the list, and where that is.
    fn items(&mut self, flow: bool, start: &Range<usize>) -> Result<(Vec<Item>, usize), String> {
        let (mut items, mut end) = (vec![], if flow { start.end } else { start.start });
        loop {
            let Some(next) = self.events.peek() else { return Err("a list has no end".to_owned()) };
            if matches!(next.event, Event::SequenceEnd) {
                let at = next.at.clone();
                self.events.next();
                return Ok((items, if flow { at.end } else { end }));
            }
            let dash = if flow { end } else { self.skip(end) };
            if !flow && !self.text[dash..].starts_with('-') {
                return Err("an item has no dash".to_owned());
            }
            let node = self.node(if flow { end } else { dash + 1 })?;
            end = node.end();
            let dash = if flow { node.start() } else { dash };
            items.push(Item { dash, node });
        }
    }

    /// The entries up to the end of the map, and where that is.
    fn entries(&mut self, flow: bool, start: &Range<usize>) -> Result<(Vec<Entry>, usize), String> {
        let (mut entries, mut end) = (vec![], if flow { start.end } else { start.start });
        loop {
            let Some(next) = self.events.peek() else { return Err("a map has no end".to_owned()) };
            if matches!(next.event, Event::MappingEnd) {
                let at = next.at.clone();
                self.events.next();
                return Ok((entries, if flow { at.end } else { end }));
            }
            let name = match &next.event {
                Event::Scalar(name, ..) => name.clone().into_owned(),
                _ => return Err("a key is no text".to_owned()),
            };
            let key = self.node(end)?;
            let at = key.at.end + blanks(&self.text[key.at.end..]);
            let colon = self.text[at..].starts_with(':').then_some(at);
            if colon.is_none() && !flow {
                return Err(format!("the key `{name}` stands behind a `?`"));
            }
            let node = self.node(colon.map_or(key.at.end, |colon| colon + 1))?;
            let entry = Entry { key, name, colon, node };
            end = entry.whole().end;
            entries.push(entry);
        }
    }

    /// The first byte from here on that is neither blank nor of a comment.
    fn skip(&self, mut at: usize) -> usize {
        loop {
            at += self.text[at..].find(|c: char| !c.is_whitespace()).unwrap_or(self.text.len() - at);
            if !self.text[at..].starts_with('#') {
                return at;
            }
            at += self.text[at..].find('\n').unwrap_or(self.text.len() - at);
        }
    }
}

/// How many spaces and tabs a text begins with.
fn blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}
