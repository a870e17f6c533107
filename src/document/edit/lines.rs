//! The lines of a text: which of them a value takes up with its comments, and pieces of text to be put in their place.

use std::ops::Range;

use super::{
    span::Spans,
    write::{Habit, column},
};

/// A piece of the text, and what takes its place.
#[derive(Debug)]
pub(super) struct Splice {
    pub(super) at: Range<usize>,
    pub(super) with: String,
}

/// A text with its spans, and the splices that were decided so far.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    pub(super) text: &'t str,
    pub(super) spans: &'t Spans,
    pub(super) habit: Habit,
    splices: Vec<Splice>,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str, spans: &'t Spans) -> Self {
        Self { text, spans, habit: Habit::of(text, spans), splices: vec![] }
    }

    /// Puts a text in the place of these bytes.
    pub(super) fn put(&mut self, at: Range<usize>, with: impl Into<String>) {
        self.splices.push(Splice { at, with: with.into() });
    }

    /// The text that comes of it; nothing when two splices are about the same bytes.
    pub(super) fn spliced(mut self) -> Option<String> {
        self.splices.sort_by_key(|splice| splice.at.start);
        let (mut made, mut done) = (String::with_capacity(self.text.len() + 256), 0);
        for Splice { at, with } in &self.splices {
            made.push_str(self.text.get(done..at.start)?);
            made.push_str(with);
            done = at.end;
        }
        made.push_str(&self.text[done..]);
        if !self.text.ends_with('\n') && made.ends_with('\n') && !self.text.is_empty() {
            made.truncate(made.trim_end_matches(['\n', '\r']).len());
        }
        Some(made)
    }

    /// Lines, each with its end behind it.
    pub(super) fn joined(&self, lines: &[String]) -> String {
        lines.iter().flat_map(|line| [line.as_str(), self.habit.newline]).collect()
    }

    /// Lines, each with the end of the line above before it.
    pub(super) fn hung(&self, lines: &[String]) -> String {
        lines.iter().flat_map(|line| [self.habit.newline, line.as_str()]).collect()
    }

    pub(super) fn column(&self, at: usize) -> usize {
        column(self.text, at)
    }

    pub(super) fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |at| at + 1)
    }

    /// Where the line of this byte ends, before its line end.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let end = self.text[at..].find('\n').map_or(self.text.len(), |end| at + end);
        if end > at && self.text[..end].ends_with('\r') { end - 1 } else { end }
    }

    /// Where the next line begins.
    pub(super) fn next_line(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |end| at + end + 1)
    }

    /// Whether only spaces stand before this byte in its line.
    pub(super) fn is_first(&self, at: usize) -> bool {
        self.text[self.line_start(at)..at].bytes().all(|b| b == b' ')
    }

    /// Whether the line that begins at this byte is blank.
    fn is_blank(&self, start: usize) -> bool {
        self.text[start..self.line_end(start)].trim().is_empty()
    }

    /// The column of the comment that is all of the line that begins at this byte.
    fn comment(&self, start: usize) -> Option<usize> {
        let line = &self.text[start..self.line_end(start)];
        let column = line.find(|c| c != ' ')?;
        self.spans.is_comment(start + column).then_some(column)
    }

    /// Where the lines of a value begin whose key or dash is here: with the comments directly above it, in its own column.
    /// Those that begin the file are the file's.
    pub(super) fn lead(&self, at: usize) -> usize {
        let (line, column) = (self.line_start(at), self.column(at));
        let mut start = line;
        while start > 0 {
            let above = self.line_start(start - 1);
            if self.comment(above) != Some(column) {
                return start;
            }
            start = above;
        }
        line
    }

    /// The end of the last line of a value that ends here, and whose key or dash stands in `column`: comments below that
    /// stand further in are its own.
    pub(super) fn extent(&self, end: usize, column: usize) -> usize {
        let mut extent = self.line_end(end);
        let mut next = self.next_line(extent);
        while next < self.text.len() {
            match self.comment(next) {
                Some(deeper) if deeper > column => extent = self.line_end(next),
                None if self.is_blank(next) => {}
                _ => break,
            }
            next = self.next_line(next);
        }
        extent
    }

    /// Whether a blank line stands above the lines of the value whose key or dash is here.
    pub(super) fn is_spaced(&self, at: usize) -> bool {
        let lead = self.lead(at);
        lead > 0 && self.is_blank(self.line_start(lead - 1))
    }

    /// Whole lines that go, up to the end of the line at `end`; and the blank lines above, when there are others below.
    pub(super) fn cut(&self, lead: usize, end: usize) -> Range<usize> {
        let (mut start, next) = (lead, self.next_line(end));
        if next >= self.text.len() || self.is_blank(next) {
            while start > 0 && self.is_blank(self.line_start(start - 1)) {
                start = self.line_start(start - 1);
            }
        }
        start..next
    }
}
