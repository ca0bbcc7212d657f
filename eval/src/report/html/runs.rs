//! Several runs side by side: the subject of each against the subject of the first, on common episodes.
//!
//! This is what an ablation is read from: one run folder for each arm.

use super::study::Study;
use super::tables::{self, Forest};
use super::words;
use crate::metric::{PRIMARY, metric};
use crate::report::comparison::{compare, settle};
use crate::report::{Comparison, Scope, Values};

/// Compares every study with the first; nothing if none of them met the same episodes. The sentence says which did not.
pub(super) fn forest(studies: &[Study]) -> (Option<Forest>, String) {
    let Some((first, others)) = studies.split_first() else { return (None, String::new()) };
    let primary = metric(PRIMARY).expect("the primary metric is a metric");
    let mut found: Vec<(String, Comparison)> = Vec::new();
    let mut left_out = Vec::new();
    for other in others {
        let (Some(own), Some(base)) = (values(other), values(first)) else {
            left_out.push(other.name.clone());
            continue;
        };
        let is_common = other.report.hash == first.report.hash;
        let are_paired = own.runs == 1 || base.runs == 1 || seeds(other) == seeds(first);
        if !is_common || !are_paired {
            left_out.push(other.name.clone());
            continue;
        }
        let report = &first.report;
        let runs = own.runs.max(base.runs);
        let scope = Scope::over(0..report.scenarios.len(), report.seeds, runs, report.settings);
        found.push((other.name.clone(), compare(first.name.clone(), &own, &base, primary, &scope)));
    }
    let mut comparisons: Vec<Comparison> = found.iter().map(|(_, comparison)| comparison.clone()).collect();
    settle(&mut comparisons, primary.direction, first.report.settings.confidence);
    let found: Vec<(String, Comparison)> = found.into_iter().map(|(name, _)| name).zip(comparisons).collect();
    let note = if left_out.is_empty() {
        String::new()
    } else {
        format!("Not compared, for other episodes or other training seeds: {}.", words::list(&left_out))
    };
    let row = first.report.sections[0].row(PRIMARY).filter(|_| !found.is_empty());
    (row.map(|row| tables::forest(&format!("less {}", first.name), &found, row)), note)
}

/// The subject's returns, run by run.
fn values(study: &Study) -> Option<Values> {
    let report = &study.report;
    let values = study.episodes.of(&report.subject, PRIMARY);
    let cells = report.scenarios.len() * report.seeds;
    let is_whole = cells > 0 && !values.is_empty() && values.len().is_multiple_of(cells);
    is_whole.then(|| Values { runs: values.len() / cells, values })
}

fn seeds(study: &Study) -> Vec<Option<u64>> {
    let arms = &study.report.arms;
    let subject = arms.iter().find(|arm| arm.name == study.report.subject);
    subject.map(|arm| arm.training_seeds.clone()).unwrap_or_default()
}
