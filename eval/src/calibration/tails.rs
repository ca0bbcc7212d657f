//! How heavy a tail is.

use super::Fitted;
use crate::statistics::real;

/// Tail index of absolute values from the largest `share` of them, with the asymptotic error `α / √k`; nothing if that
/// is fewer than ten values or the threshold is zero.
///
/// The error holds for independent values: volatility clustering widens it by a factor of two or so.
///
/// # Reference
/// Hill 1975; Hall 1982 for the error.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
pub fn hill(values: &[f64], share: f64) -> Option<Fitted> {
    let mut sizes: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    sizes.sort_by(|a, b| b.total_cmp(a));
    let k = (real(sizes.len()) * share) as usize;
    if k < 10 || k >= sizes.len() || sizes[k] <= 0.0 {
        return None;
    }
    let logs: f64 = sizes[..k].iter().map(|size| libm::log(size / sizes[k])).sum();
    let alpha = real(k) / logs;
    alpha.is_finite().then(|| Fitted::new(alpha, alpha / real(k).sqrt(), k))
}

/// Exponent of a power law above a known minimum, by maximum likelihood; nothing below ten values above it.
///
/// # Reference
/// Clauset, Shalizi & Newman 2009 (arXiv:0706.1062), equation 3.1, less one: the exponent is that of the distribution
/// function.
#[must_use]
pub fn exponent_above(values: &[f64], minimum: f64) -> Option<Fitted> {
    let logs: Vec<f64> =
        values.iter().filter(|value| **value >= minimum).map(|value| libm::log(value / minimum)).collect();
    let sum: f64 = logs.iter().sum();
    if logs.len() < 10 || sum <= 0.0 {
        return None;
    }
    let exponent = real(logs.len()) / sum;
    Some(Fitted::new(exponent, exponent / real(logs.len()).sqrt(), logs.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::simulated::Draws;

    fn pareto(alpha: f64, n: usize) -> Vec<f64> {
        let mut draws = Draws::new(5);
        (0..n).map(|_| libm::pow(draws.uniform(), -1.0 / alpha)).collect()
    }

    #[test]
    fn the_index_of_a_power_law_is_recovered() {
        for alpha in [1.3, 3.0] {
            let values = pareto(alpha, 20_000);
            for fitted in [hill(&values, 0.05).unwrap(), exponent_above(&values, 1.0).unwrap()] {
                assert!((fitted.value - alpha).abs() < 4.0 * fitted.standard_error.unwrap(), "{alpha}: {fitted:?}");
            }
        }
    }

    #[test]
    fn too_few_or_silent_values_have_no_tail() {
        assert_eq!(hill(&pareto(2.0, 100), 0.05), None);
        assert_eq!(hill(&[0.0; 1_000], 0.05), None);
        assert_eq!(exponent_above(&[1.0, 2.0], 1.0), None);
    }
}
