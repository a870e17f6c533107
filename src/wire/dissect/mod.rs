//! Packets taken apart for people: every field by number and name, with its value as people say it, and what is unusual
//! marked. [`dhcp()`] and [`tftp()`] take any bytes: what cannot be read is shown as the bytes it is.
//!
//! [`super::dhcp4`] reads what decisions need, and nothing else; this reads all of it, in the order in which it was sent, and
//! decides nothing. Texts of a packet are whoever sent it: [`text()`] leaves nothing in them that could act on a terminal.

mod dhcp;
mod name;
mod tftp;
mod value;

use serde::{Deserialize, Serialize};

pub use dhcp::dhcp;
pub use tftp::tftp;

/// A field of a packet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The number of an option or sub-option; fields of headers have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u8>,
    /// What it is called.
    pub name: String,
    /// What it says, for people.
    pub value: String,
    /// What is unusual about it, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub odd: Option<String>,
    /// What is inside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inner: Vec<Field>,
}

impl Field {
    fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), ..Self::default() }
    }

    fn odd(self, odd: impl Into<String>) -> Self {
        Self { odd: Some(odd.into()), ..self }
    }

    /// This field and everything inside it.
    fn all(&self) -> impl Iterator<Item = &Self> {
        [self].into_iter().chain(&self.inner)
    }
}

/// A packet taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dissected {
    /// What it is, in a few words: `DISCOVER`, `read request`.
    pub kind: String,
    /// Its fields, in their order.
    pub fields: Vec<Field>,
}

impl Dissected {
    /// How many fields are unusual.
    pub fn oddities(&self) -> usize {
        self.fields.iter().flat_map(Field::all).filter(|field| field.odd.is_some()).count()
    }
}

/// Bytes as text: what is printable is kept, everything else becomes `\x1b`.
pub fn text(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            // Marks that turn the direction of writing around are no control characters, and hide what a text says.
            let hides =
                matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
            match c.is_control() || hides {
                true => shown.extend(c.escape_default()),
                false => shown.push(c),
            }
        }
        chunk.invalid().iter().for_each(|byte| shown.push_str(&format!("\\x{byte:02x}")));
    }
    shown
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    /// More is of no use to anybody who reads it here; the packet itself has all of it.
    const MOST: usize = 256;
    let shown: Vec<String> = bytes.iter().take(MOST).map(|byte| format!("{byte:02x}")).collect();
    let more = if bytes.len() > MOST { format!(" and {} bytes more", bytes.len() - MOST) } else { String::new() };
    format!("{}{more}", shown.join(" "))
}
