//! A stablecoin that accounts post as margin in place of dollars, and how it loses its peg. None where a scenario does not
//! name it.

use serde::{Deserialize, Serialize};

use crate::error::Problems;
use crate::margin::portfolio::{CollateralConfig, CollateralTier};
use crate::world::validate_range;

/// A loss of the peg: down in a straight line, a while there, and back by halves.
///
/// # Reference
/// The coin `USDe` traded at 0.65 on Binance on 10 October 2025; accounts that had posted it were liquidated, and Binance
/// compensated them with 283 million dollars at first (its notices of October 2025).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepegConfig {
    /// Start as a share of the episode, within [0, 1].
    pub start_fraction: [f64; 2],
    /// Lowest price, in dollars, within [0.01, 1].
    pub low: [f64; 2],
    /// Time of the fall, in seconds. In [1, 1e6].
    pub fall_seconds: f64,
    /// Time at the lowest price, in seconds. In [0, 1e6].
    pub hold_seconds: f64,
    /// Half-life of the discount afterwards, in seconds. In [1, 1e7].
    pub recovery_half_life: f64,
}

/// A stablecoin as margin.
///
/// A coin counts its price times the ratio of its tier. When its owner enters liquidation, the venue sells all of it at
/// its price less a cost, as unified accounts convert collateral before they close positions (Bybit help centre,
/// "Liquidation Process"). The sale has no effect on the price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StablecoinConfig {
    /// Share of traders, and of portfolio accounts, that post it at reset. In [0, 1].
    pub accounts: f64,
    /// Part of their equity that it makes up, after the haircut. In [0, 1].
    pub equity: f64,
    /// Haircut: rows in rising order of the cap and falling order of the ratio. Default one of 0.95, a choice.
    pub tiers: Vec<CollateralTier>,
    /// Cost of a sale, in basis points. In [0, 1000], and no more than any haircut.
    pub conversion_bp: f64,
    /// Losses of the peg; at most 8. The lowest price counts.
    pub depegs: Vec<DepegConfig>,
}

impl Default for StablecoinConfig {
    fn default() -> Self {
        Self {
            accounts: 0.3,
            equity: 0.8,
            tiers: vec![CollateralTier { quantity_cap: 1e10, ratio: 0.95 }],
            conversion_bp: 10.0,
            depegs: Vec::new(),
        }
    }
}

impl StablecoinConfig {
    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        let at = |field: &str| format!("{path}.{field}");
        problems.range(at("accounts"), self.accounts, 0.0, 1.0);
        problems.range(at("equity"), self.equity, 0.0, 1.0);
        problems.range(at("conversion_bp"), self.conversion_bp, 0.0, 1_000.0);
        self.collateral().validate(path, 1, problems);
        let highest = self.tiers.iter().map(|tier| tier.ratio).fold(0.0, f64::max);
        let holds = highest <= 1.0 - 1e-4 * self.conversion_bp;
        problems.require(holds, at("conversion_bp"), self.conversion_bp, "no more than the haircut of any row");
        problems.require(self.depegs.len() <= 8, at("depegs"), self.depegs.len(), "at most 8 of them");
        for (index, depeg) in self.depegs.iter().enumerate() {
            let row = format!("{path}.depegs[{index}]");
            validate_range(&format!("{row}.start_fraction"), depeg.start_fraction, 0.0, 1.0, problems);
            validate_range(&format!("{row}.low"), depeg.low, 0.01, 1.0, problems);
            problems.range(format!("{row}.fall_seconds"), depeg.fall_seconds, 1.0, 1e6);
            problems.range(format!("{row}.hold_seconds"), depeg.hold_seconds, 0.0, 1e6);
            problems.range(format!("{row}.recovery_half_life"), depeg.recovery_half_life, 1.0, 1e7);
        }
    }

    /// Its haircut as a kind of collateral.
    #[must_use]
    pub fn collateral(&self) -> CollateralConfig {
        CollateralConfig { tiers: self.tiers.clone(), hedges: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_named() {
        let depeg = DepegConfig {
            start_fraction: [0.0, 2.0],
            low: [0.0, 0.5],
            fall_seconds: 0.0,
            hold_seconds: 0.0,
            recovery_half_life: 60.0,
        };
        let config = StablecoinConfig { conversion_bp: 900.0, depegs: vec![depeg], ..StablecoinConfig::default() };
        let mut problems = Problems::default();
        config.validate("s", &mut problems);
        let fields: Vec<&str> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(
            fields,
            ["s.conversion_bp", "s.depegs[0].start_fraction", "s.depegs[0].low", "s.depegs[0].fall_seconds"]
        );
    }
}
