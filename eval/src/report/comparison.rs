//! The subject against one other arm: paired on common seeds, tested, and corrected for the number of opponents.

use serde::{Deserialize, Serialize};

use crate::metric::{Direction, Metric};
use crate::report::summary::mean_estimate;
use crate::report::{Scope, Values};
use crate::statistics::{Estimate, Sample, correlation, holm, mean, probability_of_improvement, real, sign_flip};

/// What one comparison allows to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// The interval excludes zero on the good side, and the corrected test agrees.
    Better,
    /// The interval excludes zero on the good side; the corrected test does not confirm it.
    Ahead,
    /// No difference beyond noise.
    Undecided,
    /// The interval excludes zero on the bad side; the corrected test does not confirm it.
    Behind,
    /// The interval excludes zero on the bad side, and the corrected test agrees.
    Worse,
}

impl Finding {
    /// Name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Ahead => "ahead",
            Self::Undecided => "undecided",
            Self::Behind => "behind",
            Self::Worse => "worse",
        }
    }
}

/// What a test's signs were flipped on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestUnit {
    /// Pairs of episodes: a claim about these policies.
    Episodes,
    /// Training seeds: a claim about the way they were trained.
    Runs,
}

/// A paired permutation test of the mean difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// What was flipped.
    pub unit: TestUnit,
    /// Two-sided p-value.
    pub p: f64,
    /// The same after Holm's correction over the opponents of this metric and section.
    pub adjusted: f64,
    /// Smallest p-value that a test of this size could give.
    pub smallest: f64,
    /// Whether all sign patterns were enumerated.
    pub exact: bool,
}

/// The subject against another arm on one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Name of the other arm.
    pub opponent: String,
    /// Pairs of episodes in which both define the metric.
    pub pairs: usize,
    /// Mean of subject less opponent.
    pub difference: Option<Estimate>,
    /// Share of pairs in which the subject does better; of a neutral metric, has more.
    pub won: Option<f64>,
    /// Share of pairs in which the subject does worse; of a neutral metric, has less.
    pub lost: Option<f64>,
    /// Probability that a random episode of the subject does better than a random one of the opponent in the same
    /// scenario, ties counting half; of a neutral metric, has more.
    pub improvement: Option<f64>,
    /// Correlation over pairs: what common seeds bought.
    pub correlation: Option<f64>,
    /// Permutation test.
    pub test: Option<Test>,
    /// What may be said; nothing for a neutral metric.
    pub finding: Option<Finding>,
}

/// Compares without correcting: [`settle`] does that once all opponents are in.
pub(super) fn compare(
    opponent: String,
    subject: &Values,
    other: &Values,
    metric: &Metric,
    scope: &Scope,
) -> Comparison {
    let cells: usize = scope.strata.iter().sum();
    let runs = subject.runs.max(other.runs);
    let at = |values: &Values, run: usize, cell: usize| values.values[run.min(values.runs - 1) * cells + cell];
    let pair = |place: usize| {
        let (run, cell) = (place / cells, place % cells);
        at(subject, run, cell).zip(at(other, run, cell))
    };
    let pairs: Vec<Option<(f64, f64)>> = (0..runs * cells).map(pair).collect();
    let differences = Values { runs, values: pairs.iter().map(|pair| pair.map(|(x, y)| x - y)).collect() };
    let defined: Vec<(f64, f64)> = pairs.into_iter().flatten().collect();
    let sign = if metric.direction == Direction::Lower { -1.0 } else { 1.0 };
    let share = |better: fn(f64) -> bool| {
        let count = differences.values.iter().flatten().filter(|difference| better(sign * **difference)).count();
        (!defined.is_empty()).then(|| real(count) / real(defined.len()))
    };
    Comparison {
        opponent,
        pairs: defined.len(),
        difference: mean_estimate(&differences, &Sample::new(&differences.values), scope),
        won: share(|difference| difference > 0.0),
        lost: share(|difference| difference < 0.0),
        improvement: improvement(subject, other, sign, scope),
        correlation: correlation(&defined),
        test: test(&differences, cells, scope),
        finding: None,
    }
}

/// Corrects the tests of one family and draws the findings.
pub(super) fn settle(comparisons: &mut [Comparison], direction: Direction, confidence: f64) {
    let p_values: Vec<f64> = comparisons.iter().filter_map(|comparison| comparison.test.map(|test| test.p)).collect();
    let tests = comparisons.iter_mut().filter_map(|comparison| comparison.test.as_mut());
    for (test, adjusted) in tests.zip(holm(&p_values)) {
        test.adjusted = adjusted;
    }
    for comparison in comparisons.iter_mut().filter(|_| direction != Direction::Neutral) {
        comparison.finding = Some(finding(comparison, direction, confidence));
    }
}

fn finding(comparison: &Comparison, direction: Direction, confidence: f64) -> Finding {
    let outside = |estimate: &Estimate| estimate.interval.is_some_and(|interval| interval.excludes_zero());
    let Some(difference) = comparison.difference.filter(outside) else { return Finding::Undecided };
    let confirmed = comparison.test.is_some_and(|test| test.adjusted < 1.0 - confidence);
    match (direction.sign() * difference.value > 0.0, confirmed) {
        (true, true) => Finding::Better,
        (true, false) => Finding::Ahead,
        (false, false) => Finding::Behind,
        (false, true) => Finding::Worse,
    }
}

/// Probability of improvement over the scenarios in which both sides define the metric.
fn improvement(subject: &Values, other: &Values, sign: f64, scope: &Scope) -> Option<f64> {
    let cells: usize = scope.strata.iter().sum();
    let within = |values: &Values, start: usize, size: usize| -> Vec<f64> {
        let runs = values.values.chunks_exact(cells);
        runs.flat_map(|run| run[start..start + size].iter().flatten().map(|value| sign * value)).collect()
    };
    let mut start = 0;
    let mut tasks = Vec::with_capacity(scope.strata.len());
    for size in &scope.strata {
        tasks.push((within(subject, start, *size), within(other, start, *size)));
        start += size;
    }
    tasks.retain(|(x, y)| !x.is_empty() && !y.is_empty());
    (!tasks.is_empty()).then(|| probability_of_improvement(&tasks))
}

/// Flips episodes if there is one run, training seeds if there are several.
pub(super) fn test(differences: &Values, cells: usize, scope: &Scope) -> Option<Test> {
    let (unit, units): (TestUnit, Vec<f64>) = if differences.runs == 1 {
        (TestUnit::Episodes, differences.values.iter().flatten().copied().collect())
    } else {
        let runs = differences.values.chunks_exact(cells);
        let runs = runs.map(|run| run.iter().flatten().copied().collect::<Vec<f64>>());
        (TestUnit::Runs, runs.filter(|run| !run.is_empty()).map(|run| mean(&run)).collect())
    };
    if units.is_empty() {
        return None;
    }
    let result = sign_flip(&units, scope.settings.flips, scope.settings.seeds());
    Some(Test { unit, p: result.p, adjusted: result.p, smallest: result.smallest, exact: result.exact })
}
