//! GARCH(1,1) with Student-t innovations, by maximum likelihood.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::Fitted;
use super::minimise::{minimise, standard_errors};
use super::variance::realised;
use crate::statistics::real;

/// `σ²ₖ = ω + α r²ₖ₋₁ + β σ²ₖ₋₁` with innovations of unit variance, as fitted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Garch {
    /// Standard deviation of one return in the whole sample: the long-run level.
    pub deviation: f64,
    /// Constant, over the sample's variance.
    pub omega: Fitted,
    /// Weight of the last squared return.
    pub alpha: Fitted,
    /// Weight of the last variance.
    pub beta: Fitted,
    /// Degrees of freedom.
    pub degrees_of_freedom: Fitted,
    /// Log likelihood.
    pub log_likelihood: f64,
}

impl Garch {
    /// `α + β`; at one, variance has no mean.
    #[must_use]
    pub const fn persistence(&self) -> f64 {
        self.alpha.value + self.beta.value
    }
}

/// Fits runs of returns without a hole; nothing below 500 returns, or if the search fails.
///
/// The parameters are searched without bounds, as `ln ω`, the logits of `α + β` and of `α / (α + β)`, and `ln (ν - 2)`;
/// standard errors come from the Hessian there. Each run starts from the sample's variance. Nothing keeps `α + β` away from
/// one: where it gets there, as it does on crypto returns, the likelihood is flat and there is no standard error.
///
/// # Reference
/// Bollerslev 1987, "A conditionally heteroskedastic time series model for speculative prices and rates of return".
#[must_use]
pub fn fit(runs: &[&[f64]]) -> Option<Garch> {
    let n: usize = runs.iter().map(|run| run.len()).sum();
    let variance = runs.iter().map(|run| realised(run)).sum::<f64>() / real(n.max(1));
    if n < 500 || variance <= 0.0 {
        return None;
    }
    // In units of the sample's deviation, so that ω is of order 1 - α - β.
    let scale = 1.0 / variance.sqrt();
    let scaled: Vec<Vec<f64>> = runs.iter().map(|run| run.iter().map(|r| r * scale).collect()).collect();
    let cost = |point: &[f64]| -> f64 { scaled.iter().map(|run| negative_log_likelihood(run, natural(point))).sum() };
    let start = [-4.0, 3.9, -2.4, 1.1];
    let best = minimise(&start, 0.5, &cost)?;
    let errors = standard_errors(&best, &cost, &|point| natural(point).to_vec());
    let [omega, alpha, beta, degrees] = natural(&best);
    let fitted = |value, index: usize| Fitted { value, standard_error: errors.as_ref().map(|e| e[index]), n };
    Some(Garch {
        deviation: variance.sqrt(),
        omega: fitted(omega, 0),
        alpha: fitted(alpha, 1),
        beta: fitted(beta, 2),
        degrees_of_freedom: fitted(degrees, 3),
        log_likelihood: -cost(&best) + real(n) * libm::log(scale),
    })
}

/// From the coordinates of the search to `ω, α, β, ν`.
fn natural(point: &[f64]) -> [f64; 4] {
    let logistic = |x: f64| 1.0 / (1.0 + libm::exp(-x));
    let (persistence, share) = (logistic(point[1]), logistic(point[2]));
    [libm::exp(point[0]), persistence * share, persistence * (1.0 - share), 2.0 + libm::exp(point[3])]
}

fn negative_log_likelihood(returns: &[f64], [omega, alpha, beta, degrees]: [f64; 4]) -> f64 {
    // Far out a Student-t is a Gaussian, and the gamma functions lose their difference.
    if degrees > 1e4 {
        return f64::INFINITY;
    }
    let constant =
        libm::lgamma(0.5 * (degrees + 1.0)) - libm::lgamma(0.5 * degrees) - 0.5 * libm::log(PI * (degrees - 2.0));
    let mut variance = 1.0;
    let mut sum = 0.0;
    for r in returns {
        let squared = r * r;
        let tail = libm::log1p(squared / (variance * (degrees - 2.0)));
        sum += 0.5 * libm::log(variance) + 0.5 * (degrees + 1.0) * tail;
        variance = omega + alpha * squared + beta * variance;
    }
    sum - real(returns.len()) * constant
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::simulated::Draws;

    /// Returns of a GARCH(1,1) whose innovations are Student-t of `degrees` whole degrees of freedom, of unit variance.
    fn simulate([omega, alpha, beta]: [f64; 3], degrees: u32, n: usize, seed: u64) -> Vec<f64> {
        let mut draws = Draws::new(seed);
        let mut variance = omega / (1.0 - alpha - beta);
        let step = |_| {
            let chi: f64 = (0..degrees).map(|_| draws.normal()).map(|z| z * z).sum();
            let t = draws.normal() / (chi / f64::from(degrees)).sqrt();
            let r = variance.sqrt() * t * (f64::from(degrees - 2) / f64::from(degrees)).sqrt();
            variance = omega + alpha * r * r + beta * variance;
            r
        };
        (0..n).map(step).collect()
    }

    #[test]
    fn parameters_of_a_simulated_garch_are_recovered() {
        for (seed, [omega, alpha, beta], degrees) in [(1, [2e-6, 0.08, 0.90], 6), (2, [1e-5, 0.15, 0.75], 5)] {
            let returns = simulate([omega, alpha, beta], degrees, 20_000, seed);
            let fit = fit(&[&returns[..12_000], &returns[12_000..]]).unwrap();
            let within =
                |fitted: Fitted, truth: f64| (fitted.value - truth).abs() < 4.0 * fitted.standard_error.unwrap();
            assert!(within(fit.alpha, alpha) && within(fit.beta, beta), "{fit:?}");
            assert!(within(fit.degrees_of_freedom, f64::from(degrees)), "{fit:?}");
            assert!(within(fit.omega, omega / fit.deviation.powi(2)), "{fit:?}");
            // Errors are of the size that the sample allows, and not infinite.
            assert!(fit.alpha.standard_error.unwrap() < 0.02 && fit.beta.standard_error.unwrap() < 0.05, "{fit:?}");
        }
    }

    #[test]
    fn too_short_a_sample_is_not_fitted() {
        assert!(fit(&[&[0.01; 100]]).is_none());
        assert!(fit(&[&[0.0; 1_000]]).is_none());
    }
}
