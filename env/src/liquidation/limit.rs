//! Slot 4: the worst price of a slice on the book.

use serde::{Deserialize, Serialize};

use super::Dial;
use crate::error::Problems;

/// The worst price of a slice on the book.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LimitPrice {
    /// None: a market order.
    Unlimited,
    /// The account's bankruptcy price: what does not fill there is the backstop's (`BitMEX`, Binance).
    Bankruptcy,
    /// A band around mark.
    Band {
        /// Basis points.
        bp: Dial,
    },
    /// dYdX's fillable price, which slides from mark as the account's health falls; see [`Limit::concession`].
    Fillable {
        /// Bankruptcy adjustment: how fast it slides. In [0.01, 10]; 1 at genesis.
        adjustment: f64,
        /// Spread to maintenance: how far, in maintenance margins. In [0, 10]; 1.5 at genesis.
        spread: f64,
    },
}

/// Worst price of a slice, every number set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Limit {
    /// None.
    Unlimited,
    /// The account's bankruptcy price.
    Bankruptcy,
    /// A relative distance from mark.
    Band(f64),
    /// Bankruptcy adjustment and spread to maintenance.
    Fillable(f64, f64),
}

impl Limit {
    /// Distance from mark that a fillable price concedes, as a fraction of mark.
    ///
    /// dYdX writes `ABR = clamp(BA · (1 − TNC/TMMR), 0, 1)` and `fillable = (PNNV − ABR · SMMR · PMMR) / PS`: per coin
    /// that is mark less `ABR · SMMR` maintenance margins for a long, and mark plus as much for a short. `ratio` is
    /// equity over notional (TNC), `maintenance` the maintenance rate (TMMR = PMMR over notional).
    ///
    /// # Reference
    /// dYdX v4-chain, `x/clob/keeper/liquidations.go`, `GetFillablePrice`.
    #[must_use]
    pub fn concession(adjustment: f64, spread: f64, ratio: f64, maintenance: f64) -> f64 {
        let deficit = (adjustment * (1.0 - ratio / maintenance.max(1e-12))).clamp(0.0, 1.0);
        deficit * spread * maintenance
    }
}

impl LimitPrice {
    pub(super) fn validate(self, path: &str, problems: &mut Problems) {
        match self {
            Self::Unlimited | Self::Bankruptcy => {}
            Self::Band { bp } => bp.validate(format!("{path}.band.bp"), 0.1, 10_000.0, problems),
            Self::Fillable { adjustment, spread } => {
                problems.range(format!("{path}.fillable.adjustment"), adjustment, 0.01, 10.0);
                problems.range(format!("{path}.fillable.spread"), spread, 0.0, 10.0);
            }
        }
    }

    pub(super) fn resolve(self, band_bp: f64) -> Limit {
        match self {
            Self::Band { bp } => Limit::Band(bp.resolve(band_bp) * 1e-4),
            Self::Bankruptcy => Limit::Bankruptcy,
            Self::Unlimited => Limit::Unlimited,
            Self::Fillable { adjustment, spread } => Limit::Fillable(adjustment, spread),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fillable_price_slides_to_a_spread_below_mark() {
        // One coin long at 1,000 with 1.2 % maintenance: PNNV 1,000, PMMR 12, SMMR 1.5, BA 1.
        // TNC = 12: ABR 0, fillable 1,000. TNC = 6: ABR 0.5, 1,000 − 0.5·1.5·12 = 991. TNC ≤ 0: ABR 1, 982.
        for (equity, price) in [(12.0, 1_000.0), (6.0, 991.0), (0.0, 982.0), (-50.0, 982.0), (20.0, 1_000.0)] {
            let concession = Limit::concession(1.0, 1.5, equity / 1_000.0, 0.012);
            assert!((1_000.0 * (1.0 - concession) - price).abs() < 1e-9, "equity {equity}: {concession}");
        }
    }
}
