//! The report for people.

use std::fmt::Write;

use crate::gate::Judgement;
use crate::metric::{Direction, PRIMARY};
use crate::report::number::{decimals, estimate, of_unit, percentage, short, significant};
use crate::report::{Comparison, MetricInfo, Report, Row, Section, Summary, extremes};

/// What stands where a number is undefined.
const UNDEFINED: &str = "—";

/// Renders the report as Markdown: numbers rounded for reading, definitions at the end.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut page = Page(String::new());
    head(report, &mut page);
    gates(report, &mut page);
    page.line(format!("## Results\n\n{}", results_note(report)));
    results(&report.sections[0], report, &mut page);
    let opponents = &report.sections[0].rows[0].comparisons;
    if !opponents.is_empty() {
        page.line(format!("## Differences\n\n{}", differences_note(report)));
    }
    for opponent in opponents.iter().map(|comparison| &comparison.opponent) {
        against(opponent, report, &mut page);
    }
    distribution(report, &mut page);
    training(report, &mut page);
    terms(report, &mut page);
    for section in &report.sections[1..] {
        by_scenario(section, report, &mut page);
    }
    definitions(report, &mut page);
    page.0
}

/// Text that grows by paragraphs and tables.
struct Page(String);

impl Page {
    fn line(&mut self, text: impl AsRef<str>) {
        writeln!(self.0, "{}\n", text.as_ref()).expect("a string takes everything");
    }

    /// First column to the left, the others to the right.
    fn table(&mut self, header: &[String], rows: impl IntoIterator<Item = Vec<String>>) {
        let row = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        self.0 += &row(header);
        self.0 += &format!("|---|{}\n", "---:|".repeat(header.len() - 1));
        for cells in rows {
            self.0 += &row(&cells);
        }
        self.0.push('\n');
    }
}

fn head(report: &Report, page: &mut Page) {
    page.line(format!("# {}: {}", report.suite, report.subject));
    let arms = report.arms.iter().map(|arm| match arm.training_seeds.len() {
        1 => format!("{} on {}", arm.name, arm.preset),
        runs => format!("{} on {} with {runs} training seeds", arm.name, arm.preset),
    });
    page.line(format!(
        "Scenarios {}; {} seeds each, {} split, the same for every contender. Suite {}. Contenders: {}.",
        report.scenarios.join(", "),
        report.seeds,
        report.split.name(),
        report.hash,
        arms.collect::<Vec<_>>().join(", "),
    ));
    let sentences = report.verdict.iter().chain(&report.notes);
    page.line(sentences.map(|sentence| format!("- {sentence}\n")).collect::<String>().trim_end());
}

fn gates(report: &Report, page: &mut Page) {
    if report.gates.is_empty() {
        return;
    }
    page.line("## Gates");
    let header = ["gate", "found", "passes"].map(String::from);
    let row = |judgement: &Judgement| {
        let unit = report.sections[0].row(&judgement.gate.metric).map(|row| row.metric.unit);
        let found = judgement.estimate.zip(unit).map_or_else(|| UNDEFINED.into(), |(e, unit)| estimate(&e, unit));
        vec![judgement.gate.to_string(), found, if judgement.passed { "yes" } else { "no" }.into()]
    };
    page.table(&header, report.gates.iter().map(row));
}

fn results_note(report: &Report) -> String {
    format!(
        "Mean over episodes with a {} % interval: bias-corrected and accelerated, strata by scenario, {} resamples; for an arm \
         with several training seeds, percentiles of a bootstrap over training seeds crossed with episodes. ↓ less is \
         better, ↑ more is better, · neither.",
        short(100.0 * report.settings.confidence, 2),
        decimals(crate::statistics::real(report.settings.resamples), 0),
    )
}

fn differences_note(report: &Report) -> String {
    format!(
        "Mean difference over pairs on the same scenario and seed, with its interval; p of a permutation test that flips the \
         signs of pairs, or of training seeds where an arm has several, after Holm's correction over the contenders within \
         each metric; improvement, the chance that a random episode does better than a random one of the other in the same \
         scenario; shares of pairs won and lost; correlation over pairs. Better and worse: the interval excludes zero and p is \
         below {}. Ahead and behind: the interval alone.",
        short(1.0 - report.settings.confidence, 3),
    )
}

fn results(section: &Section, report: &Report, page: &mut Page) {
    let header = std::iter::once("metric".into()).chain(report.arms.iter().map(|arm| arm.name.clone()));
    let cell = |row: &Row, summary: &Summary| {
        let Some(mean) = summary.mean else { return UNDEFINED.into() };
        let count = if summary.undefined > 0 {
            format!(" (n {})", summary.episodes - summary.undefined)
        } else {
            String::new()
        };
        estimate(&mean, row.metric.unit) + &count
    };
    let line = |row: &Row| {
        let cells = row.summaries.iter().map(|summary| cell(row, summary));
        std::iter::once(label(&row.metric)).chain(cells).collect()
    };
    page.table(&header.collect::<Vec<_>>(), moving(section).map(line));
    let still: Vec<&str> = measured(section).filter(|row| is_zero(row)).map(|row| row.metric.name).collect();
    if !still.is_empty() {
        page.line(format!("Zero in every episode of every contender: {}.", still.join(", ")));
    }
}

fn against(opponent: &str, report: &Report, page: &mut Page) {
    page.line(format!("### {} less {opponent}", report.subject));
    let header = ["metric", "difference", "p (Holm)", "improvement %", "won %", "lost %", "correlation", "finding"];
    let line = |row: &Row| {
        let comparison = row.comparison(opponent)?;
        Some(std::iter::once(label(&row.metric)).chain(compared(comparison, &row.metric)).collect())
    };
    page.table(&header.map(String::from), moving(&report.sections[0]).filter_map(line));
}

fn compared(comparison: &Comparison, metric: &MetricInfo) -> [String; 7] {
    let or_undefined = |text: Option<String>| text.unwrap_or_else(|| UNDEFINED.into());
    [
        or_undefined(comparison.difference.map(|difference| estimate(&difference, metric.unit))),
        or_undefined(comparison.test.map(|test| decimals(test.adjusted, 4))),
        or_undefined(comparison.improvement.map(percentage)),
        or_undefined(comparison.won.map(percentage)),
        or_undefined(comparison.lost.map(percentage)),
        or_undefined(comparison.correlation.map(|rho| decimals(rho, 2))),
        or_undefined(comparison.finding.map(|finding| finding.name().to_owned())),
    ]
}

fn distribution(report: &Report, page: &mut Page) {
    let share = short(100.0 * report.settings.tail, 2);
    page.line(format!(
        "## Tails\n\nMean of the worst {share} % of episodes, with its interval and the number of episodes that it rests on. \
         For {PRIMARY} also the interquartile mean.",
    ));
    let header = std::iter::once("metric".into()).chain(report.arms.iter().map(|arm| arm.name.clone()));
    let tail = |row: &Row, summary: &Summary| {
        let text = summary.tail.map(|tail| format!("{} ({})", estimate(&tail.mean, row.metric.unit), tail.samples));
        text.unwrap_or_else(|| UNDEFINED.into())
    };
    let middle = |row: &Row, summary: &Summary| {
        let text = summary.interquartile_mean.map(|iqm| estimate(&iqm, row.metric.unit));
        text.unwrap_or_else(|| UNDEFINED.into())
    };
    let line = |head: String, row: &Row, cell: &dyn Fn(&Row, &Summary) -> String| -> Vec<String> {
        std::iter::once(head).chain(row.summaries.iter().map(|summary| cell(row, summary))).collect()
    };
    let rows = moving(&report.sections[0]).filter(|row| row.metric.direction != Direction::Neutral);
    let rows = rows.flat_map(|row| {
        let iqm = (row.metric.name == PRIMARY).then(|| line(format!("{PRIMARY}, interquartile mean"), row, &middle));
        iqm.into_iter().chain([line(label(&row.metric), row, &tail)])
    });
    page.table(&header.collect::<Vec<_>>(), rows);
    let lines = extremes::lines(report);
    if !lines.is_empty() {
        page.line(format!("### From two sides\n\n{}", extremes::note()));
        page.table(&extremes::header(), lines);
    }
}

fn training(report: &Report, page: &mut Page) {
    for runs in &report.training {
        page.line(format!("## {}, by training seed", runs.arm));
        let unit = report.sections[0].rows[0].metric.unit;
        page.line(format!(
            "Interquartile mean {PRIMARY} over training seeds and scenarios {}, median of training seeds {}.",
            estimate(&runs.interquartile_mean, unit),
            of_unit(runs.median, unit),
        ));
        let rows = runs.seeds.iter().zip(&runs.means).map(|(seed, mean)| vec![seed.to_string(), of_unit(*mean, unit)]);
        page.table(&["training seed".into(), format!("mean {PRIMARY}")], rows);
    }
}

fn terms(report: &Report, page: &mut Page) {
    if report.terms.is_empty() {
        return;
    }
    page.line("## Reward, term by term\n\nMean over episodes of each term's sum, unweighted.");
    let header = std::iter::once("term".into()).chain(report.arms.iter().map(|arm| arm.name.clone()));
    let row = |(place, term): (usize, &String)| {
        let means = report.term_means.iter().map(|arm| significant(arm.means[place]));
        std::iter::once(term.clone()).chain(means).collect()
    };
    page.table(&header.collect::<Vec<_>>(), report.terms.iter().enumerate().map(row));
}

fn by_scenario(section: &Section, report: &Report, page: &mut Page) {
    page.line(format!("## Scenario {}", section.scenario.as_deref().unwrap_or_default()));
    results(section, report, page);
    let Some(row) = section.row(PRIMARY).filter(|row| !row.comparisons.is_empty()) else { return };
    let columns = ["difference", "p (Holm)", "improvement %", "won %", "lost %", "correlation", "finding"];
    let head = format!("{PRIMARY}: {} less", report.subject);
    let header: Vec<String> = std::iter::once(head).chain(columns.map(String::from)).collect();
    let line = |comparison: &Comparison| {
        std::iter::once(comparison.opponent.clone()).chain(compared(comparison, &row.metric)).collect()
    };
    page.table(&header, row.comparisons.iter().map(line));
}

fn definitions(report: &Report, page: &mut Page) {
    page.line("## Definitions");
    let row = |row: &Row| {
        let metric = &row.metric;
        vec![metric.name.into(), metric.unit.label().into(), metric.formula.into(), metric.source.into()]
    };
    page.table(&["metric", "unit", "formula", "source"].map(String::from), measured(&report.sections[0]).map(row));
}

/// Rows that any arm defines.
fn measured(section: &Section) -> impl Iterator<Item = &Row> {
    section.rows.iter().filter(|row| row.summaries.iter().any(|summary| summary.mean.is_some()))
}

/// Rows of which there is more to say than that they are zero.
fn moving(section: &Section) -> impl Iterator<Item = &Row> {
    measured(section).filter(|row| !is_zero(row))
}

/// Whether every episode of every arm has zero here.
fn is_zero(row: &Row) -> bool {
    let zero = |summary: &Summary| summary.undefined == 0 && summary.range == Some((0.0, 0.0));
    row.summaries.iter().all(zero)
}

fn label(metric: &MetricInfo) -> String {
    let arrow = match metric.direction {
        Direction::Lower => "↓",
        Direction::Higher => "↑",
        Direction::Neutral => "·",
    };
    format!("{} {arrow} ({})", metric.name, metric.unit.label())
}
