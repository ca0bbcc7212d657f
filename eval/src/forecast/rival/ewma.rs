//! Exponentially weighted moving average of squared returns.

use super::{Variances, bars, filtered};
use crate::calibration::minimise::minimise;
use crate::forecast::Set;
use crate::forecast::score::qlike;
use serde::Serialize;

/// Decay of a day in `RiskMetrics`.
const DAILY: f64 = 0.94;

/// `σ² ← λ σ² + (1 - λ) r²`, the same for all bars to come.
///
/// # Reference
/// J.P. Morgan & Reuters 1996, "`RiskMetrics`: technical document", §5.2.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ewma {
    /// Weight of the past, per bar.
    pub decay: f64,
}

impl Ewma {
    /// The document's own decay, 0.94 a day, spread over the bars of a day.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a day")]
    pub fn daily(bar_ms: i64) -> Self {
        Self { decay: libm::pow(DAILY, 1.0 / (86_400_000.0 / bar_ms as f64)) }
    }

    /// The decay of least quasi-likelihood loss over all horizons; nothing if the search fails.
    #[must_use]
    pub fn fit(set: &Set) -> Option<Self> {
        let natural = |point: &[f64]| Self { decay: 1.0 / (1.0 + libm::exp(-point[0])) };
        let cost = |point: &[f64]| -> f64 {
            let variances = natural(point).variances(set);
            let loss = |(example, forecast): (&crate::forecast::Example, &[f64; 3])| -> f64 {
                forecast.iter().zip(example.outcome.variance).map(|(h, rv)| qlike(rv, *h)).sum()
            };
            set.examples.iter().zip(&variances).map(loss).sum()
        };
        // From a half-life of six hours.
        minimise(&[4.6], 1.0, &cost).map(|best| natural(&best))
    }

    pub(super) fn variances(&self, set: &Set) -> Variances {
        filtered(
            set,
            |variance, r| self.decay * variance + (1.0 - self.decay) * r * r,
            |variance| bars().map(|n| n * variance),
        )
    }
}
