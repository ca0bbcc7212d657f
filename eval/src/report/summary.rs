//! One metric of one arm: location, tail, and how well both are known.

use serde::{Deserialize, Serialize};

use crate::metric::{Group, Metric};
use crate::report::{Scope, Values};
use crate::statistics::bca::jackknife_mean;
use crate::statistics::{Estimate, Interval, Method, NoFit, ParetoTail, Sample, Side, bca, pareto_tail, percentile};

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
    /// Conditional value at risk at the bad end, if the metric has one: the share that the settings name.
    pub tail: Option<TailEstimate>,
    /// The bad end at fixed shares, with a second opinion. Reports of earlier versions have none.
    #[serde(default)]
    pub extremes: Option<Extremes>,
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

/// Shares of the worst episodes whose means are given: the conditional value at risk at 90, 95 and 99 %.
pub const SHARES: [f64; 3] = [0.10, 0.05, 0.01];
/// Share of episodes beyond the threshold of the second opinion.
///
/// # Reference
/// `DuMouchel` 1983, "Estimating the stable index α in order to measure tail thickness": the upper 10 %.
pub const THRESHOLD: f64 = 0.10;

/// The bad end of a metric at [`SHARES`], seen from two sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Extremes {
    /// The bad end.
    pub side: Side,
    /// One for each of [`SHARES`].
    pub levels: Vec<Level>,
    /// The generalised Pareto distribution beyond the threshold that leaves [`THRESHOLD`] of the episodes.
    pub fit: Option<ParetoTail>,
    /// Why there is none.
    pub not_estimable: Option<NoFit>,
}

impl Extremes {
    /// Episodes strictly beyond the threshold.
    #[must_use]
    pub fn exceedances(&self) -> usize {
        let without_fit = |reason| match reason {
            NoFit::TooFew { exceedances } | NoFit::Irregular { exceedances } => exceedances,
        };
        self.fit.map(|fit| fit.exceedances).or(self.not_estimable.map(without_fit)).unwrap_or_default()
    }
}

/// A conditional value at risk.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Share of the worst episodes.
    pub share: f64,
    /// Their mean.
    pub mean: Estimate,
    /// How many they are.
    pub samples: usize,
    /// The same by the fitted distribution, which knows of what is worse than the worst episode; nothing without a fit.
    pub pareto: Option<f64>,
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
        extremes: metric.direction.bad_side().and_then(|side| extremes(values, &sample, side, scope)),
    }
}

/// The tail at [`SHARES`], by the observations alone and by a fit to those beyond a threshold.
fn extremes(values: &Values, sample: &Sample, side: Side, scope: &Scope) -> Option<Extremes> {
    let defined: Vec<f64> = values.values.iter().flatten().copied().collect();
    let pareto = pareto_tail(&defined, side, THRESHOLD);
    let level = |share: f64| {
        let samples = sample.tail(&sample.once(), side, share)?.samples;
        let mean = estimate(sample, values.runs, scope, |s, times| s.tail(times, side, share).map(|tail| tail.mean))?;
        Some(Level { share, mean, samples, pareto: pareto.ok().and_then(|fit| fit.expected_shortfall(share)) })
    };
    let levels = SHARES.into_iter().map(level).collect::<Option<Vec<Level>>>()?;
    Some(match pareto {
        Ok(fit) => Extremes { side, levels, fit: Some(fit), not_estimable: None },
        Err(reason) => Extremes { side, levels, fit: None, not_estimable: Some(reason) },
    })
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
