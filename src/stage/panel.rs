//! Who knows best of late: some known policies and some of our own run as shadows of one tier, and the one whose hits were
//! worth most leads.
//!
//! No policy is best for every site: what is best for a scan loses on bursts. A shadow holds what it would hold had it led all
//! the time, so that following it costs little and gives what it has. Their scores halve with every 500 asks; the
//! lead changes only when another one is better by more than chance.

use serde::Serialize;

use super::{
    Aim,
    shadow::{Asked, Blend, Gdsf, Lru, Rank, S3Fifo, Shadow, Taste},
};

/// After how many asks a hit counts half for its shadow's score.
const HALF_LIFE: f64 = 500.0;
/// By how much the score of another one must be higher before it leads.
const EDGE: f64 = 0.01;
/// The same in hits, while scores are small.
const CHANCE: f64 = 2.0;

/// The policies that run as shadows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expert {
    /// Counts that halve in six hours, by length; and the forecast before all, while there is one.
    Forecast,
    /// Counts that halve in an hour, by length.
    Hour,
    /// Counts that halve in ten minutes, by length.
    Minutes,
    /// Counts that halve in two days, by length; slow to let anybody in.
    Days,
    /// Asks per hour on three time scales, by length.
    Blend,
    /// Greedy dual, by size and frequency.
    Gdsf,
    /// Least recently used.
    Lru,
    /// A small queue, a main queue, and ghosts.
    S3Fifo,
}

impl Expert {
    /// Its name, as people and programs read it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forecast => "forecast",
            Self::Hour => "hour",
            Self::Minutes => "minutes",
            Self::Days => "days",
            Self::Blend => "blend",
            Self::Gdsf => "gdsf",
            Self::Lru => "lru",
            Self::S3Fifo => "s3-fifo",
        }
    }
}

/// The shadows of one tier.
#[derive(Debug)]
pub(super) struct Panel {
    /// No blob may be larger.
    largest: u64,
    seats: Vec<Seat>,
    leader: usize,
}

#[derive(Debug)]
struct Seat {
    expert: Expert,
    shadow: Box<dyn Shadow>,
    score: f64,
}

impl Panel {
    /// For a tier of `room` bytes, where no blob may be larger than `largest`.
    pub(super) fn new(room: u64, largest: u64, aim: Aim) -> Self {
        let rank = |hours: f64, margin: f64| -> Box<dyn Shadow> {
            Box::new(Rank::new(room, Taste { half_life: hours * 3_600_000.0, size: aim.size(), margin }))
        };
        let shadows: [(Expert, Box<dyn Shadow>); 8] = [
            (Expert::Forecast, rank(6.0, 0.0)),
            (Expert::Hour, rank(1.0, 0.0)),
            (Expert::Minutes, rank(1.0 / 6.0, 0.0)),
            (Expert::Days, rank(48.0, 0.2)),
            (Expert::Blend, Box::new(Blend::new(room))),
            (Expert::Gdsf, Box::new(Gdsf::new(room))),
            (Expert::Lru, Box::new(Lru::new(room))),
            (Expert::S3Fifo, Box::new(S3Fifo::new(room))),
        ];
        let seats = shadows.into_iter().map(|(expert, shadow)| Seat { expert, shadow, score: 0.0 }).collect();
        Self { largest, seats, leader: 0 }
    }

    /// Tells all shadows of an ask. `gain` is what a hit is worth, `expected` how many more asks are forecast, when there is
    /// a forecast: who knows it leads then, unless another one has proved better.
    pub(super) fn ask(&mut self, asked: Asked, gain: f64, expected: Option<f64>) {
        if asked.len > self.largest {
            return;
        }
        let kept = (-1.0 / HALF_LIFE).exp2();
        for seat in &mut self.seats {
            if seat.expert == Expert::Forecast {
                seat.shadow.expect(asked.id, expected.unwrap_or(0.0));
            }
            let hit = seat.shadow.ask(asked);
            seat.score = seat.score * kept + if hit { gain } else { 0.0 };
        }
        let told = usize::from(expected.is_none());
        let by_score = |a: &usize, b: &usize| self.seats[*a].score.total_cmp(&self.seats[*b].score).then(b.cmp(a));
        let best = (0..self.seats.len()).max_by(by_score).unwrap_or_default();
        let better = |than: f64| self.seats[best].score > than * (1.0 + EDGE) + CHANCE;
        if told == 0 && !better(self.seats[0].score) {
            self.leader = 0;
        } else if better(self.seats[self.leader].score) {
            self.leader = best;
        }
    }

    /// How many more asks for a blob are forecast.
    pub(super) fn expect(&mut self, id: u32, asks: f64) {
        for seat in self.seats.iter_mut().filter(|seat| seat.expert == Expert::Forecast) {
            seat.shadow.expect(id, asks);
        }
    }

    pub(super) fn leader(&self) -> Expert {
        self.seats[self.leader].expert
    }

    /// Whether the leader holds a blob.
    pub(super) fn keeps(&self, id: u32) -> bool {
        self.seats[self.leader].shadow.holds(id)
    }

    /// How much those who hold a blob are to be listened to, beside the leader's 1.
    pub(super) fn votes(&self, id: u32) -> f64 {
        let leading = self.seats[self.leader].score.max(f64::MIN_POSITIVE);
        let for_it = self.seats.iter().filter(|seat| seat.shadow.holds(id));
        for_it.map(|seat| (seat.score / leading).powi(4)).sum()
    }

    pub(super) fn forget(&mut self, id: u32) {
        self.seats.iter_mut().for_each(|seat| seat.shadow.forget(id));
    }
}
