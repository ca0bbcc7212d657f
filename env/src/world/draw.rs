//! From uniforms to the laws that a world draws from at reset or at rare events.

use serde::{Deserialize, Serialize};

use crate::rng::{Counter, normal_quantile};

/// Four uniforms that are asked for again and again, so that one block of random bits serves several ticks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Quad {
    index: u64,
    uniforms: [f64; 4],
}

impl Quad {
    /// Nothing drawn yet.
    pub(super) const EMPTY: Self = Self { index: u64::MAX, uniforms: [0.0; 4] };

    /// The uniforms at (`index`, `slot`), of which this quad always sees the same slot.
    #[inline]
    pub(super) fn at(&mut self, counter: Counter, index: u64, slot: u64) -> &[f64; 4] {
        if index != self.index {
            self.index = index;
            self.uniforms = counter.uniform4(index, slot);
        }
        &self.uniforms
    }
}

/// A point of `[low, high]`; equal bounds give exactly that number.
pub(crate) fn between(u: f64, [low, high]: [f64; 2]) -> f64 {
    low + u * (high - low)
}

/// A tick of `[low, high]`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an episode has far fewer than 2^52 ticks"
)]
pub(crate) fn between_ticks(u: f64, [low, high]: [u64; 2]) -> u64 {
    low + libm::round(u * (high - low) as f64) as u64
}

/// A point of `[low, high]`, equal ratios equally likely.
pub(super) fn between_log(u: f64, [low, high]: [f64; 2]) -> f64 {
    low * libm::exp(u * libm::log(high / low))
}

/// An exponential waiting time.
pub(super) fn exponential(u: f64, mean: f64) -> f64 {
    -mean * libm::log(u)
}

/// A gamma variable of unit scale, from the slots `slot..` of a tick.
///
/// # Reference
/// Marsaglia & Tsang 2000, "A simple method for generating gamma variables"; shapes below one are boosted by
/// `u^(1/shape)`, their §6.
pub(super) fn gamma(counter: Counter, tick: u64, slot: u64, shape: f64) -> f64 {
    let boosted = if shape < 1.0 { shape + 1.0 } else { shape };
    let d = boosted - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    let mut attempt = slot;
    let (cube, boost) = loop {
        let [x, u, boost, _] = counter.uniform4(tick, attempt);
        let x = normal_quantile(x);
        let v = 1.0 + c * x;
        let cube = v * v * v;
        if v > 0.0 && libm::log(u) < 0.5 * x * x + d - d * cube + d * libm::log(cube) {
            break (cube, boost);
        }
        attempt += 1;
    };
    let scale = if shape < 1.0 { libm::pow(boost, 1.0 / shape) } else { 1.0 };
    d * cube * scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gamma_has_the_mean_and_variance_of_its_shape() {
        let counter = Counter::new(3);
        for shape in [0.4, 1.0, 2.4, 30.0] {
            let n = 40_000;
            let (mut sum, mut squares) = (0.0, 0.0);
            for tick in 0..n {
                let g = gamma(counter, tick, 0, shape);
                sum += g;
                squares += g * g;
            }
            let mean = sum / 40_000.0;
            let variance = squares / 40_000.0 - mean * mean;
            // Mean and variance both equal the shape; five standard errors of each.
            assert!((mean - shape).abs() < 5.0 * (shape / 40_000.0).sqrt(), "{shape}: mean {mean}");
            let error = ((2.0 * shape * shape + 6.0 * shape) / 40_000.0).sqrt();
            assert!((variance - shape).abs() < 5.0 * error, "{shape}: variance {variance}");
        }
    }
}
