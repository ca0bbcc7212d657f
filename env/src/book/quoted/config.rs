//! Parameters of the quoted book.

use serde::{Deserialize, Serialize};

use crate::book::order::{Fees, OrderBookConfig};
use crate::error::Problems;
use crate::units::{Price, Qty, Rate};

/// Parameters of the quoted book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuotedConfig {
    /// Distance of two prices, in dollars. > 0; see [`OrderBookConfig`].
    pub tick_size: Price,
    /// Smallest size, in coins. > 0, and `lot_size · tick_size` a whole number of micro-dollars.
    pub lot_size: Qty,
    /// Number of prices. In [1, 2²⁴).
    pub ticks: u32,
    /// Number of makers. In [1, 64].
    pub makers: u32,
    /// Quotes of each maker on each side. In [4, 256].
    pub levels: u32,
    /// Displayed value within 1 % of the fair price on each side, in dollars, when makers quote in full. In
    /// [1e3, 1e12].
    pub depth_1pct: f64,
    /// Exponent of cumulative displayed depth in width. In [0.3, 1]; 0.67 (Amberdata 2025).
    pub depth_exponent: f64,
    /// Share of displayed depth beyond 4 % that stays when makers withdraw. In [0, 1].
    pub far_share: f64,
    /// Half-life of a quote's replenishment, in seconds. In [0.1, 600].
    pub refill_half_life: f64,
    /// Size at which mid and spread are quoted, in dollars. In [1, 1e9].
    pub impact_notional: f64,
}

impl Default for QuotedConfig {
    fn default() -> Self {
        let OrderBookConfig { tick_size, lot_size, ticks, .. } = OrderBookConfig::default();
        Self {
            tick_size,
            lot_size,
            ticks,
            makers: 8,
            levels: 40,
            depth_1pct: 12e6,
            depth_exponent: 0.67,
            far_share: 0.6,
            refill_half_life: 4.0,
            impact_notional: 50e3,
        }
    }
}

impl QuotedConfig {
    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        self.engine().validate(path, problems);
        for (field, value, low, high) in [
            ("makers", f64::from(self.makers), 1.0, 64.0),
            ("levels", f64::from(self.levels), 4.0, 256.0),
            ("depth_1pct", self.depth_1pct, 1e3, 1e12),
            ("depth_exponent", self.depth_exponent, 0.3, 1.0),
            ("far_share", self.far_share, 0.0, 1.0),
            ("refill_half_life", self.refill_half_life, 0.1, 600.0),
            ("impact_notional", self.impact_notional, 1.0, 1e9),
        ] {
            problems.range(format!("{path}.{field}"), value, low, high);
        }
    }

    /// The venue's ledger charges fees, so the engine charges none.
    pub(super) fn engine(&self) -> OrderBookConfig {
        let Self { tick_size, lot_size, ticks, .. } = *self;
        let fees = Fees { maker: Rate::ZERO, taker: Rate::ZERO };
        // Bounded before `validate` has refused more.
        let orders = 2 * self.makers.min(64) * self.levels.min(256);
        OrderBookConfig { tick_size, lot_size, ticks, fees, orders }
    }
}
