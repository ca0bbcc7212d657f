//! A statistic over episodes, and its interval when episodes are drawn anew.

use seawall_env::SeedTree;

use crate::statistics::resample::Level;
use crate::statistics::{Resamples, percentile};

/// Bootstrap replicates over episodes.
const REPLICATES: usize = 1_000;
/// Fewest episodes that an interval is given for.
const FEWEST: usize = 4;

/// `statistic` of `count` episodes, each as often as it is told, and its 95 % percentile interval over resampled episodes.
/// What is paired stays paired: an episode comes with all its arms or not at all.
pub(super) fn resampled(count: usize, statistic: impl Fn(&[u32]) -> Option<f64>) -> (Option<f64>, Option<[f64; 2]>) {
    let value = statistic(&vec![1; count]);
    if count < FEWEST {
        return (value, None);
    }
    let resamples = Resamples::draw(SeedTree::new(0), Level::Cells, &[count], REPLICATES);
    let distribution: Vec<f64> = resamples.iter().filter_map(statistic).collect();
    (value, percentile(&distribution, 0.95).map(|(low, high)| [low, high]))
}

/// Sum of the first over sum of the second of each pair, the pairs so often as `times` says; nothing over nothing.
pub(super) fn ratio(pairs: &[[f64; 2]], times: &[u32]) -> Option<f64> {
    let sum = |at: usize| -> f64 { pairs.iter().zip(times).map(|(pair, n)| pair[at] * f64::from(*n)).sum() };
    let (over, under) = (sum(0), sum(1));
    (under > 0.0).then(|| over / under)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_that_of_sums_and_an_interval_needs_episodes() {
        let pairs = [[1.0, 2.0], [3.0, 2.0], [0.0, 0.0], [4.0, 4.0]];
        assert_eq!(ratio(&pairs, &[1, 1, 1, 1]), Some(1.0));
        assert_eq!(ratio(&pairs, &[2, 0, 0, 1]), Some(0.75));
        assert_eq!(ratio(&pairs, &[0, 0, 4, 0]), None);
        let (value, interval) = resampled(4, |times| ratio(&pairs, times));
        let [low, high] = interval.unwrap();
        assert!(value == Some(1.0) && (0.5..1.0).contains(&low) && high > 1.0, "{low} to {high}");
        assert_eq!(resampled(3, |times| ratio(&pairs[..3], times)), (Some(1.0), None));
    }
}
