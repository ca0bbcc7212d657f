//! Bias-corrected and accelerated bootstrap interval of a mean.

use std::f64::consts::FRAC_1_SQRT_2;

use seawall_env::rng::normal_quantile;

use crate::statistics::interval::between;
use crate::statistics::{mean, real};

/// Bias-corrected and accelerated interval, or nothing where it is undefined.
///
/// `jackknife` holds, for each stratum, the estimate without each of its observations in turn. The interval is
/// undefined if the whole distribution lies on one side of the point, or the jackknife does not vary, or the
/// acceleration sends an end to infinity.
///
/// # Panics
/// If `confidence` is not in `(0, 1)` or a value is not finite.
///
/// # Reference
/// Efron & Tibshirani 1993, "An introduction to the bootstrap", §14.3; strata as in eq. 15.36. Ties with the point
/// count half, as in `scipy.stats.bootstrap`.
#[must_use]
pub fn bca(point: f64, distribution: &[f64], jackknife: &[Vec<f64>], confidence: f64) -> Option<(f64, f64)> {
    assert!(confidence > 0.0 && confidence < 1.0, "confidence {confidence} is not in (0, 1)");
    if distribution.is_empty() {
        return None;
    }
    let halves: usize =
        distribution.iter().map(|value| usize::from(*value < point) + usize::from(*value <= point)).sum();
    let below = real(halves) / (2.0 * real(distribution.len()));
    if below <= 0.0 || below >= 1.0 {
        return None;
    }
    let (bias, acceleration) = (normal_quantile(below), acceleration(jackknife)?);
    let level = |z: f64| {
        let shifted = bias + z;
        let bend = 1.0 - acceleration * shifted;
        (bend > 0.0).then(|| normal_cumulative(bias + shifted / bend))
    };
    let z = normal_quantile(0.5 * (1.0 - confidence));
    between(distribution, level(z)?, level(-z)?)
}

/// A sixth of the skewness of the estimate's influence, by strata.
fn acceleration(jackknife: &[Vec<f64>]) -> Option<f64> {
    let (mut cubes, mut squares) = (0.0, 0.0);
    for stratum in jackknife.iter().filter(|stratum| !stratum.is_empty()) {
        let (centre, n) = (mean(stratum), real(stratum.len()));
        for value in stratum {
            let influence = (n - 1.0) * (centre - value) / n;
            cubes += influence * influence * influence;
            squares += influence * influence;
        }
    }
    (squares > 0.0).then(|| cubes / (6.0 * squares * squares.sqrt()))
}

/// Standard normal distribution function.
fn normal_cumulative(z: f64) -> f64 {
    0.5 * libm::erfc(-z * FRAC_1_SQRT_2)
}

/// Mean of `values` without each of its observations in turn; leaving out an undefined one changes nothing.
///
/// # Panics
/// If fewer than two values are defined.
#[must_use]
pub fn jackknife_mean(values: &[Option<f64>]) -> Vec<f64> {
    let count = values.iter().flatten().count();
    assert!(count >= 2, "a jackknife needs two values");
    let sum: f64 = values.iter().flatten().sum();
    let without = |value: &Option<f64>| value.map_or(sum / real(count), |v| (sum - v) / real(count - 1));
    values.iter().map(without).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symmetric_case_is_the_percentile_interval() {
        // Distribution and jackknife symmetric about the point: no bias, no acceleration.
        let distribution: Vec<f64> = (-50..=50).map(f64::from).collect();
        let (low, high) = bca(0.0, &distribution, &[vec![-1.0, 0.0, 1.0]], 0.8).unwrap();
        assert!((low + 40.0).abs() < 1e-9 && (high - 40.0).abs() < 1e-9, "[{low}, {high}]");
    }

    #[test]
    fn a_long_right_tail_moves_the_interval_to_the_right() {
        let values = [Some(0.0), Some(0.0), Some(1.0), Some(1.0), None, Some(20.0)];
        let distribution: Vec<f64> = (0..=100).map(|i| 0.12 * f64::from(i)).collect();
        let (low, high) = bca(4.4, &distribution, &[jackknife_mean(&values)], 0.9).unwrap();
        let (plain_low, plain_high) = crate::statistics::percentile(&distribution, 0.9).unwrap();
        let (shifted_low, shifted_high) = bca(4.4, &distribution, &[vec![-1.0, 0.0, 1.0]], 0.9).unwrap();
        assert!(low > shifted_low && high > shifted_high, "the acceleration is positive");
        assert!(shifted_low < plain_low && shifted_high < plain_high, "most of the distribution is above the point");
    }

    #[test]
    fn an_undefined_interval_is_not_a_number_but_nothing() {
        assert_eq!(bca(0.0, &[1.0, 2.0], &[vec![0.0, 1.0]], 0.9), None);
        assert_eq!(bca(1.0, &[1.0, 1.0], &[vec![1.0, 1.0]], 0.9), None);
        assert_eq!(bca(1.0, &[], &[vec![0.0, 1.0]], 0.9), None);
    }

    #[test]
    fn leaving_one_out_by_hand() {
        // Sum 12 of three values: without 2, 10/2; without 4, 8/2; without 6, 6/2.
        assert_eq!(jackknife_mean(&[Some(2.0), Some(4.0), None, Some(6.0)]), vec![5.0, 4.0, 4.0, 3.0]);
    }
}
