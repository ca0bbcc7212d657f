//! How much two contenders' fortunes move together on common seeds.

use crate::statistics::real;

/// Pearson correlation of pairs, or nothing if there are fewer than two or a side does not vary.
///
/// With correlation `ρ` and equal variances, a paired difference has `1 - ρ` times the variance of an unpaired
/// one: this number is what common random numbers bought.
#[must_use]
pub fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let n = real(pairs.len());
    let (x, y) = pairs.iter().fold((0.0, 0.0), |(x, y), pair| (x + pair.0 / n, y + pair.1 / n));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for pair in pairs {
        let (dx, dy) = (pair.0 - x, pair.1 - y);
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
    }
    // A constant side leaves rounding errors of its own mean, which correlate with nothing.
    let varies = |sum: f64, centre: f64| sum > 1e-24 * n * centre * centre;
    (pairs.len() >= 2 && varies(xx, x) && varies(yy, y)).then(|| (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_worked_correlation() {
        // x = 1, 2, 3 and y = 1, 3, 2: Σdxdy = 1, Σdx² = Σdy² = 2.
        let rho = correlation(&[(1.0, 1.0), (2.0, 3.0), (3.0, 2.0)]).unwrap();
        assert!((rho - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_side_that_does_not_vary_has_no_correlation() {
        assert_eq!(correlation(&[(0.1, 1.0), (0.1, 3.0), (0.1, 2.0)]), None);
        assert_eq!(correlation(&[(1.0, 1.0)]), None);
        assert_eq!(correlation(&[]), None);
    }
}
