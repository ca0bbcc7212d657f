//! Parameters of the home book, whichever of the three it is.

use serde::{Deserialize, Serialize};

use super::AmmConfig;
use crate::error::Problems;

/// Which book the market trades on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookKind {
    /// Makers' quotes summed on a relative grid: the fast one.
    #[default]
    Depth,
    /// Makers' quotes as limit orders in a matching engine with price-time priority.
    Order,
    /// A pool of liquidity that only trades move.
    Amm,
}

/// Most depth within 1 % that a pool's integers hold at its ends, in dollars.
const POOL_DEPTH_MAX: f64 = 1e9;

/// Parameters of the home book. All of them but `levels` mean the same in the depth and the order book; a pool uses
/// `depth_1pct`, `depth_exponent`, `impact_notional` and its own table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BookConfig {
    /// Which book.
    pub kind: BookKind,
    /// Quotes of each maker on each side of an order book. In [4, 256].
    pub levels: u32,
    /// Displayed value within 1 % of mid on each side, in dollars, when makers quote in full. > 0.
    pub depth_1pct: f64,
    /// Exponent of cumulative displayed depth in width. In [0.3, 1]; 0.67 (Amberdata 2025, see [`DepthBook`](super::DepthBook)).
    pub depth_exponent: f64,
    /// Share of displayed depth beyond 4 % that stays when makers withdraw. In [0, 1]; on 10 October 2025 the
    /// 4–10 % bands stayed quoted (FTI Consulting / Amberdata).
    pub far_share: f64,
    /// Value of the latent book within 1 % of the price on each side, in dollars. > 0. A flow of that value moves the
    /// price by 1 %, four times as much by 2 %.
    pub latent_1pct: f64,
    /// Volatility with which holders of latent orders change their minds, annualised. In [0.01, 10]; near the
    /// price's own in Donier et al. 2015.
    pub latent_volatility: f64,
    /// Half-life of an imbalance of the latent book, in seconds. In [10, 1e7].
    pub latent_half_life: f64,
    /// Half-life of a displayed level's replenishment, in seconds. In [0.1, 600].
    pub refill_half_life: f64,
    /// Speed at which makers' fair price follows the latent book's, per second. In [0, 1].
    pub learning_rate: f64,
    /// Half the quoted spread in calm, in basis points. In [0.05, 50].
    pub half_spread_bp: f64,
    /// Size at which mid and spread are quoted, in dollars. > 0; dYdX calls it impact notional.
    pub impact_notional: f64,
    /// What only an automated market maker has.
    pub amm: AmmConfig,
}

impl Default for BookConfig {
    fn default() -> Self {
        Self {
            kind: BookKind::Depth,
            levels: 40,
            depth_1pct: 12e6,
            depth_exponent: 0.67,
            far_share: 0.6,
            latent_1pct: 100e6,
            latent_volatility: 0.5,
            latent_half_life: 7_200.0,
            refill_half_life: 4.0,
            learning_rate: 0.1,
            half_spread_bp: 0.5,
            impact_notional: 50e3,
            amm: AmmConfig::default(),
        }
    }
}

impl BookConfig {
    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        for (field, value, low, high) in [
            ("levels", f64::from(self.levels), 4.0, 256.0),
            ("depth_1pct", self.depth_1pct, 1e3, 1e12),
            ("depth_exponent", self.depth_exponent, 0.3, 1.0),
            ("far_share", self.far_share, 0.0, 1.0),
            ("latent_1pct", self.latent_1pct, 1e3, 1e13),
            ("latent_volatility", self.latent_volatility, 0.01, 10.0),
            ("latent_half_life", self.latent_half_life, 10.0, 1e7),
            ("refill_half_life", self.refill_half_life, 0.1, 600.0),
            ("learning_rate", self.learning_rate, 0.0, 1.0),
            ("half_spread_bp", self.half_spread_bp, 0.05, 50.0),
            ("impact_notional", self.impact_notional, 1.0, 1e9),
        ] {
            problems.range(format!("{path}.{field}"), value, low, high);
        }
        if self.kind == BookKind::Amm {
            let holds = self.depth_1pct <= POOL_DEPTH_MAX;
            problems.require(holds, format!("{path}.depth_1pct"), self.depth_1pct, "at most 1e9 for an amm");
        }
        self.amm.validate(&format!("{path}.amm"), problems);
    }
}
