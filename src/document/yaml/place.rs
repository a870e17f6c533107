//! Where values and keys begin. `serde_yaml` gives values no places, but its errors have one.
//!
//! ```text
//!   the first few places of a source   read up to each, and fail there on purpose: cheap for one, and most sources need none
//!   then all of them at once           read through to the end, fail at every value and key, and go on behind it
//! ```
//! So a document with fifty mistakes is read four times, and not fifty. What was found is kept with the source: looking at a
//! library again costs no reading.

use std::{
    collections::HashMap,
    convert::Infallible,
    fmt,
    sync::{Mutex, PoisonError},
};

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::{MAX_VALUES, Node, Origin, Position, Reading, Source};

/// A line and a column, from 1.
type Place = (usize, usize);

/// So many places are looked up one by one.
const FEW: usize = 3;

/// The places of a source that are known, by the value's number, and whether its key is meant.
#[derive(Debug, Default)]
pub(in crate::document) struct Places(Mutex<HashMap<(u32, bool), Place>>);

/// Where a value begins, or its key.
pub(in crate::document) fn place(origin: &Origin, of_key: bool) -> Place {
    let source = &origin.source;
    let mut known = source.places.0.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() == FEW && !known.contains_key(&(origin.number, of_key)) {
        known.extend(all(source));
    }
    *known.entry((origin.number, of_key)).or_insert_with(|| one(origin, of_key))
}

fn one(origin: &Origin, of_key: bool) -> Place {
    let mut reading = Reading::new(&origin.source, Some((origin.number, of_key)));
    let node = Node { reading: &mut reading, depth: 0, place: Position::Top };
    let error = node.deserialize(serde_yaml::Deserializer::from_str(&origin.source.text)).err();
    error.and_then(|error| error.location()).map_or((1, 1), |at| (at.line(), at.column()))
}

/// Every place that one reading can tell; the others are looked up one by one.
fn all(source: &Source) -> impl Iterator<Item = ((u32, bool), Place)> + use<> {
    let mut walk = Walk { values: vec![Value::default()], anchors: HashMap::new(), last: (0, 0), aliased: false };
    walk.aliased = source.text.contains('*') && source.text.contains('&');
    let read = serde_yaml::Deserializer::from_str(&source.text).deserialize_any(Next(&mut walk));
    // The text was read before: what fails now is what this walk does not understand.
    let values = if read.is_ok() { walk.values } else { vec![] };
    (0..).zip(values).flat_map(|(number, value)| {
        let known = [(false, value.place), (true, value.key)];
        known.into_iter().filter_map(move |(of_key, place)| Some(((number, of_key), place?)))
    })
}

/// What is known of a value.
#[derive(Debug, Clone, Copy, Default)]
struct Value {
    place: Option<Place>,
    key: Option<Place>,
}

/// A reading of the whole text.
struct Walk {
    /// By their numbers: counted as when the text was read first.
    values: Vec<Value>,
    /// The values that an alias may mean: by their places, their numbers and how many values they are.
    anchors: HashMap<Place, (usize, usize)>,
    /// How far the walk has come.
    last: Place,
    /// Whether there may be aliases.
    aliased: bool,
}

impl Walk {
    /// Takes up the value that is next, of which so much was said. Returns its number; nothing when it was an alias, behind
    /// which the walk stands then: `serde_yaml` gives the place that an alias means, which lies behind us.
    fn arrive<E: Error>(&mut self, said: &E, key: Option<Place>) -> Result<Option<usize>, E> {
        let number = self.values.len();
        let place = place_in(said);
        self.last = self.last.max(key.unwrap_or_default());
        let is_alias = place.is_some_and(|place| place <= self.last);
        match place.filter(|_| is_alias).map(|place| self.anchors.get(&place)) {
            Some(Some(&(first, count))) => {
                self.values.extend_from_within(first..first + count);
                self.values[number].key = key;
            }
            Some(None) => return Err(E::custom("an alias of nothing")),
            // Of a tag no place is said; and an alias of one looks the same.
            None if place.is_none() && self.aliased => return Err(E::custom("a tag, or an alias of one")),
            None => {
                self.last = place.unwrap_or(self.last);
                self.values.push(Value { place, key });
            }
        }
        match self.values.len() > MAX_VALUES as usize {
            true => Err(E::custom("more than was read before")),
            false => Ok(Some(number).filter(|_| !is_alias)),
        }
    }

    /// The value of this number, and all in it, is read.
    fn leave(&mut self, number: usize) {
        if let Some(place) = self.values[number].place {
            self.anchors.insert(place, (number, self.values.len() - number));
        }
    }
}

/// The place that an error of `serde_yaml` tells at its end.
fn place_in(said: &impl fmt::Display) -> Option<Place> {
    let said = said.to_string();
    let (line, column) = said.rsplit_once(" at line ")?.1.split_once(" column ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

/// Fails at what is next. Of values nothing is taken: asked for a choice, `serde_yaml` only looks at them. Keys are taken.
#[derive(Clone, Copy)]
enum Fail {
    Value,
    Key,
}

impl<'de> DeserializeSeed<'de> for Fail {
    type Value = Infallible;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Infallible, D::Error> {
        match self {
            Self::Value => reader.deserialize_enum("", &[], self),
            Self::Key => reader.deserialize_str(self),
        }
    }
}

impl<'de> Visitor<'de> for Fail {
    type Value = Infallible;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a place")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Infallible, E> {
        Err(E::custom("here"))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Infallible, A::Error> {
        Err(A::Error::custom("here"))
    }
}

/// The next value, whose place is noted.
struct Next<'w>(&'w mut Walk);

impl<'de> DeserializeSeed<'de> for Next<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Next<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<(), E> {
        Ok(())
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_enum<A: EnumAccess<'de>>(self, value: A) -> Result<(), A::Error> {
        value.variant::<IgnoredAny>()?.1.newtype_variant_seed(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        loop {
            let said = match items.next_element_seed(Fail::Value) {
                Ok(None) => return Ok(()),
                Ok(Some(never)) => match never {},
                Err(said) => said,
            };
            if let Some(number) = self.0.arrive(&said, None)? {
                items.next_element_seed(Next(self.0))?;
                self.0.leave(number);
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        loop {
            let key = match entries.next_key_seed(Fail::Key) {
                Ok(None) => return Ok(()),
                Ok(Some(never)) => match never {},
                // The one place that is not said is the very first.
                Err(said) => place_in(&said).unwrap_or((1, 1)),
            };
            let said = match entries.next_value_seed(Fail::Value) {
                Ok(never) => match never {},
                Err(said) => said,
            };
            if let Some(number) = self.0.arrive(&said, Some(key))? {
                entries.next_value_seed(Next(self.0))?;
                self.0.leave(number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Reading once tells the same places as reading up to each.
    #[test]
    fn all_places_are_those_that_are_found_one_by_one() {
        let texts = [
            "a: 1\nb: [x, {c: y}, [], \"q r\"]\nd:\n  - e: f\n    g:\n  - - h\n    - null\n  -\nlast: ''\n",
            "# a comment\na: &x [1, 2]\nb: *x\nc: {d: *x, e: &y z}\nf: [&w 1, *w, *y, *x]\ng: &m\n  h: i\nj: *m\nk: l\n",
            "a: !replace [1, {b: c}]\nd: !replace\n  e: f\ng: h\n",
            "a: !replace [1, 2]\nb: 'a * b'\nc: d\n",
            "'x at line 3 column 4': {y: z}\nw: |\n  text\n  more\nv: >-\n  folded\nu: {t, s: }\n",
            "- one\n- two: 3\n- [four: 5]\n",
        ];
        for text in texts {
            let source = Arc::new(Source::new("x.yaml", text.into()).expect("a text"));
            let tree = super::super::tree(&source).unwrap_or_else(|problem| panic!("{problem}"));
            let mut found: HashMap<_, _> = all(&source).collect();
            assert!(!found.is_empty() || text.contains('*') && text.contains('!'), "{text}");
            let mut most = 0;
            found.retain(|(number, of_key), place| {
                most = most.max(*number);
                let origin = Origin { source: source.clone(), number: *number };
                assert_eq!(*place, one(&origin, *of_key), "{number} {of_key} of {text}");
                true
            });
            let values = count(&tree);
            assert!(found.is_empty() || most as usize + 1 == values, "{most} of {values} in {text}");
        }
    }

    fn count(tree: &super::super::Tree) -> usize {
        use super::super::Value;
        1 + match &tree.value {
            Value::List(items) => items.iter().map(count).sum::<usize>(),
            Value::Map(entries) => entries.values().map(count).sum(),
            _ => 0,
        }
    }
}
