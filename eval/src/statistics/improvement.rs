//! How likely one contender is to do better than another.

use crate::statistics::{mean, real};

/// Chance that a value of `x` exceeds one of `y`, ties counting half: the Mann–Whitney statistic over all pairs.
///
/// # Panics
/// If a side is empty or not finite.
#[must_use]
pub fn improvement(x: &[f64], y: &[f64]) -> f64 {
    assert!(!x.is_empty() && !y.is_empty(), "a comparison needs two samples");
    assert!(x.iter().chain(y).all(|value| value.is_finite()), "a comparison needs finite values");
    let mut sorted = y.to_vec();
    sorted.sort_by(f64::total_cmp);
    let halves: usize = x
        .iter()
        .map(|value| sorted.partition_point(|other| other < value) + sorted.partition_point(|other| other <= value))
        .sum();
    real(halves) / (2.0 * real(x.len()) * real(y.len()))
}

/// Probability of improvement: [`improvement`] within each task, averaged over tasks.
///
/// # Panics
/// If there is no task, or a task lacks a sample on one side.
///
/// # Reference
/// Agarwal et al. 2021 (arXiv:2108.13264), §4.3; `rliable` 1.2 `probability_of_improvement`.
#[must_use]
pub fn probability_of_improvement(tasks: &[(Vec<f64>, Vec<f64>)]) -> f64 {
    mean(&tasks.iter().map(|(x, y)| improvement(x, y)).collect::<Vec<_>>())
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the hand-worked values are exact")]
mod tests {
    use super::*;

    #[test]
    fn ties_count_half() {
        // Pairs: 2>1, 2=2 (½), 3>1, 3>2: 3.5 of 4.
        assert_eq!(improvement(&[2.0, 3.0], &[1.0, 2.0]), 0.875);
        assert_eq!(improvement(&[1.0, 2.0], &[1.0, 2.0]), 0.5);
    }

    #[test]
    fn tasks_weigh_the_same_whatever_their_number_of_runs() {
        let easy = (vec![1.0; 6], vec![0.0; 2]);
        let hard = (vec![0.0], vec![1.0; 3]);
        assert_eq!(probability_of_improvement(&[easy, hard]), 0.5);
    }
}
