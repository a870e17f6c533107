//! Numbers that look random and are the same for the same seed (SplitMix64).

/// Dice that fall the same way again for who has their seed.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The dice of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The dice for one thing among many: what it throws does not depend on what is thrown for others.
    pub fn of_one(seed: u64, what: u64, which: u64) -> Self {
        let mut dice = Self(seed ^ what.rotate_left(40) ^ which.rotate_left(17));
        Self(dice.bits())
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    pub fn part(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// A size between the two, as likely to double as to halve.
    pub fn size(&mut self, least: u64, most: u64) -> u64 {
        (least as f64 * (most as f64 / least as f64).powf(self.part())) as u64
    }

    /// The time to the next of what happens every `mean` milliseconds on average.
    pub fn wait(&mut self, mean: f64) -> u64 {
        (-mean * (1.0 - self.part()).ln()) as u64
    }

    /// One of `weights.len()`, by these sums of weights.
    pub fn of(&mut self, sums: &[f64]) -> usize {
        let at = self.part() * sums.last().copied().unwrap_or(0.0);
        sums.partition_point(|sum| *sum <= at).min(sums.len().saturating_sub(1))
    }
}

/// The sums of Zipf's weights for `count` things: the n-th is wanted 1/n^`power` as much as the first.
pub fn zipf(count: usize, power: f64) -> Vec<f64> {
    let weights = (1..=count).map(|n| (n as f64).powf(-power));
    weights
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}
