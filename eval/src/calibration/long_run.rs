//! Mean of a dependent series, with a standard error that knows the dependence.

use super::Fitted;
use crate::statistics::real;

/// Mean of runs without a hole, with the Newey–West standard error at `lags` (Bartlett weights); nothing without data.
///
/// # Reference
/// Newey & West 1987; products are taken within runs only.
#[must_use]
pub fn mean(runs: &[&[f64]], lags: usize) -> Option<Fitted> {
    let n: usize = runs.iter().map(|run| run.len()).sum();
    if n < 2 {
        return None;
    }
    let centre = runs.iter().copied().flatten().sum::<f64>() / real(n);
    let centred: Vec<Vec<f64>> = runs.iter().map(|run| run.iter().map(|x| x - centre).collect()).collect();
    Some(Fitted::new(centre, sum_error(&centred, lags) / real(n), n))
}

/// Newey–West standard error of the sum of a series of mean zero.
///
/// Never below what its terms would give if they were independent and `lags` zero times correlated: negative sums, which
/// short samples bring, fall back on that.
pub(super) fn sum_error(runs: &[Vec<f64>], lags: usize) -> f64 {
    let product = |lag: usize| -> f64 {
        runs.iter().map(|run| run.iter().zip(run.iter().skip(lag)).map(|(a, b)| a * b).sum::<f64>()).sum()
    };
    let variance = product(0);
    let weighted: f64 = (1..=lags).map(|lag| 2.0 * (1.0 - real(lag) / real(lags + 1)) * product(lag)).sum();
    let total = variance + weighted;
    if total > 0.0 { total.sqrt() } else { variance.sqrt() }
}

/// Lags that grow with the sample: `4 (n / 100)^(2/9)`, the rule of Newey & West 1994.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few tens")]
pub fn lags(n: usize) -> usize {
    (4.0 * libm::pow(real(n) / 100.0, 2.0 / 9.0)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::simulated::autoregression as simulate;

    #[test]
    fn the_error_of_a_persistent_mean_is_wider_than_if_it_were_independent() {
        // AR(1) with φ = 0.8: the long-run variance is (1 + φ) / (1 - φ) = 9 times that of one observation.
        let path = simulate(0.8, 40_000, 3);
        let naive = mean(&[&path], 0).unwrap().standard_error.unwrap();
        let robust = mean(&[&path], 60).unwrap().standard_error.unwrap();
        assert!((robust / naive - 3.0).abs() < 0.4, "{robust} against {naive}");
        assert!(mean(&[&path], 60).unwrap().value.abs() < 4.0 * robust);
    }

    #[test]
    fn a_series_too_short_has_no_mean() {
        assert_eq!(mean(&[&[1.0]], 3), None);
        assert_eq!(mean(&[], 3), None);
    }
}
