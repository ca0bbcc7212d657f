//! A straight line through pairs in order of time.

use serde::{Deserialize, Serialize};

use super::{Fitted, long_run};
use crate::statistics::real;

/// A fitted line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Value at zero.
    pub intercept: f64,
    /// Rise per unit, with a Newey–West standard error.
    pub slope: Fitted,
    /// Share of variance that the line explains.
    pub explained: f64,
}

/// Least squares through runs of `(x, y)` without a hole; nothing below three pairs or if `x` does not vary.
///
/// # Reference
/// Newey & West 1987 for the standard error: errors may be dependent and of unequal variance.
#[must_use]
pub fn line(runs: &[&[(f64, f64)]]) -> Option<Line> {
    let n: usize = runs.iter().map(|run| run.len()).sum();
    if n < 3 {
        return None;
    }
    let pairs = || runs.iter().copied().flatten();
    let (mean_x, mean_y) = pairs().fold((0.0, 0.0), |(x, y), pair| (x + pair.0 / real(n), y + pair.1 / real(n)));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in pairs() {
        xx += (x - mean_x) * (x - mean_x);
        xy += (x - mean_x) * (y - mean_y);
        yy += (y - mean_y) * (y - mean_y);
    }
    if xx <= 1e-24 * real(n) * mean_x * mean_x || xx <= 0.0 {
        return None;
    }
    let slope = xy / xx;
    let intercept = mean_y - slope * mean_x;
    let scores: Vec<Vec<f64>> =
        runs.iter().map(|run| run.iter().map(|(x, y)| (x - mean_x) * (y - intercept - slope * x)).collect()).collect();
    let error = long_run::sum_error(&scores, long_run::lags(n)) / xx;
    let explained = if yy > 0.0 { slope * xy / yy } else { 0.0 };
    Some(Line { intercept, slope: Fitted::new(slope, error, n), explained })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::simulated::{autoregression as simulate, normals};

    #[test]
    fn a_slope_is_recovered_under_dependent_noise() {
        let (x, noise) = (normals(5_000, 1), simulate(0.7, 5_000, 2));
        let pairs: Vec<(f64, f64)> = x.iter().zip(&noise).map(|(x, e)| (*x, 1.0 - 0.3 * x + e)).collect();
        let line = line(&[&pairs[..2_000], &pairs[2_000..]]).unwrap();
        assert!((line.slope.value + 0.3).abs() < 4.0 * line.slope.standard_error.unwrap(), "{line:?}");
        // Variance 0.09 of the line against 1 of the noise.
        assert!((line.explained - 0.09 / 1.09).abs() < 0.03, "{line:?}");
    }

    #[test]
    fn a_constant_explains_nothing() {
        assert_eq!(line(&[&[(2.0, 1.0), (2.0, 2.0), (2.0, 3.0)]]), None);
        assert_eq!(line(&[&[(1.0, 1.0), (2.0, 2.0)]]), None);
    }
}
