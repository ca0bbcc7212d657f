//! Generalised Pareto fit to what lies beyond a threshold: a second opinion on a tail that few observations show.
//!
//! An empirical tail mean knows nothing beyond its worst observation; the fit extrapolates, at the price of believing in the
//! limit law. Where the two differ much, the tail is not known. Nothing here decides a finding.

use serde::{Deserialize, Serialize};

use crate::statistics::tail::Side;
use crate::statistics::{mean, real};

/// Fewest exceedances that are fitted. Below, the maximum of the likelihood often does not exist and its error exceeds the
/// shape: Hosking & Wallis 1987, tables 1 and 2, whose smallest samples are 15 and 25.
pub const EXCEEDANCES_MIN: usize = 25;
/// Shapes between which the estimate is regular (Smith 1985) and the mean of the tail exists.
const SHAPES: (f64, f64) = (-0.5, 1.0);
/// Points of the search on either side of the exponential distribution.
const POINTS: u32 = 24;
/// Halvings of a bracket: more than the bits of a double.
const HALVINGS: u32 = 80;

/// A generalised Pareto distribution over a threshold, on the bad side of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParetoTail {
    /// Bad end that was fitted.
    pub side: Side,
    /// Value beyond which it was fitted.
    pub threshold: f64,
    /// Observations beyond the threshold.
    pub exceedances: usize,
    /// Share of all observations that they are.
    pub share: f64,
    /// Shape ξ: positive for a tail like a power law, zero for an exponential one, negative for one that ends.
    pub shape: f64,
    /// Scale β, in the unit of the values.
    pub scale: f64,
}

/// Why a tail is not fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoFit {
    /// There are fewer than [`EXCEEDANCES_MIN`] exceedances.
    TooFew {
        /// How many there are.
        exceedances: usize,
    },
    /// They do not vary, or the likelihood is highest at a shape outside `(-0.5, 1)`.
    Irregular {
        /// How many there are.
        exceedances: usize,
    },
}

/// Fits the worst `share` of `values` by maximum likelihood.
///
/// The threshold is the best of the values that the share leaves out, so that ties with it are no exceedances.
///
/// # Errors
/// [`NoFit`] where the maximum of the likelihood is not one to rely on.
///
/// # Panics
/// If a value is not finite, or `share` is outside `(0, 1)`.
///
/// # Reference
/// `McNeil` & Frey 2000, "Estimation of tail-related risk measures for heteroscedastic financial time series", §2.2 (threshold
/// at an order statistic); Grimshaw 1993, "Computing maximum likelihood estimates for the generalized Pareto distribution",
/// §2 (the profile in one variable).
pub fn pareto_tail(values: &[f64], side: Side, share: f64) -> Result<ParetoTail, NoFit> {
    assert!(share > 0.0 && share < 1.0, "share {share} is not in (0, 1)");
    assert!(values.iter().all(|value| value.is_finite()), "a tail needs finite values");
    let sign = if side == Side::High { 1.0 } else { -1.0 };
    let mut sorted: Vec<f64> = values.iter().map(|value| sign * value).collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let Some(threshold) = sorted.get(whole(share * real(sorted.len()))).copied() else {
        return Err(NoFit::TooFew { exceedances: 0 });
    };
    let excesses: Vec<f64> =
        sorted.iter().take_while(|value| **value > threshold).map(|value| value - threshold).collect();
    let exceedances = excesses.len();
    if exceedances < EXCEEDANCES_MIN {
        return Err(NoFit::TooFew { exceedances });
    }
    let (shape, scale) = fit(&excesses).ok_or(NoFit::Irregular { exceedances })?;
    Ok(ParetoTail {
        side,
        threshold: sign * threshold,
        exceedances,
        share: real(exceedances) / real(values.len()),
        shape,
        scale,
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of observations")]
fn whole(count: f64) -> usize {
    // A product such as 0.1 · 1010 misses its whole number by a rounding error.
    (count + 1e-9 * count).floor() as usize
}

/// Shape and scale of the excesses.
///
/// For `τ = ξ/β` the likelihood is highest at `ξ(τ) = mean ln(1 + τy)`, which leaves one variable. A grid finds the
/// neighbourhood of the maximum; the zero of the derivative is then halved in to the last bit.
fn fit(excesses: &[f64]) -> Option<(f64, f64)> {
    let unit = mean(excesses);
    let largest = excesses.iter().copied().fold(0.0, f64::max);
    if largest <= excesses.iter().copied().fold(f64::MAX, f64::min) {
        return None;
    }
    // In units of the mean, so that the grid fits every scale.
    let scaled: Vec<f64> = excesses.iter().map(|excess| excess / unit).collect();
    let shape_at = |tau: f64| mean_of(&scaled, |y| libm::log1p(tau * y));
    // Shape rises with τ, so each end of the range of shapes has one τ.
    let lowest = halve(-unit / largest * (1.0 - 1e-12), 0.0, |tau| shape_at(tau) < SHAPES.0);
    let mut highest = 1.0;
    while shape_at(highest) < SHAPES.1 {
        highest *= 2.0;
    }
    let highest = halve(0.0, highest, |tau| shape_at(tau) < SHAPES.1);
    let below = (0..=POINTS).map(|k| lowest * (1.0 - f64::from(k) / f64::from(POINTS)));
    let step = |k: u32| highest * libm::pow(1e-3, 1.0 - f64::from(k) / f64::from(POINTS));
    let grid: Vec<f64> = below.chain((0..=POINTS).map(step)).collect();
    let heights: Vec<f64> = grid.iter().map(|tau| profile(&scaled, *tau)).collect();
    let best = (0..grid.len()).max_by(|a, b| heights[*a].total_cmp(&heights[*b]))?;
    let (left, right) = (grid.get(best.checked_sub(1)?)?, grid.get(best + 1)?);
    let tau = halve(*left, *right, |tau| slope(&scaled, tau) > 0.0);
    let shape = shape_at(tau);
    let scale = if tau.abs() < 1e-9 { 1.0 } else { shape / tau };
    Some((shape, scale * unit))
}

/// Where `is_left` turns from true to false between two ends.
fn halve(mut left: f64, mut right: f64, is_left: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(left, right);
        if is_left(middle) {
            left = middle;
        } else {
            right = middle;
        }
    }
    f64::midpoint(left, right)
}

/// Highest mean log-likelihood of excesses of mean one, by τ.
fn profile(excesses: &[f64], tau: f64) -> f64 {
    let shape = mean_of(excesses, |y| libm::log1p(tau * y));
    // As τ vanishes the distribution is exponential, of scale one.
    let scale = if tau.abs() < 1e-9 { 1.0 } else { shape / tau };
    -libm::log(scale) - shape - 1.0
}

/// Derivative of [`profile`].
fn slope(excesses: &[f64], tau: f64) -> f64 {
    let shape = mean_of(excesses, |y| libm::log1p(tau * y));
    let rise = mean_of(excesses, |y| y / (1.0 + tau * y));
    if tau.abs() < 1e-9 {
        // 1/τ less rise/shape, to first order.
        return 0.5 * mean_of(excesses, |y| y * y) - rise;
    }
    1.0 / tau - rise / shape - rise
}

fn mean_of(values: &[f64], of: impl Fn(f64) -> f64) -> f64 {
    values.iter().map(|value| of(*value)).sum::<f64>() / real(values.len())
}

impl ParetoTail {
    /// Value that the worst `share` of observations lies beyond; nothing if the fit does not reach so far in.
    ///
    /// # Panics
    /// If `share` is not positive.
    ///
    /// # Reference
    /// `McNeil` & Frey 2000, eq. 6.
    #[must_use]
    pub fn value_at_risk(&self, share: f64) -> Option<f64> {
        Some(self.place(self.excess(share)?))
    }

    /// Mean of the worst `share` of observations; nothing if the fit does not reach so far in.
    ///
    /// # Panics
    /// If `share` is not positive.
    ///
    /// # Reference
    /// `McNeil` & Frey 2000, eq. 16: over its quantile `q` the excess has mean `(β + ξq)/(1 - ξ)`.
    #[must_use]
    pub fn expected_shortfall(&self, share: f64) -> Option<f64> {
        let quantile = self.excess(share)?;
        Some(self.place(quantile + (self.scale + self.shape * quantile) / (1.0 - self.shape)))
    }

    /// Mean logarithm of the density at some excesses over the threshold, for comparison with other fits.
    ///
    /// # Panics
    /// If `excesses` is empty.
    #[must_use]
    pub fn log_likelihood(&self, excesses: &[f64]) -> f64 {
        assert!(!excesses.is_empty(), "a likelihood needs an observation");
        let tau = self.shape / self.scale;
        let decay = |y: f64| {
            if self.shape.abs() < 1e-9 { y / self.scale } else { (1.0 / self.shape + 1.0) * libm::log1p(tau * y) }
        };
        -libm::log(self.scale) - mean_of(excesses, decay)
    }

    /// Quantile of the excess that a share of all observations lies beyond.
    fn excess(&self, share: f64) -> Option<f64> {
        assert!(share > 0.0, "a share of {share} has no tail");
        let left = share / self.share;
        // A share that is the fitted one up to rounding is that one.
        if left > 1.0 + 1e-9 {
            return None;
        }
        let decades = -libm::log(left.min(1.0));
        let grown = if self.shape.abs() < 1e-9 { decades } else { libm::expm1(self.shape * decades) / self.shape };
        Some(self.scale * grown)
    }

    fn place(&self, excess: f64) -> f64 {
        match self.side {
            Side::High => self.threshold + excess,
            Side::Low => self.threshold - excess,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of a generalised Pareto distribution of scale `scale` at the middles of `count` equal shares.
    fn quantiles(shape: f64, scale: f64, count: u32) -> Vec<f64> {
        let left = |k: u32| (f64::from(k) + 0.5) / f64::from(count);
        let at = |k: u32| {
            if shape == 0.0 { -libm::log(left(k)) } else { (libm::pow(left(k), -shape) - 1.0) / shape }
        };
        (0..count).map(|k| scale * at(k)).collect()
    }

    #[test]
    fn the_shape_of_ideal_samples_is_found() {
        for shape in [-0.3, 0.0, 0.2, 0.6] {
            let (found, scale) = fit(&quantiles(shape, 7.0, 4_000)).unwrap();
            // Middles of shares lack the very ends of the tail: a bias of a hundredth at most.
            assert!((found - shape).abs() < 0.01, "{found}, not {shape}");
            assert!((scale - 7.0).abs() < 0.05, "{scale}");
        }
    }

    #[test]
    fn the_derivative_is_zero_at_the_fit_and_the_likelihood_falls_on_both_sides() {
        let excesses = quantiles(0.35, 3.0, 60);
        let (shape, scale) = fit(&excesses).unwrap();
        let tail =
            |shape, scale| ParetoTail { side: Side::High, threshold: 0.0, exceedances: 60, share: 0.1, shape, scale };
        let best = tail(shape, scale).log_likelihood(&excesses);
        for (ds, db) in [(0.01, 0.0), (-0.01, 0.0), (0.0, 0.03), (0.0, -0.03), (0.01, -0.03), (-0.01, 0.03)] {
            assert!(tail(shape + ds, scale + db).log_likelihood(&excesses) < best);
        }
    }

    #[test]
    fn an_exponential_tail_by_hand() {
        // Beyond 10 lies a tenth, exponentially with mean 2: a hundredth lies beyond 10 + 2 ln 10, 2 more in the mean.
        let tail =
            ParetoTail { side: Side::High, threshold: 10.0, exceedances: 30, share: 0.1, shape: 0.0, scale: 2.0 };
        let far = 10.0 + 2.0 * libm::log(10.0);
        assert!((tail.value_at_risk(0.01).unwrap() - far).abs() < 1e-12);
        assert!((tail.expected_shortfall(0.01).unwrap() - far - 2.0).abs() < 1e-12);
        assert!((tail.expected_shortfall(0.1).unwrap() - 12.0).abs() < 1e-12);
        assert_eq!(tail.expected_shortfall(0.2), None, "the fit says nothing inside its threshold");
    }

    #[test]
    fn both_ends_are_fitted_alike() {
        let values: Vec<f64> = quantiles(0.2, 1.0, 400);
        let mirrored: Vec<f64> = values.iter().map(|value| -value).collect();
        let (high, low) = (pareto_tail(&values, Side::High, 0.1), pareto_tail(&mirrored, Side::Low, 0.1));
        let (high, low) = (high.unwrap(), low.unwrap());
        assert_eq!((high.exceedances, high.threshold), (40, -low.threshold));
        assert_eq!(high.expected_shortfall(0.01), low.expected_shortfall(0.01).map(|value| -value));
    }

    #[test]
    fn too_few_exceedances_ties_and_endless_means_are_not_fitted() {
        let too_few = |exceedances| Err(NoFit::TooFew { exceedances });
        assert_eq!(pareto_tail(&quantiles(0.2, 1.0, 200), Side::High, 0.1), too_few(20));
        assert_eq!(pareto_tail(&[3.0; 1_000], Side::High, 0.1), too_few(0), "everything ties with the threshold");
        let zeros = [vec![0.0; 950], quantiles(0.1, 1.0, 50)].concat();
        assert_eq!(pareto_tail(&zeros, Side::High, 0.1).map(|tail| (tail.exceedances, tail.threshold)), Ok((50, 0.0)));
        let steps = [vec![0.0; 950], vec![5.0; 50]].concat();
        let irregular = Err(NoFit::Irregular { exceedances: 50 });
        assert_eq!(pareto_tail(&steps, Side::High, 0.1), irregular, "excesses that do not vary");
        assert_eq!(fit(&quantiles(1.5, 1.0, 500)), None, "a tail without a mean");
        assert_eq!(pareto_tail(&[], Side::High, 0.1), too_few(0));
    }
}
