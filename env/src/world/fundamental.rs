//! The default price process: volatility by regime, log-volatility that remembers, and jumps that trigger jumps.

use serde::{Deserialize, Serialize};

use super::clock::{Clock, SECONDS_PER_DAY, decay};
use super::hawkes::{JumpLaw, Jumps, JumpsConfig};
use super::process::{Move, Noise};
use super::regime::{Regime, RegimesConfig};
use crate::error::Problems;
use crate::rng::{Counter, normal_quantile};

/// Most volatility factors: one block of random bits serves them all.
pub const FACTORS_MAX: usize = 4;

/// One mean-reverting component of log-volatility.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolatilityFactor {
    /// Time in which a deviation halves, in seconds; > 0.
    pub half_life_seconds: f64,
    /// Stationary standard deviation of log-volatility; ≥ 0.
    pub deviation: f64,
}

/// How volatility clusters within a regime: `σ = σ_regime · exp(Σ factors − Σ deviations²)`, so that the mean of `σ²`
/// is the regime's.
///
/// Several exponential memories add up to the slow, power-law decay of real absolute returns; one cannot.
///
/// # Reference
/// Superposed Ornstein–Uhlenbeck volatility: Barndorff-Nielsen & Shephard 2001, §3; the log-normal form is the usual
/// multi-scale stochastic volatility (Fouque et al. 2011). The default was chosen, together with regimes and jumps, to come
/// near 5-minute returns of BTC perpetuals. Autocorrelation of `|r|` at lags 1, 10, 100 and 1000: measured 0.35,
/// 0.20–0.24, 0.08–0.10 and 0.03–0.04; here 0.27–0.33, 0.18–0.21, 0.10–0.15 and 0.00–0.02. Hill index of the top 1 % and 5 %:
/// measured 2.8–3.2 and 2.5–2.7; here 2.8–3.1 and 2.4–2.6. The test `stylised_facts` prints it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClusteringConfig {
    /// Time between two moves of volatility, in seconds; > 0. A longer tick moves it every tick.
    pub step_seconds: f64,
    /// The components, at most four.
    pub factors: Vec<VolatilityFactor>,
}

impl Default for ClusteringConfig {
    fn default() -> Self {
        let factor = |half_life_seconds, deviation| VolatilityFactor { half_life_seconds, deviation };
        Self { step_seconds: 10.0, factors: vec![factor(240.0, 0.40), factor(3_600.0, 0.35), factor(43_200.0, 0.20)] }
    }
}

impl ClusteringConfig {
    /// Records every violated bound under `path`.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        problems.range(format!("{path}.step_seconds"), self.step_seconds, 1e-3, 1e6);
        problems.require(
            self.factors.len() <= FACTORS_MAX,
            format!("{path}.factors"),
            self.factors.len(),
            "at most 4 long",
        );
        for (i, factor) in self.factors.iter().enumerate() {
            problems.range(format!("{path}.factors[{i}].half_life_seconds"), factor.half_life_seconds, 1e-3, 1e9);
            problems.range(format!("{path}.factors[{i}].deviation"), factor.deviation, 0.0, 2.0);
        }
    }
}

/// Draws of a tick beyond its shared noise.
const SLOT_FACTORS: u64 = 1;
const SLOT_JUMP: u64 = 2;

/// The process, ready to run.
#[derive(Clone, Copy, Debug)]
pub(super) struct FundamentalLaw {
    step_ticks: u64,
    factors: usize,
    memory: [f64; FACTORS_MAX],
    innovation: [f64; FACTORS_MAX],
    deviation: [f64; FACTORS_MAX],
    /// Sum of squared deviations: makes the mean of `exp(2 Σ factors)` one.
    centre: f64,
    /// Standard deviation of the diffusion per tick, by regime.
    sigma: [f64; 3],
    /// Standard deviation of a day, by regime: the unit of jumps.
    daily: [f64; 3],
    /// Untriggered jumps per tick, by regime.
    base: [f64; 3],
    jumps: JumpLaw,
}

impl FundamentalLaw {
    pub(super) fn new(
        regimes: &RegimesConfig,
        clustering: &ClusteringConfig,
        jumps: &JumpsConfig,
        clock: Clock,
    ) -> Self {
        let step_ticks = clock.ticks_in(clustering.step_seconds).max(1);
        #[expect(clippy::cast_precision_loss, reason = "a step has few ticks")]
        let step_seconds = step_ticks as f64 * clock.tick_seconds;
        let mut law = Self {
            step_ticks,
            factors: clustering.factors.len(),
            memory: [0.0; FACTORS_MAX],
            innovation: [0.0; FACTORS_MAX],
            deviation: [0.0; FACTORS_MAX],
            centre: clustering.factors.iter().map(|f| f.deviation * f.deviation).sum(),
            sigma: regimes.all().map(|r| {
                let diffusion = 1.0 - jumps.variance_share(r.jumps_per_day);
                r.volatility * (diffusion / clock.ticks_per_year()).sqrt()
            }),
            daily: regimes.all().map(|r| r.volatility / 365_f64.sqrt()),
            base: regimes.all().map(|r| r.jumps_per_day * clock.tick_seconds / SECONDS_PER_DAY),
            jumps: JumpLaw::new(*jumps, clock),
        };
        for (i, factor) in clustering.factors.iter().enumerate() {
            let memory = decay(step_seconds, factor.half_life_seconds);
            law.memory[i] = memory;
            law.innovation[i] = factor.deviation * (1.0 - memory * memory).sqrt();
            law.deviation[i] = factor.deviation;
        }
        law
    }
}

/// State of the process.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Fundamental {
    factors: [f64; FACTORS_MAX],
    /// Ratio of volatility to that of the regime.
    modulation: f64,
    next_step: u64,
    jumps: Jumps,
}

impl Fundamental {
    /// A start drawn from the stationary law of the factors.
    pub(super) fn new(law: &FundamentalLaw, counter: Counter) -> Self {
        let normals = counter.uniform4(0, SLOT_FACTORS).map(normal_quantile);
        let factors = std::array::from_fn(|i| law.deviation[i] * normals[i]);
        let mut state = Self { factors, modulation: 1.0, next_step: law.step_ticks, jumps: Jumps::default() };
        state.modulate(law);
        state
    }

    fn modulate(&mut self, law: &FundamentalLaw) {
        self.modulation = libm::exp(self.factors.iter().sum::<f64>() - law.centre);
    }

    /// Standard deviation per tick, before scripted multipliers.
    pub(super) fn sigma(&self, law: &FundamentalLaw, regime: Regime) -> f64 {
        law.sigma[regime.index()] * self.modulation
    }

    #[inline]
    pub(super) fn advance(&mut self, law: &FundamentalLaw, counter: Counter, tick: u64, noise: Noise) -> Move {
        if tick >= self.next_step {
            self.next_step += law.step_ticks;
            let uniforms = counter.uniform4(tick, SLOT_FACTORS);
            for (i, u) in uniforms.into_iter().enumerate().take(law.factors) {
                self.factors[i] = law.memory[i] * self.factors[i] + law.innovation[i] * normal_quantile(u);
            }
            self.modulate(law);
        }
        let index = noise.regime.index();
        let sigma = law.sigma[index] * self.modulation * noise.volatility;
        let (jumps, expected) = self.jumps.advance(&law.jumps, law.base[index] * noise.own_jumps, noise.event);
        // Compensated, so that the direction of jumps on average is not a drift that a policy could learn.
        let mut log = sigma * noise.normal - expected * law.jumps.mean * law.daily[index];
        if jumps {
            log += law.jumps.size(counter.uniform2(tick, SLOT_JUMP)) * law.daily[index];
        }
        Move { log, sigma, jumped: jumps }
    }
}
