//! The forms of texts, for the document: what nouns of floor 0 look like in JSON. And time, which travels as RFC 3339.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::model::Moment;

/// A text of some form.
macro_rules! texts {
    ($($(#[$about:meta])* $name:ident = $schema:tt)*) => {$(
        $(#[$about])*
        pub(super) struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

texts! {
    /// The address of a port. It is read in the forms that tools print, and written in one.
    Mac = {
        "type": "string",
        "pattern": "^[0-9A-Fa-f][02468ACEace](([:-]?[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(\\.[0-9A-Fa-f]{4}){2})$",
        "examples": ["52:54:00:77:00:02"],
    }
    /// The name of a persona or an image.
    Name = { "type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", "examples": ["kiosk-live"] }
    /// The name of a user.
    UserText = {
        "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[^\\s/\\x00-\\x1f\\x7f-\\x9f]+$",
        "examples": ["ann@lab.example"],
    }
    /// Attributes.
    AttributesMap = {
        "type": "object",
        "maxProperties": 64,
        "propertyNames": { "pattern": "^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$" },
        "additionalProperties": { "type": "string", "minLength": 1, "maxLength": 256 },
        "examples": [{ "role": "kiosk", "location": "hall 2" }],
    }
    /// Attributes, or that they go.
    ChangesMap = {
        "type": "object",
        "propertyNames": { "pattern": "^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$" },
        "additionalProperties": { "type": ["string", "null"], "minLength": 1, "maxLength": 256 },
        "examples": [{ "role": "kiosk", "location": null }],
    }
    /// The name of an attempt.
    BootText = { "type": "string", "pattern": "^[0-9a-hjkmnp-tv-z]{10}$", "examples": ["7f3kq9x2mb"] }
    /// An IPv4 address.
    Ipv4 = { "type": "string", "format": "ipv4" }
    /// A URI, which may be relative.
    Uri = { "type": "string", "format": "uri-reference" }
    /// 0 to 1.
    ProbabilityNumber = { "type": "number", "minimum": 0, "maximum": 1 }
    /// A digest.
    DigestText = { "type": "string", "pattern": "^[0-9a-f]{64}$" }
}

/// A point in time, in RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time(pub(super) Moment);

impl Time {
    /// A moment of the World.
    pub(super) fn of(moment: Moment) -> Self {
        Self(moment)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX);
        match jiff::Timestamp::from_millisecond(millis) {
            Ok(time) => serializer.collect_str(&time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")),
            Err(_) => serializer.serialize_str("9999-12-31T23:59:59.999Z"),
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format!("`{text}` is no time of RFC 3339 since 1970: 2026-11-26T08:00:00Z"));
        let time: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
        u64::try_from(time.as_millisecond()).map(|millis| Self(Moment::from_millis(millis))).map_err(|_| wrong())
    }
}

impl JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time", "examples": ["2026-11-26T08:00:00Z"] })
    }
}
