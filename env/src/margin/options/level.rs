//! How the level of a surface moves: with volatility that was realised, and with the price itself.

use serde::{Deserialize, Serialize};

use super::SsviConfig;
use crate::error::Problems;

/// Volatility at the money stays within these, per year: below it no market maker quotes, above it no formula helps.
const BOUNDS: [f64; 2] = [0.05, 4.0];

/// A surface whose shape is SSVI's and whose level moves. The smile is one of log-moneyness ("sticky delta"): it goes
/// along with the price.
///
/// At the money `σ² ← σ²·exp(2·spot_elasticity·r)` for a log return `r` of the price, and then
/// `σ² ← target + (σ² − target)·2^(−Δt / half_life)` with
/// `target = (1 − realised_weight)·volatility² + realised_weight·premium²·realised`.
///
/// # Reference
/// Daglish, Hull & Suo 2007, "Volatility surfaces: theory, rules of thumb, and empirical evidence", §2 (sticky delta);
/// Bouchaud, Matacz & Potters 2001 (Phys. Rev. Lett. 87, 228701) for a level that answers returns and forgets them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LevelConfig {
    /// Long-run volatility at the money, per year. In [0.05, 4]. Default 0.45: Deribit's DVOL for bitcoin was 33 to 44
    /// points in late 2025 and January 2026.
    pub volatility: f64,
    /// Weight of realised volatility in the target, in [0, 1]. Default 0.5, a choice.
    pub realised_weight: f64,
    /// Implied over realised volatility, in [0.5, 3]. Default 1.1: a positive variance risk premium; its size is a choice.
    pub premium: f64,
    /// Half-life of the distance to the target, in seconds. In [1, 1e7]. Default 1,800, a choice.
    pub half_life: f64,
    /// Relative change of volatility per relative change of price, in [-10, 10]. Default -2: DVOL rose from 37 to above
    /// 44 on 29 January 2026 while bitcoin lost 6 to 8 %.
    pub spot_elasticity: f64,
    /// Skew, as in [`SsviConfig::rho`].
    pub rho: f64,
    /// Curvature, as in [`SsviConfig::eta`].
    pub eta: f64,
}

impl Default for LevelConfig {
    fn default() -> Self {
        let SsviConfig { rho, eta, .. } = SsviConfig::default();
        Self {
            volatility: 0.45,
            realised_weight: 0.5,
            premium: 1.1,
            half_life: 1_800.0,
            spot_elasticity: -2.0,
            rho,
            eta,
        }
    }
}

impl LevelConfig {
    /// Records what is wrong, under the dotted path `field`.
    pub fn validate(&self, field: &str, problems: &mut Problems) {
        problems.range(format!("{field}.volatility"), self.volatility, BOUNDS[0], BOUNDS[1]);
        problems.range(format!("{field}.realised_weight"), self.realised_weight, 0.0, 1.0);
        problems.range(format!("{field}.premium"), self.premium, 0.5, 3.0);
        problems.range(format!("{field}.half_life"), self.half_life, 1.0, 1e7);
        problems.range(format!("{field}.spot_elasticity"), self.spot_elasticity, -10.0, 10.0);
        problems.range(format!("{field}.rho"), self.rho, -0.99, 0.99);
        problems.range(format!("{field}.eta"), self.eta, 0.01, 2.0);
        let holds = self.eta * (1.0 + self.rho.abs()) <= 2.0;
        problems.require(holds, format!("{field}.eta"), self.eta, "at most 2 / (1 + |rho|), against arbitrage");
    }
}

/// Where the level stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Squared volatility at the money, per year.
    variance: f64,
    /// Price that it was last moved at, in dollars.
    price: f64,
}

impl Level {
    /// The long-run level at a price.
    #[must_use]
    pub const fn new(config: &LevelConfig, price: f64) -> Self {
        Self { variance: config.volatility * config.volatility, price }
    }

    /// Moves on to `price`, `seconds` later, with `realised` variance per year.
    ///
    /// # Panics
    /// If the price is not positive.
    pub fn step(&mut self, config: &LevelConfig, price: f64, realised: f64, seconds: f64) {
        assert!(price > 0.0, "a level at a price of {price}");
        let change = libm::log(price / self.price);
        let moved = self.variance * libm::exp(2.0 * config.spot_elasticity * change);
        let weight = config.realised_weight;
        let target = (1.0 - weight) * config.volatility * config.volatility
            + weight * config.premium * config.premium * realised;
        let variance = target + (moved - target) * libm::exp2(-seconds / config.half_life);
        self.variance = variance.clamp(BOUNDS[0] * BOUNDS[0], BOUNDS[1] * BOUNDS[1]);
        self.price = price;
    }

    /// Volatility at the money, per year.
    #[must_use]
    pub fn volatility(&self) -> f64 {
        self.variance.sqrt()
    }

    /// Volatility per year at log-moneyness `k`, with `years` left. Nothing is left to be uncertain after expiry.
    #[must_use]
    pub fn at(&self, config: &LevelConfig, k: f64, years: f64) -> f64 {
        if years <= 0.0 {
            return 0.0;
        }
        let smile = SsviConfig { volatility: self.volatility(), rho: config.rho, eta: config.eta };
        (smile.slice(years).variance(k)[0] / years).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_rises_as_the_price_falls_and_forgets_it() {
        let config = LevelConfig { realised_weight: 0.0, ..LevelConfig::default() };
        let mut level = Level::new(&config, 100.0);
        // A fall of 1 % with elasticity -2: volatility times exp(0.0201); the half-life takes nothing in no time.
        level.step(&config, 99.0, 0.3, 0.0);
        assert!((level.volatility() / 0.45 - libm::exp(2.0 * libm::log(100.0 / 99.0))).abs() < 1e-12);
        let excess = level.volatility().powi(2) - 0.45 * 0.45;
        level.step(&config, 99.0, 0.3, 1_800.0);
        assert!((level.volatility().powi(2) - 0.45 * 0.45 - 0.5 * excess).abs() < 1e-12);
    }

    #[test]
    fn level_follows_realised_volatility_with_its_premium() {
        let config = LevelConfig { realised_weight: 1.0, premium: 1.2, ..LevelConfig::default() };
        let mut level = Level::new(&config, 100.0);
        level.step(&config, 100.0, 0.81, 1e9);
        assert!((level.volatility() - 1.2 * 0.9).abs() < 1e-12);
    }

    #[test]
    fn smile_moves_with_the_price_and_keeps_its_skew() {
        let config = LevelConfig::default();
        let level = Level::new(&config, 100.0);
        let years = 7.0 / 365.0;
        assert!((level.at(&config, 0.0, years) - 0.45).abs() < 1e-12);
        assert!(level.at(&config, -0.1, years) > level.at(&config, 0.1, years));
        assert_eq!(level.at(&config, 0.1, 0.0).to_bits(), 0.0_f64.to_bits());
    }
}
