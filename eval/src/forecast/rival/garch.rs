//! GARCH(1,1) with Student-t innovations, on the returns of bars.

use super::{Variances, filtered};
use crate::calibration::garch;
use crate::forecast::{HORIZONS, Set};
use serde::Serialize;

/// `σ² ← ω + α r² + β σ²`, summed over the bars to come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GarchT {
    /// Constant.
    pub omega: f64,
    /// Weight of the last squared return.
    pub alpha: f64,
    /// Weight of the last variance.
    pub beta: f64,
}

impl GarchT {
    /// Fits by maximum likelihood; nothing if the search fails or there are too few bars.
    ///
    /// # Reference
    /// Bollerslev 1987; see [`garch::fit`].
    #[must_use]
    pub fn fit(set: &Set) -> Option<Self> {
        let runs: Vec<&[f64]> = set.histories.iter().map(|history| history.returns.as_slice()).collect();
        let fit = garch::fit(&runs)?;
        let omega = fit.omega.value * fit.deviation * fit.deviation;
        Some(Self { omega, alpha: fit.alpha.value, beta: fit.beta.value })
    }

    pub(super) fn variances(&self, set: &Set) -> Variances {
        let step = |variance: f64, r: f64| self.omega + self.alpha * r * r + self.beta * variance;
        filtered(set, step, |variance| self.ahead(variance))
    }

    /// Variance over each horizon from that of the next bar: the mean of `σ²` goes on by `ω + (α + β) σ²`.
    pub(super) fn ahead(&self, next: f64) -> [f64; HORIZONS.len()] {
        HORIZONS.map(|bars| {
            let mut variance = next;
            let mut sum = 0.0;
            for _ in 0..bars {
                sum += variance;
                variance = self.omega + (self.alpha + self.beta) * variance;
            }
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variance_ahead_goes_back_to_its_mean() {
        // Mean 1e-6 / (1 - 0.9) = 1e-5; after k bars the distance from it is 0.9^k of what it was.
        let model = GarchT { omega: 1e-6, alpha: 0.1, beta: 0.8 };
        let [three, ..] = model.ahead(2e-5);
        assert!((three - (3e-5 + 1e-5 * (1.0 + 0.9 + 0.81))).abs() < 1e-18);
        let [.., long] = model.ahead(1e-5);
        assert!((long - 48.0 * 1e-5).abs() < 1e-15);
    }
}
