//! What is counted while a strategy runs.

use super::plan::{BEGAN, DAY, HOUR};

/// A boot that gave its person what they wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Boot {
    /// When it began, in milliseconds since 1970.
    pub(super) began: u64,
    /// From its first DISCOVER to the last byte of what was wanted, in milliseconds.
    pub(super) wait: u64,
    /// Of that, what was spent waiting for files.
    pub(super) loading: u64,
    /// Every file was in RAM or on disk when it was asked for.
    pub(super) staged: bool,
    /// Every file was in RAM.
    pub(super) in_ram: bool,
    /// The desk had to say what it becomes.
    pub(super) by_hand: bool,
    /// A prediction acted.
    pub(super) acted: bool,
}

/// Sums of some boots.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    pub(super) boots: u64,
    pub(super) wait: u64,
    pub(super) staged: u64,
}

/// All counts of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Waits and loading times of all boots, in milliseconds: 8 bytes a boot.
    pub(super) waits: Vec<u32>,
    pub(super) loadings: Vec<u32>,
    pub(super) staged: u64,
    pub(super) in_ram: u64,
    pub(super) by_hand: u64,
    /// Those of them where no prediction had acted.
    pub(super) abstained: u64,
    pub(super) acted: u64,
    pub(super) right: u64,
    pub(super) disk_boots: u64,
    pub(super) installs: u64,
    pub(super) refused: u64,
    pub(super) cut_short: u64,
    pub(super) gave_up: u64,
    /// Lost packets, and those that came twice.
    pub(super) lost: u64,
    pub(super) doubled: u64,
    /// By hour of the day, and by day.
    pub(super) hours: [Sum; 24],
    pub(super) days: Vec<Sum>,
}

impl Tally {
    pub(super) fn new(days: u32) -> Self {
        Self { days: vec![Sum::default(); days as usize], ..Self::default() }
    }

    pub(super) fn boot(&mut self, boot: &Boot) {
        let small = |millis: u64| u32::try_from(millis).unwrap_or(u32::MAX);
        self.waits.push(small(boot.wait));
        self.loadings.push(small(boot.loading));
        self.staged += u64::from(boot.staged);
        self.in_ram += u64::from(boot.in_ram);
        self.by_hand += u64::from(boot.by_hand);
        self.abstained += u64::from(boot.by_hand && !boot.acted);
        let since = boot.began.saturating_sub(BEGAN);
        let day = self.days.get_mut((since / DAY) as usize);
        for sum in [&mut self.hours[(since / HOUR % 24) as usize]].into_iter().chain(day) {
            sum.boots += 1;
            sum.wait += boot.wait;
            sum.staged += u64::from(boot.staged);
        }
    }

    /// A prediction acted, and was right or not.
    pub(super) fn acted(&mut self, right: bool) {
        self.acted += 1;
        self.right += u64::from(right);
    }
}

/// The mean of these, and what 95 of 100 do not exceed.
pub(super) fn mean_and_p95(values: &mut [u32]) -> (u64, u64) {
    if values.is_empty() {
        return (0, 0);
    }
    let mean = values.iter().map(|value| u64::from(*value)).sum::<u64>() / values.len() as u64;
    let at = (values.len() * 95).div_ceil(100).saturating_sub(1);
    let (_, p95, _) = values.select_nth_unstable(at);
    (mean, u64::from(*p95))
}
