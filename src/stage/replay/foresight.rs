//! What the policy is told of the future while a trace runs.

use std::collections::{BTreeMap, HashMap};

use crate::model::{Moment, Seconds};

use super::{super::Forecast, Trace};

/// A perfect forecast is made anew so many times within its horizon.
const REFRESH: u64 = 10;

/// Where forecasts come from.
#[derive(Debug, Clone, Default)]
pub enum Foresight {
    /// Nowhere.
    #[default]
    None,
    /// From a list of windows.
    Given(Windows),
    /// From the trace itself: what will be asked for within this time. Made anew ten times in it.
    Perfect(Seconds),
}

/// Why a line is no part of a forecast.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWindow {
    /// There are less than four fields.
    #[error("a line is `from,until,object,asks`, as in `28800,32400,debian-12/initrd,25`")]
    Fields,
    /// A time is none.
    #[error(transparent)]
    Time(#[from] super::BadLine),
    /// It ends before it begins.
    #[error("the window ends before it begins")]
    Backwards,
    /// The number of asks is none.
    #[error("`{0}` is no number of asks")]
    Asks(String),
}

/// Asks that are expected, by window. Lines with the same window belong together; a window replaces the one before it.
#[derive(Debug, Clone, Default)]
pub struct Windows(BTreeMap<(Moment, Moment), HashMap<String, f64>>);

impl Windows {
    /// Takes one line: `false` when it is empty, a comment or the heading.
    pub fn read(&mut self, line: &str) -> Result<bool, BadWindow> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.eq_ignore_ascii_case("from,until,object,asks") {
            return Ok(false);
        }
        let mut fields = line.splitn(3, ',');
        let (Some(from), Some(until), Some(rest)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(BadWindow::Fields);
        };
        let (object, asks) = rest.rsplit_once(',').ok_or(BadWindow::Fields)?;
        let (from, until) = (super::trace::moment(from)?, super::trace::moment(until)?);
        if until < from {
            return Err(BadWindow::Backwards);
        }
        let number = asks.trim().parse().ok().filter(|asks| (0.0..1e12).contains(asks));
        let number: f64 = number.ok_or_else(|| BadWindow::Asks(asks.trim().to_owned()))?;
        *self.0.entry((from, until)).or_default().entry(super::trace::unquoted(object).to_owned()).or_default() +=
            number;
        Ok(true)
    }

    /// Objects that it names and the trace does not: their forecasts are dropped.
    pub fn strangers(&self, trace: &Trace) -> usize {
        let mut names: Vec<&String> = self.0.values().flat_map(HashMap::keys).collect();
        names.sort_unstable();
        names.dedup();
        names.into_iter().filter(|name| trace.named(name).is_empty()).count()
    }
}

/// The forecasts of a run, each when its time has come.
pub(super) struct Oracle<'a> {
    trace: &'a Trace,
    windows: Vec<(Moment, Moment, HashMap<String, f64>)>,
    horizon: Option<u64>,
    /// When there is something new.
    next: Option<Moment>,
    /// The asks of the trace that the perfect forecast counts: these two places and what is between.
    seen: (usize, usize),
    counts: HashMap<u32, f64>,
}

impl<'a> Oracle<'a> {
    pub(super) fn new(foresight: &Foresight, trace: &'a Trace) -> Self {
        let began = trace.asks.first().map(|ask| ask.at);
        let (windows, horizon) = match foresight {
            Foresight::None => (vec![], None),
            Foresight::Given(windows) => {
                let windows = windows.0.iter().rev().map(|((from, until), asks)| (*from, *until, asks.clone()));
                (windows.collect(), None)
            }
            Foresight::Perfect(span) => (vec![], Some(u64::from(span.0.max(1)) * 1000)),
        };
        let next = horizon.and(began).or_else(|| windows.last().map(|(from, ..)| *from));
        Self { trace, windows, horizon, next, seen: (0, 0), counts: HashMap::new() }
    }

    /// When the next forecast is to be had.
    pub(super) fn next(&self) -> Option<Moment> {
        self.next
    }

    /// The forecast that is due at `now`.
    pub(super) fn tell(&mut self, now: Moment) -> Option<Forecast> {
        if self.next.is_none_or(|next| next > now) {
            return None;
        }
        match self.horizon {
            Some(horizon) => Some(self.perfect(now, horizon)),
            None => self.given(now),
        }
    }

    fn given(&mut self, now: Moment) -> Option<Forecast> {
        let mut latest = None;
        while let Some(window) = self.windows.pop_if(|(from, ..)| *from <= now) {
            latest = Some(window);
        }
        self.next = self.windows.last().map(|(from, ..)| *from);
        let (_, until, named) = latest?;
        let ids = named.iter().flat_map(|(name, asks)| self.trace.named(name).iter().map(|id| (*id, *asks)));
        Some(Forecast { asks: ids.map(|(id, asks)| (self.trace.blobs[id as usize].digest, asks)).collect(), until })
    }

    fn perfect(&mut self, now: Moment, horizon: u64) -> Forecast {
        let until = Moment::from_millis(now.as_millis() + horizon);
        let asks = &self.trace.asks;
        while let Some(ask) = asks.get(self.seen.1).filter(|ask| ask.at <= until) {
            *self.counts.entry(ask.blob).or_default() += 1.0;
            self.seen.1 += 1;
        }
        while let Some(ask) = asks.get(self.seen.0).filter(|ask| ask.at < now) {
            if let Some(count) = self.counts.get_mut(&ask.blob) {
                *count -= 1.0;
            }
            self.seen.0 += 1;
        }
        self.counts.retain(|_, count| *count > 0.0);
        let after = Moment::from_millis(now.as_millis() + (horizon / REFRESH).max(1));
        self.next = (self.seen.1 < asks.len() || self.seen.0 < self.seen.1).then_some(after);
        let counts = self.counts.iter().map(|(id, count)| (self.trace.blobs[*id as usize].digest, *count));
        Forecast { asks: counts.collect(), until }
    }
}
