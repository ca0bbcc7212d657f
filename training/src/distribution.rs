//! The exploration policy: a Gaussian squashed by `tanh`, with independent entries and one deviation per entry.
//!
//! The sample before squashing is what is stored: its density needs no inverse of `tanh`, and between two policies
//! the factor that squashing puts on the density cancels. So ratios and divergences of the squashed policies are
//! those of the Gaussians, exactly.

use core::f64::consts::{E, LN_2, PI};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use seawall_env::rng::{normal_quantile, open_unit};

/// Half the logarithm of 2π.
pub(crate) const HALF_LN_TAU: f64 = 0.918_938_533_204_672_8;

/// The Gaussian before squashing: everything about its deviations that does not depend on the sample.
#[derive(Clone, Debug)]
pub(crate) struct Gaussian {
    /// Logarithm, deviation and its reciprocal of each entry.
    entries: Vec<[f64; 3]>,
}

impl Gaussian {
    /// With these logarithms of the deviations.
    pub(crate) fn new(log_std: &[f32]) -> Self {
        let entry = |log_std: &f32| {
            let log_std = f64::from(*log_std);
            [log_std, libm::exp(log_std), libm::exp(-log_std)]
        };
        Self { entries: log_std.iter().map(entry).collect() }
    }

    /// Draws `mean + deviation · ε`, one word of the stream per entry.
    #[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
    pub(crate) fn sample(&self, mean: &[f32], rng: &mut ChaCha8Rng, output: &mut [f32]) {
        for ((output, mean), [_, std, _]) in output.iter_mut().zip(mean).zip(&self.entries) {
            let normal = normal_quantile(open_unit(rng.next_u64()));
            *output = (f64::from(*mean) + std * normal) as f32;
        }
    }

    /// Logarithm of the density at `sample`.
    pub(crate) fn log_density(&self, sample: &[f32], mean: &[f32]) -> f64 {
        let terms = sample.iter().zip(mean).zip(&self.entries).map(|((sample, mean), [log_std, _, inverse])| {
            let z = (f64::from(*sample) - f64::from(*mean)) * inverse;
            -0.5 * z * z - log_std - HALF_LN_TAU
        });
        terms.sum()
    }
}

/// `Σ ln(1 − tanh²(u))`: how much squashing shrinks volume at `sample`.
///
/// Written as `2 (ln 2 − |u| − ln(1 + e^(−2|u|)))`, which neither overflows nor takes the logarithm of a rounded zero.
pub(crate) fn log_jacobian(sample: &[f32]) -> f64 {
    let terms = sample.iter().map(|&u| {
        let u = f64::from(u).abs();
        2.0 * (LN_2 - u - libm::log1p(libm::exp(-2.0 * u)))
    });
    terms.sum()
}

/// Entropy of the Gaussian before squashing, in nats.
pub(crate) fn gaussian_entropy(log_std: &[f32]) -> f64 {
    let per_entry = 0.5 * libm::log(2.0 * PI * E);
    log_std.iter().map(|&log_std| f64::from(log_std) + per_entry).sum()
}

#[cfg(test)]
mod tests {
    use seawall_env::{Purpose, SeedTree};

    use super::*;

    /// Integrates `f` over `[low, high]` by the midpoint rule.
    fn integral(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
        let steps = 200_000;
        let width = (high - low) / f64::from(steps);
        (0..steps).map(|i| f(low + (f64::from(i) + 0.5) * width) * width).sum()
    }

    #[expect(clippy::cast_possible_truncation, reason = "samples are single precision")]
    fn log_density(sample: f64, mean: f32, log_std: f32) -> f64 {
        let sample = [sample as f32];
        Gaussian::new(&[log_std]).log_density(&sample, &[mean]) - log_jacobian(&sample)
    }

    #[test]
    fn the_squashed_density_integrates_to_one_and_to_the_probability_of_an_interval() {
        for (mean, log_std) in [(0.0, -0.7), (0.8, -1.5), (-0.3, 0.0)] {
            let density = |a: f64| libm::exp(log_density(libm::atanh(a), mean, log_std));
            let whole = integral(-1.0, 1.0, density);
            assert!((whole - 1.0).abs() < 2e-4, "mean {mean}, log_std {log_std}: {whole}");
            // P(a < 0.25) = Φ((atanh 0.25 − mean) / std).
            let part = integral(-1.0, 0.25, density);
            let z = (libm::atanh(0.25) - f64::from(mean)) / libm::exp(f64::from(log_std));
            let expected = 0.5 * libm::erfc(-z / core::f64::consts::SQRT_2);
            assert!((part - expected).abs() < 2e-4, "mean {mean}, log_std {log_std}: {part} {expected}");
        }
    }

    #[test]
    fn entries_are_independent() {
        let (sample, mean, log_std) = ([0.3, -2.0], [0.1, 0.5], [-0.7, 0.2]);
        let density = |i: core::ops::RangeInclusive<usize>| {
            Gaussian::new(&log_std[i.clone()]).log_density(&sample[i.clone()], &mean[i])
        };
        let (joint, alone) = (density(0..=1), density(0..=0) + density(1..=1));
        assert!((joint - alone).abs() < 1e-12);
    }

    #[test]
    fn the_jacobian_is_exact_near_zero_and_finite_in_the_tail() {
        for u in [0.0_f32, 1e-4, 0.5, -2.0, 5.0] {
            let t = libm::tanh(f64::from(u));
            assert!((log_jacobian(&[u]) - libm::log(1.0 - t * t)).abs() < 1e-8, "{u}");
        }
        // 1 − tanh² is about 4·e^(−2u), whose logarithm at 50 is 2 ln 2 − 100; in single precision tanh(50) is 1.
        assert!((log_jacobian(&[50.0]) - (2.0 * LN_2 - 100.0)).abs() < 1e-9);
        assert!((log_jacobian(&[-50.0]) - log_jacobian(&[50.0])).abs() < 1e-12);
    }

    #[test]
    fn entropy_is_minus_the_expected_log_density() {
        let log_std = -0.7_f32;
        let expected = integral(-8.0, 8.0, |u| {
            #[expect(clippy::cast_possible_truncation, reason = "samples are single precision")]
            let log = Gaussian::new(&[log_std]).log_density(&[u as f32], &[0.0]);
            -libm::exp(log) * log
        });
        assert!((gaussian_entropy(&[log_std]) - expected).abs() < 1e-5);
    }

    #[test]
    fn samples_have_the_mean_and_deviation_asked_for() {
        let mut rng = SeedTree::new(1).stream(Purpose::Exploration, 0);
        let (count, gaussian) = (40_000, Gaussian::new(&[-0.7]));
        let (mut sum, mut square) = (0.0, 0.0);
        for _ in 0..count {
            let mut u = [0.0];
            gaussian.sample(&[0.4], &mut rng, &mut u);
            sum += f64::from(u[0]);
            square += f64::from(u[0]) * f64::from(u[0]);
        }
        let mean = sum / f64::from(count);
        let deviation = (square / f64::from(count) - mean * mean).sqrt();
        // Five standard errors of each: 0.5/200 and 0.5/283.
        assert!((mean - 0.4).abs() < 0.0125, "{mean}");
        assert!((deviation - libm::exp(-0.7)).abs() < 0.009, "{deviation}");
    }
}
