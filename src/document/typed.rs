//! Values into types: a [`Tree`] as serde reads it, with errors that know which value they are about.
//!
//! Stricter than YAML where YAML guesses: a number is no text (`version: 24.10` would become `24.1`), and a list is no map.
//! `null` behind a field is the same as no field.

use std::fmt;

use indexmap::map::Slice;
use serde::{
    Deserialize,
    de::{
        self, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
        VariantAccess, Visitor, value::StrDeserializer,
    },
    forward_to_deserialize_any,
};

use super::tree::{Tree, Value};

/// Why a tree is not of a type.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    /// The way to the value, as positions, from the value up to the top.
    pub(super) path: Vec<usize>,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// A key that a map may not have.
    Key { key: String, known: &'static [&'static str] },
    /// A text that is none of a few.
    Choice { text: String, known: &'static [&'static str] },
    /// A key that a map must have.
    Missing(&'static str),
    /// A number, or a yes or no, where a text is wanted.
    NoText,
    /// Anything else.
    Other(String),
}

impl Fault {
    fn new(kind: Kind) -> Self {
        Self { kind, path: vec![] }
    }

    fn wrong(value: &Value, wanted: &str) -> Self {
        Self::new(Kind::Other(format!("{wanted} is wanted here, and this is {}", value.kind())))
    }

    /// The same fault, as the value around sees it.
    fn below(mut self, at: usize) -> Self {
        self.path.push(at);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let message = message.to_string();
        // What serde says of a type with several forms is true, and no help.
        let forms = message.starts_with("data did not match any variant");
        Self::new(Kind::Other(if forms { "this has none of the forms that are known here".into() } else { message }))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match unexpected {
            Unexpected::Bool(_) => "a yes or no",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
            Unexpected::Char(_) | Unexpected::Str(_) => "a text",
            Unexpected::Unit | Unexpected::Option => "nothing",
            Unexpected::Seq => "a list",
            Unexpected::Map => "a map",
            _ => "something else",
        };
        let wanted = match expected.to_string().as_str() {
            "a string" => "a text".to_owned(),
            "a sequence" => "a list".to_owned(),
            "a boolean" => "`true` or `false`".to_owned(),
            "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0".to_owned(),
            "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
            "f32" | "f64" => "a number".to_owned(),
            other => other.strip_prefix("struct ").map_or(other, |_| "a map").to_owned(),
        };
        Self::new(Kind::Other(format!("{wanted} is wanted here, and this is {found}")))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match unexpected {
            Unexpected::Unsigned(value) => value.to_string(),
            Unexpected::Signed(value) => value.to_string(),
            Unexpected::Float(value) => value.to_string(),
            Unexpected::Str(text) => text.to_owned(),
            _ => "this".to_owned(),
        };
        let wanted = match expected.to_string().as_str() {
            "u8" => "a whole number from 0 to 255".to_owned(),
            "u16" => "a whole number from 0 to 65535".to_owned(),
            "u32" | "u64" | "usize" => "a whole number from 0".to_owned(),
            other => other.to_owned(),
        };
        Self::new(Kind::Other(format!("{wanted} is wanted here, and not {found}")))
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self::new(Kind::Key { key: key.to_owned(), known })
    }

    fn unknown_variant(text: &str, known: &'static [&'static str]) -> Self {
        Self::new(Kind::Choice { text: text.to_owned(), known })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Kind::Missing(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(Kind::Other(format!("`{field}` stands here twice")))
    }
}

/// Reads a tree as a `T`.
pub(super) fn read<'de, T: Deserialize<'de>>(tree: &'de Tree) -> Result<T, Fault> {
    T::deserialize(Typed(tree))
}

#[derive(Clone, Copy)]
struct Typed<'de>(&'de Tree);

impl<'de> Deserializer<'de> for Typed<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Unsigned(value) => visitor.visit_u64(*value),
            Value::Signed(value) => visitor.visit_i64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(items) => visitor.visit_seq(Items { items, next: 0 }),
            Value::Map(entries) => visitor.visit_map(Entries::of(entries.as_slice(), false)),
            Value::Any => Stand.deserialize_any(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0.value {
            Value::Bool(_) | Value::Unsigned(_) | Value::Signed(_) | Value::Float(_) => Err(Fault::new(Kind::NoText)),
            Value::Any => visitor.visit_borrowed_str("x"),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0.value {
            Value::Null | Value::Any => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.0.value {
            Value::Map(entries) => visitor.visit_map(Entries::of(entries.as_slice(), true)),
            Value::Any => Stand.deserialize_struct(name, fields, visitor),
            other => Err(Fault::wrong(other, "a map")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.0.value {
            Value::Text(text) => visitor.visit_enum(IntoDeserializer::<Fault>::into_deserializer(text.as_str())),
            Value::Map(entries) => match entries.get_index(0) {
                Some((name, content)) if entries.len() == 1 => visitor.visit_enum(Variant { name, content }),
                _ => Err(Fault::new(Kind::Other("a map with one key is wanted here".into()))),
            },
            Value::Any => Stand.deserialize_enum(name, variants, visitor),
            Value::Bool(_) | Value::Unsigned(_) | Value::Signed(_) | Value::Float(_) => Err(Fault::new(Kind::NoText)),
            other => Err(Fault::wrong(other, "a text")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 bytes byte_buf unit unit_struct seq tuple tuple_struct
        map identifier ignored_any
    }
}

/// The items of a list.
struct Items<'de> {
    items: &'de [Tree],
    next: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let at = self.next;
        let Some(item) = self.items.get(at) else { return Ok(None) };
        self.next += 1;
        seed.deserialize(Typed(item)).map(Some).map_err(|fault| fault.below(at))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.next)
    }
}

/// The entries of a map.
struct Entries<'de> {
    entries: &'de Slice<String, Tree>,
    /// The entry whose value is next.
    at: usize,
    started: bool,
    /// Whether entries of nothing are left out.
    skips_nothing: bool,
}

impl<'de> Entries<'de> {
    fn of(entries: &'de Slice<String, Tree>, skips_nothing: bool) -> Self {
        Self { entries, at: 0, started: false, skips_nothing }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.at += usize::from(self.started);
        self.started = true;
        let skips = |tree: &Tree| self.skips_nothing && matches!(tree.value, Value::Null);
        while self.entries.get_index(self.at).is_some_and(|(_, tree)| skips(tree)) {
            self.at += 1;
        }
        let Some((key, _)) = self.entries.get_index(self.at) else { return Ok(None) };
        let key: StrDeserializer<'_, Fault> = key.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|fault| fault.below(self.at))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let (_, tree) = self.entries.get_index(self.at).expect("serde asks for a value only after its key");
        seed.deserialize(Typed(tree)).map_err(|fault| fault.below(self.at))
    }
}

/// A choice that holds something.
struct Variant<'de> {
    name: &'de str,
    content: &'de Tree,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Fault> {
        let name: StrDeserializer<'_, Fault> = self.name.into_deserializer();
        let variant = seed.deserialize(name).map_err(|fault| fault.below(0))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Deserialize::deserialize(Typed(self.content)).map_err(|fault: Fault| fault.below(0))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        seed.deserialize(Typed(self.content)).map_err(|fault| fault.below(0))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        Typed(self.content).deserialize_any(visitor).map_err(|fault| fault.below(0))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        Typed(self.content).deserialize_struct("", fields, visitor).map_err(|fault| fault.below(0))
    }
}

/// Stands for a value that is missing or wrong, as whatever plain value the type takes.
#[derive(Clone, Copy)]
struct Stand;

impl<'de> Deserializer<'de> for Stand {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_borrowed_str("x")
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_bool(false)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u64(1)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u64(1)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u64(1)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u64(1)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(Items { items: &[], next: 0 })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(de::value::MapDeserializer::new(std::iter::empty::<(&str, &str)>()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let stands = fields.iter().map(|field| (*field, self));
        visitor.visit_map(de::value::MapDeserializer::new(stands))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let first = variants.first().copied().unwrap_or_default();
        visitor.visit_enum(IntoDeserializer::<Fault>::into_deserializer(first))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}

impl IntoDeserializer<'_, Fault> for Stand {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
