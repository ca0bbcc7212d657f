//! What the numbers allow to be said, in sentences. Nothing here is worded by hand for a result.

use crate::metric::{Direction, PRIMARY};
use crate::report::number::{decimals, estimate};
use crate::report::{Comparison, Finding, Report, Row, TestUnit};
use crate::statistics::real;

/// Fewest training seeds for a claim about a way of training: percentile intervals over fewer cover clearly less than
/// they state, as `tests/coverage.rs` measures.
const RUNS_MIN: usize = 10;

pub(super) fn verdict(report: &Report) -> Vec<String> {
    let section = &report.sections[0];
    let primary = section.row(PRIMARY).expect("the primary metric is a metric");
    if primary.comparisons.is_empty() {
        return vec![format!("{} stands alone: nothing is compared.", report.subject)];
    }
    let mut sentences = vec![headline(report, primary)];
    sentences.extend(trade_off(report));
    sentences.extend(caution(report, primary));
    sentences
}

fn headline(report: &Report, primary: &Row) -> String {
    let clause = |comparison: &Comparison| {
        let verb = match comparison.finding {
            Some(Finding::Better) => "beats",
            Some(Finding::Ahead) => "is ahead of",
            Some(Finding::Behind) => "is behind",
            Some(Finding::Worse) => "loses to",
            Some(Finding::Undecided) | None => "cannot be told apart from",
        };
        let unconfirmed = matches!(comparison.finding, Some(Finding::Ahead | Finding::Behind));
        let difference =
            comparison.difference.map_or_else(|| "undefined".into(), |d| estimate(&d, primary.metric.unit));
        let p = comparison.test.map_or_else(String::new, |test| format!(", Holm p {}", decimals(test.adjusted, 4)));
        let note = if unconfirmed { ", not confirmed by the test" } else { "" };
        format!("{verb} {} ({difference}{p}{note})", comparison.opponent)
    };
    let clauses: Vec<String> = primary.comparisons.iter().map(clause).collect();
    let (scenarios, seeds) = (counted(report.scenarios.len(), "scenario"), counted(report.seeds, "seed"));
    let split = report.split.name();
    format!("On {PRIMARY}, over {scenarios} × {seeds} of the {split} split, {} {}.", report.subject, clauses.join("; "))
}

/// What the subject gains and gives up against the opponent with the best mean.
fn trade_off(report: &Report) -> Option<String> {
    let section = &report.sections[0];
    let primary = section.row(PRIMARY)?;
    let sign = primary.metric.direction.sign();
    let score = |name: &str| primary.summary(name).and_then(|summary| summary.mean).map(|mean| sign * mean.value);
    let strongest = primary.comparisons.iter().filter_map(|c| score(&c.opponent).map(|mean| (mean, &c.opponent)));
    let (_, opponent) = strongest.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let judged =
        section.rows.iter().filter(|row| row.metric.name != PRIMARY && row.metric.direction != Direction::Neutral);
    let mut named: [Vec<&str>; 4] = Default::default();
    let (mut open, mut equal) = (0, 0);
    for row in judged {
        let comparison = row.comparison(opponent)?;
        let (true, Some(finding)) = (comparison.difference.is_some(), comparison.finding) else { continue };
        match finding {
            Finding::Better => named[0].push(row.metric.name),
            Finding::Worse => named[1].push(row.metric.name),
            Finding::Ahead => named[2].push(row.metric.name),
            Finding::Behind => named[3].push(row.metric.name),
            Finding::Undecided if comparison.won == Some(0.0) && comparison.lost == Some(0.0) => equal += 1,
            Finding::Undecided => open += 1,
        }
    }
    let heads = ["better on", "worse on", "ahead without confirmation on", "behind without confirmation on"];
    let mut parts: Vec<String> = heads
        .into_iter()
        .zip(named)
        .filter(|(_, names)| !names.is_empty())
        .map(|(head, names)| format!("{head} {}", names.join(", ")))
        .collect();
    parts.push(format!("no difference beyond noise on {}", counted(open, "metric")));
    parts.push(format!("the same in every pair on {}", counted(equal, "metric")));
    Some(format!("Against {opponent}, the strongest of them by mean {PRIMARY}: {}.", parts.join("; ")))
}

/// What the figures do not cover.
pub(super) fn caution(report: &Report, primary: &Row) -> Option<String> {
    let runs = report.arms.iter().map(|arm| arm.training_seeds.len()).max()?;
    let trained = report.arms.iter().any(|arm| arm.training_seeds[0].is_some());
    if runs == 1 {
        let text = "One training seed: the figures speak of this policy, not of what training gives again.";
        return trained.then(|| text.into());
    }
    let mut gaps = Vec::new();
    if runs < RUNS_MIN {
        gaps.push(format!("fewer than {RUNS_MIN} make intervals too narrow"));
    }
    let tests = primary.comparisons.iter().filter_map(|comparison| comparison.test);
    let smallest = tests.filter(|test| test.unit == TestUnit::Runs).map(|test| test.smallest).reduce(f64::min);
    // Holm multiplies the smallest p-value of a family by its size.
    let floor = smallest.map(|p| (p * real(primary.comparisons.len())).min(1.0));
    if let Some(floor) = floor.filter(|floor| *floor >= 1.0 - report.settings.confidence) {
        gaps.push(format!("the corrected test can give no p below {}", decimals(floor, 4)));
    }
    (!gaps.is_empty()).then(|| format!("{runs} training seeds: {}.", gaps.join(", and ")))
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
