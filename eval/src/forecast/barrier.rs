//! From a forecast of volatility to the probability that the price touches a barrier.
//!
//! By the reflection principle the furthest excursion of a driftless symmetric path has the law of the absolute value of
//! where it ends: `P(max > d) = 2 P(X > d)`. That is exact for Brownian motion and, after a random change of its clock that
//! is independent of it, for its mixtures over variances; mixed over an inverse gamma variance the end is Student-t, and the
//! excursion half-t. Its scale and degrees of freedom are fitted to excursions over the forecast deviation, so that a
//! forecaster whose level is off is not blamed twice.

use core::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::calibration::minimise::minimise;
use crate::statistics::real;

/// Law of the furthest excursion over the forecast deviation.
///
/// # Reference
/// Feller 1968, "An introduction to probability theory and its applications", vol. 1, §III.7, for the reflection principle;
/// Praetz 1972, "The distribution of share price changes", for Student-t as a mixture over inverse gamma variances.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HalfT {
    /// Scale, one if excursions are those of the forecast deviation.
    pub scale: f64,
    /// Degrees of freedom: the exponent of the tail.
    pub degrees: f64,
}

impl HalfT {
    /// Fits excursions over the forecast deviation by maximum likelihood; nothing below ten of them or if the search fails.
    #[must_use]
    pub fn fit(excursions: &[f64]) -> Option<Self> {
        if excursions.len() < 10 {
            return None;
        }
        let cost = |point: &[f64]| {
            let (scale, degrees) = (libm::exp(point[0]), 1.0 + libm::exp(point[1]));
            if degrees > 1e4 {
                return f64::INFINITY;
            }
            let constant = libm::log(2.0) + libm::lgamma(0.5 * (degrees + 1.0))
                - libm::lgamma(0.5 * degrees)
                - 0.5 * libm::log(PI * degrees)
                - point[0];
            let tail = |x: &f64| libm::log1p((x / scale) * (x / scale) / degrees);
            0.5 * (degrees + 1.0) * excursions.iter().map(tail).sum::<f64>() - real(excursions.len()) * constant
        };
        let best = minimise(&[0.0, 1.1], 0.5, &cost)?;
        Some(Self { scale: libm::exp(best[0]), degrees: 1.0 + libm::exp(best[1]) })
    }

    /// Probability that the furthest excursion is at least `distance`, where the forecast deviation is `deviation`.
    #[must_use]
    pub fn beyond(&self, distance: f64, deviation: f64) -> f64 {
        let t = distance / (deviation * self.scale);
        // P(|T| > t) = I_x(ν/2, 1/2) at x = ν / (ν + t²).
        incomplete_beta(0.5 * self.degrees, 0.5, self.degrees / (self.degrees + t * t))
    }
}

/// Relative accuracy at which the continued fraction stops, and its longest.
const ACCURACY: f64 = 1e-14;
const TERMS_MAX: u32 = 10_000;

/// Regularised incomplete beta function `I_x(a, b)`.
///
/// # Panics
/// If `x` is outside `[0, 1]` or a parameter is not positive.
///
/// # Reference
/// NIST Digital Library of Mathematical Functions, 8.17.22 for the continued fraction and 8.17.4 for the symmetry that keeps
/// it short; evaluated by Lentz 1976.
#[must_use]
pub fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    assert!(a > 0.0 && b > 0.0 && (0.0..=1.0).contains(&x), "the incomplete beta function at {a}, {b}, {x}");
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    if x <= 0.0 {
        return 0.0;
    }
    let log_beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let front = libm::exp(a * libm::log(x) + b * libm::log1p(-x) - log_beta) / a;
    // Lentz: numerator and denominator of the fraction so far, each over the one before.
    let (mut value, mut above, mut below) = (1.0, 1.0, 0.0);
    for term in 0..TERMS_MAX {
        let m = f64::from(term / 2);
        let factor = if term == 0 {
            1.0
        } else if term % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        below = 1.0 / apart(1.0 + factor * below);
        above = apart(1.0 + factor / above);
        value *= above * below;
        if (above * below - 1.0).abs() < ACCURACY {
            break;
        }
    }
    front * (value - 1.0)
}

/// Keeps a denominator away from zero.
fn apart(x: f64) -> f64 {
    if x.abs() < 1e-300 { 1e-300 } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::simulated::Draws;

    #[test]
    fn the_incomplete_beta_function_is_that_of_closed_forms() {
        // I_x(1, 1) = x; I_x(2, 1) = x²; I_x(1, 3) = 1 - (1 - x)³; I_x(1/2, 1/2) = 2/π asin √x.
        for x in [0.0, 1e-6, 0.1, 0.5, 0.8, 0.999, 1.0] {
            let arcsine = 2.0 / PI * libm::asin(f64::sqrt(x));
            let cases = [(1.0, 1.0, x), (2.0, 1.0, x * x), (1.0, 3.0, 1.0 - (1.0 - x).powi(3)), (0.5, 0.5, arcsine)];
            for (a, b, expected) in cases {
                let value = incomplete_beta(a, b, x);
                assert!(
                    (value - expected).abs() < 1e-12 * (1.0 + expected),
                    "I_{x}({a}, {b}) = {value}, not {expected}"
                );
            }
        }
    }

    #[test]
    fn tails_are_those_of_tables() {
        // Two-sided 5 % points of Student's t, as printed in every table: 12.706 (ν = 1), 4.303 (2), 2.571 (5), 2.042 (30).
        for (degrees, point) in [(1.0, 12.706), (2.0, 4.303), (5.0, 2.571), (30.0, 2.042)] {
            let law = HalfT { scale: 2.0, degrees };
            assert!((law.beyond(3.0 * 2.0 * point, 3.0) - 0.05).abs() < 5e-5, "{degrees}");
        }
        // For ν = 2 there is a closed form, 1 - t / √(2 + t²), far into the tail.
        for t in [0.0_f64, 0.3, 4.0, 1e3] {
            let exact = 1.0 - t / (2.0 + t * t).sqrt();
            let value = HalfT { scale: 1.0, degrees: 2.0 }.beyond(t, 1.0);
            assert!((value - exact).abs() < 1e-10, "{t}: {value} against {exact}");
        }
        // Huge degrees of freedom are a Gaussian: 2 Φ(-1.96) = 0.0500.
        let gauss = HalfT { scale: 1.0, degrees: 9e3 }.beyond(1.96, 1.0);
        assert!((gauss - libm::erfc(1.96 * core::f64::consts::FRAC_1_SQRT_2)).abs() < 1e-4);
    }

    #[test]
    fn the_excursion_of_a_random_walk_has_the_law_of_its_end() {
        // 2,000 walks of 4,096 small steps, each with a variance of its own: ν / χ²_ν with ν = 6 makes ends Student-t.
        let mut draws = Draws::new(5);
        let walk = |_| {
            let chi: f64 = (0..6).map(|_| draws.normal()).map(|z| z * z).sum();
            let step = (6.0 / chi / 4_096.0).sqrt();
            let (mut at, mut furthest) = (0.0_f64, 0.0_f64);
            for _ in 0..4_096 {
                at += if draws.uniform() < 0.5 { step } else { -step };
                furthest = furthest.max(at);
            }
            furthest
        };
        let excursions: Vec<f64> = (0..2_000).map(walk).collect();
        let law = HalfT::fit(&excursions).unwrap();
        assert!((law.scale - 1.0).abs() < 0.08 && (4.0..10.0).contains(&law.degrees), "{law:?}");
        let truth = HalfT { scale: 1.0, degrees: 6.0 };
        for distance in [0.5, 1.0, 2.0] {
            let share = real(excursions.iter().filter(|x| **x >= distance).count()) / 2_000.0;
            // Four standard errors of a share are below 0.045, and steps of 1/64 are seen at half their size.
            assert!((truth.beyond(distance, 1.0) - share).abs() < 0.05, "{distance}: {share}");
        }
        assert_eq!(HalfT::fit(&[1.0; 9]), None);
    }
}
