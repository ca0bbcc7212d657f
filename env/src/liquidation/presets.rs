//! Venues as data over the eight slots: one TOML file each, in `env/presets/`, embedded.
//!
//! Every number in them is a dated snapshot with its source; what a venue does not publish, and what the market does
//! not model, stands in the file's notes.

use serde::{Deserialize, Serialize};

use super::Pipeline;
use crate::error::{Error, Problems};
use crate::margin::MarginConfig;
use crate::scenario::Scenario;

/// Names of the presets: generations and counterfactual first, then venues by their names.
pub const NAMES: [&str; 19] = [
    "legacy_full",
    "partial_sliced",
    "partial_routed",
    "hyperliquid_like",
    "seawall",
    "off",
    "aave_v3",
    "binance",
    "bitmex_2020",
    "bybit",
    "compound_v3",
    "drift_v2",
    "dydx_v4",
    "gmx_v2",
    "hyperliquid",
    "maker_liq2",
    "percolator_ak",
    "synthetix_v3",
    "vega",
];

/// The files, in the order of [`NAMES`].
const FILES: [&str; NAMES.len()] = [
    include_str!("../../presets/legacy_full.toml"),
    include_str!("../../presets/partial_sliced.toml"),
    include_str!("../../presets/partial_routed.toml"),
    include_str!("../../presets/hyperliquid_like.toml"),
    include_str!("../../presets/seawall.toml"),
    include_str!("../../presets/off.toml"),
    include_str!("../../presets/aave_v3.toml"),
    include_str!("../../presets/binance.toml"),
    include_str!("../../presets/bitmex_2020.toml"),
    include_str!("../../presets/bybit.toml"),
    include_str!("../../presets/compound_v3.toml"),
    include_str!("../../presets/drift_v2.toml"),
    include_str!("../../presets/dydx_v4.toml"),
    include_str!("../../presets/gmx_v2.toml"),
    include_str!("../../presets/hyperliquid.toml"),
    include_str!("../../presets/maker_liq2.toml"),
    include_str!("../../presets/percolator_ak.toml"),
    include_str!("../../presets/synthetix_v3.toml"),
    include_str!("../../presets/vega.toml"),
];

/// Largest liquidation fee of a preset, in basis points: Maker's penalty is 1,300.
const FEE_MAX: f64 = 2_000.0;

/// A venue: its rules, and its margin and fee where they are published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Short name: lower-case letters, digits and `_`.
    pub name: String,
    /// What it does, in one sentence.
    pub title: String,
    /// Year, or year and month, of the snapshot.
    pub date: String,
    /// Where its numbers stand.
    pub sources: Vec<String>,
    /// What is ours, what is missing, and where sources disagree.
    pub notes: String,
    /// Liquidation fee to the insurance fund, in basis points. In [0, 2000]; none leaves the scenario's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub liquidation_fee_bp: Option<f64>,
    /// The eight slots.
    pub pipeline: Pipeline,
    /// Margin table; none leaves the scenario's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<MarginConfig>,
}

impl Preset {
    /// Reads a preset and checks all of it.
    ///
    /// # Errors
    /// [`Error::Preset`] if the text is not TOML or not a preset, [`Error::Invalid`] with everything out of its bounds.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let preset: Self = toml::from_str(text)?;
        let mut problems = Problems::default();
        preset.validate(&mut problems);
        problems.into_result()?;
        Ok(preset)
    }

    /// The preset as a file to start from.
    ///
    /// # Panics
    /// Never: a preset is made of what TOML can say.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a preset is made of what TOML can say")
    }

    /// A shipped preset by its name.
    ///
    /// # Panics
    /// Never: the shipped files are read by a test.
    #[must_use]
    pub fn shipped(name: &str) -> Option<Self> {
        Some(Self::from_toml(file(name)?).expect("a shipped preset is valid"))
    }

    /// Records every field that is out of its bounds.
    pub fn validate(&self, problems: &mut Problems) {
        let clean = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let named = !self.name.is_empty() && self.name.chars().all(clean);
        problems.require(named, "name", format!("{:?}", self.name), "lower-case letters, digits and '_'");
        problems.require(is_date(&self.date), "date", format!("{:?}", self.date), "a year such as 2020, or 2020-03");
        if let Some(fee) = self.liquidation_fee_bp {
            problems.range("liquidation_fee_bp", fee, 0.0, FEE_MAX);
        }
        self.pipeline.validate("pipeline", problems);
        if let Some(margin) = &self.margin {
            margin.validate("margin", problems);
        }
    }

    /// The scenario with this venue's margin and fee, where it has its own.
    #[must_use]
    pub fn furnish(&self, mut scenario: Scenario) -> Scenario {
        if let Some(margin) = &self.margin {
            scenario.margin = margin.clone();
        }
        if let Some(fee) = self.liquidation_fee_bp {
            scenario.venue.liquidation_fee_bp = fee;
        }
        scenario
    }
}

fn is_date(text: &str) -> bool {
    let number = |part: &str, digits: usize| part.len() == digits && part.chars().all(|c| c.is_ascii_digit());
    match text.split_once('-') {
        None => number(text, 4),
        Some((year, month)) => number(year, 4) && number(month, 2) && ("01"..="12").contains(&month),
    }
}

/// The file of a shipped preset, as it was written.
#[must_use]
pub fn file(name: &str) -> Option<&'static str> {
    NAMES.iter().position(|known| *known == name).map(|at| FILES[at])
}

/// The rules of a shipped preset.
#[must_use]
pub fn by_name(name: &str) -> Option<Pipeline> {
    Preset::shipped(name).map(|preset| preset.pipeline)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::margin::{Adjustment, MarginSchedule};
    use crate::units::Usd;

    fn shipped() -> impl Iterator<Item = Preset> {
        NAMES.iter().map(|name| Preset::shipped(name).unwrap())
    }

    #[test]
    fn every_shipped_preset_is_valid_and_bears_the_name_of_its_file() {
        for (name, preset) in NAMES.iter().zip(shipped()) {
            assert_eq!(preset.name, *name);
            let not_a_venue = ["partial_sliced", "partial_routed", "hyperliquid_like", "seawall", "off"].contains(name);
            assert_eq!(preset.sources.is_empty(), not_a_venue, "{name}: sources");
        }
        assert_eq!(by_name("no such venue"), None);
    }

    #[test]
    fn a_preset_survives_being_written_and_read() {
        for preset in shipped() {
            assert_eq!(Preset::from_toml(&preset.to_toml()).unwrap(), preset);
        }
    }

    #[test]
    fn every_problem_of_a_file_is_named() {
        let text = Preset::shipped("dydx_v4").unwrap().to_toml();
        let broken = text
            .replace("name = \"dydx_v4\"", "name = \"dYdX\"")
            .replace("2026-03", "2026-13")
            .replace("share = 0.1", "share = 1.1")
            .replace("spread = 1.5", "spread = -1.5")
            .replace("maintenance = 0.012", "maintenance = 0.9");
        let error = Preset::from_toml(&broken).unwrap_err().to_string();
        for field in [
            "name",
            "date",
            "pipeline.size.block.share",
            "pipeline.limit.fillable.spread",
            "margin.tiers[0].max_leverage",
        ] {
            assert!(error.contains(&format!("{field} = ")), "{field} is missing from: {error}");
        }
        let unknown = text.replace("[pipeline]", "[pipeline]\nspeed = 1.0");
        assert!(matches!(Preset::from_toml(&unknown), Err(Error::Preset(_))));
    }

    #[test]
    fn furnishing_changes_margin_and_fee_and_nothing_else() {
        let plain = Scenario::shipped("calm").unwrap();
        let furnished = Preset::shipped("dydx_v4").unwrap().furnish(plain.clone());
        assert!((furnished.venue.liquidation_fee_bp - 150.0).abs() < 1e-12);
        assert_eq!(furnished.margin.tiers.len(), 1);
        let back = Scenario { margin: plain.margin.clone(), venue: plain.venue.clone(), ..furnished };
        assert_eq!(back, plain);
        assert_eq!(Preset::shipped("seawall").unwrap().furnish(plain.clone()), plain);
    }

    #[test]
    fn every_scenario_is_valid_at_every_venue() {
        for preset in shipped() {
            let mut problems = Problems::default();
            preset.furnish(Scenario::shipped("calm").unwrap()).validate(&preset.name, &mut problems);
            assert_eq!(problems.to_string(), "");
        }
    }

    fn deductions(name: &str) -> Vec<Usd> {
        let schedule = MarginSchedule::new(&Preset::shipped(name).unwrap().margin.unwrap());
        (0..schedule.tiers()).map(|row| schedule.deduction(row)).collect()
    }

    #[test]
    fn binance_deducts_what_its_table_says() {
        let expected = [0.0, 50.0, 950.0, 11_450.0, 131_450.0, 481_450.0].map(Usd::from_f64);
        assert_eq!(deductions("binance")[..6], expected);
    }

    #[test]
    fn bybit_deducts_twelve_hundred_on_its_second_tier() {
        // 2 M · (0.56 % − 0.50 %) = 1,200.
        let rows = deductions("bybit");
        assert_eq!(rows.len(), 20);
        assert_eq!(rows[..2], [Usd::ZERO, Usd::from_f64(1_200.0)]);
    }

    #[test]
    fn hyperliquid_asks_half_of_the_initial_rate_and_deducts_between_tiers() {
        // 40× up to 150 M, then 20×: 1.25 % and 2.5 %; deduction 150 M · 1.25 % = 1,875,000.
        assert_eq!(deductions("hyperliquid"), [Usd::ZERO, Usd::from_f64(1_875_000.0)]);
        let schedule = MarginSchedule::new(&Preset::shipped("hyperliquid").unwrap().margin.unwrap());
        let asked = schedule.maintenance(Usd::from_f64(200e6), Adjustment::default());
        assert_eq!(asked, Usd::from_f64(200e6 * 0.025 - 1_875_000.0));
    }

    #[test]
    fn dydx_large_caps_open_at_two_percent_and_are_kept_at_sixty_percent_of_it() {
        let margin = Preset::shipped("dydx_v4").unwrap().margin.unwrap();
        let row = &margin.tiers[0];
        assert!((1.0 / row.max_leverage - 0.02).abs() < 1e-12 && (row.maintenance - 0.6 * 0.02).abs() < 1e-12);
    }
}
