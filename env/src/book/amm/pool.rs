//! A pool: liquidity by range, one price, and the reserves behind them.

use serde::{Deserialize, Serialize};

use super::swap::{after_purchase, after_sale, coins_between, dollars_between};
use crate::book::Side;
use crate::units::Rounding;

/// What a swap would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Swap {
    pub(super) side: Side,
    /// Root of price after it.
    pub(super) root: u128,
    /// Raw coins that the trader gets (buys) or gives (sells).
    pub(super) coins: u128,
    /// Raw dollars that the trader gives, rounded up, or gets, rounded down; without fee.
    pub(super) dollars: u128,
}

/// Liquidity by range of price; see [`super::swap`] for units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pool {
    root: u128,
    /// Ends of the ranges, as roots of price, ascending: one more than ranges.
    edges: Vec<u128>,
    liquidity: Vec<u128>,
    /// Raw coins and raw dollars: at least what liquidity requires at the price.
    reserves: [u128; 2],
}

impl Pool {
    /// A pool with exactly the reserves that it requires, rounded up.
    ///
    /// # Panics
    /// If the edges are not ascending around the price, or a range has no liquidity.
    pub(super) fn new(root: u128, edges: Vec<u128>, liquidity: Vec<u128>) -> Self {
        let mut pool = Self { root, edges, liquidity, reserves: [0, 0] };
        pool.reserves = pool.required(Rounding::Ceil);
        pool.assert_sound();
        pool
    }

    pub(super) const fn root(&self) -> u128 {
        self.root
    }

    pub(super) fn edges(&self) -> &[u128] {
        &self.edges
    }

    pub(super) fn liquidity(&self) -> &[u128] {
        &self.liquidity
    }

    #[cfg(test)]
    pub(super) const fn reserves(&self) -> [u128; 2] {
        self.reserves
    }

    /// Raw coins and raw dollars that liquidity is at the price, each range's rounded.
    pub(super) fn required(&self, rounding: Rounding) -> [u128; 2] {
        let mut required = [0, 0];
        for (ends, &liquidity) in self.edges.windows(2).zip(&self.liquidity) {
            let at = self.root.clamp(ends[0], ends[1]);
            required[0] += coins_between(liquidity, at, ends[1], rounding);
            required[1] += dollars_between(liquidity, ends[0], at, rounding);
        }
        required
    }

    /// Lets providers withdraw what their liquidity is, rounded down, and put in what the new one requires, rounded up.
    ///
    /// # Panics
    /// As [`Self::new`].
    pub(super) fn provide(&mut self, root: u128, change: impl FnOnce(&mut [u128], &mut [u128])) {
        let old = self.required(Rounding::Floor);
        self.root = root;
        change(&mut self.edges, &mut self.liquidity);
        self.assert_sound();
        let new = self.required(Rounding::Ceil);
        for ((reserve, old), new) in self.reserves.iter_mut().zip(old).zip(new) {
            *reserve = *reserve - old + new;
        }
    }

    fn assert_sound(&self) {
        assert_eq!(self.edges.len(), self.liquidity.len() + 1, "every range has two ends");
        let ascending = self.edges.windows(2).all(|ends| ends[0] <= ends[1]) && self.edges[0] > 0;
        assert!(ascending && self.liquidity.iter().all(|&liquidity| liquidity > 0), "a pool without gaps: {self:?}");
        let ends = self.edges[0]..=self.edges[self.liquidity.len()];
        assert!(ends.contains(&self.root), "the price lies within the pool: {self:?}");
    }

    /// What an order of up to `coins` would do, as far as the root `limit`.
    ///
    /// The next root is rounded up, so that a buyer pays for at least, and a seller is paid for at most, what the coins
    /// are worth. A range that is used up rounds its coins against the trader. At the limit, only whole raw coins trade.
    pub(super) fn quote(&self, side: Side, coins: u128, limit: Option<u128>) -> Swap {
        match side {
            Side::Buy => self.quote_purchase(coins, limit.unwrap_or(u128::MAX)),
            Side::Sell => self.quote_sale(coins, limit.unwrap_or(0)),
        }
    }

    fn quote_purchase(&self, coins: u128, limit: u128) -> Swap {
        let mut swap = Swap { side: Side::Buy, root: self.root, coins: 0, dollars: 0 };
        let first = self.edges.partition_point(|&edge| edge <= self.root) - 1;
        for at in first..self.liquidity.len() {
            let (edge, liquidity, left) = (self.edges[at + 1], self.liquidity[at], coins - swap.coins);
            let end = edge.min(limit);
            if left == 0 || swap.root >= limit {
                break;
            }
            let room = coins_between(liquidity, swap.root, end, Rounding::Floor);
            let used = left.min(room);
            let crosses = left > room && limit > edge;
            let next = if crosses { edge } else { after_purchase(liquidity, swap.root, used) };
            swap.dollars += dollars_between(liquidity, swap.root, next, Rounding::Ceil);
            swap.coins += used;
            swap.root = next;
            if !crosses {
                break;
            }
        }
        swap
    }

    fn quote_sale(&self, coins: u128, limit: u128) -> Swap {
        let mut swap = Swap { side: Side::Sell, root: self.root, coins: 0, dollars: 0 };
        let last = self.edges.partition_point(|&edge| edge < self.root);
        for at in (0..last.min(self.liquidity.len())).rev() {
            let (edge, liquidity, left) = (self.edges[at], self.liquidity[at], coins - swap.coins);
            let end = edge.max(limit);
            if left == 0 || swap.root <= limit {
                break;
            }
            let limited = limit >= edge;
            let rounding = if limited { Rounding::Floor } else { Rounding::Ceil };
            let room = coins_between(liquidity, end, swap.root, rounding);
            let used = left.min(room);
            let crosses = left >= room && !limited;
            let next = if crosses { edge } else { after_sale(liquidity, swap.root, used) };
            swap.dollars += dollars_between(liquidity, next, swap.root, Rounding::Floor);
            swap.coins += used;
            swap.root = next;
            if !crosses {
                break;
            }
        }
        swap
    }

    /// Does what [`Self::quote`] said.
    pub(super) fn apply(&mut self, swap: &Swap) {
        self.root = swap.root;
        let [coins, dollars] = &mut self.reserves;
        match swap.side {
            Side::Buy => {
                *coins -= swap.coins;
                *dollars += swap.dollars;
            }
            Side::Sell => {
                *coins += swap.coins;
                *dollars -= swap.dollars;
            }
        }
    }
}
