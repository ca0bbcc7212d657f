//! Arms with several training seeds, seed by seed: how much of a result is luck in training.

use serde::{Deserialize, Serialize};

use crate::metric::{PRIMARY, metric};
use crate::record::Records;
use crate::report::Settings;
use crate::statistics::resample::Level;
use crate::statistics::{Estimate, Interval, Method, Resamples, Sample, mean, median, percentile};

/// The primary metric of one arm, by training seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingRuns {
    /// Name of the arm.
    pub arm: String,
    /// Training seeds.
    pub seeds: Vec<u64>,
    /// Mean over scenarios and episodes, for each training seed.
    pub means: Vec<f64>,
    /// Median of these means.
    pub median: f64,
    /// Interquartile mean over training seeds and scenarios of the runs' mean in each scenario, with the interval of a
    /// bootstrap that resamples runs within each scenario: the aggregate and interval of `rliable`.
    pub interquartile_mean: Estimate,
}

pub(super) fn training_runs(records: &Records, settings: Settings) -> Vec<TrainingRuns> {
    let several = records.arms.iter().enumerate().filter(|(_, arm)| arm.training_seeds.len() > 1);
    several.map(|(place, _)| of_arm(records, place, settings)).collect()
}

fn of_arm(records: &Records, place: usize, settings: Settings) -> TrainingRuns {
    let primary = metric(PRIMARY).expect("the primary metric is a metric").value;
    let arm = &records.arms[place];
    let (runs, scenarios) = (arm.training_seeds.len(), records.scenarios.len());
    let defined = |episode| primary(episode).expect("every episode has a return");
    let values: Vec<f64> = records.arm(place).iter().map(defined).collect();
    let of_run = |run: &[f64]| mean(run);
    let scores: Vec<f64> = values.chunks_exact(records.seeds).map(of_run).collect();
    // From runs × scenarios to scenarios × runs: a scenario is a stratum.
    let by_scenario: Vec<f64> = (0..scenarios)
        .flat_map(|scenario| (0..runs).map(move |run| run * scenarios + scenario))
        .map(|i| scores[i])
        .collect();
    let sample = Sample::complete(&by_scenario);
    let iqm = |times: &[u32]| sample.interquartile_mean(times);
    let plan = Resamples::draw(settings.seeds(), Level::Runs, &vec![runs; scenarios], settings.resamples);
    let distribution: Vec<f64> = plan.iter().filter_map(iqm).collect();
    let interval = percentile(&distribution, settings.confidence);
    let means: Vec<f64> = values.chunks_exact(values.len() / runs).map(of_run).collect();
    TrainingRuns {
        arm: arm.name.clone(),
        seeds: arm.training_seeds.iter().flatten().copied().collect(),
        median: median(&means),
        means,
        interquartile_mean: Estimate {
            value: iqm(&sample.once()).expect("an arm has scores"),
            interval: interval.map(|(low, high)| Interval { low, high, method: Method::Percentile }),
        },
    }
}
