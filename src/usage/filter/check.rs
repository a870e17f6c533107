//! What a filter holds a field's values against.

use std::{fmt, net::Ipv4Addr};

use ipnet::Ipv4Net;

use crate::{
    boot::matching::resembles,
    model::{Arch, Bytes, Device, MacAddr, Millis, Seconds, SmbiosUuid, timeline::Outcome},
};

use super::field::{Field, Kind, Known, Scene, Value};

/// What a field shall say.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Check {
    /// Anything.
    There,
    /// This text, or one like this pattern.
    Text(Operator, String),
    /// An address of this subnet, or a subnet inside it; or not.
    Net(Operator, Ipv4Net),
    /// So long ago.
    Age(Operator, Seconds),
    /// So many bytes.
    Size(Operator, Bytes),
    /// A number that compares so.
    Number(Operator, f64),
}

/// How a field's value and the given one are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Is,
    IsNot,
    Like,
    Unlike,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Operator {
    /// The operators as they are written; of two that begin alike, the longer one first.
    pub(super) const ALL: [(&'static str, Self); 9] = [
        ("!=", Self::IsNot),
        ("!~", Self::Unlike),
        ("<=", Self::AtMost),
        (">=", Self::AtLeast),
        ("==", Self::Is),
        ("=", Self::Is),
        ("~", Self::Like),
        ("<", Self::Less),
        (">", Self::More),
    ];

    fn negates(self) -> bool {
        matches!(self, Self::IsNot | Self::Unlike)
    }

    fn orders<T: PartialOrd>(self, left: T, right: T) -> bool {
        match self {
            Self::Is | Self::IsNot | Self::Like | Self::Unlike => left == right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Is => "=",
            Self::IsNot => "!=",
            Self::Like => "~",
            Self::Unlike => "!~",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        })
    }
}

/// Whether an operator has a meaning for values of this kind; else what has.
pub(super) fn comparable(operator: Operator, kind: Kind) -> Result<(), &'static str> {
    use Operator::{Is, IsNot, Like, Unlike};
    match (kind, operator) {
        (Kind::Text, Is | IsNot | Like | Unlike) | (Kind::Net, Is | IsNot) => Ok(()),
        (Kind::Size, Like | Unlike) => Err("= != < <= > or >="),
        (Kind::Age, Is | IsNot | Like | Unlike) => Err("< <= > or >="),
        (Kind::Free | Kind::Size | Kind::Age, _) => Ok(()),
        (Kind::Text, _) => Err("= != ~ or !~"),
        (Kind::Net, _) => Err("= or !="),
    }
}

impl Check {
    /// Reads the value that stands behind a field and an operator that go together; else what is wrong with it.
    pub(super) fn read(field: &Field, operator: Operator, value: &str) -> Result<Self, String> {
        use Operator::{Is, IsNot, Like, Unlike};
        match (field.kind(), operator) {
            (Kind::Size, _) => value.parse().map(|size| Self::Size(operator, size)),
            (Kind::Age, _) => value.parse().map(|age| Self::Age(operator, age)),
            (Kind::Net, _) => {
                let net = value.parse::<Ipv4Net>().or_else(|_| value.parse::<Ipv4Addr>().map(Ipv4Net::from));
                let net =
                    net.map_err(|_| "expected an address or a subnet, like 10.1.0.7 or 10.1.0.0/16".to_owned())?;
                Ok(Self::Net(operator, net.trunc()))
            }
            (Kind::Free | Kind::Text, Like | Unlike) => Ok(Self::Text(operator, value.into())),
            (Kind::Free | Kind::Text, Is | IsNot) => exact(field, value).map(|value| Self::Text(operator, value)),
            (Kind::Free | Kind::Text, _) => {
                let number = value.parse::<f64>().ok().filter(|number| number.is_finite());
                number
                    .map(|number| Self::Number(operator, number))
                    .ok_or_else(|| format!("expected a number, not `{value}`"))
            }
        }
    }

    /// Whether the values that a device has of the field pass.
    pub(super) fn holds(&self, field: &Field, scene: &Scene<'_>, device: &Device) -> bool {
        match self {
            Self::There => field.any(scene, device, &mut |_| true),
            Self::Text(operator, _) | Self::Net(operator, _) | Self::Size(operator, _) => {
                field.any(scene, device, &mut |value| self.fits(&value)) != operator.negates()
            }
            Self::Age(..) | Self::Number(..) => field.any(scene, device, &mut |value| self.fits(&value)),
        }
    }

    /// Whether one value is what was asked for; negation aside.
    pub(super) fn fits(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Text(Operator::Like | Operator::Unlike, pattern), Value::Text(text)) => resembles(pattern, text),
            (Self::Text(_, wanted), Value::Text(text)) => is_same(wanted, text.trim()),
            (Self::Net(_, wanted), Value::Net(net)) => wanted.contains(net),
            (Self::Size(operator, wanted), Value::Size(size)) => operator.orders(*size, *wanted),
            (Self::Age(operator, wanted), Value::Age(age)) => operator.orders(*age, Millis(u64::from(wanted.0) * 1000)),
            (Self::Number(operator, wanted), Value::Text(text)) => {
                text.trim().parse::<f64>().is_ok_and(|number| operator.orders(number, *wanted))
            }
            _ => false,
        }
    }
}

/// Whether two texts are the same but for upper and lower case.
fn is_same(one: &str, other: &str) -> bool {
    match one.is_ascii() && other.is_ascii() {
        true => one.eq_ignore_ascii_case(other),
        false => one.to_lowercase() == other.to_lowercase(),
    }
}

/// A whole value, in the form that the field shows it in: what no device could ever say is a mistake.
fn exact(field: &Field, value: &str) -> Result<String, String> {
    let word = value.to_lowercase();
    match field {
        Field::Known(Known::Mac) => value.parse::<MacAddr>().map(|mac| mac.to_string()).map_err(|bad| {
            format!("this is no address of a port ({bad}); for a part of one write a pattern, like mac~52:54:00*")
        }),
        Field::Known(Known::Uuid) => value
            .parse::<SmbiosUuid>()
            .map(|uuid| uuid.to_string())
            .map_err(|bad| format!("{bad}; for a part of one write a pattern, like uuid~4c4c4544*")),
        Field::Known(Known::Arch) => word.parse::<Arch>().map(|arch| arch.name().to_owned()),
        Field::Known(Known::Outcome) => {
            let all = Outcome::ALL.map(|outcome| outcome.name().replace(' ', "-"));
            match all.contains(&word) {
                true => Ok(word),
                false => Err(format!("expected one of {}", all.join(", "))),
            }
        }
        _ => Ok(value.trim().to_owned()),
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::There => Ok(()),
            Self::Text(operator, value) => write!(f, "{operator}{}", super::parse::quoted(value)),
            Self::Net(operator, net) => write!(f, "{operator}{net}"),
            Self::Age(operator, age) => write!(f, "{operator}{age}"),
            Self::Size(operator, size) => write!(f, "{operator}{}", size.exact()),
            Self::Number(operator, number) if number.abs() < 1e15 => write!(f, "{operator}{number}"),
            Self::Number(operator, number) => write!(f, "{operator}{number:e}"),
        }
    }
}
