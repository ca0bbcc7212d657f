//! Realised variance of blocks of returns, with and without jumps.

use crate::statistics::real;

/// Square root of `2/π`: the mean of an absolute standard normal.
const ABSOLUTE_MEAN: f64 = 0.797_884_560_802_865_4;

/// Sum of squared returns: variance with jumps.
#[must_use]
pub fn realised(returns: &[f64]) -> f64 {
    returns.iter().map(|r| r * r).sum()
}

/// Sum of products of neighbouring absolute returns, scaled: variance without jumps, for a jump has no neighbour of its
/// size. Zero below two returns.
///
/// # Reference
/// Barndorff-Nielsen & Shephard 2004, "Power and bipower variation", equation 5, with the finite-sample factor
/// `n / (n - 1)`.
#[must_use]
pub fn bipower(returns: &[f64]) -> f64 {
    if returns.len() < 2 {
        return 0.0;
    }
    let products: f64 = returns.windows(2).map(|pair| (pair[0] * pair[1]).abs()).sum();
    products / (ABSOLUTE_MEAN * ABSOLUTE_MEAN) * real(returns.len()) / real(returns.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::simulated::normals;

    #[test]
    fn a_jump_is_in_one_and_not_in_the_other() {
        let mut returns = normals(10_000, 7);
        returns[5_000] += 100.0;
        // Unit variance; the jump adds 10,000 to the one, and its two products 2·100·0.8/0.64 to the other.
        assert!((realised(&returns) / 10_000.0 - 2.0).abs() < 0.1, "{}", realised(&returns));
        assert!((bipower(&returns) / 10_000.0 - 1.0).abs() < 0.1, "{}", bipower(&returns));
    }
}
