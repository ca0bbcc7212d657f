//! Quantiles by linear interpolation.

use crate::statistics::real;

/// Quantile of `values` at `level`, interpolated linearly between order statistics.
///
/// # Panics
/// If `values` is empty or not finite, or `level` is outside `[0, 1]`.
///
/// # Reference
/// Hyndman & Fan 1996, definition 7: the default of R and of numpy.
#[must_use]
pub fn quantile(values: &[f64], level: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    quantile_sorted(&sorted, level)
}

/// [`quantile`] of values that are already ascending.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the slice, in [0, n - 1]")]
pub(crate) fn quantile_sorted(sorted: &[f64], level: f64) -> f64 {
    assert!((0.0..=1.0).contains(&level), "level {level} is not in [0, 1]");
    assert!(sorted.iter().all(|value| value.is_finite()), "a quantile needs finite values");
    let last = sorted.len().checked_sub(1).expect("a quantile needs a value");
    let place = real(last) * level;
    let below = place.floor();
    let (low, high) = (sorted[below as usize], sorted[(below as usize + 1).min(last)]);
    low + (place - below) * (high - low)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the hand-worked values are exact")]
mod tests {
    use super::*;

    #[test]
    fn a_level_between_two_values_interpolates() {
        // Four values span three intervals: 0.25 falls at 0.75 of the first, 0.5 in the middle of the second.
        let values = [30.0, 10.0, 20.0, 40.0];
        assert_eq!(quantile(&values, 0.0), 10.0);
        assert_eq!(quantile(&values, 0.25), 17.5);
        assert_eq!(quantile(&values, 0.5), 25.0);
        assert_eq!(quantile(&values, 1.0), 40.0);
        assert_eq!(quantile(&[7.0], 0.3), 7.0);
    }
}
