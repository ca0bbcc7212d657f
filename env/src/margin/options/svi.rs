//! One expiry's smile: Gatheral's "stochastic volatility inspired" curve in its raw form.

use serde::{Deserialize, Serialize};

use crate::error::Problems;

/// Farthest log-moneyness that is checked point by point; beyond it the straight wings decide.
const REACH: f64 = 5.0;

/// Smallest Durrleman function that counts as none: rounding of a function of order one.
const TOLERANCE: f64 = 1e-9;

/// Total implied variance `w(k) = a + b·(ρ(k - m) + √((k - m)² + σ²))` at log-moneyness `k = log(K/F)`.
///
/// # Reference
/// Gatheral 2004, "A parsimonious arbitrage-free implied volatility parameterization" (raw SVI); conditions as in
/// Gatheral & Jacquier 2014, "Arbitrage-free SVI volatility surfaces" (arXiv:1204.0646), §2 and eq. 3.1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SviSlice {
    /// Level of variance.
    pub a: f64,
    /// Angle between the wings.
    pub b: f64,
    /// Skew, in (-1, 1): negative makes low strikes dearer.
    pub rho: f64,
    /// Log-moneyness at which the wings would meet.
    pub m: f64,
    /// Roundness of the bottom.
    pub sigma: f64,
}

impl SviSlice {
    /// Total variance `w`, and its first and second derivative by `k`.
    #[must_use]
    pub fn variance(&self, k: f64) -> [f64; 3] {
        let x = k - self.m;
        let root = (x * x + self.sigma * self.sigma).sqrt();
        [
            self.a + self.b * (self.rho * x + root),
            self.b * (self.rho + x / root),
            self.b * self.sigma * self.sigma / (root * root * root),
        ]
    }

    /// Steepest slope of either wing. No more than 2 (Lee's moment formula), or calls would not fall with the strike.
    #[must_use]
    pub fn wing_slope(&self) -> f64 {
        self.b * (1.0 + self.rho.abs())
    }

    /// Where the smile allows butterfly arbitrage, if anywhere on the grid: log-moneyness and Durrleman function.
    #[must_use]
    pub fn butterfly(&self) -> Option<(f64, f64)> {
        // A grid over all strikes that matter, and a fine one around the bottom, which may be arbitrarily sharp.
        let wide = (-500..=500_i32).map(|i| f64::from(i) * (REACH / 500.0));
        let fine = (-100..=100_i32).map(|i| self.m + f64::from(i) * 0.05 * self.sigma);
        let worst = wide.chain(fine).map(|k| (k, durrleman(k, self.variance(k)))).min_by(|x, y| x.1.total_cmp(&y.1));
        worst.filter(|&(_, g)| g < -TOLERANCE || g.is_nan())
    }

    /// Records what is wrong, under the dotted path `field`.
    pub fn validate(&self, field: &str, problems: &mut Problems) {
        let count = problems.0.len();
        problems.range(format!("{field}.a"), self.a, -10.0, 10.0);
        problems.range(format!("{field}.b"), self.b, 0.0, 2.0);
        problems.range(format!("{field}.rho"), self.rho, -0.999, 0.999);
        problems.range(format!("{field}.m"), self.m, -100.0, 100.0);
        problems.range(format!("{field}.sigma"), self.sigma, 1e-4, 100.0);
        if problems.0.len() > count {
            return;
        }
        let lowest = self.a + self.b * self.sigma * (1.0 - self.rho * self.rho).sqrt();
        problems.require(lowest > 0.0, format!("{field}.a"), self.a, "such that the least variance is positive");
        let slope = self.wing_slope();
        problems.require(
            slope < 2.0,
            format!("{field}.b"),
            self.b,
            "below 2 / (1 + |rho|), for Lee's bound on the wings",
        );
        if let Some((k, g)) = self.butterfly().filter(|_| lowest > 0.0) {
            let bound = format!("free of butterfly arbitrage: Durrleman's function is {g:.4} at log-moneyness {k:.3}");
            problems.require(false, field, format!("{self:?}"), &bound);
        }
    }
}

/// Durrleman's function `(1 - kw'/2w)² - w'²/4·(1/w + 1/4) + w''/2`: the sign of the implied density.
pub(super) fn durrleman(k: f64, [w, slope, curvature]: [f64; 3]) -> f64 {
    let lever = 1.0 - 0.5 * k * slope / w;
    lever * lever - 0.25 * slope * slope * (1.0 / w + 0.25) + 0.5 * curvature
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Axel Vogt, in Gatheral & Jacquier 2014, §3.1: it looks well and has a negative density.
    const VOGT: SviSlice = SviSlice { a: -0.041_0, b: 0.133_1, rho: 0.306_0, m: 0.358_6, sigma: 0.415_3 };

    #[test]
    fn variance_of_the_published_example_has_its_published_shape() {
        // Jump-wing parameters printed there for t = 1: v = 0.01742625, ψ = -0.1752111, p = 0.6997381, c = 1.316798,
        // ṽ = 0.0116249. By their definitions ψ = w'(0)/(2√w(0)), p and c are the wings' slopes over √w(0), and ṽ is
        // the least variance.
        let [w, slope, _] = VOGT.variance(0.0);
        let root = w.sqrt();
        let lowest = VOGT.a + VOGT.b * VOGT.sigma * (1.0 - VOGT.rho * VOGT.rho).sqrt();
        for (got, printed) in [
            (w, 0.017_426_25),
            (0.5 * slope / root, -0.175_211_1),
            (VOGT.b * (1.0 - VOGT.rho) / root, 0.699_738_1),
            (VOGT.b * (1.0 + VOGT.rho) / root, 1.316_798),
            (lowest, 0.011_624_9),
        ] {
            assert!((got / printed - 1.0).abs() < 1e-5, "{got} instead of {printed}");
        }
    }

    #[test]
    fn butterfly_arbitrage_of_the_published_example_is_found() {
        let (k, g) = VOGT.butterfly().expect("it has one");
        // Where the paper's right-hand figure of the density dips below zero.
        assert!((0.5..1.2).contains(&k) && g < -0.01, "{g} at {k}");
        let mut problems = Problems::default();
        VOGT.validate("slice", &mut problems);
        assert!(problems.to_string().contains("butterfly"), "{problems}");
    }

    #[test]
    fn derivatives_are_slopes_of_the_variance() {
        for k in [-1.3, -0.2, 0.0, 0.358_6, 0.9] {
            let ([_, first, second], h) = (VOGT.variance(k), 1e-5);
            let (up, down) = (VOGT.variance(k + h), VOGT.variance(k - h));
            assert!((first - (up[0] - down[0]) / (2.0 * h)).abs() < 1e-9);
            assert!((second - (up[1] - down[1]) / (2.0 * h)).abs() < 1e-9);
        }
    }

    #[test]
    fn durrleman_function_is_the_sign_of_the_density() {
        use crate::margin::options::{Black76, OptionKind};
        // Second derivative of the call by the strike, at forward 1 and one year, is K^-2·√(1/2πw)·g·exp(-d₂²/2).
        let price = |strike: f64| {
            let volatility = VOGT.variance(libm::log(strike))[0].sqrt();
            Black76 { forward: 1.0, strike, years: 1.0, volatility, rate: 0.0 }.price(OptionKind::Call)
        };
        for k in [-0.5, -0.1, 0.3, 0.8, 1.0] {
            let (strike, h) = (libm::exp(k), 1e-3 * libm::exp(k));
            let density = (price(strike + h) - 2.0 * price(strike) + price(strike - h)) / (h * h);
            let w = VOGT.variance(k)[0];
            let d2 = -k / w.sqrt() - 0.5 * w.sqrt();
            let by_hand = durrleman(k, VOGT.variance(k)) * libm::exp(-0.5 * d2 * d2)
                / (strike * (2.0 * std::f64::consts::PI * w).sqrt());
            assert!((density - by_hand).abs() < 1e-4 * (1.0 + by_hand.abs()), "{k}: {density} against {by_hand}");
        }
    }

    #[test]
    fn every_problem_of_a_slice_is_named() {
        let mut problems = Problems::default();
        SviSlice { a: f64::NAN, b: 3.0, rho: 1.0, m: 900.0, sigma: 0.0 }.validate("s", &mut problems);
        let fields: Vec<&str> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["s.a", "s.b", "s.rho", "s.m", "s.sigma"]);
        let mut problems = Problems::default();
        SviSlice { a: 0.04, b: 1.6, rho: -0.5, m: 0.0, sigma: 0.1 }.validate("s", &mut problems);
        assert!(problems.to_string().contains("Lee"), "{problems}");
    }
}
