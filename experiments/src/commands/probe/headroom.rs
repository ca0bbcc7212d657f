//! Adaptivity headroom: what knowing the scenario is worth to somebody who may only hold constants.

use seawall_env::SeedTree;
use seawall_eval::statistics::resample::Level;
use seawall_eval::statistics::{Estimate, Interval, Method, Resamples, Sample, percentile};

/// Returns of candidates, `[candidates, scenarios, seeds]`, on common seeds.
#[derive(Clone, Debug)]
pub(super) struct Returns(pub(super) Vec<Vec<Vec<f64>>>);

impl Returns {
    /// The candidate with the highest mean return over the seeds that `counts`, in one scenario or over all; the first
    /// of equals.
    pub(super) fn best(&self, scenario: Option<usize>, counts: impl Fn(usize) -> bool) -> usize {
        let sum = |seeds: &[f64]| -> f64 {
            seeds.iter().enumerate().filter(|(seed, _)| counts(*seed)).map(|(_, value)| value).sum()
        };
        let score = |candidate: &[Vec<f64>]| match scenario {
            Some(scenario) => sum(&candidate[scenario]),
            None => candidate.iter().map(|seeds| sum(seeds)).sum(),
        };
        let scores: Vec<f64> = self.0.iter().map(|candidate| score(candidate)).collect();
        (0..scores.len()).rev().max_by(|a, b| scores[*a].total_cmp(&scores[*b])).expect("at least one candidate")
    }
}

/// Mean over scenarios of the best candidate per scenario less the best single one.
///
/// Candidates are chosen on one half of the seeds and measured on the other, and the halves change places: choosing
/// and measuring on the same seeds would find a headroom in pure noise. The interval is a bootstrap over the measured
/// differences within scenarios, the choices held.
pub(super) fn headroom(returns: &Returns, seeds: SeedTree, resamples: usize, confidence: f64) -> Estimate {
    let (scenarios, count) = (returns.0[0].len(), returns.0[0][0].len());
    let mut differences = vec![0.0; scenarios * count];
    for half in [0, 1] {
        let chooses = |seed: usize| seed % 2 == half;
        let single = returns.best(None, chooses);
        for scenario in 0..scenarios {
            let own = returns.best(Some(scenario), chooses);
            for seed in (0..count).filter(|seed| !chooses(*seed)) {
                differences[scenario * count + seed] =
                    returns.0[own][scenario][seed] - returns.0[single][scenario][seed];
            }
        }
    }
    mean_with_interval(&differences, &vec![count; scenarios], seeds, resamples, confidence)
}

/// Mean of paired differences with a percentile interval, resampled within strata.
pub(super) fn mean_with_interval(
    differences: &[f64],
    strata: &[usize],
    seeds: SeedTree,
    resamples: usize,
    confidence: f64,
) -> Estimate {
    let sample = Sample::complete(differences);
    let mean = |times: &[u32]| sample.mean(times).expect("every resample draws something");
    let resamples = Resamples::draw(seeds, Level::Cells, strata, resamples);
    let distribution: Vec<f64> = resamples.iter().map(mean).collect();
    let interval =
        percentile(&distribution, confidence).map(|(low, high)| Interval { low, high, method: Method::Percentile });
    Estimate { value: mean(&sample.once()), interval }
}

#[cfg(test)]
mod tests {
    use seawall_env::Purpose;
    use seawall_env::rng::normal_quantile;

    use super::*;

    fn estimate(returns: &Returns) -> (f64, f64, f64) {
        let Estimate { value, interval } = headroom(returns, SeedTree::new(0), 500, 0.95);
        let interval = interval.unwrap();
        (value, interval.low, interval.high)
    }

    #[test]
    fn two_scenarios_that_want_opposite_constants_have_the_headroom_between_them() {
        // Each scenario gives 1 for its own constant, 0 for the other's; a third gives 0.6 in both. Knowing: 1. Not: 0.6.
        let returns = Returns(vec![
            vec![vec![1.0; 8], vec![0.0; 8]],
            vec![vec![0.0; 8], vec![1.0; 8]],
            vec![vec![0.6; 8], vec![0.6; 8]],
        ]);
        let (value, low, high) = estimate(&returns);
        assert!((value - 0.4).abs() < 1e-12 && (low - 0.4).abs() < 1e-12 && (high - 0.4).abs() < 1e-12);
    }

    #[test]
    fn noise_has_no_headroom() {
        // Candidates that differ in nothing: choosing and measuring on the same seeds would always find some.
        let found = (0..40).filter(|draw| {
            let counter = SeedTree::new(*draw).counter(Purpose::Policy, 0);
            let value = |c: u64, s: u64, seed: u64| normal_quantile(counter.uniform2(c, s << 32 | seed)[0]);
            let seeds = |c, s| (0..16).map(|seed| value(c, s, seed)).collect();
            let returns = Returns((0..20).map(|c| (0..4).map(|s| seeds(c, s)).collect()).collect());
            estimate(&returns).1 > 0.0
        });
        // One in 40 at this level; six or more have a probability below 0.1 %.
        assert!(found.count() < 6);
    }

    #[test]
    fn a_constant_that_is_best_everywhere_leaves_none() {
        let returns = Returns(vec![vec![vec![2.0; 6]; 3], vec![vec![1.0; 6]; 3]]);
        assert_eq!(estimate(&returns), (0.0, 0.0, 0.0));
    }
}
