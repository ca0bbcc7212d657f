//! Square-root stochastic variance with Poisson jumps.

use serde::{Deserialize, Serialize};

use super::clock::{Clock, SECONDS_PER_DAY, SECONDS_PER_YEAR};
use super::draw::gamma;
use super::hawkes::{JumpLaw, Jumps, JumpsConfig};
use super::process::{Move, Noise};
use crate::error::Problems;
use crate::rng::{Counter, normal_quantile};

/// `dv = κ (θ − v) dt + ξ √v dW'`, `dlog S = √v dW + jumps`, `corr(dW, dW') = ρ`.
///
/// Given by what a reader can picture: the long-run volatility, how fast variance reverts, and how much it varies. The
/// jumps have the sizes of [`JumpsConfig`] but do not trigger each other.
///
/// # Reference
/// Bates 1996; full truncation for negative variance, Lord, Koekkoek & van Dijk 2010. Volatility and jump rate: BTC
/// perpetual 2023–24 (49 % a year, 0.37 jumps a day). Reversion and variation are plausible values, not a fit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HestonConfig {
    /// Annualised standard deviation of log returns in the long run, jumps included; > 0.
    pub volatility: f64,
    /// Time in which a deviation of the variance halves, in hours; > 0.
    pub half_life_hours: f64,
    /// Stationary standard deviation of the variance over its mean, in [0, 1]: up to 1, variance never sticks at zero.
    pub variation: f64,
    /// Correlation of variance with price, in [-1, 1].
    pub correlation: f64,
    /// Jumps per day; ≥ 0.
    pub jumps_per_day: f64,
}

impl Default for HestonConfig {
    fn default() -> Self {
        Self { volatility: 0.49, half_life_hours: 24.0, variation: 0.8, correlation: -0.1, jumps_per_day: 0.37 }
    }
}

impl HestonConfig {
    /// Records every violated bound under `path`.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        problems.range(format!("{path}.volatility"), self.volatility, 1e-6, 5.0);
        problems.range(format!("{path}.half_life_hours"), self.half_life_hours, 1e-3, 1e6);
        problems.range(format!("{path}.variation"), self.variation, 0.0, 1.0);
        problems.range(format!("{path}.correlation"), self.correlation, -1.0, 1.0);
        problems.range(format!("{path}.jumps_per_day"), self.jumps_per_day, 0.0, 1_000.0);
    }
}

const SLOT_JUMP: u64 = 2;
const SLOT_START: u64 = 3;
const SLOT_VARIANCE: u64 = 1;

/// The process, ready to run; variance is per tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct HestonLaw {
    reversion: f64,
    long_run: f64,
    /// Volatility of variance per root tick.
    of_variance: f64,
    correlation: f64,
    rest: f64,
    /// Shape of the stationary gamma law; infinite without variation.
    shape: f64,
    base: f64,
    daily: f64,
    jumps: JumpLaw,
}

impl HestonLaw {
    pub(super) fn new(config: &HestonConfig, jumps: &JumpsConfig, clock: Clock) -> Self {
        let jumps = JumpsConfig { branching: 0.0, ..*jumps };
        let diffusion = 1.0 - jumps.variance_share(config.jumps_per_day);
        let long_run = config.volatility * config.volatility * diffusion * clock.tick_seconds / SECONDS_PER_YEAR;
        let reversion = 1.0 - clock.decay(config.half_life_hours * 3_600.0);
        // The Euler scheme's stationary variance is ξ² θ / (κ (2 - κ)), with κ and ξ per tick.
        let of_variance = config.variation * (long_run * reversion * (2.0 - reversion)).sqrt();
        Self {
            reversion,
            long_run,
            of_variance,
            correlation: config.correlation,
            rest: (1.0 - config.correlation * config.correlation).sqrt(),
            shape: 1.0 / (config.variation * config.variation),
            base: config.jumps_per_day * clock.tick_seconds / SECONDS_PER_DAY,
            daily: config.volatility / 365_f64.sqrt(),
            jumps: JumpLaw::new(jumps, clock),
        }
    }
}

/// State of the process.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Heston {
    variance: f64,
    jumps: Jumps,
}

impl Heston {
    /// A start drawn from the stationary law of the variance.
    pub(super) fn new(law: &HestonLaw, counter: Counter) -> Self {
        let ratio = if law.shape.is_finite() { gamma(counter, 0, SLOT_START, law.shape) / law.shape } else { 1.0 };
        Self { variance: law.long_run * ratio, jumps: Jumps::default() }
    }

    /// Standard deviation per tick, before scripted multipliers.
    pub(super) fn sigma(&self) -> f64 {
        self.variance.max(0.0).sqrt()
    }

    #[inline]
    pub(super) fn advance(&mut self, law: &HestonLaw, counter: Counter, tick: u64, noise: Noise) -> Move {
        let root = self.sigma();
        let shock =
            law.correlation * noise.normal + law.rest * normal_quantile(counter.uniform2(tick, SLOT_VARIANCE)[0]);
        self.variance += law.reversion * (law.long_run - root * root) + law.of_variance * root * shock;
        let sigma = root * noise.volatility;
        let (jumps, expected) = self.jumps.advance(&law.jumps, law.base * noise.own_jumps, noise.event);
        let mut log = sigma * noise.normal - expected * law.jumps.mean * law.daily;
        if jumps {
            log += law.jumps.size(counter.uniform2(tick, SLOT_JUMP)) * law.daily;
        }
        Move { log, sigma, jumped: jumps }
    }
}
