//! Records to statements: a table with intervals, paired comparisons, tails, gates and a verdict.
//!
//! [`Report::build`] computes; [`markdown`], [`csv`], [`json`], [`latex`], [`columns`] and [`html`] only print what it
//! computed. They return strings or bytes: files are the binary's business.

pub mod columns;
mod comparison;
pub mod csv;
pub mod effect;
mod extremes;
pub mod html;
pub mod json;
pub mod latex;
pub mod markdown;
mod metric_info;
mod number;
mod summary;
pub mod table;
mod training;
mod verdict;

pub use comparison::{Comparison, Finding, Test, TestUnit};
pub use metric_info::MetricInfo;
pub use summary::{Extremes, Level, SHARES, Summary, THRESHOLD, TailEstimate};
pub use training::TrainingRuns;

use rayon::prelude::*;
use seawall_env::{Problems, SeedTree};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::gate::{Gate, Judgement};
use crate::metric::{Metric, metrics};
use crate::record::{Arm, Records};
use crate::statistics::{Plan, real};

/// How the statistics are made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Coverage of intervals, in `(0, 1)`; findings are claimed at the level that it leaves. Default 0.95.
    pub confidence: f64,
    /// Bootstrap resamples, at least 100. Default 2,000.
    pub resamples: usize,
    /// Sign patterns of a permutation test that cannot be enumerated, at least 99. Default 9,999.
    pub flips: usize,
    /// Share of episodes in a tail, in `(0, 0.5]`. Default 0.05.
    pub tail: f64,
    /// Root of the resampling streams. Default 0.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { confidence: 0.95, resamples: 2_000, flips: 9_999, tail: 0.05, seed: 0 }
    }
}

impl Settings {
    fn validate(&self, problems: &mut Problems) {
        problems.range("settings.confidence", self.confidence, 0.5, 0.999);
        problems.require(self.resamples >= 100, "settings.resamples", self.resamples, "at least 100");
        problems.require(self.flips >= 99, "settings.flips", self.flips, "at least 99");
        problems.range("settings.tail", self.tail, 0.001, 0.5);
    }

    pub(crate) const fn seeds(&self) -> SeedTree {
        SeedTree::new(self.seed)
    }
}

/// One metric over the episodes of a section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The metric.
    pub metric: MetricInfo,
    /// One entry for each arm, in order.
    pub summaries: Vec<Summary>,
    /// The subject against each other arm, in order.
    pub comparisons: Vec<Comparison>,
}

/// All metrics over all scenarios, or over one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// Id of the scenario; nothing for all of them, every episode counting once.
    pub scenario: Option<String>,
    /// One row for each metric.
    pub rows: Vec<Row>,
}

/// Mean of each reward term, unweighted, for one arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TermMeans {
    /// Name of the arm.
    pub arm: String,
    /// Mean over episodes of the term's sum, in the order of [`Report::terms`].
    pub means: Vec<f64>,
}

/// Everything that is said about an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the suite.
    pub suite: String,
    /// What the suite is for.
    pub split: crate::suite::Split,
    /// Hash of the suite.
    pub hash: String,
    /// Ids of the scenarios.
    pub scenarios: Vec<String>,
    /// Seeds for each scenario.
    pub seeds: usize,
    /// How the statistics were made.
    pub settings: Settings,
    /// Name of the arm that is compared with every other.
    pub subject: String,
    /// The arms.
    pub arms: Vec<Arm>,
    /// Sentences that follow from the numbers.
    pub verdict: Vec<String>,
    /// What whoever ran it adds about how it was run: never about a result. [`Report::build`] adds nothing.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Declared bounds, and whether they hold.
    pub gates: Vec<Judgement>,
    /// Over all scenarios first, then each by itself if there are several.
    pub sections: Vec<Section>,
    /// Arms with several training seeds, seed by seed.
    pub training: Vec<TrainingRuns>,
    /// Names of the reward's terms.
    pub terms: Vec<String>,
    /// Means of the reward's terms.
    pub term_means: Vec<TermMeans>,
}

impl Report {
    /// Computes the report of `records`, with `subject` compared against every other arm.
    ///
    /// Equal records and settings give an equal report, bit for bit, on any number of threads.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the settings are out of bounds, the records are not a complete grid, or `subject` or a
    /// gate names what the records do not have; every problem is listed.
    pub fn build(records: &Records, subject: &str, settings: Settings, gates: &[Gate]) -> Result<Self, Error> {
        let mut problems = Problems::default();
        settings.validate(&mut problems);
        records.validate(&mut problems);
        let place = records.position(subject);
        problems.require(place.is_some(), "subject", subject, "a contender of this evaluation");
        for (index, gate) in gates.iter().enumerate() {
            gate.validate(&format!("gates[{index}]"), &mut problems);
            gate.validate_names(&format!("gates[{index}]"), subject, records, &mut problems);
        }
        let Some(place) = place.filter(|_| problems.0.is_empty()) else { return Err(Error::Invalid(problems)) };
        let alone = (records.scenarios.len() > 1).then_some(0..records.scenarios.len());
        let scopes = std::iter::once(None).chain(alone.into_iter().flatten().map(Some));
        let mut report = Self {
            suite: records.suite.clone(),
            split: records.split,
            hash: records.hash.clone(),
            scenarios: records.scenarios.clone(),
            seeds: records.seeds,
            settings,
            subject: subject.to_owned(),
            arms: records.arms.clone(),
            verdict: Vec::new(),
            notes: Vec::new(),
            gates: Vec::new(),
            sections: scopes.map(|scenario| section(records, place, settings, scenario)).collect(),
            training: training::training_runs(records, settings),
            terms: records.terms.clone(),
            term_means: (0..records.arms.len()).map(|arm| term_means(records, arm)).collect(),
        };
        report.verdict = verdict::verdict(&report);
        report.gates = gates.iter().map(|gate| gate.judge(&report)).collect();
        Ok(report)
    }

    /// The section of a scenario, or of all of them.
    #[must_use]
    pub fn section(&self, scenario: Option<&str>) -> Option<&Section> {
        // A single scenario is all of them.
        let only = self.scenarios.len() == 1 && scenario == self.scenarios.first().map(String::as_str);
        self.sections.iter().find(|section| only || section.scenario.as_deref() == scenario)
    }

    /// Whether every gate holds.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.gates.iter().all(|judgement| judgement.passed)
    }
}

impl Section {
    /// The row of a metric.
    #[must_use]
    pub fn row(&self, metric: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.metric.name == metric)
    }
}

impl Row {
    /// The summary of an arm.
    #[must_use]
    pub fn summary(&self, arm: &str) -> Option<&Summary> {
        self.summaries.iter().find(|summary| summary.arm == arm)
    }

    /// The comparison of the subject with an arm.
    #[must_use]
    pub fn comparison(&self, opponent: &str) -> Option<&Comparison> {
        self.comparisons.iter().find(|comparison| comparison.opponent == opponent)
    }
}

/// One metric of one arm over a section's cells: `[runs, cells]`, row-major.
#[derive(Debug)]
pub(crate) struct Values {
    pub(crate) runs: usize,
    pub(crate) values: Vec<Option<f64>>,
}

/// What all rows of a section share: its cells, and how they are resampled.
#[derive(Debug)]
pub(crate) struct Scope {
    /// Cells of the section among an arm's, as a range.
    cells: std::ops::Range<usize>,
    /// Sizes of the strata.
    pub(crate) strata: Vec<usize>,
    /// Resamples for an arm with one run, and for one with several.
    single: Plan,
    several: Option<Plan>,
    pub(crate) settings: Settings,
}

impl Scope {
    fn new(records: &Records, settings: Settings, scenario: Option<usize>) -> Self {
        let scenarios = scenario.map_or(0..records.scenarios.len(), |scenario| scenario..scenario + 1);
        let runs = records.arms.iter().map(|arm| arm.training_seeds.len()).max().unwrap_or(1);
        Self::over(scenarios, records.seeds, runs, settings)
    }

    /// Some scenarios of a grid, for arms with one run or with `runs`.
    pub(crate) fn over(scenarios: std::ops::Range<usize>, seeds: usize, runs: usize, settings: Settings) -> Self {
        let strata = vec![seeds; scenarios.len()];
        let draw = |runs| Plan::draw(settings.seeds(), runs, &strata, settings.resamples);
        let (single, several) = (draw(1), (runs > 1).then(|| draw(runs)));
        let cells = scenarios.start * seeds..scenarios.end * seeds;
        Self { cells, strata, single, several, settings }
    }

    /// Resamples for values of this many runs.
    pub(crate) fn plan(&self, runs: usize) -> &Plan {
        if runs == 1 { &self.single } else { self.several.as_ref().expect("arms have one run or all the same number") }
    }

    fn values(&self, records: &Records, arm: usize, metric: &Metric) -> Values {
        let cells = records.scenarios.len() * records.seeds;
        let rows = records.arm(arm).chunks_exact(cells);
        let values = rows.flat_map(|run| run[self.cells.clone()].iter().map(metric.value)).collect();
        Values { runs: records.arms[arm].training_seeds.len(), values }
    }
}

fn section(records: &Records, subject: usize, settings: Settings, scenario: Option<usize>) -> Section {
    let scope = Scope::new(records, settings, scenario);
    let row = |metric: &Metric| {
        let values: Vec<Values> = (0..records.arms.len()).map(|arm| scope.values(records, arm, metric)).collect();
        let name = |arm: usize| records.arms[arm].name.clone();
        let summaries = values.iter().enumerate().map(|(arm, v)| summary::summary(name(arm), v, metric, &scope));
        let others = (0..values.len()).filter(|arm| *arm != subject);
        let mut comparisons: Vec<Comparison> = others
            .map(|other| comparison::compare(name(other), &values[subject], &values[other], metric, &scope))
            .collect();
        comparison::settle(&mut comparisons, metric.direction, settings.confidence);
        Row { metric: MetricInfo::of(metric), summaries: summaries.collect(), comparisons }
    };
    let scenario = scenario.map(|scenario| records.scenarios[scenario].clone());
    Section { scenario, rows: metrics().into_par_iter().map(row).collect() }
}

fn term_means(records: &Records, arm: usize) -> TermMeans {
    let episodes = records.arm(arm);
    let sum = |term: usize| episodes.iter().map(|episode| episode.terms[term]).sum::<f64>();
    let means = (0..records.terms.len()).map(|term| sum(term) / real(episodes.len())).collect();
    TermMeans { arm: records.arms[arm].name.clone(), means }
}
