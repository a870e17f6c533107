//! What is looked for among acts, as people type it.

use jiff::{Timestamp, civil, tz::TimeZone};
use serde::Serialize;

use crate::{
    model::{MacAddr, Moment},
    serve::{audit::Ask, web::Trouble},
};

/// The fields of the form, as they were typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Asked {
    /// Who.
    pub(super) by: String,
    /// A device, by any of its ports.
    pub(super) device: String,
    /// The name of a fact.
    pub(super) fact: String,
    /// From when on: a day, or a day and a time, by this server's clock.
    pub(super) since: String,
    /// Before when, likewise; of a day, its end.
    pub(super) until: String,
    /// Only what is before the fact with this number.
    pub(super) before: Option<u64>,
}

impl Asked {
    pub(super) fn of(query: Option<&str>) -> Self {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let value = value.trim().to_owned();
            match &*name {
                "by" => asked.by = value,
                "device" => asked.device = value,
                "fact" => asked.fact = value,
                "since" => asked.since = value,
                "until" => asked.until = value,
                "before" => asked.before = value.parse().ok(),
                _ => {}
            }
        }
        asked
    }

    /// What the journal is asked.
    pub(super) fn ask(&self) -> Result<Ask, Trouble> {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let device = match given(&self.device) {
            None => None,
            Some(text) => Some(text.parse::<MacAddr>().map_err(|error| {
                Trouble::bad(format!("device: {error}"), "Write the address of any of its ports: 52:54:00:77:00:11.")
            })?),
        };
        Ok(Ask {
            by: given(&self.by),
            device,
            fact: given(&self.fact),
            since: moment("since", &self.since, false)?,
            until: moment("until", &self.until, true)?,
            before: self.before,
            limit: None,
        })
    }

    /// The same as a query.
    pub(super) fn query(&self, before: Option<u64>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let fields = [
            ("by", &self.by),
            ("device", &self.device),
            ("fact", &self.fact),
            ("since", &self.since),
            ("until", &self.until),
        ];
        for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        if let Some(before) = before {
            query.append_pair("before", &before.to_string());
        }
        query.finish()
    }

    /// Whether everything is asked for.
    pub(super) fn is_all(&self) -> bool {
        Self { before: None, ..self.clone() } == Self::default()
    }
}

/// A moment that somebody typed; of a whole day its beginning, or its end.
fn moment(field: &str, text: &str, end: bool) -> Result<Option<Moment>, Trouble> {
    if text.is_empty() {
        return Ok(None);
    }
    let zone = TimeZone::system();
    let of_day = || {
        let day: civil::Date = text.parse().ok()?;
        let day = if end { day.tomorrow().ok()? } else { day };
        day.to_zoned(zone.clone()).ok().map(|time| time.timestamp())
    };
    let of_time = || text.parse::<civil::DateTime>().ok()?.to_zoned(zone.clone()).ok().map(|time| time.timestamp());
    // A day is tried first: it reads as a time as well, that of its first moment.
    let plain_day = text.len() <= 10;
    let found = text.parse::<Timestamp>().ok().or_else(|| if plain_day { of_day() } else { of_time() });
    let found = found.and_then(|time| u64::try_from(time.as_millisecond()).ok()).map(Moment::from_millis);
    match found {
        Some(moment) => Ok(Some(moment)),
        None => Err(Trouble::bad(
            format!("{field}: `{text}` is no day and no time"),
            "Write 2026-11-24, 2026-11-24T13:57, or a time with its zone.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_its_end_and_a_query_reads_back_as_itself() {
        let day = |end| moment("until", "2026-11-24", end).ok().flatten().map(Moment::as_millis);
        assert_eq!(day(true).zip(day(false)).map(|(end, start)| end - start), Some(86_400_000));
        let utc = moment("since", "2026-11-24T11:33:20Z", false).ok().flatten();
        assert_eq!(utc, Some(Moment::from_millis(1_795_520_000_000)));
        assert!(moment("since", "last week", false).is_err());
        let asked = Asked { by: "token:a b".into(), since: "2026-11-24".into(), ..Asked::default() };
        assert_eq!(Asked::of(Some(&asked.query(None))), asked);
        assert!(!asked.is_all() && Asked::of(Some("before=7&x=y")).is_all());
    }
}
