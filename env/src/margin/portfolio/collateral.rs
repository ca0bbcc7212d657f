//! What a balance counts as margin: its value, less a haircut that grows with the balance.

use serde::{Deserialize, Serialize};

use crate::error::Problems;
use crate::units::{Price, Qty, Rate, Usd};

/// One row of a haircut table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollateralTier {
    /// Coins up to which this row holds.
    pub quantity_cap: f64,
    /// Share of the value that counts: one less the haircut. Venues call it the collateral value ratio.
    pub ratio: f64,
}

/// One kind of collateral. Its price comes with the marks, and may leave its peg.
///
/// # Reference
/// Bybit help centre, "Understanding Collateral Value Ratios in Unified Trading Account" (18 September 2025): tiers
/// by quantity (bitcoin 0.98 up to 10 coins … 0.80 up to 50, nothing above), and a negative balance in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CollateralConfig {
    /// Rows in rising order of the cap and falling order of the ratio; what is above all caps counts nothing.
    /// Default one row at face value, as Bybit has for USDT.
    pub tiers: Vec<CollateralTier>,
    /// Asset whose scan this balance enters as if it were a position of as many coins, which hedges a short
    /// perpetual (Bybit: "spot hedging"). Default none.
    pub hedges: Option<usize>,
}

impl Default for CollateralConfig {
    fn default() -> Self {
        Self { tiers: vec![CollateralTier { quantity_cap: 1e10, ratio: 1.0 }], hedges: None }
    }
}

impl CollateralConfig {
    /// Records what is wrong, under the dotted path `field`, for a venue of that many `assets`.
    pub fn validate(&self, field: &str, assets: usize, problems: &mut Problems) {
        let count = self.tiers.len();
        problems.require((1..=32).contains(&count), format!("{field}.tiers"), count, "1 to 32 rows");
        for (index, tier) in self.tiers.iter().enumerate() {
            let row = format!("{field}.tiers[{index}]");
            problems.range(format!("{row}.quantity_cap"), tier.quantity_cap, 1e-8, 1e10);
            problems.range(format!("{row}.ratio"), tier.ratio, 0.0, 1.0);
            let Some(below) = index.checked_sub(1).map(|below| self.tiers[below]) else { continue };
            let rises = tier.quantity_cap > below.quantity_cap;
            problems.require(rises, format!("{row}.quantity_cap"), tier.quantity_cap, "above the row before");
            problems.require(tier.ratio <= below.ratio, format!("{row}.ratio"), tier.ratio, "at most the row before");
        }
        if let Some(asset) = self.hedges {
            problems.require(asset < assets, format!("{field}.hedges"), asset, "the number of an asset");
        }
    }
}

/// A validated haircut table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollateralSchedule {
    tiers: Vec<(Qty, Rate)>,
    pub(super) hedges: Option<usize>,
}

impl CollateralSchedule {
    /// From a validated configuration. Caps and ratios are rounded to the nearest unit.
    #[must_use]
    pub fn new(config: &CollateralConfig) -> Self {
        let tier = |tier: &CollateralTier| (Qty::from_f64(tier.quantity_cap), Rate::from_f64(tier.ratio));
        Self { tiers: config.tiers.iter().map(tier).collect(), hedges: config.hedges }
    }

    /// Dollars that a balance counts, each row rounded down. What is owed counts in full.
    #[must_use]
    pub fn value(&self, balance: Qty, price: Price) -> Usd {
        if balance.is_negative() {
            return balance.value(price);
        }
        let (mut below, mut total) = (Qty::ZERO, Usd::ZERO);
        for &(cap, ratio) in &self.tiers {
            let within = balance.min(cap) - below;
            if within <= Qty::ZERO {
                break;
            }
            total += within.value(price).share(ratio);
            below = cap;
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bitcoin() -> CollateralConfig {
        // Bybit's table of September 2025.
        let rows = [(10.0, 0.98), (20.0, 0.95), (30.0, 0.9), (40.0, 0.85), (50.0, 0.8)];
        let tiers = rows.map(|(quantity_cap, ratio)| CollateralTier { quantity_cap, ratio }).to_vec();
        CollateralConfig { tiers, hedges: None }
    }

    #[test]
    fn haircut_grows_with_the_balance() {
        let schedule = CollateralSchedule::new(&bitcoin());
        let price = Price::from_f64(100_000.0);
        // 5·0.98; 10·0.98 + 5·0.95; all five rows; and nothing for what is above.
        for (coins, dollars) in [(5.0, 490_000.0), (15.0, 1_455_000.0), (50.0, 4_480_000.0), (80.0, 4_480_000.0)] {
            assert_eq!(schedule.value(Qty::from_f64(coins), price), Usd::from_f64(dollars), "{coins}");
        }
        assert_eq!(schedule.value(Qty::from_f64(-2.0), price), Usd::from_f64(-200_000.0));
    }

    #[test]
    fn stablecoin_off_its_peg_counts_what_it_fetches() {
        // USDe on 10 October 2025 traded at 0.65 on Binance.
        let schedule = CollateralSchedule::new(&CollateralConfig::default());
        let balance = Qty::from_f64(1_000.0);
        assert_eq!(schedule.value(balance, Price::from_f64(0.65)), Usd::from_f64(650.0));
    }

    proptest! {
        #[test]
        fn greater_haircut_never_counts_more(
            coins in -1e6..1e6_f64, price in 0.01..2e5_f64, cut in 0.0..0.5_f64, row in 0..5_usize,
        ) {
            let mut cut_config = bitcoin();
            for tier in &mut cut_config.tiers[row..] {
                tier.ratio -= cut;
            }
            let (balance, price) = (Qty::from_f64(coins), Price::from_f64(price));
            let (full, less) = (CollateralSchedule::new(&bitcoin()), CollateralSchedule::new(&cut_config));
            prop_assert!(less.value(balance, price) <= full.value(balance, price));
            prop_assert!(full.value(balance, price) <= balance.value(price));
        }
    }
}
