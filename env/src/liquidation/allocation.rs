//! Slot 8: who bears what the backstop cannot.

use serde::{Deserialize, Serialize};

use crate::error::Problems;
use crate::units::{Rounding, mul_div};

/// Who bears what the backstop cannot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LossAllocation {
    /// Auto-deleveraging by rank, at the bankruptcy price.
    Queue {
        /// Who comes first.
        rank: Rank,
    },
    /// Auto-deleveraging of anybody on the other side from a random start, winner or not, as long as it stays solvent
    /// (dYdX).
    Random {
        /// Accounts looked at in one tick (dYdX: 500).
        scan: u32,
    },
    /// Auto-deleveraging of all winners in proportion to their profit (Drift, Paradex).
    ProRata,
    /// The same, but nobody gives up more than a share of its profit; see [`capped_share`].
    CappedProRata {
        /// Largest share of profit.
        cap: f64,
    },
    /// The deficit is taken from winners' balances; positions stay (early clawback venues).
    Socialised,
    /// The deficit is charged to every position of both sides by its size, as funding would be (Drift).
    ByInterest,
    /// The deficit is charged to every position of the other side by its size (Percolator's K); profits are junior to
    /// principal, see [`profit_haircut`].
    Haircut,
    /// The pool of makers pays, and closes winners when their profit outgrows it; see [`pool_excess`] (GMX).
    Pool {
        /// Profit over pool at which winners are closed.
        ceiling: f64,
        /// Profit over pool down to which.
        target: f64,
    },
    /// Nobody: the deficit stays on the venue's books, or outsiders pay (Aave's reserve deficit, Maker's debt auction).
    Booked,
}

/// Who comes first in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// Profit over entry value, times effective leverage; a loss over effective leverage (`BitMEX`, Binance, Bybit).
    ProfitLeverage,
    /// Price over entry, the other way round for a short, times leverage (Hyperliquid).
    PriceLeverage,
}

impl Rank {
    /// Score of a position, highest first: `profit` over entry value, `leverage` notional over equity, `long` or short.
    ///
    /// Hyperliquid writes `(mark/entry) · (notional/account value)` for either side; taken literally, shorts with the
    /// largest profit would come last, so a short's ratio is turned round.
    ///
    /// # Reference
    /// `BitMEX`, "Auto-Deleveraging"; Hyperliquid docs, "Auto-deleveraging".
    #[inline]
    #[must_use]
    pub fn score(self, profit: f64, leverage: f64, long: bool) -> f64 {
        match self {
            Self::ProfitLeverage if profit > 0.0 => profit * leverage,
            Self::ProfitLeverage => profit / leverage,
            // A long's mark/entry is 1 + profit; a short's is 1 − profit.
            Self::PriceLeverage if long => (1.0 + profit) * leverage,
            Self::PriceLeverage => leverage / (1.0 - profit).max(1e-9),
        }
    }
}

/// Share of a bankrupt position that winners may be made to close, when the haircut on their `profits` stops at `cap`.
///
/// Pro rata, everybody's haircut is `deficit / profits`; where that exceeds the cap, only `cap · profits / deficit` of
/// the position is closed at its bankruptcy price.
///
/// # Reference
/// Chitra et al. 2025 (arXiv:2512.01112), capped pro rata.
#[must_use]
pub fn capped_share(deficit: f64, profits: f64, cap: f64) -> f64 {
    if deficit <= 0.0 { 1.0 } else { (cap * profits / deficit).clamp(0.0, 1.0) }
}

/// Dollars of profit to close, when traders' `profit` over the `pool` that owes it is above `ceiling`.
///
/// Closing `x` pays it out of the pool: `(profit − x)/(pool − x) = target`.
///
/// # Reference
/// GMX v2, `config/markets.ts`: 85 % to 77 % on base markets.
#[must_use]
pub fn pool_excess(profit: f64, pool: f64, ceiling: f64, target: f64) -> f64 {
    if profit <= ceiling * pool { 0.0 } else { ((profit - target * pool) / (1.0 - target)).clamp(0.0, profit) }
}

/// Share of every matured profit that can be paid: `min(residual, profits) / profits`, where the residual is what the
/// vault holds beyond principal and insurance.
///
/// # Reference
/// Percolator specification v12.1, "h".
#[must_use]
pub fn profit_haircut(residual: i128, profits: i128) -> (i128, i128) {
    if profits <= 0 { (1, 1) } else { (residual.clamp(0, profits), profits) }
}

/// One holder's part of an amount that is shared by weight, rounded so that the parts of all add up exactly.
///
/// `before` and `after` are the weights cumulated up to this holder and with it.
///
/// # Panics
/// If `whole` is not positive.
#[must_use]
pub fn scaled_part(amount: i64, before: i64, after: i64, whole: i64) -> i64 {
    mul_div(amount, after, whole, Rounding::Floor) - mul_div(amount, before, whole, Rounding::Floor)
}

impl LossAllocation {
    /// Whether a bankrupt account is closed against other accounts.
    #[must_use]
    pub const fn deleverages(&self) -> bool {
        matches!(self, Self::Queue { .. } | Self::Random { .. } | Self::ProRata | Self::CappedProRata { .. })
    }

    pub(super) fn validate(self, path: &str, problems: &mut Problems) {
        match self {
            Self::Random { scan } => problems.range(format!("{path}.random.scan"), f64::from(scan), 1.0, 1e6),
            Self::CappedProRata { cap } => problems.range(format!("{path}.capped_pro_rata.cap"), cap, 1e-3, 1.0),
            Self::Pool { ceiling, target } => {
                problems.range(format!("{path}.pool.ceiling"), ceiling, 0.01, 1.0);
                problems.range(format!("{path}.pool.target"), target, 0.0, ceiling.min(0.99));
            }
            Self::Queue { .. } | Self::ProRata | Self::Socialised | Self::ByInterest | Self::Haircut | Self::Booked => {
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gmx_brings_profit_over_pool_from_beyond_eighty_five_to_seventy_seven_percent() {
        assert!(pool_excess(85.0, 100.0, 0.85, 0.77).abs() < 1e-12, "at the ceiling nothing happens");
        for profit in [85.1, 88.0, 95.0] {
            let closed = pool_excess(profit, 100.0, 0.85, 0.77);
            let left = (profit - closed) / (100.0 - closed);
            assert!((left - 0.77).abs() < 1e-12, "{profit}: {left}");
        }
        // Synthetic markets: 55 to 50. 60 of 100: x = (60 − 50)/0.5 = 20, and 40/80 is a half.
        assert!((pool_excess(60.0, 100.0, 0.55, 0.50) - 20.0).abs() < 1e-12);
    }

    #[test]
    fn the_two_queues_score_as_their_venues_write() {
        // Long from 100 to 110 at notional 1,100 and equity 275: profit 10 %, leverage 4.
        assert!((Rank::ProfitLeverage.score(0.1, 4.0, true) - 0.4).abs() < 1e-12);
        assert!((Rank::PriceLeverage.score(0.1, 4.0, true) - 1.1 * 4.0).abs() < 1e-12);
        // BitMEX divides a loss by leverage: −10 % at 4 is −2.5 %.
        assert!((Rank::ProfitLeverage.score(-0.1, 4.0, true) + 0.025).abs() < 1e-12);
        // Short from 100 to 80: profit 20 %, entry over mark 1.25.
        assert!((Rank::PriceLeverage.score(0.2, 2.0, false) - 2.5).abs() < 1e-12);
    }

    #[test]
    fn a_cap_closes_only_what_it_lets_winners_bear() {
        // Profits 200, cap 25 %: they bear 50. Of a deficit of 80 that is 5/8, of one of 40 all.
        assert!((capped_share(80.0, 200.0, 0.25) - 0.625).abs() < 1e-12);
        assert!((capped_share(40.0, 200.0, 0.25) - 1.0).abs() < 1e-12);
        assert!(capped_share(40.0, 0.0, 0.25).abs() < 1e-12);
    }

    #[test]
    fn parts_add_up_and_nobody_gives_more_than_it_has() {
        let weights = [7_i64, 1, 1, 91, 3];
        let whole: i64 = weights.iter().sum();
        for amount in 0..=whole {
            let mut before = 0;
            let mut sum = 0;
            for weight in weights {
                let part = scaled_part(amount, before, before + weight, whole);
                assert!((0..=weight).contains(&part), "{part} of {weight}");
                before += weight;
                sum += part;
            }
            assert_eq!(sum, amount);
        }
    }

    #[test]
    fn profits_are_paid_in_full_only_out_of_the_residual() {
        assert_eq!(profit_haircut(120, 100), (100, 100));
        assert_eq!(profit_haircut(60, 100), (60, 100));
        assert_eq!(profit_haircut(-5, 100), (0, 100));
        assert_eq!(profit_haircut(-5, 0), (1, 1));
    }
}
