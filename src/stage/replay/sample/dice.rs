//! Numbers that look random and are the same for the same seed (SplitMix64).

pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    pub(super) fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Below `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A size between the two, as likely to double as to halve.
    pub(super) fn size(&mut self, least: u64, most: u64) -> u64 {
        (least as f64 * (most as f64 / least as f64).powf(self.part())) as u64
    }

    /// The time to the next of what happens every `mean` milliseconds on average.
    pub(super) fn wait(&mut self, mean: f64) -> u64 {
        (-mean * (1.0 - self.part()).ln()) as u64
    }

    /// One of `weights.len()`, by these sums of weights.
    pub(super) fn of(&mut self, sums: &[f64]) -> usize {
        let at = self.part() * sums.last().copied().unwrap_or(0.0);
        sums.partition_point(|sum| *sum <= at).min(sums.len().saturating_sub(1))
    }
}

/// The sums of Zipf's weights for `count` things: the n-th is wanted 1/n^`power` as much as the first.
pub(super) fn zipf(count: usize, power: f64) -> Vec<f64> {
    let weights = (1..=count).map(|n| (n as f64).powf(-power));
    weights
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}
