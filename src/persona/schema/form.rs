//! Short forms that people may write for a value, and what they are short for.

use std::{
    fmt::{self, Display},
    marker::PhantomData,
    str::FromStr,
};

use serde::{
    Deserialize, Deserializer, Serializer,
    de::{
        Error as _, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

use crate::model::Bytes;

/// Reads a value from the text that people write for it, or from a bare number.
pub fn text<'de, D, T>(reader: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: Display,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum TextOrNumber {
        Number(u64),
        Text(String),
    }
    let text = match TextOrNumber::deserialize(reader)? {
        TextOrNumber::Number(number) => number.to_string(),
        TextOrNumber::Text(text) => text,
    };
    text.parse().map_err(D::Error::custom)
}

/// The same, for a value that may be absent.
pub(super) fn maybe_text<'de, D, T>(reader: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: Display,
{
    text(reader).map(Some)
}

/// Writes a size as people do.
pub(super) fn size<S: Serializer>(size: &Bytes, writer: S) -> Result<S::Ok, S::Error> {
    writer.serialize_str(&size.exact())
}

/// The same, for a size that may be absent.
pub(super) fn maybe_size<S: Serializer>(given: &Option<Bytes>, writer: S) -> Result<S::Ok, S::Error> {
    match given {
        Some(given) => size(given, writer),
        None => writer.serialize_none(),
    }
}

/// A value that has a short form: a bare list or a bare text in place of the map. serde's `untagged` would do, but for its
/// errors: it says of a key that it does not know only that "no variant matched".
pub(super) trait ShortForm: Sized {
    /// The map.
    type Map: for<'de> Deserialize<'de>;

    /// What may be written, for the error that says so.
    const EXPECTED: &'static str;

    /// From the map.
    fn from_map(map: Self::Map) -> Self;

    /// From a bare list; `None` when a list is no short form of it.
    fn from_list(list: Vec<String>) -> Option<Self> {
        drop(list);
        None
    }

    /// From a bare text; `None` when a text is no short form of it.
    fn from_text(text: &str) -> Option<Self> {
        let _ = text;
        None
    }
}

/// Reads a value in its short or its long form.
pub(super) fn short_or_long<'de, D: Deserializer<'de>, T: ShortForm>(reader: D) -> Result<T, D::Error> {
    struct Forms<T>(PhantomData<T>);

    impl<'de, T: ShortForm> Visitor<'de> for Forms<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(T::EXPECTED)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            T::from_text(text).ok_or_else(|| E::invalid_type(serde::de::Unexpected::Str(text), &self))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<T, A::Error> {
            let list = Vec::deserialize(SeqAccessDeserializer::new(items))?;
            T::from_list(list).ok_or_else(|| A::Error::invalid_type(serde::de::Unexpected::Seq, &self))
        }

        fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<T, A::Error> {
            T::Map::deserialize(MapAccessDeserializer::new(entries)).map(T::from_map)
        }
    }

    reader.deserialize_any(Forms(PhantomData))
}

/// Names as they are written: one, or a list.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its schema is used")]
pub(super) enum Names {
    One(String),
    Many(Vec<String>),
}

/// Reads one name, or a list of them.
pub(super) fn names<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<String>, D::Error> {
    struct Wanted;

    impl<'de> Visitor<'de> for Wanted {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a name or a list of names")
        }

        fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Vec<String>, E> {
            Ok(vec![name.to_owned()])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<Vec<String>, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(names))
        }
    }

    reader.deserialize_any(Wanted)
}
