//! Orders that were carried out, and are not carried out again when they are said again with the same key.

use rpds::{HashTrieMapSync, RedBlackTreeMapSync};
use serde::{Deserialize, Serialize};

use crate::model::{Moment, Seconds, command::OrderKey};

/// How long keyed orders are remembered.
const DAY: Seconds = Seconds(24 * 3600);

/// Orders that were carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Their key, and who gave them: keys of one person mean nothing to another.
    pub key: (String, OrderKey),
    /// What they were, as a digest.
    pub print: u64,
    /// When.
    pub at: Moment,
}

/// The keyed orders of the last day, by the number of their fact: the oldest first.
///
/// `latest` is an index, the number of the latest orders with a key: a function of `orders`, rebuilt from it on load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "RedBlackTreeMapSync<u64, Taken>", into = "RedBlackTreeMapSync<u64, Taken>")]
pub struct TakenOrders {
    orders: RedBlackTreeMapSync<u64, Taken>,
    latest: HashTrieMapSync<(String, OrderKey), u64>,
}

impl TakenOrders {
    /// How many are remembered. Whoever gives more in a day had better not say them again.
    pub const MOST: usize = 10_000;

    /// Remembers orders by the number of their fact, for a day.
    pub fn put(&mut self, seq: u64, taken: Taken) {
        let now = taken.at;
        self.latest.insert_mut(taken.key.clone(), seq);
        self.orders.insert_mut(seq, taken);
        while let Some((oldest, taken)) = self.orders.first() {
            if self.orders.size() <= Self::MOST && now < taken.at.plus(DAY) {
                break;
            }
            let oldest = *oldest;
            if self.latest.get(&taken.key) == Some(&oldest) {
                self.latest.remove_mut(&taken.key);
            }
            self.orders.remove_mut(&oldest);
        }
    }

    /// What this person ordered with this key within the last day, as a digest.
    pub fn before(&self, by: &str, key: &OrderKey, now: Moment) -> Option<u64> {
        let same = self.orders.get(self.latest.get(&(by.to_owned(), key.clone()))?)?;
        (now < same.at.plus(DAY)).then_some(same.print)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.orders.size()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }
}

impl From<RedBlackTreeMapSync<u64, Taken>> for TakenOrders {
    fn from(orders: RedBlackTreeMapSync<u64, Taken>) -> Self {
        let latest = orders.iter().map(|(seq, taken)| (taken.key.clone(), *seq)).collect();
        Self { orders, latest }
    }
}

impl From<TakenOrders> for RedBlackTreeMapSync<u64, Taken> {
    fn from(taken: TakenOrders) -> Self {
        taken.orders
    }
}
