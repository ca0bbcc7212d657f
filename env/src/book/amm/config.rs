//! Parameters of the automated market maker.

use serde::{Deserialize, Serialize};

use crate::error::Problems;

/// Where the pool's liquidity stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Curve {
    /// The same at every price: x·y = k.
    ConstantProduct,
    /// In ranges of price around a centre, over a part at every price.
    #[default]
    Concentrated,
}

/// Parameters of the pool beyond those that every book has. Its depth is the book's `depth_1pct`.
///
/// The default ranges have the depth profile and the reach of the other books, so that a policy meets the same market
/// on another mechanism; they are not fitted to a pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AmmConfig {
    /// Where liquidity stands. A constant product uses no parameter below but the fee.
    pub curve: Curve,
    /// Fee of a swap, in basis points of its value. In [0, 500]; 5, 30 and 100 in Adams et al. 2021, section 3.1, of
    /// which 5 is the default here. The venue's taker fee comes on top.
    pub fee_bp: f64,
    /// Ranges of a concentrated pool, in geometric progression of width. In [2, 64].
    pub ranges: u32,
    /// Width of the narrowest range on either side of the centre, relative. In [1e-4, 0.5].
    pub narrowest: f64,
    /// Width of the widest. In [1e-3, 4], and above the narrowest.
    pub widest: f64,
    /// Part of depth within 1 % that stands at every price. In [0.01, 1].
    pub full_range: f64,
    /// Distance of the pool's price from the centre at which providers set up their ranges around the price anew,
    /// relative. In [0, 1]; 0 is never. The price does not move. A choice, not a measurement.
    pub recentre_at: f64,
    /// Share of the gap to the price outside that providers close by moving the pool's price, per second. In [0, 1].
    /// At 0, arbitrage alone moves it; virtual markets re-peg. Must be 0 for a constant product.
    pub repeg_rate: f64,
}

impl Default for AmmConfig {
    fn default() -> Self {
        Self {
            curve: Curve::Concentrated,
            fee_bp: 5.0,
            ranges: 8,
            narrowest: 0.0025,
            widest: 0.25,
            full_range: 0.2,
            recentre_at: 0.02,
            repeg_rate: 0.0,
        }
    }
}

impl AmmConfig {
    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        for (field, value, low, high) in [
            ("fee_bp", self.fee_bp, 0.0, 500.0),
            ("ranges", f64::from(self.ranges), 2.0, 64.0),
            ("narrowest", self.narrowest, 1e-4, 0.5),
            ("widest", self.widest, 1e-3, 4.0),
            ("full_range", self.full_range, 0.01, 1.0),
            ("recentre_at", self.recentre_at, 0.0, 1.0),
            ("repeg_rate", self.repeg_rate, 0.0, 1.0),
        ] {
            problems.range(format!("{path}.{field}"), value, low, high);
        }
        let above = format!("above narrowest = {}", self.narrowest);
        problems.require(self.widest > self.narrowest, format!("{path}.widest"), self.widest, &above);
        let still = self.curve == Curve::Concentrated || self.repeg_rate <= 0.0;
        problems.require(still, format!("{path}.repeg_rate"), self.repeg_rate, "0 for a constant product");
    }
}
