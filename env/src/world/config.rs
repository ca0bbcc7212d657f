//! Configuration of the outside world.

use serde::{Deserialize, Serialize};

use super::fundamental::ClusteringConfig;
use super::garch::GarchConfig;
use super::hawkes::JumpsConfig;
use super::heston::HestonConfig;
use super::macro_factor::MacroConfig;
use super::regime::RegimesConfig;
use super::shock::{ShockConfig, validate_range};
use crate::error::Problems;

/// Which process drives the fundamental price. Every process has its own section, whether it is chosen or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// Geometric Brownian motion.
    Gbm,
    /// GARCH(1,1) with Student-t innovations.
    GarchT,
    /// Square-root stochastic variance with Poisson jumps.
    HestonJump,
    /// Regimes, clustered volatility and self-exciting jumps.
    #[default]
    RegimeHawkes,
}

/// Geometric Brownian motion.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GbmConfig {
    /// Annualised standard deviation of log returns; > 0. Default: BTC perpetual, 5-minute bars of 2023–24.
    pub volatility: f64,
}

impl Default for GbmConfig {
    fn default() -> Self {
        Self { volatility: 0.49 }
    }
}

/// What a replayed world has to estimate, because bars do not say it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReplayConfig {
    /// Half-life of the trailing estimate of variance, in seconds; > 0.
    pub volatility_half_life_seconds: f64,
}

impl Default for ReplayConfig {
    fn default() -> Self {
        Self { volatility_half_life_seconds: 1_800.0 }
    }
}

/// The world outside: prices, regimes, macro factor and scripted shocks.
///
/// The default is the regime-switching model started from its long-run shares, without a scripted shock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorldConfig {
    /// Price at reset, in dollars; in [1e-4, 1e9]. A replayed history brings its own.
    pub initial_price: f64,
    /// Process of the fundamental price.
    pub model: Model,
    /// Multiplier of all synthetic returns but the scripted ones, drawn log-uniformly at reset within [0.1, 10].
    pub volatility_scale: [f64; 2],
    /// Section of the model `gbm`.
    pub gbm: GbmConfig,
    /// Section of the model `garch_t`.
    pub garch: GarchConfig,
    /// Section of the model `heston_jump`.
    pub heston: HestonConfig,
    /// Regimes: volatility in the model `regime_hawkes`, and the correlation with equities in all. Every other model
    /// stays in its initial regime, unless a shock enforces another.
    pub regimes: RegimesConfig,
    /// Volatility within a regime, in the model `regime_hawkes`.
    pub clustering: ClusteringConfig,
    /// Jumps, in the models `regime_hawkes` and `heston_jump`.
    pub jumps: JumpsConfig,
    /// Equity index, VIX, DXY and rate.
    pub macro_factor: MacroConfig,
    /// Estimates in a replayed world.
    pub replay: ReplayConfig,
    /// Scripted shocks; their returns add up, their multipliers multiply.
    pub shocks: Vec<ShockConfig>,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            initial_price: 60_000.0,
            model: Model::default(),
            volatility_scale: [1.0, 1.0],
            gbm: GbmConfig::default(),
            garch: GarchConfig::default(),
            heston: HestonConfig::default(),
            regimes: RegimesConfig::default(),
            clustering: ClusteringConfig::default(),
            jumps: JumpsConfig::default(),
            macro_factor: MacroConfig::default(),
            replay: ReplayConfig::default(),
            shocks: Vec::new(),
        }
    }
}

impl WorldConfig {
    /// Records every violated bound under `path`.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        problems.range(format!("{path}.initial_price"), self.initial_price, 1e-4, 1e9);
        validate_range(&format!("{path}.volatility_scale"), self.volatility_scale, 0.1, 10.0, problems);
        problems.range(format!("{path}.gbm.volatility"), self.gbm.volatility, 1e-6, 5.0);
        self.garch.validate(&format!("{path}.garch"), problems);
        self.heston.validate(&format!("{path}.heston"), problems);
        self.regimes.validate(&format!("{path}.regimes"), problems);
        self.clustering.validate(&format!("{path}.clustering"), problems);
        self.jumps.validate(&format!("{path}.jumps"), problems);
        self.macro_factor.validate(&format!("{path}.macro_factor"), problems);
        let half_life = self.replay.volatility_half_life_seconds;
        problems.range(format!("{path}.replay.volatility_half_life_seconds"), half_life, 1e-3, 1e9);
        for (i, shock) in self.shocks.iter().enumerate() {
            shock.validate(&format!("{path}.shocks[{i}]"), problems);
        }
        self.validate_jump_variance(path, problems);
    }

    /// Volatilities include jumps, so jumps must leave something to the diffusion.
    fn validate_jump_variance(&self, path: &str, problems: &mut Problems) {
        let untriggered = JumpsConfig { branching: 0.0, ..self.jumps };
        let [calm, tense, crisis] = self.regimes.all();
        for (field, base, jumps) in [
            ("regimes.calm.jumps_per_day", calm.jumps_per_day, &self.jumps),
            ("regimes.tense.jumps_per_day", tense.jumps_per_day, &self.jumps),
            ("regimes.crisis.jumps_per_day", crisis.jumps_per_day, &self.jumps),
            ("heston.jumps_per_day", self.heston.jumps_per_day, &untriggered),
        ] {
            let share = jumps.variance_share(base);
            problems.require(
                share <= 0.9,
                format!("{path}.{field}"),
                base,
                &format!("low enough for jumps to make up at most 0.9 of variance; they make up {share:.3}"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid() {
        let mut problems = Problems::default();
        WorldConfig::default().validate("world", &mut problems);
        assert_eq!(problems, Problems::default());
    }

    #[test]
    fn every_problem_is_reported_with_its_path() {
        let mut config =
            WorldConfig { initial_price: f64::NAN, volatility_scale: [2.0, 1.0], ..WorldConfig::default() };
        config.regimes.tense.next = [0.5, 0.0, 0.4];
        config.regimes.calm.jumps_per_day = 10.0;
        config.garch.beta = 0.9;
        config.jumps.maximum = 0.1;
        config.shocks.push(ShockConfig { volatility: 0.0, ..ShockConfig::default() });
        let mut problems = Problems::default();
        config.validate("world", &mut problems);
        let fields: Vec<&str> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
        let expected = [
            "world.initial_price",
            "world.volatility_scale",
            "world.garch.beta",
            "world.regimes.tense.next",
            "world.jumps.maximum",
            "world.shocks[0].volatility",
        ];
        assert!(expected.iter().all(|field| fields.contains(field)), "{fields:?}");
    }

    #[test]
    fn more_jump_variance_than_variance_is_refused() {
        let mut config = WorldConfig::default();
        config.regimes.calm.jumps_per_day = 10.0;
        let mut problems = Problems::default();
        config.validate("world", &mut problems);
        assert_eq!(problems.0.len(), 1);
        assert_eq!(problems.0[0].field, "world.regimes.calm.jumps_per_day");
    }
}
