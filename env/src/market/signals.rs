//! Moving averages of the home price and of flow: what traders, makers and the controller look at.

use serde::{Deserialize, Serialize};

/// Exponential moving averages, updated every tick.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Signals {
    /// Mid of the last tick, in dollars.
    pub mid: f64,
    /// Variance of returns per second, half-life 1 minute.
    pub variance_fast: f64,
    /// Variance of returns per second, half-life 10 minutes.
    pub variance_medium: f64,
    /// Variance of returns per second, half-life 1 hour.
    pub variance_slow: f64,
    /// Moving average of mid, half-life 2 minutes, in dollars.
    pub average_fast: f64,
    /// Moving average of mid, half-life 30 minutes, in dollars.
    pub average_slow: f64,
    /// Signed volume, half-life 2 minutes, in dollars.
    pub flow_net: f64,
    /// Volume, half-life 2 minutes, in dollars.
    pub flow_gross: f64,
    /// Home premium over outside, half-life 5 minutes.
    pub premium: f64,
    /// Variance of the return over the last minute's ticks that came in jumps: largest |return|, half-life 1 minute.
    pub jump: f64,
    seconds: f64,
    decay_1m: f64,
    decay_2m: f64,
    decay_5m: f64,
    decay_10m: f64,
    decay_30m: f64,
    decay_1h: f64,
}

impl Signals {
    /// Averages at rest at `mid`, with long-run volatility `sigma` per root second.
    #[must_use]
    pub fn new(mid: f64, sigma: f64, seconds: f64) -> Self {
        let decay = |half_life: f64| libm::exp2(-seconds / half_life);
        let variance = sigma * sigma;
        Self {
            mid,
            variance_fast: variance,
            variance_medium: variance,
            variance_slow: variance,
            average_fast: mid,
            average_slow: mid,
            flow_net: 0.0,
            flow_gross: 0.0,
            premium: 0.0,
            jump: 0.0,
            seconds,
            decay_1m: decay(60.0),
            decay_2m: decay(120.0),
            decay_5m: decay(300.0),
            decay_10m: decay(600.0),
            decay_30m: decay(1_800.0),
            decay_1h: decay(3_600.0),
        }
    }

    /// Takes in a tick's mid and premium.
    #[inline]
    pub fn update(&mut self, mid: f64, premium: f64) {
        let change = mid / self.mid - 1.0;
        let variance = change * change / self.seconds;
        let blend = |old: f64, new: f64, decay: f64| new + (old - new) * decay;
        self.variance_fast = blend(self.variance_fast, variance, self.decay_1m);
        self.variance_medium = blend(self.variance_medium, variance, self.decay_10m);
        self.variance_slow = blend(self.variance_slow, variance, self.decay_1h);
        self.average_fast = blend(self.average_fast, mid, self.decay_2m);
        self.average_slow = blend(self.average_slow, mid, self.decay_30m);
        self.premium = blend(self.premium, premium, self.decay_5m);
        self.jump = (self.jump * self.decay_1m).max(change.abs());
        self.flow_net *= self.decay_2m;
        self.flow_gross *= self.decay_2m;
        self.mid = mid;
    }

    /// Takes in a signed trade, in dollars.
    #[inline]
    pub fn trade(&mut self, value: f64) {
        self.flow_net += value;
        self.flow_gross += value.abs();
    }

    /// Volatility per root second over ten minutes.
    #[inline]
    #[must_use]
    pub fn sigma_medium(&self) -> f64 {
        self.variance_medium.sqrt()
    }

    /// One-minute volatility over the long-run level `sigma`.
    #[inline]
    #[must_use]
    pub fn stress_fast(&self, sigma: f64) -> f64 {
        self.variance_fast.sqrt() / sigma
    }

    /// Ten-minute volatility over the long-run level `sigma`.
    #[inline]
    #[must_use]
    pub fn stress(&self, sigma: f64) -> f64 {
        self.variance_medium.sqrt() / sigma
    }

    /// One-hour volatility over the long-run level `sigma`.
    #[inline]
    #[must_use]
    pub fn stress_slow(&self, sigma: f64) -> f64 {
        self.variance_slow.sqrt() / sigma
    }

    /// Recent signed flow over volume, in [-1, 1].
    #[inline]
    #[must_use]
    pub fn imbalance(&self) -> f64 {
        if self.flow_gross > 0.0 { self.flow_net / self.flow_gross } else { 0.0 }
    }
}
