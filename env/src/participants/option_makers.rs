//! Option market makers: they take the other side of every option trade at a price, and hedge what they hold.

use serde::{Deserialize, Serialize};

use crate::error::Problems;

/// Option market makers.
///
/// They quote the venue's mark plus and less half a spread that is set in volatility points and grows with stress and with
/// the size of an order, and they do not withdraw: a price is always to be had, in stress a bad one. Like the makers of the
/// home book they are outside the scan.
///
/// # Reference
/// Gârleanu, Pedersen & Poteshman 2009, "Demand-based option pricing", Rev. Financial Studies 22 (the price of an order
/// grows with its size times the risk that cannot be hedged away, here vega). The numbers are choices.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptionMakerConfig {
    /// How many. In [1, 64].
    pub count: u32,
    /// Money of each at reset, over the open interest of the perpetual. In (0, 10].
    pub capital: f64,
    /// Half spread of a small order in calm, in volatility points (0.01). In [0, 50].
    pub spread_points: f64,
    /// Least half spread, in basis points of the underlying: what an option without vega costs. In [0, 100]. Default 3,
    /// Deribit's taker fee.
    pub spread_bp: f64,
    /// Growth of the half spread per unit of one-minute volatility above its long-run level. In [0, 20].
    pub widening: f64,
    /// Dollars of vega per point that double the half spread, over the open interest of the perpetual. In [1e-9, 1].
    pub depth: f64,
    /// Delta that they leave alone, over the coins of options that they hold. In [0, 1].
    pub hedge_band: f64,
    /// Seconds between two looks at their delta. In [0.2, 86400].
    pub hedge_seconds: f64,
}

impl Default for OptionMakerConfig {
    fn default() -> Self {
        Self {
            count: 3,
            capital: 0.05,
            spread_points: 1.0,
            spread_bp: 3.0,
            widening: 0.5,
            depth: 5e-6,
            hedge_band: 0.02,
            hedge_seconds: 30.0,
        }
    }
}

/// What an order would trade, per coin unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quoted {
    /// Dollars per volatility point.
    pub vega: f64,
    /// Coins, without sign.
    pub coins: f64,
    /// Price of the underlying.
    pub price: f64,
    /// One-minute volatility over its long-run level.
    pub stress: f64,
    /// Open interest of the perpetual at reset, in dollars.
    pub interest: f64,
}

impl OptionMakerConfig {
    /// Records what is wrong, under the dotted path `path`.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        for (field, value, low, high) in [
            ("count", f64::from(self.count), 1.0, 64.0),
            ("capital", self.capital, 1e-6, 10.0),
            ("spread_points", self.spread_points, 0.0, 50.0),
            ("spread_bp", self.spread_bp, 0.0, 100.0),
            ("widening", self.widening, 0.0, 20.0),
            ("depth", self.depth, 1e-9, 1.0),
            ("hedge_band", self.hedge_band, 0.0, 1.0),
            ("hedge_seconds", self.hedge_seconds, 0.2, 86_400.0),
        ] {
            problems.range(format!("{path}.{field}"), value, low, high);
        }
    }

    /// Half spread of an order, in dollars per coin.
    #[must_use]
    pub fn half_spread(&self, order: &Quoted) -> f64 {
        let stress = 1.0 + self.widening * (order.stress - 1.0).max(0.0);
        let size = 1.0 + order.vega * order.coins / (self.depth * order.interest);
        (self.spread_points * order.vega * stress * size).max(1e-4 * self.spread_bp * order.price * stress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_widens_with_stress_and_size_and_never_ends_at_nothing() {
        let config = OptionMakerConfig::default();
        let order = Quoted { vega: 70.0, coins: 1e-9, price: 60_000.0, stress: 1.0, interest: 400e6 };
        assert!((config.half_spread(&order) - 70.0).abs() < 1e-6);
        // 2,000 dollars of vega double it; a stress of 3 doubles it again.
        let large = Quoted { coins: 2_000.0 / 70.0, ..order };
        assert!((config.half_spread(&large) - 140.0).abs() < 1e-6);
        assert!((config.half_spread(&Quoted { stress: 3.0, ..large }) - 280.0).abs() < 1e-6);
        assert!((config.half_spread(&Quoted { vega: 0.0, ..order }) - 18.0).abs() < 1e-9);
    }
}
