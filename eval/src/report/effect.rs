//! Effects of a study: weighted sums of arms, paired on common seeds, tested, and corrected for their number.
//!
//! An arm less another, a factor's main effect over the arms of a factorial design, a slope over the samples of a
//! hypercube: each is a contrast, a weight for every arm. All of them are estimated cell by cell, so that what a seed
//! brings to all arms alike cancels.

use seawall_env::Problems;
use serde::{Deserialize, Serialize};

use crate::error::{Error, check};
use crate::metric::Metric;
use crate::record::Records;
use crate::report::comparison::{self, Comparison, Finding, Test};
use crate::report::{Scope, Settings, Values, summary};
use crate::statistics::{Estimate, Sample};

/// A weighted sum of arms' means.
#[derive(Clone, Debug, PartialEq)]
pub struct Contrast {
    /// Name in tables.
    pub name: String,
    /// A weight for each arm of the records.
    pub weights: Vec<f64>,
}

/// What a contrast came to on one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Name of the contrast.
    pub name: String,
    /// Cells, over all runs, in which every arm with a weight defines the metric.
    pub cells: usize,
    /// The weighted sum, with its interval: two-level where arms were trained with several seeds.
    pub estimate: Option<Estimate>,
    /// Permutation test of runs, or of episodes where nothing was trained; corrected over the contrasts of this call.
    pub test: Option<Test>,
    /// What may be said; nothing for a neutral metric.
    pub finding: Option<Finding>,
}

/// Estimates `contrasts` on one metric, as one family of comparisons.
///
/// # Errors
/// [`Error::Invalid`] if the settings are out of bounds, the records are no complete grid, or a contrast does not have a
/// finite weight for each arm and one that is not zero; every problem is listed.
pub fn effects(
    records: &Records,
    contrasts: &[Contrast],
    metric: &Metric,
    settings: Settings,
) -> Result<Vec<Effect>, Error> {
    let mut problems = Problems::default();
    settings.validate(&mut problems);
    records.validate(&mut problems);
    for (index, contrast) in contrasts.iter().enumerate() {
        let weights = &contrast.weights;
        let fits = weights.len() == records.arms.len() && weights.iter().all(|weight| weight.is_finite());
        let holds = fits && weights.iter().any(|weight| *weight != 0.0);
        let bound = "a finite weight for each arm, not all zero";
        problems.require(holds, format!("contrasts[{index}].weights"), format!("{weights:?}"), bound);
    }
    check(problems)?;
    let scope = Scope::new(records, settings, None);
    let values: Vec<Values> = (0..records.arms.len()).map(|arm| scope.values(records, arm, metric)).collect();
    let mut found: Vec<Comparison> = contrasts.iter().map(|contrast| compare(contrast, &values, &scope)).collect();
    comparison::settle(&mut found, metric.direction, settings.confidence);
    Ok(found.into_iter().map(effect).collect())
}

fn effect(comparison: Comparison) -> Effect {
    let Comparison { opponent: name, pairs: cells, difference: estimate, test, finding, .. } = comparison;
    Effect { name, cells, estimate, test, finding }
}

/// The weighted sum in every cell of every run; an arm with a single run stands beside every run of the others.
fn compare(contrast: &Contrast, arms: &[Values], scope: &Scope) -> Comparison {
    let cells: usize = scope.strata.iter().sum();
    let weighted: Vec<(f64, &Values)> =
        contrast.weights.iter().copied().zip(arms).filter(|(weight, _)| *weight != 0.0).collect();
    let runs = weighted.iter().map(|(_, values)| values.runs).max().expect("a contrast has a weight");
    let sum = |place: usize| {
        let (run, cell) = (place / cells, place % cells);
        weighted.iter().try_fold(0.0, |sum, (weight, values)| {
            Some(sum + weight * values.values[run.min(values.runs - 1) * cells + cell]?)
        })
    };
    let sums = Values { runs, values: (0..runs * cells).map(sum).collect() };
    let sample = Sample::new(&sums.values);
    Comparison {
        opponent: contrast.name.clone(),
        pairs: sample.defined(),
        difference: summary::mean_estimate(&sums, &sample, scope),
        won: None,
        lost: None,
        improvement: None,
        correlation: None,
        test: comparison::test(&sums, cells, scope),
        finding: None,
    }
}
