//! An estimate with the interval around it, and the method that made the interval.

use serde::{Deserialize, Serialize};

use crate::statistics::quantile::quantile_sorted;

/// How an interval was made. Reports print it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Percentiles of a bootstrap, stratified by scenario.
    Percentile,
    /// The same bootstrap, bias-corrected and accelerated: for the mean of a heavy-tailed quantity.
    Bca,
    /// Percentiles of a bootstrap over training seeds and, independently, over episodes.
    TwoLevel,
}

impl Method {
    /// Name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Percentile => "percentile",
            Self::Bca => "bca",
            Self::TwoLevel => "two_level",
        }
    }
}

/// A confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// How it was made.
    pub method: Method,
}

impl Interval {
    /// Whether zero lies outside.
    #[must_use]
    pub fn excludes_zero(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// A number, and how well it is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Point estimate.
    pub value: f64,
    /// Confidence interval; nothing where the data do not allow one.
    pub interval: Option<Interval>,
}

/// Percentile interval of a bootstrap distribution, or nothing if the distribution is empty.
///
/// # Panics
/// If `confidence` is not in `(0, 1)` or a value is not finite.
///
/// # Reference
/// Efron & Tibshirani 1993, "An introduction to the bootstrap", §13.3.
#[must_use]
pub fn percentile(distribution: &[f64], confidence: f64) -> Option<(f64, f64)> {
    assert!(confidence > 0.0 && confidence < 1.0, "confidence {confidence} is not in (0, 1)");
    let outside = 0.5 * (1.0 - confidence);
    between(distribution, outside, 1.0 - outside)
}

/// Two quantiles of a distribution.
pub(crate) fn between(distribution: &[f64], low: f64, high: f64) -> Option<(f64, f64)> {
    if distribution.is_empty() {
        return None;
    }
    let mut sorted = distribution.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some((quantile_sorted(&sorted, low), quantile_sorted(&sorted, high)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_cut_off_equal_shares() {
        // 0, 1, …, 100: 10 % outside on each side.
        let distribution: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        let (low, high) = percentile(&distribution, 0.8).unwrap();
        assert!((low - 10.0).abs() < 1e-9 && (high - 90.0).abs() < 1e-9);
        assert_eq!(percentile(&[], 0.8), None);
    }
}
