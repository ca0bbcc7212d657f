//! The option desk of a market: what is listed, how it is marked and margined, and who trades it. Off where a scenario
//! does not name it.

use serde::{Deserialize, Serialize};

use crate::error::Problems;
use crate::margin::options::LevelConfig;
use crate::margin::portfolio::{AssetScanConfig, FloorConfig, PortfolioConfig, ScanConfig};
use crate::participants::option_customers::CustomerConfig;
use crate::participants::option_makers::OptionMakerConfig;

/// Portfolio margin of the desk; every section's default is that of [`PortfolioConfig`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeskMarginConfig {
    /// Initial margin, in units of the requirement.
    pub initial: f64,
    /// Maintenance margin, in units of the requirement.
    pub maintenance: f64,
    /// A liquidation ends at maintenance times one plus this.
    pub buffer: f64,
    /// Ranges of the scan.
    pub range: AssetScanConfig,
    /// What is common to all ranges.
    pub scan: ScanConfig,
    /// Charges on gross holdings.
    pub floor: FloorConfig,
}

impl Default for DeskMarginConfig {
    fn default() -> Self {
        let PortfolioConfig { initial, maintenance, buffer, scan, floor, .. } = PortfolioConfig::default();
        Self { initial, maintenance, buffer, range: AssetScanConfig::default(), scan, floor }
    }
}

impl DeskMarginConfig {
    /// The same rules for the one asset of a market. Collateral is in the account's cash already.
    #[must_use]
    pub fn portfolio(&self) -> PortfolioConfig {
        PortfolioConfig {
            assets: vec![self.range],
            collateral: vec![crate::margin::portfolio::CollateralConfig::default()],
            scan: self.scan,
            floor: self.floor,
            initial: self.initial,
            maintenance: self.maintenance,
            buffer: self.buffer,
            ..PortfolioConfig::default()
        }
    }
}

/// European options on the home asset, and the accounts that hold them.
///
/// Series are listed at reset, on a grid of strikes relative to the price then, and nothing is listed later. They are
/// margined futures-style, as Eurex and ICE margin options on futures: no premium changes hands, and each mark settles its
/// variation in dollars, so that an option is worth nothing by itself and conservation is that of cash. An order trades at
/// the mark and pays the spread; at expiry the last variation ends at the payoff on the oracle price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptionsConfig {
    /// Hours from reset to each expiry, rising. 1 to 8 of them, each in [0.05, 8760].
    pub expiry_hours: Vec<f64>,
    /// Strikes over the price at reset, rising. 1 to 16 of them, each in [0.3, 3]: puts up to one, calls from one on.
    pub strikes: Vec<f64>,
    /// Longest time between two marks, in seconds. In [0.2, 600]. Deribit marks every second.
    pub mark_seconds: f64,
    /// Move of the perpetual's mark since the last marks that calls for new ones, in basis points. In [0, 1000].
    pub mark_move_bp: f64,
    /// Seconds between two steps of an account's liquidation. In [0.2, 3600]. Deribit takes 20 a second.
    pub step_seconds: f64,
    /// Largest part of an option holding that a step closes. In (0, 1]. Deribit closes one contract a step.
    pub step_share: f64,
    /// Largest hedge of a step, over the depth of the home book within 1 %. In (0, 10].
    pub hedge_depth: f64,
    /// Volatility surface.
    pub surface: LevelConfig,
    /// Portfolio margin.
    pub margin: DeskMarginConfig,
    /// Who holds options.
    pub customers: CustomerConfig,
    /// Who takes the other side.
    pub makers: OptionMakerConfig,
}

impl Default for OptionsConfig {
    fn default() -> Self {
        Self {
            expiry_hours: vec![3.0, 24.0, 168.0],
            strikes: vec![0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2],
            mark_seconds: 5.0,
            mark_move_bp: 5.0,
            step_seconds: 1.0,
            step_share: 0.25,
            hedge_depth: 0.25,
            surface: LevelConfig::default(),
            margin: DeskMarginConfig::default(),
            customers: CustomerConfig::default(),
            makers: OptionMakerConfig::default(),
        }
    }
}

impl OptionsConfig {
    /// Records every field that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        let at = |field: &str| format!("{path}.{field}");
        rising(&at("expiry_hours"), &self.expiry_hours, 8, [0.05, 8_760.0], problems);
        rising(&at("strikes"), &self.strikes, 16, [0.3, 3.0], problems);
        for (field, value, low, high) in [
            ("mark_seconds", self.mark_seconds, 0.2, 600.0),
            ("mark_move_bp", self.mark_move_bp, 0.0, 1_000.0),
            ("step_seconds", self.step_seconds, 0.2, 3_600.0),
            ("step_share", self.step_share, 1e-3, 1.0),
            ("hedge_depth", self.hedge_depth, 1e-4, 10.0),
        ] {
            problems.range(at(field), value, low, high);
        }
        self.surface.validate(&at("surface"), problems);
        self.margin.validate(&at("margin"), problems);
        self.customers.validate(&at("customers"), problems);
        self.makers.validate(&at("makers"), problems);
    }
}

impl DeskMarginConfig {
    /// Records what is wrong, under the dotted path `path`.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        let before = problems.0.len();
        self.portfolio().validate(path, problems);
        // The scan of the one asset is a section of its own here.
        for problem in &mut problems.0[before..] {
            problem.field = problem.field.replace(".assets[0]", ".range");
        }
    }
}

fn rising(path: &str, values: &[f64], most: usize, [low, high]: [f64; 2], problems: &mut Problems) {
    problems.require((1..=most).contains(&values.len()), path, values.len(), &format!("1 to {most} values"));
    for (index, value) in values.iter().enumerate() {
        problems.range(format!("{path}[{index}]"), *value, low, high);
    }
    let rises = values.windows(2).all(|pair| pair[0] < pair[1]);
    problems.require(rises, path, format!("{values:?}"), "in rising order");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_is_valid_and_every_problem_is_named() {
        let mut problems = Problems::default();
        OptionsConfig::default().validate("o", &mut problems);
        assert_eq!(problems, Problems::default());
        let mut config = OptionsConfig { strikes: vec![1.1, 0.9], step_share: 0.0, ..OptionsConfig::default() };
        config.margin.range.price_range = 2.0;
        config.makers.count = 0;
        config.surface.eta = 1.9;
        config.validate("o", &mut problems);
        let fields: Vec<&str> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
        assert!(fields.starts_with(&["o.strikes", "o.step_share", "o.surface.eta", "o.margin.range.price_range"]));
        assert_eq!(fields.last(), Some(&"o.makers.count"));
    }
}
