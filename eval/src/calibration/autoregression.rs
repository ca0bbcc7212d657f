//! Mean reversion of one series: first-order autoregression, and the half-life that follows.

use std::f64::consts::LN_2;

use serde::{Deserialize, Serialize};

use super::{Fitted, long_run};
use crate::statistics::real;

/// A fitted first-order autoregression.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Autoregression {
    /// Long-run mean.
    pub mean: Fitted,
    /// Stationary standard deviation.
    pub deviation: Fitted,
    /// Correlation of neighbours.
    pub memory: Fitted,
    /// Steps in which a deviation halves; nothing unless the memory lies between zero and one.
    pub half_life: Option<Fitted>,
}

/// Fits `xₖ₊₁ - m = φ (xₖ - m) + noise` by least squares over neighbours within runs; nothing below ten of them, or
/// if the series does not vary.
///
/// The mean has a Newey–West error, `φ` the asymptotic `√((1 - φ²)/n)`, the half-life `-ln 2 / ln φ` follows by the
/// delta method, the deviation's error is that of a Gaussian autoregression, `s √((1 + φ²) / (2 n (1 - φ²)))`.
///
/// # Reference
/// Hamilton 1994, "Time series analysis", §8.2. Least squares is biased towards zero by about `(1 + 3φ)/n`.
#[must_use]
pub fn fit(runs: &[&[f64]]) -> Option<Autoregression> {
    let n: usize = runs.iter().map(|run| run.len().saturating_sub(1)).sum();
    if n < 10 {
        return None;
    }
    let total: usize = runs.iter().map(|run| run.len()).sum();
    let mean = long_run::mean(runs, long_run::lags(total).max(total / 100))?;
    let centre = mean.value;
    let (mut squares, mut products) = (0.0, 0.0);
    for pair in runs.iter().flat_map(|run| run.windows(2)) {
        squares += (pair[0] - centre) * (pair[0] - centre);
        products += (pair[0] - centre) * (pair[1] - centre);
    }
    let variance = runs.iter().copied().flatten().map(|x| (x - centre) * (x - centre)).sum::<f64>() / real(total - 1);
    if squares <= 0.0 || variance <= 0.0 {
        return None;
    }
    let phi = products / squares;
    let left = (1.0 - phi * phi).max(1.0 / real(n));
    let memory = Fitted::new(phi, (left / real(n)).sqrt(), n);
    let deviation = variance.sqrt();
    let half_life = (phi > 0.0 && phi < 1.0).then(|| {
        let log = libm::log(phi);
        memory.through(-LN_2 / log, LN_2 / (phi * log * log))
    });
    let spread = ((1.0 + phi * phi) / (2.0 * real(n) * left)).sqrt();
    Some(Autoregression { mean, deviation: Fitted::new(deviation, deviation * spread, total), memory, half_life })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::simulated::autoregression as simulate;

    #[test]
    fn parameters_of_a_simulated_autoregression_are_recovered() {
        for (phi, seed) in [(0.6, 1), (0.95, 2), (0.99, 3)] {
            let path: Vec<f64> = simulate(phi, 20_000, seed).iter().map(|x| 3.0 + 2.0 * x).collect();
            let fit = fit(&[&path[..9_000], &path[9_000..]]).unwrap();
            let within =
                |fitted: Fitted, truth: f64| (fitted.value - truth).abs() < 4.0 * fitted.standard_error.unwrap();
            assert!(within(fit.memory, phi), "{phi}: {fit:?}");
            assert!(within(fit.mean, 3.0), "{phi}: {fit:?}");
            assert!(within(fit.deviation, 2.0), "{phi}: {fit:?}");
            assert!(within(fit.half_life.unwrap(), -LN_2 / libm::log(phi)), "{phi}: {fit:?}");
        }
    }

    #[test]
    fn neighbours_across_a_hole_are_no_neighbours() {
        // Within runs the series alternates; across the hole it would not.
        let run = [1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0];
        let fit = fit(&[&run, &run]).unwrap();
        assert!((fit.memory.value + 1.0).abs() < 1e-9 && fit.half_life.is_none(), "{fit:?}");
        assert_eq!(super::fit(&[&run]), None, "seven neighbours are too few");
    }
}
