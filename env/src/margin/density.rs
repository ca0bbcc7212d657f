//! How much is liquidated if the price goes from here to there.
//!
//! The coins in each bucket of the trigger index are summed as accounts come and go, and again over groups of 64
//! buckets, so that a profile over ±20 % is a walk over sums and never over accounts. The density is in coins; a
//! caller who wants dollars multiplies by the price at which they are to be counted.

use std::ops::Range;

use super::trigger::GROUP;
use super::{Direction, Lane, TriggerIndex, threshold};
use crate::units::{Price, Qty, Rate, Rounding, mul_div};

/// Coins per bucket, and per group of buckets.
///
/// Not a Fenwick tree, which answers faster but takes some ten times as long to update: accounts come and go
/// thousands of times for every profile that is asked for.
#[derive(Clone, Debug)]
pub(super) struct BucketSums {
    fine: Vec<Qty>,
    coarse: Vec<Qty>,
}

impl BucketSums {
    pub(super) fn new(buckets: usize) -> Self {
        Self { fine: vec![Qty::ZERO; buckets], coarse: vec![Qty::ZERO; buckets.div_ceil(GROUP)] }
    }

    pub(super) fn bytes(&self) -> usize {
        (self.fine.capacity() + self.coarse.capacity()) * size_of::<Qty>()
    }

    pub(super) fn clear(&mut self) {
        self.fine.fill(Qty::ZERO);
        self.coarse.fill(Qty::ZERO);
    }

    #[inline]
    pub(super) fn add(&mut self, bucket: usize, qty: Qty) {
        self.fine[bucket] += qty;
        self.coarse[bucket / GROUP] += qty;
    }

    #[inline]
    pub(super) fn subtract(&mut self, bucket: usize, qty: Qty) {
        self.fine[bucket] -= qty;
        self.coarse[bucket / GROUP] -= qty;
    }

    pub(super) fn total(&self, range: Range<usize>) -> Qty {
        let (first, last) = (range.start.div_ceil(GROUP), range.end / GROUP);
        if first >= last {
            return self.fine[range].iter().copied().sum();
        }
        let edges = self.fine[range.start..first * GROUP].iter().chain(&self.fine[last * GROUP..range.end]);
        edges.chain(&self.coarse[first..last]).copied().sum()
    }
}

/// What the thresholds of all accounts share besides the mark.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Marginal maintenance rate of each line, now.
    pub rates: &'a [Rate],
    /// The venue's cumulative funding per coin.
    pub funding: Price,
}

impl Terms<'_> {
    /// Threshold of a lane at a mark.
    #[inline]
    #[must_use]
    pub fn threshold(&self, lane: Lane, mark: Price) -> Price {
        threshold(self.rates[lane.line as usize], lane.direction, mark, self.funding)
    }
}

impl TriggerIndex {
    /// Coins of the accounts whose key is in `(low, high]`, to the account: scans the two buckets at the ends.
    #[must_use]
    pub fn qty_between(&self, lane: Lane, low: Price, high: Price) -> Qty {
        if low >= high {
            return Qty::ZERO;
        }
        let [first, last] = [low, high].map(|key| self.grid().bucket(lane.direction, key));
        if first == last {
            let mut total = Qty::ZERO;
            self.visit(lane, low, high, |_, qty| total += qty);
            return total;
        }
        let mut total = self.qty_in(lane, first + 1..last);
        self.each(lane, first, |_, key, qty| total += if key > low { qty } else { Qty::ZERO });
        self.each(lane, last, |_, key, qty| total += if key <= high { qty } else { Qty::ZERO });
        total
    }

    /// Coins in the buckets after that of `low`, up to and with that of `high`: right to the width of a bucket,
    /// without a visit to any account. Adjacent intervals add up.
    #[must_use]
    pub fn qty_between_buckets(&self, lane: Lane, low: Price, high: Price) -> Qty {
        let [first, last] = [low, high].map(|key| self.grid().bucket(lane.direction, key));
        if first >= last { Qty::ZERO } else { self.qty_in(lane, first + 1..last + 1) }
    }

    /// Coins that fall short of margin while the mark moves from `from` to `to`: longs if it falls, shorts if it
    /// rises. To the account; who is short at `from` already is not counted.
    ///
    /// # Panics
    /// If there is not one rate per line.
    #[must_use]
    pub fn forced_qty(&self, terms: Terms<'_>, from: Price, to: Price) -> Qty {
        let direction = if to < from { Direction::Long } else { Direction::Short };
        let forced = |lane| self.qty_between(lane, terms.threshold(lane, to), terms.threshold(lane, from));
        self.lanes(direction, terms).map(forced).sum()
    }

    /// Density of liquidation on one side of the mark, in bands.
    ///
    /// Writes to `out[k]` the coins that fall short while the mark moves against `direction` from a share
    /// `moves[k-1]` of itself to a share `moves[k]`, starting from none. Right to the width of a bucket, at a cost
    /// that does not depend on the number of accounts. What lies beyond the grid is in no band.
    ///
    /// # Panics
    /// If `moves` do not rise, or there is not one rate per line.
    pub fn forced_bands<const BANDS: usize>(
        &self,
        terms: Terms<'_>,
        direction: Direction,
        mark: Price,
        moves: &[Rate; BANDS],
        out: &mut [Qty; BANDS],
    ) {
        assert!(moves.is_sorted(), "moves rise");
        out.fill(Qty::ZERO);
        let moved = |share: Rate| mul_div(mark.raw(), share.raw(), Rate::SCALE, Rounding::Floor);
        let prices = moves.map(|share| mark - Price::from_raw(direction.sign() * moved(share)));
        for lane in self.lanes(direction, terms) {
            // Most lanes of a long table are empty, and second entries have no size.
            if self.qty_in(lane, 0..self.grid().buckets as usize).is_zero() {
                continue;
            }
            let bucket = |key| self.grid().bucket(direction, key);
            let mut high = bucket(terms.threshold(lane, mark));
            for (band, price) in out.iter_mut().zip(prices) {
                // As `qty_between_buckets`: a bucket never falls as the key rises.
                let low = bucket(terms.threshold(lane, price)).min(high);
                *band += self.qty_in(lane, low + 1..high + 1);
                high = low;
            }
        }
    }

    fn lanes(&self, direction: Direction, terms: Terms<'_>) -> impl Iterator<Item = Lane> + use<> {
        assert_eq!(self.lines() as usize, terms.rates.len(), "one rate per line");
        (0..self.lines()).map(move |line| Lane::new(direction, line))
    }
}

/// Liquidation gamma `Γ = -∂Q/∂p`: coins forced per dollar of price, as a mean over a move. Sales count positive and
/// purchases negative, so a fall that forces sales and a rise that forces purchases both have a positive gamma.
///
/// # Panics
/// If the move is none.
#[must_use]
pub fn liquidation_gamma(forced: Qty, from: Price, to: Price) -> f64 {
    assert!(from != to, "gamma over no move");
    forced.as_f64() / (from - to).abs().as_f64()
}

/// Cascade reproduction number `R = ρ·ℓ/D`: dollars forced by the price move that one forced dollar causes.
///
/// `forced` and `depth` are the notional that falls short and the book's depth over the same move, `share` the part
/// sold within the book's resilience time. Infinite if something is forced into no depth.
///
/// Derivation. Selling `q` into a book of depth `D` per 1 % moves the price by `q/D` per cent, which forces
/// `ℓ·q/D`, of which `ρ` is sold before the book has refilled.
///
/// # Panics
/// If an argument is negative or not finite.
#[must_use]
pub fn reproduction_number(share: f64, forced: f64, depth: f64) -> f64 {
    assert!(share >= 0.0 && forced >= 0.0 && depth >= 0.0, "{share}, {forced}, {depth} must not be negative");
    assert!(share.is_finite() && forced.is_finite() && depth.is_finite(), "{share}, {forced}, {depth} must be finite");
    let sold = share * forced;
    if sold > 0.0 { sold / depth } else { 0.0 }
}

/// How many times the first sale is sold in all, `1 + R + R² + … = 1/(1 - R)`; `None` if the cascade does not die out.
///
/// # Panics
/// If `reproduction` is negative or not a number.
#[must_use]
pub fn amplification(reproduction: f64) -> Option<f64> {
    assert!(reproduction >= 0.0, "a reproduction number of {reproduction}");
    (reproduction < 1.0).then(|| 1.0 / (1.0 - reproduction))
}

#[cfg(test)]
mod tests;
