//! Liquidity: how depth grows with distance, leaves with volatility and comes back.

use serde::{Deserialize, Serialize};

use super::autoregression;
use super::regression::{Line, line};
use super::{Fitted, long_run};

/// Exponent of cumulative depth in width: the mean over snapshots of each one's slope in logarithms, with a Newey–West
/// error; nothing with fewer than two widths or ten usable snapshots. Snapshots with an empty width are left out.
///
/// # Panics
/// If a snapshot has another number of depths than there are widths.
#[must_use]
pub fn profile_exponent(widths: &[f64], snapshots: &[Vec<f64>]) -> Option<Fitted> {
    if widths.len() < 2 {
        return None;
    }
    let slopes: Vec<f64> = snapshots
        .iter()
        .filter(|depths| depths.iter().all(|depth| *depth > 0.0))
        .map(|depths| {
            assert_eq!(depths.len(), widths.len(), "one depth for each width");
            let points: Vec<(f64, f64)> =
                widths.iter().zip(depths).map(|(width, depth)| (libm::log(*width), libm::log(*depth))).collect();
            slope(&points)
        })
        .collect();
    if slopes.len() < 10 { None } else { long_run::mean(&[&slopes], 2 * long_run::lags(slopes.len())) }
}

/// Least-squares slope through a few points.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = crate::statistics::real(points.len());
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / n, y + point.1 / n));
    let over: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    over / points.iter().map(|point| (point.0 - x) * (point.0 - x)).sum::<f64>()
}

/// How depth answers to volatility.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// Decay of depth per unit of volatility over its long-run level, less one: `D = D₀ exp(-a (σ/σ̄ - 1)⁺)`.
    pub aversion: Fitted,
    /// Share of the variance of log depth that this explains.
    pub explained: f64,
    /// Snapshots in which a deviation of log depth halves: how slowly it leaves and returns.
    pub half_life: Option<Fitted>,
}

/// One snapshot of depth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Snapshot {
    /// Logarithm of depth over its usual level.
    pub log_depth: f64,
    /// Volatility over its long-run level.
    pub stress: f64,
}

/// Fits runs of snapshots without a hole; nothing with too few of them.
///
/// A snapshot every few hours does not see the trough inside a cascade: the decay is a lower bound.
#[must_use]
pub fn withdrawal(runs: &[Vec<Snapshot>]) -> Option<Withdrawal> {
    let pairs: Vec<Vec<(f64, f64)>> =
        runs.iter().map(|run| run.iter().map(|s| ((s.stress - 1.0).max(0.0), s.log_depth)).collect()).collect();
    let Line { slope, explained, .. } = line(&pairs.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
    let depths: Vec<Vec<f64>> = runs.iter().map(|run| run.iter().map(|s| s.log_depth).collect()).collect();
    let memory = autoregression::fit(&depths.iter().map(Vec::as_slice).collect::<Vec<_>>());
    Some(Withdrawal { aversion: slope.scaled(-1.0), explained, half_life: memory.and_then(|fit| fit.half_life) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::simulated::{autoregression as simulate, normals};

    #[test]
    fn the_exponent_of_a_noisy_profile_is_recovered() {
        let widths = [1.0, 2.0, 5.0, 10.0, 25.0];
        let noise = normals(3_000, 1);
        let snapshots: Vec<Vec<f64>> = (0..600)
            .map(|t| (0..5).map(|i| 4.0 * libm::pow(widths[i], 0.67) * libm::exp(0.2 * noise[5 * t + i])).collect())
            .collect();
        let fitted = profile_exponent(&widths, &snapshots).unwrap();
        assert!((fitted.value - 0.67).abs() < 4.0 * fitted.standard_error.unwrap(), "{fitted:?}");
        assert!(fitted.standard_error.unwrap() < 0.01, "{fitted:?}");
        assert_eq!(profile_exponent(&widths, &snapshots[..5]), None);
    }

    #[test]
    fn withdrawal_and_return_are_recovered() {
        let (stress, noise) = (simulate(0.5, 4_000, 2), simulate(0.8, 4_000, 3));
        let run: Vec<Snapshot> = stress
            .iter()
            .zip(&noise)
            .map(|(s, e)| {
                let stress = libm::exp(0.5 * s);
                Snapshot { log_depth: -0.45 * (stress - 1.0).max(0.0) + 0.2 * e, stress }
            })
            .collect();
        let fit = withdrawal(&[run]).unwrap();
        assert!((fit.aversion.value - 0.45).abs() < 4.0 * fit.aversion.standard_error.unwrap(), "{fit:?}");
        // The noise halves in 3.1 snapshots, the stress in one: something between.
        assert!((1.0..3.5).contains(&fit.half_life.unwrap().value), "{fit:?}");
    }
}
