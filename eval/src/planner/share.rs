//! How much of the way from a baseline to the planner a policy goes.

use seawall_env::SeedTree;

use crate::record::Records;
use crate::statistics::resample::Level;
use crate::statistics::{Estimate, Interval, Method, Resamples, percentile, real};

/// Share of the gap between the returns of `from` and `to` that `policy` closes: the ratio of mean paired differences.
///
/// Training seeds of an arm are averaged. The interval is a percentile bootstrap over episodes within scenarios; there is
/// none if in some resample `to` does not lead `from`, where a share means nothing. Nothing at all if it does not lead in
/// the sample itself, or if an arm is missing.
#[must_use]
pub fn gap_share(
    records: &Records,
    [policy, from, to]: [&str; 3],
    seeds: SeedTree,
    resamples: usize,
    confidence: f64,
) -> Option<Estimate> {
    let cells = records.scenarios.len() * records.seeds;
    let means = |name: &str| -> Option<Vec<f64>> {
        let episodes = records.arm(records.position(name)?);
        let runs = real(episodes.len() / cells);
        let mean = |cell: usize| episodes[cell..].iter().step_by(cells).map(|e| e.episode_return).sum::<f64>() / runs;
        Some((0..cells).map(mean).collect())
    };
    let (policy, from, to) = (means(policy)?, means(from)?, means(to)?);
    let ratio = |times: &[u32]| {
        let sum = |of: &[f64]| -> f64 {
            let paired = of.iter().zip(&from).zip(times);
            paired.map(|((value, from), &times)| f64::from(times) * (value - from)).sum()
        };
        let gap = sum(&to);
        (gap > 0.0).then(|| sum(&policy) / gap)
    };
    let value = ratio(&vec![1; cells])?;
    let strata = vec![records.seeds; records.scenarios.len()];
    let drawn = Resamples::draw(seeds, Level::Cells, &strata, resamples);
    let distribution: Option<Vec<f64>> = drawn.iter().map(ratio).collect();
    let interval = distribution
        .and_then(|distribution| percentile(&distribution, confidence))
        .map(|(low, high)| Interval { low, high, method: Method::Percentile });
    Some(Estimate { value, interval })
}
