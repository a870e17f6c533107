//! The way to what is changed, in the text and in the values at once; and what stands in the way.

use super::{
    Change, Order, Path, Refusal,
    lines::Lines,
    model::{self, number},
    span::{Entry, Item, Node, Shape},
};
use crate::document::tree::{Tree, Value};

/// A change under way.
pub(super) struct Work<'t> {
    pub(super) lines: Lines<'t>,
    pub(super) tree: &'t Tree,
    pub(super) order: Order<'t>,
    /// Whether what is set is written anew as a whole, and not only where it differs.
    pub(super) whole: bool,
}

/// A value, and where it hangs.
#[derive(Debug, Clone)]
pub(super) struct Place<'t> {
    pub(super) path: Path,
    pub(super) node: &'t Node,
    pub(super) tree: &'t Tree,
    /// What it is the value of.
    pub(super) under: Under<'t>,
    /// Whether it lies in brackets or braces.
    pub(super) flow: bool,
}

/// What a value hangs on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Under<'t> {
    Nothing,
    Key(&'t Entry),
    Dash(&'t Item),
}

impl Under<'_> {
    /// The byte of the key or of the dash.
    pub(super) fn start(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Key(entry) => entry.key.start(),
            Self::Dash(item) => item.dash,
        }
    }
}

/// The steps that lead on from a place to where nothing is yet.
pub(super) type Missing<'p> = &'p [String];

const BY_HAND: &str = "write it out there first, or change the text by hand";

impl<'t> Place<'t> {
    /// The byte behind the colon or the dash, and behind a tag or an anchor.
    pub(super) fn head(&self) -> usize {
        let head = match self.under {
            Under::Nothing => 0,
            Under::Key(entry) => entry.colon.map_or(entry.key.at.end, |colon| colon + 1),
            Under::Dash(item) if self.flow => item.dash,
            Under::Dash(item) => item.dash + 1,
        };
        self.node.properties.as_ref().map_or(head, |properties| properties.end)
    }

    /// The value one step on: of a map under a key, of a list at a number.
    pub(super) fn below(&self, step: &str) -> Option<Self> {
        let path = self.path.below(step);
        match (&self.node.shape, &self.tree.value) {
            (Shape::Map { flow, entries }, Value::Map(trees)) => {
                let entry = entries.iter().find(|entry| entry.name == step)?;
                let (node, tree, under) = (&entry.node, trees.get(step)?, Under::Key(entry));
                Some(Self { path, node, tree, under, flow: *flow })
            }
            (Shape::List { flow, items }, Value::List(trees)) => {
                let at = number(step)?;
                let item = items.get(at)?;
                Some(Self { path, node: &item.node, tree: trees.get(at)?, under: Under::Dash(item), flow: *flow })
            }
            _ => None,
        }
    }
}

impl<'t> Work<'t> {
    /// Decides on the splices of a change; what they make of the values.
    pub(super) fn change(&mut self, change: &Change) -> Result<Change, Refusal> {
        match change {
            Change::Set { path, value } => self.set_at(path, value),
            Change::Remove { path } => self.remove(path),
            Change::Insert { path, at, value } => self.insert(path, *at, value),
            Change::Move { path, from, to } => self.shift(path, *from, *to),
            Change::Rename { path, to } => self.rename(path, to),
        }
    }

    /// The value that a path leads to, or the last one on the way; and the steps that are left.
    pub(super) fn walk<'p>(&self, path: &'p Path) -> Result<(Place<'t>, Missing<'p>), Refusal> {
        let (node, tree) = (&self.lines.spans.top, self.tree);
        let mut here = Place { path: Path::top(), node, tree, under: Under::Nothing, flow: false };
        self.may_change(&here)?;
        for (at, step) in path.steps().iter().enumerate() {
            match here.below(step) {
                Some(below) => here = below,
                None => return Ok((here, &path.steps()[at..])),
            }
            self.may_change(&here)?;
        }
        Ok((here, &[]))
    }

    /// The value that a path leads to.
    pub(super) fn reach(&self, path: &Path) -> Result<Place<'t>, Refusal> {
        match self.walk(path)? {
            (place, []) => Ok(place),
            (place, _) => {
                let message = format!("{} is not there", model::shown(path));
                Err(Refusal::new(&place.path, message, "it was changed meanwhile: look again"))
            }
        }
    }

    /// Refuses what stands in more than one place, and what is not written in the plain way.
    fn may_change(&self, place: &Place<'t>) -> Result<(), Refusal> {
        let shown = model::shown(&place.path);
        if matches!(place.node.shape, Shape::Alias) {
            let alias = &self.lines.text[place.node.at.clone()];
            return Err(Refusal::new(&place.path, format!("{shown} is written elsewhere: `{alias}`"), BY_HAND));
        }
        if self.lines.spans.repeated.contains(&place.node.anchor) {
            let message = format!("{shown} has an anchor, and aliases repeat it elsewhere");
            return Err(Refusal::new(&place.path, message, BY_HAND));
        }
        let bare = matches!(place.node.shape, Shape::Map { flow: true, .. })
            && !self.lines.text[place.node.at.clone()].starts_with('{');
        if bare {
            let message = format!("{shown} is a map without braces in a list");
            return Err(Refusal::new(&place.path, message, "put braces around it"));
        }
        Ok(())
    }

    /// Refuses to take away what aliases repeat elsewhere.
    pub(super) fn may_go(&self, path: &Path, node: &Node) -> Result<(), Refusal> {
        let repeated = &self.lines.spans.repeated;
        match node.any(&|node| repeated.contains(&node.anchor)) {
            true => {
                let message = format!("{} holds an anchor, and aliases repeat what it names", model::shown(path));
                Err(Refusal::new(path, message, BY_HAND))
            }
            false => Ok(()),
        }
    }
}
