//! One metric of one arm: location, tail, and how well both are known.

use serde::{Deserialize, Serialize};

use crate::metric::{Group, Metric};
use crate::report::{Scope, Values};
use crate::statistics::bca::jackknife_mean;
use crate::statistics::{Estimate, Interval, Method, Sample, Side, bca, percentile};

/// One metric of one arm over a section's episodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the arm.
    pub arm: String,
    /// Episodes, over all runs.
    pub episodes: usize,
    /// Episodes that do not define the metric; the statistics are over the others.
    pub undefined: usize,
    /// Lowest and highest value.
    pub range: Option<(f64, f64)>,
    /// Mean.
    pub mean: Option<Estimate>,
    /// Interquartile mean of the objective. A loss has none: most of it lies in what this would cut off.
    pub interquartile_mean: Option<Estimate>,
    /// Conditional value at risk at the bad end, if the metric has one.
    pub tail: Option<TailEstimate>,
}

/// Conditional value at risk.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TailEstimate {
    /// The bad end.
    pub side: Side,
    /// Mean of the worst episodes.
    pub mean: Estimate,
    /// How many they are.
    pub samples: usize,
}

pub(super) fn summary(arm: String, values: &Values, metric: &Metric, scope: &Scope) -> Summary {
    let sample = Sample::new(&values.values);
    let share = scope.settings.tail;
    let tail = metric.direction.bad_side().and_then(|side| {
        let samples = sample.tail(&sample.once(), side, share)?.samples;
        let mean = estimate(&sample, values.runs, scope, |s, times| s.tail(times, side, share).map(|tail| tail.mean))?;
        Some(TailEstimate { side, mean, samples })
    });
    Summary {
        arm,
        episodes: sample.width(),
        undefined: sample.width() - sample.defined(),
        range: sample.range(),
        mean: mean_estimate(values, &sample, scope),
        interquartile_mean: (metric.group == Group::Objective)
            .then(|| estimate(&sample, values.runs, scope, Sample::interquartile_mean))
            .flatten(),
        tail,
    }
}

/// Mean with a bias-corrected and accelerated interval if there is one run, with a two-level one if there are several.
///
/// Where the former is undefined the percentile interval stands in, and says so.
pub(super) fn mean_estimate(values: &Values, sample: &Sample, scope: &Scope) -> Option<Estimate> {
    let value = sample.mean(&sample.once())?;
    let distribution = if varies(sample, scope) { scope.plan(values.runs).means(sample) } else { Vec::new() };
    let accelerated = (values.runs == 1 && !distribution.is_empty()).then(|| {
        let leave_one_out = jackknife_mean(&values.values);
        let mut rest = leave_one_out.as_slice();
        let strata = scope.strata.iter().map(|size| rest.split_off(..*size).unwrap_or_default().to_vec());
        bca(value, &distribution, &strata.collect::<Vec<_>>(), scope.settings.confidence)
    });
    let accelerated = accelerated.flatten().map(|(low, high)| Interval { low, high, method: Method::Bca });
    Some(Estimate { value, interval: accelerated.or_else(|| plain(&distribution, values.runs, scope)) })
}

/// A statistic with the percentile interval of its bootstrap distribution; nothing if it is undefined.
fn estimate(
    sample: &Sample,
    runs: usize,
    scope: &Scope,
    statistic: impl Fn(&Sample, &[u32]) -> Option<f64>,
) -> Option<Estimate> {
    let value = statistic(sample, &sample.once())?;
    let bootstrap = || scope.plan(runs).distribution(|times| statistic(sample, times));
    let distribution = if varies(sample, scope) { bootstrap() } else { Vec::new() };
    Some(Estimate { value, interval: plain(&distribution, runs, scope) })
}

/// Whether resampling could vary: not with one seed for each scenario, and not with one defined value.
fn varies(sample: &Sample, scope: &Scope) -> bool {
    sample.defined() >= 2 && scope.strata.iter().any(|size| *size >= 2)
}

fn plain(distribution: &[f64], runs: usize, scope: &Scope) -> Option<Interval> {
    let method = if runs == 1 { Method::Percentile } else { Method::TwoLevel };
    percentile(distribution, scope.settings.confidence).map(|(low, high)| Interval { low, high, method })
}
