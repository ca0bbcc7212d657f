//! Mark price, and the guard rails around the oracle.

use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::oracle::Reading;
use crate::error::Problems;
use crate::units::Price;

/// How the mark price is made, and when the oracle is not to be trusted.
///
/// # Reference
/// Mark: Binance's median of index plus 2.5-minute mean basis, index plus funding, and last price; Hyperliquid and
/// Polymarket smooth the basis over 150 s as well. Guards: Drift protocol v2, `state/state.rs`: divergence 10 % from
/// mark, 50 % from the 5-minute average, 120 slots of 0.4 s.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MarkConfig {
    /// Time constant of the smoothed basis, in seconds; > 0.
    pub basis_seconds: f64,
    /// Largest distance of oracle from mark, as a share of the oracle price; > 0.
    pub divergence: f64,
    /// Largest distance of oracle from its own average, as a share of the average; > 0.
    pub average_divergence: f64,
    /// Time constant of that average, in seconds; > 0.
    pub average_seconds: f64,
    /// Oldest price to act on, in seconds; > 0.
    pub stale_seconds: f64,
}

impl Default for MarkConfig {
    fn default() -> Self {
        Self {
            basis_seconds: 150.0,
            divergence: 0.10,
            average_divergence: 0.50,
            average_seconds: 300.0,
            stale_seconds: 48.0,
        }
    }
}

impl MarkConfig {
    /// Records every violated bound under `path`.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        problems.range(format!("{path}.basis_seconds"), self.basis_seconds, 1e-3, 1e6);
        problems.range(format!("{path}.divergence"), self.divergence, 1e-6, 10.0);
        problems.range(format!("{path}.average_divergence"), self.average_divergence, 1e-6, 10.0);
        problems.range(format!("{path}.average_seconds"), self.average_seconds, 1e-3, 1e6);
        problems.range(format!("{path}.stale_seconds"), self.stale_seconds, 1e-3, 1e6);
    }
}

/// The mark, ready to run.
#[derive(Clone, Copy, Debug)]
pub struct MarkModel {
    config: MarkConfig,
    basis_weight: f64,
    average_weight: f64,
}

impl MarkModel {
    /// Prepares a validated configuration.
    #[must_use]
    pub fn new(config: &MarkConfig, clock: Clock) -> Self {
        let weight = |seconds: f64| -libm::expm1(-clock.tick_seconds / seconds);
        Self {
            config: *config,
            basis_weight: weight(config.basis_seconds),
            average_weight: weight(config.average_seconds),
        }
    }
}

/// Whether the oracle may be acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// It may.
    Valid,
    /// Its price is too old.
    Stale,
    /// It is too far from the mark.
    Diverged,
    /// It is too far from its own average.
    Volatile,
}

/// Smoothed basis, oracle average and last mark.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    basis: f64,
    average: f64,
    price: Price,
}

impl Mark {
    /// A mark at the oracle's price, without a basis.
    #[must_use]
    pub fn new(oracle: Price) -> Self {
        Self { basis: 0.0, average: oracle.as_f64(), price: oracle }
    }

    /// The last mark price.
    #[must_use]
    pub const fn price(&self) -> Price {
        self.price
    }

    /// Smoothed distance of the book's mid from the oracle, in dollars.
    #[must_use]
    pub const fn basis(&self) -> f64 {
        self.basis
    }

    /// Advances one tick: the median of oracle plus smoothed basis, book mid and last trade.
    ///
    /// # Panics
    /// If oracle plus basis leaves the range of prices.
    pub fn tick(&mut self, model: &MarkModel, oracle: Price, mid: Price, last: Price) -> Price {
        let (outside, here) = (oracle.as_f64(), mid.as_f64());
        self.basis += model.basis_weight * (here - outside - self.basis);
        self.average += model.average_weight * (outside - self.average);
        self.price = median(Price::from_f64(outside + self.basis), mid, last);
        self.price
    }

    /// Whether a reading may be acted on, against the current mark.
    #[must_use]
    pub fn guard(&self, model: &MarkModel, reading: Reading) -> Guard {
        let (oracle, config) = (reading.price.as_f64(), &model.config);
        if reading.age_seconds > config.stale_seconds {
            Guard::Stale
        } else if (self.price.as_f64() - oracle).abs() > config.divergence * oracle {
            Guard::Diverged
        } else if (oracle - self.average).abs() > config.average_divergence * self.average {
            Guard::Volatile
        } else {
            Guard::Valid
        }
    }
}

/// The middle one of three prices.
#[must_use]
pub fn median(a: Price, b: Price, c: Price) -> Price {
    a.max(b).min(a.min(b).max(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: Clock = Clock { tick_seconds: 1.0, ticks: 1 };

    fn price(dollars: f64) -> Price {
        Price::from_f64(dollars)
    }

    #[test]
    fn the_median_is_the_middle_one_in_every_order() {
        let [a, b, c] = [1.0, 2.0, 3.0].map(price);
        for (x, y, z) in [(a, b, c), (a, c, b), (b, a, c), (b, c, a), (c, a, b), (c, b, a)] {
            assert_eq!(median(x, y, z), b);
        }
        assert_eq!(median(a, a, c), a);
        assert_eq!(median(a, c, c), c);
    }

    #[test]
    fn one_bad_print_does_not_move_the_mark_and_a_lasting_basis_does() {
        let model = MarkModel::new(&MarkConfig::default(), CLOCK);
        let mut mark = Mark::new(price(100.0));
        // A last trade 20 % away is outvoted by book and oracle.
        assert_eq!(mark.tick(&model, price(100.0), price(100.0), price(80.0)), price(100.0));
        for _ in 0..150 {
            let _ = mark.tick(&model, price(100.0), price(97.0), price(96.0));
        }
        // One time constant: the basis has come 1 - 1/e of its way to -3 dollars, and the book stands in the middle.
        assert!((mark.basis() + 3.0 * (1.0 - libm::exp(-1.0))).abs() < 1e-9, "{}", mark.basis());
        assert_eq!(mark.price(), price(97.0));
    }

    #[test]
    fn guards_name_what_is_wrong() {
        let model = MarkModel::new(&MarkConfig::default(), CLOCK);
        let mark = Mark::new(price(100.0));
        let reading =
            |dollars: f64, age_seconds: f64| Reading { price: price(dollars), seen_at: 0, age_seconds, is_new: false };
        assert_eq!(mark.guard(&model, reading(100.0, 1.0)), Guard::Valid);
        assert_eq!(mark.guard(&model, reading(100.0, 48.5)), Guard::Stale);
        assert_eq!(mark.guard(&model, reading(115.0, 1.0)), Guard::Diverged);
        // A mark that follows the oracle down by more than half is within divergence, but not within the average's.
        let fallen = Mark { price: price(45.0), ..mark };
        assert_eq!(fallen.guard(&model, reading(45.0, 1.0)), Guard::Volatile);
    }
}
