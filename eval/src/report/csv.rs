//! Tables for spreadsheets and data frames: one observation a line, at full precision, empty where undefined.

use csv::Writer;

use crate::metric::metrics;
use crate::record::Records;
use crate::report::{Comparison, MetricInfo, Report, Section, Summary};
use crate::statistics::{Estimate, Method, NoFit, Side};

/// Columns of [`summaries`].
const SUMMARY_COLUMNS: [&str; 33] = [
    "scenario",
    "metric",
    "unit",
    "direction",
    "contender",
    "episodes",
    "undefined",
    "lowest",
    "highest",
    "mean",
    "mean_low",
    "mean_high",
    "mean_method",
    "iqm",
    "iqm_low",
    "iqm_high",
    "tail_side",
    "tail_mean",
    "tail_low",
    "tail_high",
    "tail_samples",
    "difference",
    "difference_low",
    "difference_high",
    "difference_method",
    "pairs",
    "won",
    "lost",
    "improvement",
    "correlation",
    "p",
    "p_holm",
    "finding",
];

/// Renders one line for each scenario, metric and contender.
///
/// An empty `scenario` is all of them. Columns from `difference` on are the subject against this contender, and empty in
/// the subject's own line.
#[must_use]
pub fn summaries(report: &Report) -> String {
    let lines = report.sections.iter().flat_map(|section| {
        section.rows.iter().flat_map(move |row| {
            let line = |summary| line(section, &row.metric, summary, row.comparison(&summary.arm));
            row.summaries.iter().map(line)
        })
    });
    write(SUMMARY_COLUMNS.map(String::from).to_vec(), lines)
}

/// Columns of [`tails`].
const TAIL_COLUMNS: [&str; 17] = [
    "scenario",
    "metric",
    "unit",
    "contender",
    "side",
    "share",
    "mean",
    "mean_low",
    "mean_high",
    "samples",
    "pareto_mean",
    "pareto_threshold",
    "pareto_exceedances",
    "pareto_share",
    "pareto_shape",
    "pareto_scale",
    "not_estimable",
];

/// Renders one line for each scenario, metric, contender and share of [`super::SHARES`]: the tail as it was seen, and by a
/// generalised Pareto fit, or why there is none.
#[must_use]
pub fn tails(report: &Report) -> String {
    let lines = report.sections.iter().flat_map(|section| {
        section.rows.iter().flat_map(move |row| {
            row.summaries.iter().flat_map(move |summary| tail_lines(section, &row.metric, summary))
        })
    });
    write(TAIL_COLUMNS.map(String::from).to_vec(), lines)
}

fn tail_lines(section: &Section, metric: &MetricInfo, summary: &Summary) -> Vec<Vec<String>> {
    let Some(extremes) = &summary.extremes else { return Vec::new() };
    let fit = extremes.fit;
    let reason = match extremes.not_estimable {
        None => "",
        Some(NoFit::TooFew { .. }) => "too_few",
        Some(NoFit::Irregular { .. }) => "irregular",
    };
    let line = |level: &super::Level| {
        let head = [section.scenario.clone().unwrap_or_default(), metric.name.to_owned(), word(metric.unit)];
        let mut cells: Vec<String> = head.into();
        cells.extend([summary.arm.clone(), word(extremes.side), level.share.to_string()]);
        cells.extend(ends(Some(&level.mean)));
        cells.extend([level.samples.to_string(), number(level.pareto)]);
        cells.extend([number(fit.map(|fit| fit.threshold)), extremes.exceedances().to_string()]);
        cells.extend([fit.map(|fit| fit.share), fit.map(|fit| fit.shape), fit.map(|fit| fit.scale)].map(number));
        cells.push(reason.to_owned());
        cells
    };
    extremes.levels.iter().map(line).collect()
}

/// Renders one line for each episode, with every metric.
#[must_use]
pub fn episodes(records: &Records) -> String {
    let fixed = ["contender", "preset", "training_seed", "scenario", "index", "seed"].map(String::from);
    let terms = records.terms.iter().map(|term| format!("term_{term}"));
    let names = metrics().into_iter().map(|metric| metric.name.to_owned());
    let header = fixed.into_iter().chain(names).chain(terms).collect();
    let lines = records.episodes.iter().map(|episode| {
        let arm = &records.arms[episode.arm];
        let fixed = [
            arm.name.clone(),
            arm.preset.clone(),
            episode.training_seed.map_or_else(String::new, |seed| seed.to_string()),
            records.scenarios[episode.scenario].clone(),
            episode.index.to_string(),
            episode.seed.to_string(),
        ];
        let values = metrics().into_iter().map(|metric| number((metric.value)(episode)));
        fixed.into_iter().chain(values).chain(episode.terms.iter().map(f64::to_string)).collect()
    });
    write(header, lines)
}

fn line(section: &Section, metric: &MetricInfo, summary: &Summary, comparison: Option<&Comparison>) -> Vec<String> {
    let tail = summary.tail.as_ref();
    let mut cells = vec![
        section.scenario.clone().unwrap_or_default(),
        metric.name.to_owned(),
        word(metric.unit),
        word(metric.direction),
        summary.arm.clone(),
        summary.episodes.to_string(),
        summary.undefined.to_string(),
    ];
    cells.extend([summary.range.map(|range| range.0), summary.range.map(|range| range.1)].map(number));
    cells.extend(ends(summary.mean.as_ref()));
    cells.push(method(summary.mean.as_ref()));
    cells.extend(ends(summary.interquartile_mean.as_ref()));
    cells.push(tail.map_or("", |tail| if tail.side == Side::Low { "low" } else { "high" }).to_owned());
    cells.extend(ends(tail.map(|tail| &tail.mean)));
    cells.push(tail.map_or_else(String::new, |tail| tail.samples.to_string()));
    let Some(comparison) = comparison else {
        cells.resize(SUMMARY_COLUMNS.len(), String::new());
        return cells;
    };
    cells.extend(ends(comparison.difference.as_ref()));
    cells.push(method(comparison.difference.as_ref()));
    cells.push(comparison.pairs.to_string());
    let shares = [comparison.won, comparison.lost, comparison.improvement, comparison.correlation];
    cells.extend(shares.map(number));
    cells.extend([comparison.test.map(|test| test.p), comparison.test.map(|test| test.adjusted)].map(number));
    cells.push(comparison.finding.map_or_else(String::new, word));
    cells
}

fn ends(estimate: Option<&Estimate>) -> [String; 3] {
    let interval = estimate.and_then(|estimate| estimate.interval);
    [estimate.map(|e| e.value), interval.map(|i| i.low), interval.map(|i| i.high)].map(number)
}

fn method(estimate: Option<&Estimate>) -> String {
    let name = |method: Method| method.name().to_owned();
    estimate.and_then(|estimate| estimate.interval).map_or_else(String::new, |interval| name(interval.method))
}

/// Shortest decimal that reads back as the same bits.
fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// The word by which JSON calls it.
fn word(value: impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).expect("a name");
    value.as_str().expect("a unit variant is a string").to_owned()
}

fn write(header: Vec<String>, lines: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = Writer::from_writer(Vec::new());
    for record in std::iter::once(header).chain(lines) {
        writer.write_record(&record).expect("lines have one length, and memory takes them all");
    }
    String::from_utf8(writer.into_inner().expect("memory takes them all")).expect("made of strings")
}
