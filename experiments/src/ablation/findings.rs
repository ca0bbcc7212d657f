//! What complete trials say: every arm's mean, every effect with its interval and test, and who is missing.

use seawall_eval::report::effect::{Contrast, Effect, effects};
use seawall_eval::report::{Finding, MetricInfo, Summary};
use seawall_eval::{Records, Report};
use serde::Serialize;

use super::design::Planned;
use super::file::Expected;
use super::plan::{Plan, subject};
use super::registration::Registration;
use super::trial::{Trial, TrialResult, gathered};

/// The findings of a study, as its JSON file has them.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    /// Name of the study.
    pub(crate) study: String,
    /// What it asks.
    pub(crate) question: String,
    /// What was expected.
    pub(crate) hypothesis: String,
    /// Hash of its registration.
    pub(crate) registration: String,
    /// When it was registered, UTC.
    pub(crate) registered: String,
    /// What a reader has to know of the design.
    pub(crate) notes: Vec<String>,
    /// Decisions of each training run; nothing if nothing was trained.
    pub(crate) decisions: Option<u64>,
    /// Root seeds of the training runs.
    pub(crate) training_seeds: Vec<u64>,
    /// Ids of the scenarios that everybody was judged on.
    pub(crate) scenarios: Vec<String>,
    /// Held-out seeds for each.
    pub(crate) seeds: usize,
    /// Coverage of the intervals.
    pub(crate) confidence: f64,
    /// Every arm.
    pub(crate) arms: Vec<ArmFindings>,
    /// Effects on each metric, the primary one first; each metric is a family of its own.
    pub(crate) effects: Vec<MetricEffects>,
    /// Builds of the program that ran the trials: more than one is worth a thought.
    pub(crate) builds: Vec<String>,
}

/// One arm.
#[derive(Debug, Serialize)]
pub(crate) struct ArmFindings {
    /// Name.
    pub(crate) name: String,
    /// Whom it judges, if that is not what it trained.
    pub(crate) policy: Option<String>,
    /// Complete training runs; one where nothing was trained.
    pub(crate) runs: usize,
    /// Reasons of the trials that failed.
    pub(crate) failures: Vec<String>,
    /// Trials that have not been run to their end.
    pub(crate) missing: usize,
    /// Of the decisions that the shield saw, those that it changed.
    pub(crate) shielded: Option<(u64, u64)>,
    /// Means of the metrics, in the order of the effects; empty if a trial is missing.
    pub(crate) summaries: Vec<Summary>,
}

/// Effects on one metric.
#[derive(Debug, Serialize)]
pub(crate) struct MetricEffects {
    /// The metric.
    pub(crate) metric: MetricInfo,
    /// Effects of which every arm is complete.
    pub(crate) effects: Vec<Effect>,
    /// What was expected of each; of the primary metric alone.
    pub(crate) expected: Vec<Option<Expected>>,
}

/// The findings, and what the report's page is made of.
pub(crate) struct Found {
    /// The findings.
    pub(crate) findings: Findings,
    /// Records of the complete arms, and the report of the subject against the others; nothing if no arm is complete.
    pub(crate) report: Option<(Records, Report)>,
}

/// Whether an effect came out as it was expected; nothing where it cannot be told.
pub(crate) fn as_expected(expected: Expected, finding: Option<Finding>) -> Option<bool> {
    let is_settled = matches!(finding?, Finding::Better | Finding::Worse);
    match (expected, finding?) {
        (Expected::Better, Finding::Better) | (Expected::Worse, Finding::Worse) => Some(true),
        // That no difference was found does not show that there is none.
        (Expected::Same, _) if !is_settled => None,
        _ if is_settled => Some(false),
        _ => None,
    }
}

/// Reads every result and says what follows.
///
/// # Errors
/// If a result cannot be read, or results contradict each other.
pub(crate) fn find(plan: &Plan, registration: &Registration, trials: &[Vec<Trial>]) -> anyhow::Result<Found> {
    let results = trials.iter().map(|arm| arm.iter().map(Trial::result).collect());
    let results: Vec<Vec<Option<TrialResult>>> = results.collect::<anyhow::Result<_>>()?;
    let complete: Vec<(usize, Vec<TrialResult>)> = (0..)
        .zip(&results)
        .filter_map(|(arm, results)| Some((arm, results.iter().cloned().collect::<Option<Vec<_>>>()?)))
        .collect();
    let mut builds: Vec<String> =
        complete.iter().flat_map(|(_, all)| all.iter().map(|one| one.build.clone())).collect();
    builds.sort();
    builds.dedup();
    let places: Vec<usize> = complete.iter().map(|(arm, _)| *arm).collect();
    let named = complete.into_iter().map(|(arm, all)| (plan.arms[arm].name.clone(), all)).collect::<Vec<_>>();
    let statistics = plan.arms[0].judge.evaluation.statistics;
    let (mut report, mut measured) = (None, Vec::new());
    if !named.is_empty() {
        let records = gathered(&named)?;
        for (place, metric) in plan.metrics().into_iter().enumerate() {
            let kept = kept(&plan.effects, &places);
            let contrasts: Vec<Contrast> = kept.iter().map(|(contrast, _)| contrast.clone()).collect();
            let expected = kept.iter().map(|(_, expect)| expect.filter(|_| place == 0)).collect();
            let effects = effects(&records, &contrasts, metric, statistics)?;
            measured.push(MetricEffects { metric: MetricInfo::of(metric), effects, expected });
        }
        let wanted = subject(plan);
        let subject = records.position(wanted).map_or(named[0].0.as_str(), |_| wanted);
        let built = Report::build(&records, subject, statistics, &[])?;
        report = Some((records, built));
    }
    let arm = |(arm, (trials, results)): (usize, (&Vec<Trial>, &Vec<Option<TrialResult>>))| {
        let summaries = report.as_ref().map(|(_, report)| summaries(plan, report, &plan.arms[arm].name));
        let failures: Vec<String> = trials.iter().filter_map(Trial::failure).collect();
        let runs = results.iter().flatten().count();
        let tallies = results.iter().flatten().filter_map(|result| result.shielded);
        ArmFindings {
            name: plan.arms[arm].name.clone(),
            policy: plan.arms[arm].policy.clone(),
            runs,
            missing: (trials.len() - runs).saturating_sub(failures.len()),
            failures,
            shielded: tallies.reduce(|(seen, acted), (more, changed)| (seen + more, acted + changed)),
            summaries: summaries.unwrap_or_default(),
        }
    };
    let evaluation = &plan.arms[0].judge.evaluation;
    let findings = Findings {
        study: plan.study.name.clone(),
        question: plan.study.question.clone(),
        hypothesis: plan.study.hypothesis.clone(),
        registration: registration.sha256.clone(),
        registered: registration.written.clone(),
        notes: plan.notes.clone(),
        decisions: plan.budget,
        training_seeds: if plan.budget.is_some() { plan.study.training_seeds.clone() } else { Vec::new() },
        scenarios: report.as_ref().map_or_else(Vec::new, |(records, _)| records.scenarios.clone()),
        seeds: evaluation.seeds,
        confidence: statistics.confidence,
        arms: trials.iter().zip(&results).enumerate().map(arm).collect(),
        effects: measured,
        builds,
    };
    Ok(Found { findings, report })
}

/// The effects of which every arm is complete, over the complete arms alone.
fn kept(effects: &[Planned], places: &[usize]) -> Vec<(Contrast, Option<Expected>)> {
    let is_whole = |effect: &&Planned| {
        let weights = &effect.contrast.weights;
        (0..weights.len()).all(|arm| weights[arm] == 0.0 || places.contains(&arm))
    };
    let over = |effect: &Planned| {
        let weights = places.iter().map(|arm| effect.contrast.weights[*arm]).collect();
        (Contrast { name: effect.contrast.name.clone(), weights }, effect.expect)
    };
    effects.iter().filter(is_whole).map(over).collect()
}

fn summaries(plan: &Plan, report: &Report, arm: &str) -> Vec<Summary> {
    let rows = plan.metrics().into_iter().filter_map(|metric| report.sections[0].row(metric.name));
    rows.filter_map(|row| row.summary(arm).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_difference_is_never_called_a_confirmation() {
        for (expected, finding, verdict) in [
            (Expected::Worse, Finding::Worse, Some(true)),
            (Expected::Worse, Finding::Better, Some(false)),
            (Expected::Worse, Finding::Behind, None),
            (Expected::Better, Finding::Undecided, None),
            (Expected::Same, Finding::Undecided, None),
            (Expected::Same, Finding::Better, Some(false)),
        ] {
            assert_eq!(as_expected(expected, Some(finding)), verdict, "{expected:?} {finding:?}");
        }
        assert_eq!(as_expected(Expected::Worse, None), None);
    }

    #[test]
    fn an_effect_with_a_missing_arm_is_left_out_whole() {
        let planned = |weights: &[f64]| Planned {
            contrast: Contrast { name: String::new(), weights: weights.to_vec() },
            expect: None,
        };
        let kept = kept(&[planned(&[-1.0, 1.0, 0.0]), planned(&[-1.0, 0.0, 1.0])], &[0, 2]);
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].0.weights, [-1.0, 1.0]);
    }
}
