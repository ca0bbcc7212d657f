//! Where the buckets of a trigger index lie.

use serde::{Deserialize, Serialize};

use crate::margin::Direction;
use crate::units::Price;

/// Accounts that share a threshold: one direction on one line of margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lane {
    /// Which way the accounts point.
    pub direction: Direction,
    /// Line of the margin schedule.
    pub line: u32,
}

impl Lane {
    /// A direction on a line.
    #[must_use]
    pub const fn new(direction: Direction, line: u32) -> Self {
        Self { direction, line }
    }

    /// The lane at a position in the order of [`Lane::index`].
    pub(super) const fn at(index: u32) -> Self {
        Self { direction: Direction::BOTH[index as usize % 2], line: index / 2 }
    }

    #[inline]
    pub(super) const fn index(self) -> usize {
        self.line as usize * 2 + self.direction.index()
    }
}

/// Where the buckets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerGrid {
    /// Price in the middle.
    pub centre: Price,
    /// Least width of a bucket; the index takes the next power of two of the price unit.
    pub width: Price,
    /// Buckets per lane, a power of two from 64 to 4,096. The outermost two take in all that lies beyond.
    pub buckets: u32,
}

impl TriggerGrid {
    /// A grid over half the price and more on either side, with some four accounts to a bucket where it can.
    #[must_use]
    pub fn for_accounts(centre: Price, accounts: u32) -> Self {
        let buckets = (accounts / 4).clamp(256, 4_096).next_power_of_two();
        Self { centre, width: Price::from_raw((centre.raw() / i64::from(buckets)).max(1)), buckets }
    }

    /// Whether an index can be built over it.
    pub(super) fn is_valid(&self) -> bool {
        let buckets = self.buckets.is_power_of_two() && (64..=4_096).contains(&self.buckets);
        // The edges must not overflow.
        let limit = 1 << 60;
        let centre = (1..limit).contains(&self.centre.raw());
        let width = (1..limit / i64::from(self.buckets.max(1))).contains(&self.width.raw());
        buckets && centre && width
    }

    /// Bucket of a key: never falls as the key rises.
    #[inline]
    pub(in crate::margin) fn bucket(&self, direction: Direction, key: Price) -> usize {
        // Saturates only far beyond the outermost buckets.
        let ahead = key.raw().saturating_sub(self.origin(direction)) >> self.shift();
        let bucket = ahead.clamp(0, i64::from(self.buckets) - 1);
        usize::try_from(bucket).expect("clamped to the buckets")
    }

    /// Greatest key of a bucket other than the last, which has no upper edge.
    #[inline]
    pub(super) fn ceiling(&self, direction: Direction, bucket: usize) -> Price {
        assert!(bucket + 1 < self.buckets as usize, "the last bucket has no upper edge");
        let above = i64::try_from(bucket + 1).expect("buckets are few");
        Price::from_raw(self.origin(direction) + (above << self.shift()) - 1)
    }

    /// Lower edge of bucket 0. Keys of longs lie about the price, keys of shorts about its negative.
    #[inline]
    const fn origin(&self, direction: Direction) -> i64 {
        direction.sign() * self.centre.raw() - ((self.buckets as i64 / 2) << self.shift())
    }

    /// Whether `mark` has left the middle half of the grid.
    pub(super) fn is_off_centre(&self, mark: Price) -> bool {
        (mark - self.centre).abs().raw() > i64::from(self.buckets / 4) << self.shift()
    }

    #[inline]
    const fn shift(&self) -> u32 {
        self.width.raw().unsigned_abs().next_power_of_two().trailing_zeros()
    }
}
