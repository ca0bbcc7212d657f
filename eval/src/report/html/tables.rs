//! The tables of the page, as cells of text and positions of whiskers.

use super::figure::Ink;
use super::forest::{Scale, Tick, Whisker};
use super::{inks, typeset, words};
use crate::metric::{Direction, PRIMARY};
use crate::report::number::{decimals, estimate, short, significant, without_zeros};
use crate::report::{Comparison, Finding, Report, Row, extremes};
use crate::statistics::{Estimate, Method, real};

/// A difference with its interval, drawn and printed.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) label: String,
    pub(super) whisker: Whisker,
    pub(super) text: String,
    /// Word of the finding.
    pub(super) word: &'static str,
    /// Style of the finding.
    pub(super) style: &'static str,
    /// What else is to be said, such as pairs and p.
    pub(super) note: String,
}

/// One line of the result table.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) name: String,
    pub(super) detail: String,
    pub(super) variable: String,
    pub(super) is_subject: bool,
    pub(super) mean: String,
    pub(super) difference: Option<Difference>,
}

/// Differences on one axis.
#[derive(Debug)]
pub(super) struct Forest {
    pub(super) title: String,
    pub(super) lines: Vec<Difference>,
    pub(super) ticks: Vec<Tick>,
}

/// A table of text: a header and lines whose first cell is a name.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) header: Vec<String>,
    pub(super) lines: Vec<Vec<String>>,
}

/// The contenders by mean return, the best first, each with the subject's paired difference to it.
pub(super) fn standings(report: &Report) -> (Vec<Standing>, Vec<Tick>) {
    let Some(row) = report.sections[0].row(PRIMARY) else { return Default::default() };
    let scale = Scale::holding(row.comparisons.iter().filter_map(|comparison| comparison.difference.as_ref()));
    let mut ranked: Vec<(f64, Standing)> = Vec::new();
    for (name, ink) in inks(report) {
        let arm = report.arms.iter().find(|arm| arm.name == name);
        let runs = arm.map_or(1, |arm| arm.training_seeds.len());
        let preset = arm.map_or("", |arm| arm.preset.as_str());
        let seeds = if runs > 1 { format!(", {}", words::counted(runs, "training seed")) } else { String::new() };
        let shield = shield_rate(report, name).map_or_else(String::new, |rate| format!(", shield acts in {rate} %"));
        let mean = row.summary(name).and_then(|summary| summary.mean);
        let comparison = row.comparison(name);
        ranked.push((
            mean.map_or(f64::NEG_INFINITY, |mean| mean.value),
            Standing {
                name: name.to_owned(),
                detail: format!("on {preset}{seeds}{shield}"),
                variable: ink.variable(),
                is_subject: ink == Ink::Series(0),
                mean: mean.map_or_else(|| "—".into(), |mean| typeset(&estimate(&mean, row.metric.unit))),
                difference: comparison.and_then(|comparison| difference(name, comparison, row, scale)),
            },
        ));
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    (ranked.into_iter().map(|(_, standing)| standing).collect(), ticks(scale, 6))
}

/// Percentage of a contender's decisions whose action its shield changed; nothing without a shield.
fn shield_rate(report: &Report, name: &str) -> Option<String> {
    let mean = report.sections[0].row("shield_rate")?.summary(name)?.mean?;
    Some(decimals(mean.value, 1))
}

fn ticks(scale: Scale, count: usize) -> Vec<Tick> {
    scale.ticks(count, |value| typeset(&without_zeros(&significant(value))))
}

fn difference(label: &str, comparison: &Comparison, row: &Row, scale: Scale) -> Option<Difference> {
    let found = comparison.difference?;
    let (word, style) = words::finding(comparison.finding);
    let p = comparison.test.map(|test| format!(", p {}", decimals(test.adjusted, 4)));
    Some(Difference {
        label: label.to_owned(),
        whisker: scale.whisker(&found),
        text: typeset(&estimate(&found, row.metric.unit)),
        word,
        style,
        note: format!("{}{}", words::counted(comparison.pairs, "pair"), p.unwrap_or_default()),
    })
}

/// For each opponent the subject's difference in every scenario; nothing if there is one scenario.
pub(super) fn by_scenario(report: &Report) -> Vec<Forest> {
    let sections: Vec<_> = report.sections.iter().filter(|section| section.scenario.is_some()).collect();
    let Some(first) = sections.first().and_then(|section| section.row(PRIMARY)) else { return Vec::new() };
    let opponents = first.comparisons.iter().map(|comparison| comparison.opponent.as_str());
    let forest = |opponent: &str| {
        let rows = sections.iter().filter_map(|section| section.scenario.as_deref().zip(section.row(PRIMARY)));
        let found: Vec<_> = rows.filter_map(|(id, row)| Some((id, row, row.comparison(opponent)?))).collect();
        let scale = Scale::holding(found.iter().filter_map(|(_, _, comparison)| comparison.difference.as_ref()));
        let line = |(id, row, comparison): &(&str, &Row, &Comparison)| difference(id, comparison, row, scale);
        let title = format!("{} less {opponent}", report.subject);
        Forest { title, lines: found.iter().filter_map(line).collect(), ticks: ticks(scale, 4) }
    };
    opponents.map(forest).filter(|forest| !forest.lines.is_empty()).collect()
}

/// Some comparisons with labels of their own on one axis.
pub(super) fn forest(title: &str, comparisons: &[(String, Comparison)], row: &Row) -> Forest {
    let scale = Scale::holding(comparisons.iter().filter_map(|(_, comparison)| comparison.difference.as_ref()));
    let lines = comparisons.iter().filter_map(|(label, comparison)| difference(label, comparison, row, scale));
    Forest { title: title.to_owned(), lines: lines.collect(), ticks: ticks(scale, 4) }
}

/// Mean of the worst episodes of each contender, with its interval and the number of episodes in it.
pub(super) fn tails(report: &Report) -> Sheet {
    let rows: Vec<&Row> = extremes::METRICS.iter().filter_map(|name| report.sections[0].row(name)).collect();
    let title = |row: &&Row| format!("{}, {}", words::spoken(row.metric.name), row.metric.unit.label());
    let header = std::iter::once("contender".to_owned()).chain(rows.iter().map(title)).collect();
    let cell = |row: &&Row, name: &str| {
        let tail = row.summary(name).and_then(|summary| summary.tail);
        let text = tail.map(|tail| format!("{} ({})", estimate(&tail.mean, row.metric.unit), tail.samples));
        typeset(&text.unwrap_or_else(|| "—".into()))
    };
    let line = |(name, _): (&str, Ink)| {
        std::iter::once(name.to_owned()).chain(rows.iter().map(|row| cell(row, name))).collect()
    };
    Sheet { header, lines: inks(report).into_iter().map(line).collect() }
}

/// The same at fixed levels, beside a generalised Pareto fit; nothing where no metric varies.
pub(super) fn extremes(report: &Report) -> Option<Sheet> {
    let set = |line: Vec<String>| line.iter().map(|cell| typeset(cell)).collect();
    let lines: Vec<Vec<String>> = extremes::lines(report).into_iter().map(set).collect();
    (!lines.is_empty()).then(|| Sheet { header: extremes::header(), lines })
}

/// Every metric of every contender.
pub(super) fn metrics(report: &Report) -> Sheet {
    let names: Vec<&str> = inks(report).into_iter().map(|(name, _)| name).collect();
    let header = std::iter::once("metric".to_owned()).chain(names.iter().map(|name| (*name).to_owned())).collect();
    let arrow = |direction: Direction| match direction {
        Direction::Lower => "↓",
        Direction::Higher => "↑",
        Direction::Neutral => "·",
    };
    let cell = |row: &Row, name: &str| {
        let mean: Option<Estimate> = row.summary(name).and_then(|summary| summary.mean);
        mean.map_or_else(|| "—".into(), |mean| typeset(&estimate(&mean, row.metric.unit)))
    };
    let line = |row: &Row| {
        let head =
            format!("{} {}, {}", words::spoken(row.metric.name), arrow(row.metric.direction), row.metric.unit.label());
        std::iter::once(head).chain(names.iter().map(|name| cell(row, name))).collect()
    };
    Sheet { header, lines: report.sections[0].rows.iter().map(line).collect() }
}

/// How the intervals of the primary comparisons were made, in one sentence.
pub(super) fn method(report: &Report) -> String {
    let row = report.sections[0].row(PRIMARY);
    let comparisons = row.map(|row| row.comparisons.as_slice()).unwrap_or_default();
    let has = |wanted: Method| {
        let of = |comparison: &Comparison| Some(comparison.difference?.interval?.method);
        comparisons.iter().any(|comparison| of(comparison) == Some(wanted))
    };
    let ways = [
        (Method::TwoLevel, "percentiles of a bootstrap over training seeds crossed with episodes, pairs kept together"),
        (Method::Bca, "bias-corrected and accelerated bootstrap over pairs, strata by scenario"),
        (Method::Percentile, "percentiles of a bootstrap over pairs, strata by scenario"),
    ];
    let used: Vec<&str> = ways.into_iter().filter(|(way, _)| has(*way)).map(|(_, text)| text).collect();
    if used.is_empty() {
        return "Too few episodes for an interval.".into();
    }
    let confidence = short(100.0 * report.settings.confidence, 1);
    let resamples = decimals(real(report.settings.resamples), 0);
    format!("{confidence} % intervals: {}; {resamples} resamples.", used.join("; "))
}

/// How much the common seeds bought: the lowest and highest correlation of paired returns.
pub(super) fn pairing(report: &Report) -> Option<String> {
    let row = report.sections[0].row(PRIMARY)?;
    let found: Vec<f64> = row.comparisons.iter().filter_map(|comparison| comparison.correlation).collect();
    let low = found.iter().copied().reduce(f64::min)?;
    let high = found.iter().copied().reduce(f64::max)?;
    let [low, high] = [low, high].map(|value| typeset(&decimals(value, 2)));
    Some(format!("Correlation of paired returns: {low} to {high}."))
}

/// Whether any finding is claimed by its interval alone.
pub(super) fn has_unconfirmed(report: &Report) -> bool {
    let row = report.sections[0].row(PRIMARY);
    let comparisons = row.map(|row| row.comparisons.as_slice()).unwrap_or_default();
    comparisons.iter().any(|comparison| matches!(comparison.finding, Some(Finding::Ahead | Finding::Behind)))
}
