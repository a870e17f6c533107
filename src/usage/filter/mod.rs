//! Which devices are meant, in a language that a person types: one for the command line, the API and the pages.
//!
//! ```text
//! role=developer and location~"berlin*" and not installed and seen<7d
//! (product~optiplex* or memory<8GiB) and subnet=10.1.0.0/16
//!
//!   any   = all *( "or" all )
//!   all   = one *( "and" one )
//!   one   = "not" one / "(" any ")" / FIELD / FIELD operator VALUE
//! ```
//! A field alone asks whether there is anything. `=` and `!=` compare whole values, `~` and `!~` patterns in which `*` stands
//! for any run of characters; upper and lower case are the same. `<`, `<=`, `>` and `>=` compare ages, sizes and numbers.
//! What is not there is like nothing and equals nothing: `role!=dev` fits a device without a role. Any name that is no
//! [field](FIELDS) is an attribute's, the device's own or its user's; `attr:memory` is the attribute that a field hides.

mod check;
mod field;
mod parse;
mod search;

use std::{collections::HashMap, fmt, str::FromStr};

use crate::{
    model::{Device, Moment, attribute::AttributeName},
    world::World,
};

use check::Check;
use field::{Field, Known, Scene, Value};

pub use field::{FIELDS, Standing, persona};
pub use parse::BadFilter;
pub use search::searched;

/// Which devices are meant: every one that [fits](Filter::fits). Written and read as text; what it prints reads back as itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter(Node);

/// A filter's tree; as deep as [`Filter::DEEPEST`].
#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// All of these; two at least.
    All(Vec<Node>),
    /// Any of these; two at least.
    Any(Vec<Node>),
    /// Not this.
    Not(Box<Node>),
    /// What a field shall say.
    Test(Field, Check),
}

impl Filter {
    /// The longest text that is read, in bytes.
    pub const LONGEST: usize = 2048;
    /// How deep parentheses and `not` may nest.
    pub const DEEPEST: usize = 16;
    /// How many tests one filter may make: each costs time for each device.
    pub const MOST_TESTS: usize = 64;

    /// Whether a device is meant, as it is at `now`.
    pub fn fits(&self, world: &World, device: &Device, now: Moment) -> bool {
        self.0.fits(&Scene { world, now, hosts: None }, device)
    }

    /// The filter made ready for many devices of one World.
    pub fn over<'a>(&'a self, world: &'a World, now: Moment) -> Over<'a> {
        let mut texts = vec![];
        self.0.texts(&mut texts);
        let mut hosts: HashMap<_, Vec<&str>> = HashMap::new();
        let leases = world.leases.iter().filter(|_| !texts.is_empty());
        for (mac, host) in leases.filter_map(|lease| Some((lease.mac, lease.hostname.as_deref()?))) {
            if texts.iter().any(|check| check.fits(&Value::Text(host.into()))) {
                hosts.entry(mac).or_default().push(host);
            }
        }
        Over { node: &self.0, scene: Scene { world, now, hosts: Some(hosts) } }
    }

    /// The attributes that it asks for. Whoever shows an empty list had better tell of those that no device has: a field
    /// whose name was mistyped is an attribute that nothing has.
    pub fn attributes(&self) -> Vec<&AttributeName> {
        let mut names = vec![];
        self.0.attributes(&mut names);
        names
    }
}

/// A [`Filter`] that is held against one device after the other: what it needs of the World besides was looked up once.
pub struct Over<'a> {
    node: &'a Node,
    scene: Scene<'a>,
}

impl Over<'_> {
    /// Whether a device is meant.
    pub fn fits(&self, device: &Device) -> bool {
        self.node.fits(&self.scene, device)
    }
}

impl Node {
    fn fits(&self, scene: &Scene<'_>, device: &Device) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.fits(scene, device)),
            Self::Any(nodes) => nodes.iter().any(|node| node.fits(scene, device)),
            Self::Not(node) => !node.fits(scene, device),
            Self::Test(field, check) => check.holds(field, scene, device),
        }
    }

    /// What is asked of any text of a device.
    fn texts<'a>(&'a self, checks: &mut Vec<&'a Check>) {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().for_each(|node| node.texts(checks)),
            Self::Not(node) => node.texts(checks),
            Self::Test(Field::Known(Known::Text), check) => checks.push(check),
            Self::Test(..) => {}
        }
    }

    fn attributes<'a>(&'a self, names: &mut Vec<&'a AttributeName>) {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().for_each(|node| node.attributes(names)),
            Self::Not(node) => node.attributes(names),
            Self::Test(Field::Attribute(name), _) => names.push(name),
            Self::Test(Field::Known(_), _) => {}
        }
    }

    /// Several nodes between one word; those that would read otherwise get parentheses.
    fn list(f: &mut fmt::Formatter<'_>, nodes: &[Self], word: &str, enclosed: impl Fn(&Self) -> bool) -> fmt::Result {
        for (n, node) in nodes.iter().enumerate() {
            if n > 0 {
                f.write_str(word)?;
            }
            match enclosed(node) {
                true => write!(f, "({node})")?,
                false => write!(f, "{node}")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Filter {
    type Err = BadFilter;

    fn from_str(text: &str) -> Result<Self, BadFilter> {
        parse::parse(text).map(Self)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(nodes) => Self::list(f, nodes, " and ", |node| matches!(node, Self::All(_) | Self::Any(_))),
            Self::Any(nodes) => Self::list(f, nodes, " or ", |node| matches!(node, Self::Any(_))),
            Self::Not(node) if matches!(**node, Self::All(_) | Self::Any(_)) => write!(f, "not ({node})"),
            Self::Not(node) => write!(f, "not {node}"),
            Self::Test(field, check) => write!(f, "{field}{check}"),
        }
    }
}

#[cfg(test)]
mod tests;
