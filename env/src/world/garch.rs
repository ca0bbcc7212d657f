//! GARCH(1,1) with Student-t innovations, on a step of its own.

use serde::{Deserialize, Serialize};

use super::clock::{Clock, SECONDS_PER_YEAR};
use super::draw::gamma;
use super::process::{Move, Noise};
use crate::error::Problems;
use crate::rng::Counter;

/// `σ²ₖ = ω + α r²ₖ₋₁ + β σ²ₖ₋₁`, `rₖ = σₖ tₖ` with `tₖ` Student-t scaled to unit variance.
///
/// Within a step, ticks share the step's mixing variable: each is Gaussian and their sum is exactly Student-t.
///
/// # Reference
/// Bollerslev 1987. BTC perpetual, 5-minute bars of 2023–24: α 0.119, β 0.881, ν 4.8. The fit sits on the boundary
/// α + β = 1, where no variance exists; β is lowered by 0.005 so that one does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GarchConfig {
    /// Annualised standard deviation of log returns in the long run; > 0.
    pub volatility: f64,
    /// Length of a step, in seconds; at least one tick.
    pub step_seconds: f64,
    /// Weight of the last squared return, α ≥ 0.
    pub alpha: f64,
    /// Weight of the last variance, β ≥ 0; α + β < 1.
    pub beta: f64,
    /// Degrees of freedom of the innovations; > 2.
    pub degrees_of_freedom: f64,
}

impl Default for GarchConfig {
    fn default() -> Self {
        Self { volatility: 0.49, step_seconds: 300.0, alpha: 0.119, beta: 0.876, degrees_of_freedom: 4.8 }
    }
}

impl GarchConfig {
    /// Records every violated bound under `path`.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        problems.range(format!("{path}.volatility"), self.volatility, 1e-6, 5.0);
        problems.range(format!("{path}.step_seconds"), self.step_seconds, 1e-3, 1e6);
        problems.range(format!("{path}.alpha"), self.alpha, 0.0, 1.0);
        problems.range(format!("{path}.beta"), self.beta, 0.0, 1.0);
        let persistence = self.alpha + self.beta;
        problems.require(
            persistence < 1.0,
            format!("{path}.beta"),
            self.beta,
            "below 1 - alpha, or variance has no mean",
        );
        problems.range(format!("{path}.degrees_of_freedom"), self.degrees_of_freedom, 2.01, 1_000.0);
    }
}

/// First of the slots for a step's mixing variable.
const SLOT_MIXING: u64 = 3;

/// The process, ready to run; variances are per step.
#[derive(Clone, Copy, Debug)]
pub(super) struct GarchLaw {
    step_ticks: u64,
    omega: f64,
    alpha: f64,
    beta: f64,
    long_run: f64,
    half_degrees: f64,
    /// Turns a gamma draw into the variance of one tick relative to the step's.
    mixing: f64,
}

impl GarchLaw {
    #[expect(clippy::cast_precision_loss, reason = "a step has far fewer than 2^52 ticks")]
    pub(super) fn new(config: &GarchConfig, clock: Clock) -> Self {
        let step_ticks = clock.ticks_in(config.step_seconds).max(1);
        let step_seconds = step_ticks as f64 * clock.tick_seconds;
        let long_run = config.volatility * config.volatility * step_seconds / SECONDS_PER_YEAR;
        Self {
            step_ticks,
            omega: long_run * (1.0 - config.alpha - config.beta),
            alpha: config.alpha,
            beta: config.beta,
            long_run,
            half_degrees: 0.5 * config.degrees_of_freedom,
            // A Student-t is a normal over the root of chi² / ν, here divided by its variance ν / (ν - 2).
            mixing: 0.5 * (config.degrees_of_freedom - 2.0) / step_ticks as f64,
        }
    }
}

/// State of the process.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Garch {
    variance: f64,
    step_return: f64,
    sigma: f64,
    last_of_step: u64,
}

impl Garch {
    pub(super) fn new(law: &GarchLaw, counter: Counter) -> Self {
        let mut state = Self { variance: law.long_run, step_return: 0.0, sigma: 0.0, last_of_step: law.step_ticks };
        state.mix(law, counter, 0);
        state
    }

    fn mix(&mut self, law: &GarchLaw, counter: Counter, tick: u64) {
        self.sigma = (self.variance * law.mixing / gamma(counter, tick, SLOT_MIXING, law.half_degrees)).sqrt();
    }

    /// Standard deviation per tick, before scripted multipliers.
    pub(super) const fn sigma(&self) -> f64 {
        self.sigma
    }

    #[inline]
    pub(super) fn advance(&mut self, law: &GarchLaw, counter: Counter, tick: u64, noise: Noise) -> Move {
        if tick > self.last_of_step {
            self.last_of_step += law.step_ticks;
            self.variance = law.omega + law.alpha * self.step_return * self.step_return + law.beta * self.variance;
            self.step_return = 0.0;
            self.mix(law, counter, tick);
        }
        // The scripted multiplier stays outside of the recursion: otherwise it would feed on itself.
        self.step_return += self.sigma * noise.normal;
        let sigma = self.sigma * noise.volatility;
        Move { log: sigma * noise.normal, sigma, jumped: false }
    }
}
