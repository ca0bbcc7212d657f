//! Who holds options, in which combination, how large, and when.
//!
//! Four styles, each a combination of the textbooks; their shares are a choice. Not here: views on volatility, rolling an
//! expiry.

use serde::{Deserialize, Serialize};

use crate::error::Problems;
use crate::margin::options::OptionKind;
use crate::world::validate_range;

/// What an account does with options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// Writes an out-of-the-money put and call, and hedges nothing: a short strangle.
    Writer,
    /// Writes a straddle at the money and hedges its delta in the perpetual.
    Seller,
    /// Holds the perpetual and writes an out-of-the-money call on it.
    Covered,
    /// Buys an out-of-the-money put.
    Buyer,
}

impl Style {
    /// In the order of [`CustomerConfig::shares`].
    pub const ALL: [Self; 4] = [Self::Writer, Self::Seller, Self::Covered, Self::Buyer];

    /// Legs per coin of size: kind, moneyness in widths, and coins.
    #[must_use]
    pub const fn legs(self) -> &'static [(OptionKind, f64, i64)] {
        match self {
            Self::Writer => &[(OptionKind::Put, -1.0, -1), (OptionKind::Call, 1.0, -1)],
            Self::Seller => &[(OptionKind::Put, 0.0, -1), (OptionKind::Call, 0.0, -1)],
            Self::Covered => &[(OptionKind::Call, 1.0, -1)],
            Self::Buyer => &[(OptionKind::Put, -1.0, 1)],
        }
    }

    /// Coins of the perpetual per coin of size.
    #[must_use]
    pub const fn perpetual(self) -> i64 {
        matches!(self, Self::Covered) as i64
    }

    /// Whether it trades its delta away.
    #[must_use]
    pub const fn hedges(self) -> bool {
        matches!(self, Self::Seller)
    }
}

/// Portfolio-margined accounts that hold options.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CustomerConfig {
    /// Accounts. In [4, 5000].
    pub accounts: u32,
    /// Coins of all their positions at reset times price, over the open interest of the perpetual. In (0, 2]. Default
    /// 0.25, a choice.
    pub notional: f64,
    /// Shares of writers, sellers, covered writers and buyers among accounts; they add up to one.
    pub shares: [f64; 4],
    /// Distance of out-of-the-money strikes from the price, relative. In [0.01, 0.5].
    pub width: f64,
    /// Equity at reset over initial margin by the scan, drawn from this range within [1, 20].
    pub cushion: [f64; 2],
    /// Exponent of the Pareto law of sizes. In [0.5, 5].
    pub size_tail: f64,
    /// Largest over smallest size. In [1, 1e4].
    pub size_range: f64,
    /// Actions per account and hour: whoever holds options closes them with probability `exit`, whoever holds none
    /// opens. In [0, 60].
    pub rate: f64,
    /// See `rate`. In [0, 1].
    pub exit: f64,
    /// Delta that a hedger leaves alone, over its coins of options. In [0, 1].
    pub hedge_band: f64,
    /// Seconds between two looks of a hedger at its delta. In [0.2, 86400].
    pub hedge_seconds: f64,
}

impl Default for CustomerConfig {
    fn default() -> Self {
        Self {
            accounts: 100,
            notional: 0.25,
            shares: [0.3, 0.25, 0.2, 0.25],
            width: 0.05,
            cushion: [1.1, 2.5],
            size_tail: 1.1,
            size_range: 50.0,
            rate: 0.2,
            exit: 0.5,
            hedge_band: 0.05,
            hedge_seconds: 60.0,
        }
    }
}

impl CustomerConfig {
    /// Records what is wrong, under the dotted path `path`.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        let at = |field: &str| format!("{path}.{field}");
        problems.range(at("accounts"), f64::from(self.accounts), 4.0, 5_000.0);
        problems.range(at("notional"), self.notional, 1e-6, 2.0);
        for (index, share) in self.shares.iter().enumerate() {
            problems.range(at(&format!("shares[{index}]")), *share, 0.0, 1.0);
        }
        let sum: f64 = self.shares.iter().sum();
        problems.require((sum - 1.0).abs() < 1e-9, at("shares"), sum, "four shares that add up to one");
        validate_range(&at("cushion"), self.cushion, 1.0, 20.0, problems);
        for (field, value, low, high) in [
            ("width", self.width, 0.01, 0.5),
            ("size_tail", self.size_tail, 0.5, 5.0),
            ("size_range", self.size_range, 1.0, 1e4),
            ("rate", self.rate, 0.0, 60.0),
            ("exit", self.exit, 0.0, 1.0),
            ("hedge_band", self.hedge_band, 0.0, 1.0),
            ("hedge_seconds", self.hedge_seconds, 0.2, 86_400.0),
        ] {
            problems.range(at(field), value, low, high);
        }
    }

    /// Style of the account at a place in `[0, 1)` of the population.
    #[must_use]
    pub fn style(&self, place: f64) -> Style {
        let mut sum = 0.0;
        for (share, style) in self.shares.iter().zip(Style::ALL) {
            sum += share;
            if place < sum {
                return style;
            }
        }
        Style::Buyer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_come_in_their_shares() {
        let config = CustomerConfig::default();
        let count = |style| (0..100).filter(|&i| config.style((f64::from(i) + 0.5) / 100.0) == style).count();
        assert_eq!(Style::ALL.map(count), [30, 25, 20, 25]);
    }

    #[test]
    fn every_problem_is_named() {
        let config = CustomerConfig { width: 0.0, shares: [0.5; 4], cushion: [0.5, 2.0], ..CustomerConfig::default() };
        let mut problems = Problems::default();
        config.validate("o", &mut problems);
        let fields: Vec<&str> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["o.shares", "o.cushion", "o.width"]);
    }
}
