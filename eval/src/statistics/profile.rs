//! Whole distributions against a threshold: performance profile and optimality gap.

use crate::statistics::{mean, real};

/// Share of scores above each threshold.
///
/// # Panics
/// If `scores` is empty.
///
/// # Reference
/// Agarwal et al. 2021 (arXiv:2108.13264), §4.2, run-score distribution; `rliable` 1.2 `run_score_deviation`.
#[must_use]
pub fn performance_profile(scores: &[f64], thresholds: &[f64]) -> Vec<f64> {
    assert!(!scores.is_empty(), "a profile needs a score");
    let share = |threshold: f64| real(scores.iter().filter(|score| **score > threshold).count()) / real(scores.len());
    thresholds.iter().map(|threshold| share(*threshold)).collect()
}

/// Mean shortfall below `target`; scores above it count as reaching it.
///
/// # Panics
/// If `scores` is empty or not finite.
///
/// # Reference
/// Agarwal et al. 2021 (arXiv:2108.13264), §4.3; `rliable` 1.2 `aggregate_optimality_gap`.
#[must_use]
pub fn optimality_gap(scores: &[f64], target: f64) -> f64 {
    target - mean(&scores.iter().map(|score| score.min(target)).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_equal_to_the_threshold_is_not_above_it() {
        assert_eq!(performance_profile(&[1.0, 2.0, 2.0, 3.0], &[0.0, 1.0, 2.0, 3.0]), vec![1.0, 0.75, 0.25, 0.0]);
    }

    #[test]
    fn scores_beyond_the_target_do_not_make_up_for_those_below() {
        // min(·, 2): 0, 2, 2, so the mean is 4/3 and the gap 2/3.
        assert!((optimality_gap(&[0.0, 2.0, 9.0], 2.0) - 2.0 / 3.0).abs() < 1e-12);
    }
}
