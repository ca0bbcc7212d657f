//! What a venue sets. Dated numbers of named venues; a venue changes them by notice.

use serde::{Deserialize, Serialize};

use super::CollateralConfig;
use crate::error::Problems;

/// The scan of one asset.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AssetScanConfig {
    /// Price range: the largest regular move, as a fraction of price. Default 0.16, as at Deribit and Paradex for
    /// bitcoin. Smaller coins get more: OKX scans 0.12 for bitcoin and ether, 0.18 for ten others, 0.25 for the rest.
    pub price_range: f64,
    /// Volatility range upwards at 30 days, as a share of the option's own volatility. Default 0.40 (Paradex).
    pub volatility_up: f64,
    /// Volatility range downwards at 30 days. Default 0.22 (Paradex).
    pub volatility_down: f64,
    /// Share of this asset's result that is netted against other assets, in [0, 1]. Default 0: each asset stands
    /// alone, as risk units do at Bybit. See [`super::PortfolioMargin::assess`].
    pub offset: f64,
}

impl Default for AssetScanConfig {
    fn default() -> Self {
        Self { price_range: 0.16, volatility_up: 0.40, volatility_down: 0.22, offset: 0.0 }
    }
}

/// What is common to the scans of all assets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScanConfig {
    /// An extreme move in price ranges. Default 2 (the table of NSE Clearing).
    pub extreme_multiple: f64,
    /// Share of the result of an extreme move that counts. Default 0.35 (same source).
    pub extreme_share: f64,
    /// The volatility range is multiplied by `(30 / days)^power`; this is the power below 30 days. Default 0.30
    /// (Deribit, Paradex).
    pub short_power: f64,
    /// The power from 30 days on. Default 0.13 (Paradex).
    pub long_power: f64,
    /// Days to expiry are counted as no fewer than this. Default 1 (Paradex).
    pub days_min: f64,
}

impl Default for ScanConfig {
    fn default() -> Self {
        Self { extreme_multiple: 2.0, extreme_share: 0.35, short_power: 0.30, long_power: 0.13, days_min: 1.0 }
    }
}

/// What a scan of a hedged book does not see: charges on what it holds gross.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FloorConfig {
    /// Least requirement, as a share of net delta times price. Default 0.02 (Paradex).
    pub net_delta: f64,
    /// Least requirement, as a share of hedged delta (gross less net) times price, on top. Default 0.01 (Paradex);
    /// Deribit's older rules charge the same 1 % on offsetting futures.
    pub hedged_delta: f64,
    /// Added to the scan per coin of each series that is short, as a share of the underlying's price: SPAN's
    /// short-option minimum, which Deribit and Bybit add as a contingency. Default 0.01 (Deribit).
    pub short_option: f64,
    /// Added to the scan, as a share of each perpetual's notional: Bybit's perpetual and futures contingency, whose
    /// factor differs by coin. Default 0.
    pub perpetual: f64,
}

impl Default for FloorConfig {
    fn default() -> Self {
        Self { net_delta: 0.02, hedged_delta: 0.01, short_option: 0.01, perpetual: 0.0 }
    }
}

/// Portfolio margin of a venue.
///
/// # Reference
/// As stored copies had them in November 2026: docs.paradex.trade/risk/portfolio-margin (scenarios, powers, delta floor, maintenance);
/// support.deribit.com articles 25944756247837 (portfolio margin) and its older page deribit.com/pages/docs/portfoliomargin
/// (contingencies); bybit help centre, "Margin Calculations under Portfolio Margin".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PortfolioConfig {
    /// One row per asset. Default three alike.
    pub assets: Vec<AssetScanConfig>,
    /// One row per kind of collateral. Default one, at face value.
    pub collateral: Vec<CollateralConfig>,
    /// Common to all scans.
    pub scan: ScanConfig,
    /// Charges on gross holdings.
    pub floor: FloorConfig,
    /// Initial margin, in units of the requirement. Default 1 (Paradex). Bybit and CME start from maintenance and
    /// multiply it.
    pub initial: f64,
    /// Maintenance margin, in units of the requirement. Default 0.5 (Paradex).
    pub maintenance: f64,
    /// A liquidation in parts ends at maintenance times one plus this. Default 0.25, as for isolated positions here.
    pub buffer: f64,
    /// Share of maintenance below which the backstop takes over. Default 2/3, as at Hyperliquid.
    pub backstop_share: f64,
}

impl Default for PortfolioConfig {
    fn default() -> Self {
        Self {
            assets: vec![AssetScanConfig::default(); 3],
            collateral: vec![CollateralConfig::default()],
            scan: ScanConfig::default(),
            floor: FloorConfig::default(),
            initial: 1.0,
            maintenance: 0.5,
            buffer: 0.25,
            backstop_share: 2.0 / 3.0,
        }
    }
}

impl PortfolioConfig {
    /// Records what is wrong, under the dotted path `field`.
    pub fn validate(&self, field: &str, problems: &mut Problems) {
        let count = self.assets.len();
        problems.require((1..=64).contains(&count), format!("{field}.assets"), count, "1 to 64 rows");
        let ScanConfig { extreme_multiple, extreme_share, short_power, long_power, days_min } = self.scan;
        problems.range(format!("{field}.scan.extreme_multiple"), extreme_multiple, 1.0, 10.0);
        problems.range(format!("{field}.scan.extreme_share"), extreme_share, 0.0, 1.0);
        problems.range(format!("{field}.scan.short_power"), short_power, 0.0, 1.0);
        problems.range(format!("{field}.scan.long_power"), long_power, 0.0, 1.0);
        problems.range(format!("{field}.scan.days_min"), days_min, 1e-2, 30.0);
        for (index, asset) in self.assets.iter().enumerate() {
            let row = format!("{field}.assets[{index}]");
            problems.range(format!("{row}.price_range"), asset.price_range, 1e-4, 0.95);
            let holds = asset.price_range * extreme_multiple <= 0.95;
            let bound = "at most 0.95 / scan.extreme_multiple, so that no scenario ends at a price of nothing";
            problems.require(holds, format!("{row}.price_range"), asset.price_range, bound);
            problems.range(format!("{row}.volatility_up"), asset.volatility_up, 0.0, 5.0);
            problems.range(format!("{row}.volatility_down"), asset.volatility_down, 0.0, 1.0);
            problems.range(format!("{row}.offset"), asset.offset, 0.0, 1.0);
        }
        for (index, collateral) in self.collateral.iter().enumerate() {
            collateral.validate(&format!("{field}.collateral[{index}]"), count, problems);
        }
        let FloorConfig { net_delta, hedged_delta, short_option, perpetual } = self.floor;
        problems.range(format!("{field}.floor.net_delta"), net_delta, 0.0, 1.0);
        problems.range(format!("{field}.floor.hedged_delta"), hedged_delta, 0.0, 1.0);
        let bound = "at most floor.net_delta, or hedging would raise the floor";
        problems.require(hedged_delta <= net_delta, format!("{field}.floor.hedged_delta"), hedged_delta, bound);
        problems.range(format!("{field}.floor.short_option"), short_option, 0.0, 1.0);
        problems.range(format!("{field}.floor.perpetual"), perpetual, 0.0, 1.0);
        problems.range(format!("{field}.maintenance"), self.maintenance, 0.01, 10.0);
        problems.range(format!("{field}.buffer"), self.buffer, 0.0, 4.0);
        problems.range(format!("{field}.backstop_share"), self.backstop_share, 0.0, 1.0);
        problems.range(format!("{field}.initial"), self.initial, 0.01, 50.0);
        // M3: initial ≥ liquidation-end ≥ maintenance.
        let holds = self.initial >= self.maintenance * (1.0 + self.buffer) - 1e-9;
        problems.require(holds, format!("{field}.initial"), self.initial, "at least maintenance · (1 + buffer)");
    }
}
