//! Findings as a table for people, one for spreadsheets, one for programs, and a drawing.

use std::fs;
use std::path::Path;

use anyhow::Context;
use seawall_eval::report::MetricInfo;
use seawall_eval::report::effect::Effect;
use seawall_eval::report::html;
use seawall_eval::statistics::Estimate;
use serde::Deserialize;

use super::file::Expected;
use super::findings::{Findings, Found, MetricEffects, as_expected};
use super::plan::Plan;
use crate::foresight::write_settings;
use crate::run_folder::{Manifest, RunFolder};
use crate::{judge, table};

/// The table for people.
pub(crate) const TABLE: &str = "ablation.md";
/// The findings for programs.
const FINDINGS: &str = "ablation.json";
/// The drawing.
pub(crate) const FOREST: &str = "forest.svg";
/// Training seeds below which an interval covers less than it says: 88 % of 95 % at ten, 75 % at three, measured.
const SEEDS_MIN: usize = 10;

/// Writes everything into a study's folder, the files of a run's report among them, so that `seawall report` reads it.
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn write(plan: &Plan, found: &Found, folder: &RunFolder) -> anyhow::Result<()> {
    let findings = &found.findings;
    folder.write(TABLE, markdown(findings).as_bytes())?;
    folder.write("ablation.csv", csv(findings)?.as_bytes())?;
    let text = serde_json::to_string_pretty(findings).context("writing the findings as JSON")?;
    folder.write(FINDINGS, (text + "\n").as_bytes())?;
    if let Some(primary) = findings.effects.first() {
        let title = format!("{}: {}", findings.study, findings.question);
        folder.write(FOREST, html::forest_file(&title, &primary.metric, &primary.effects).as_bytes())?;
    }
    let Some((records, report)) = &found.report else { return Ok(()) };
    let settings = &plan.arms[0].judge;
    let text = write_settings(folder, settings)?;
    folder.write_manifest(&Manifest::new(&text, settings.run.seed, Vec::new()))?;
    judge::write(folder, report, records)
}

/// What a page needs of a study's findings.
#[derive(Deserialize)]
struct Written {
    study: String,
    question: String,
    effects: Vec<WrittenEffects>,
}

#[derive(Deserialize)]
struct WrittenEffects {
    metric: MetricInfo,
    effects: Vec<Effect>,
}

/// The drawing of a study's effects for a page; nothing if the folder is no study's, or has no effects.
///
/// # Errors
/// If its findings cannot be read.
pub(crate) fn forest(folder: &Path) -> anyhow::Result<Option<String>> {
    let path = folder.join(FINDINGS);
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let found: Written = serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
    let title = format!("{}: {}", found.study, found.question);
    Ok(found.effects.first().map(|primary| html::forest(&title, &primary.metric, &primary.effects)))
}

/// The findings on a terminal: what is on the primary metric.
pub(crate) fn summary(findings: &Findings) -> String {
    let Some(primary) = findings.effects.first() else { return "No arm is complete.".to_owned() };
    let name = primary.metric.name.replace('_', " ");
    let percent = 100.0 * findings.confidence;
    let header = [
        "effect".to_owned(),
        format!("on {name} [{percent} %]"),
        "p, Holm".into(),
        "finding".into(),
        "expected".into(),
    ];
    table::table(
        &header,
        primary.effects.iter().zip(&primary.expected).map(|(effect, expected)| row(effect, *expected)),
    )
}

fn row(effect: &Effect, expected: Option<Expected>) -> Vec<String> {
    let verdict = expected.and_then(|expected| as_expected(expected, effect.finding));
    let expected = expected.map(|expected| match (expected, verdict) {
        (_, Some(true)) => format!("{}: found", name(expected)),
        (_, Some(false)) => format!("{}: refuted", name(expected)),
        (_, None) => format!("{}: open", name(expected)),
    });
    vec![
        effect.name.clone(),
        estimate(effect.estimate),
        effect.test.map_or_else(|| "-".to_owned(), |test| format!("{:.4}", test.adjusted)),
        effect.finding.map_or("", |finding| finding.name()).to_owned(),
        expected.unwrap_or_default(),
    ]
}

const fn name(expected: Expected) -> &'static str {
    match expected {
        Expected::Better => "better",
        Expected::Worse => "worse",
        Expected::Same => "same",
    }
}

fn estimate(estimate: Option<Estimate>) -> String {
    match estimate {
        None => "-".to_owned(),
        Some(Estimate { value, interval: None }) => table::number(value),
        Some(Estimate { value, interval: Some(interval) }) => table::interval(value, interval.low, interval.high),
    }
}

fn markdown(findings: &Findings) -> String {
    let Findings { study, question, hypothesis, registration, registered, .. } = findings;
    let mut page = format!("# {study}\n\n{question}\n\nExpected: {hypothesis}\n\n");
    page += &format!("Registered {registered}, before the first trial, as `{registration}`.\n");
    page += &format!("{}\n\n## Arms\n\n", extent(findings));
    page += &arms(findings);
    for (place, measured) in findings.effects.iter().enumerate() {
        let MetricEffects { metric, .. } = measured;
        let kind = if place == 0 { "Effects" } else { "Secondary" };
        page += &format!("\n## {kind}: {}, {}\n\n", metric.name.replace('_', " "), metric.unit.label());
        page += &format!("{}.\n\n", metric.formula);
        page += "| effect | estimate | p, Holm | finding | expected |\n|---|---:|---:|---|---|\n";
        for (effect, expected) in measured.effects.iter().zip(&measured.expected) {
            page += &line(&row(effect, *expected));
        }
    }
    page += "\n## Design\n\n";
    for note in &findings.notes {
        page += &format!("- {note}\n");
    }
    page += &format!("- {}\n", caution(findings));
    page + "- Holm's correction is over the effects on one metric. *Better* and *worse* take an interval without zero and a \
            corrected test; *ahead* and *behind* the interval alone. An effect with an incomplete arm is left out.\n"
}

/// How much was played.
fn extent(findings: &Findings) -> String {
    let trained = match findings.decisions {
        None => "Nothing was trained.".to_owned(),
        Some(decisions) => format!(
            "{} training seeds for each trained arm, {decisions} decisions each.",
            findings.training_seeds.len()
        ),
    };
    let judged = format!(
        "Judged on {} × {} held-out seeds, the same for everybody.",
        findings.scenarios.join(", "),
        findings.seeds
    );
    format!("{trained} {judged}")
}

fn arms(findings: &Findings) -> String {
    let metrics: Vec<String> = findings.effects.iter().map(|of| of.metric.name.replace('_', " ")).collect();
    let mut text = format!(
        "| arm | runs | {} | remarks |\n|---|---:|{}---|\n",
        metrics.join(" | "),
        "---:|".repeat(metrics.len())
    );
    for arm in &findings.arms {
        let mut cells = vec![arm.name.clone(), arm.runs.to_string()];
        cells.extend((0..metrics.len()).map(|place| estimate(arm.summaries.get(place).and_then(|found| found.mean))));
        let mut remarks: Vec<String> = arm.policy.iter().map(|policy| format!("judges {policy}")).collect();
        remarks.extend(arm.shielded.map(|(seen, acted)| format!("the shield changed {acted} of {seen} actions")));
        remarks
            .extend(arm.failures.iter().map(|reason| format!("FAILED: {}", reason.lines().next().unwrap_or_default())));
        if arm.missing > 0 {
            remarks.push(format!("{} not run to the end", arm.missing));
        }
        cells.push(remarks.join("; "));
        text += &line(&cells);
    }
    text
}

fn line(cells: &[String]) -> String {
    let escaped: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", escaped.join(" | "))
}

fn caution(findings: &Findings) -> String {
    let percent = 100.0 * findings.confidence;
    match (findings.decisions, findings.training_seeds.len()) {
        (None, _) => format!(
            "Intervals of {percent} % are over episodes: they are claims about these policies on these scenarios."
        ),
        (Some(_), 1) => "One training seed says nothing about training: intervals are over episodes alone.".to_owned(),
        (Some(_), seeds) if seeds < SEEDS_MIN => format!(
            "Intervals of {percent} % are over training seeds and episodes; with {seeds} training seeds they cover less than they \
             say, and the smallest p that a test of {seeds} can give is {:.3}.",
            libm::pow(2.0, 1.0 - f64::from(u32::try_from(seeds).unwrap_or(u32::MAX)))
        ),
        (Some(_), _) => format!("Intervals of {percent} % are over training seeds and episodes."),
    }
}

fn csv(findings: &Findings) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "metric",
        "effect",
        "cells",
        "estimate",
        "low",
        "high",
        "p",
        "p_holm",
        "finding",
        "expected",
        "as_expected",
    ])?;
    for of in &findings.effects {
        for (effect, expected) in of.effects.iter().zip(&of.expected) {
            let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
            let interval = effect.estimate.and_then(|estimate| estimate.interval);
            let verdict = expected.and_then(|expected| as_expected(expected, effect.finding));
            writer.write_record([
                of.metric.name.to_owned(),
                effect.name.clone(),
                effect.cells.to_string(),
                number(effect.estimate.map(|estimate| estimate.value)),
                number(interval.map(|interval| interval.low)),
                number(interval.map(|interval| interval.high)),
                number(effect.test.map(|test| test.p)),
                number(effect.test.map(|test| test.adjusted)),
                effect.finding.map_or("", |finding| finding.name()).to_owned(),
                expected.map_or("", name).to_owned(),
                verdict.map_or_else(String::new, |verdict| verdict.to_string()),
            ])?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error()).context("writing the findings as CSV")?;
    String::from_utf8(bytes).context("writing the findings as CSV")
}
