//! The results as a LaTeX table: rules of the package `booktabs`, nothing else needed.

use std::fmt::Write;

use crate::metric::PRIMARY;
use crate::report::number::{estimate, short};
use crate::report::{Report, Row};

/// Columns beside the return.
const COLUMNS: [&str; 4] = ["bad_debt", "deleveraged", "liquidation_cost", "turned_away"];

/// Renders one `table` environment: the contenders, their mean return, the subject's paired difference to each, and what
/// it cost. `\usepackage{booktabs}` is all that it needs.
///
/// # Panics
/// If the report has no primary metric: [`Report::build`] makes none without.
#[must_use]
pub fn latex(report: &Report) -> String {
    let section = &report.sections[0];
    let primary = section.row(PRIMARY).expect("every report has its primary metric");
    let others: Vec<&Row> = COLUMNS.iter().filter_map(|name| section.row(name)).collect();
    let mut table = String::new();
    let mut line = |text: &str| writeln!(table, "{text}").expect("a string takes everything");
    line("\\begin{table}");
    line("  \\centering");
    line(&format!("  \\caption{{{}}}", caption(report)));
    line(&format!("  \\begin{{tabular}}{{l{}}}", "r".repeat(2 + others.len())));
    line("    \\toprule");
    let subject = escape(&report.subject);
    let titles = others.iter().map(|row| format!("{} ({})", escape(row.metric.name), escape(row.metric.unit.label())));
    let header = [String::from("contender"), PRIMARY.into(), format!("{subject} less it")].into_iter().chain(titles);
    line(&format!("    {} \\\\", header.collect::<Vec<_>>().join(" & ")));
    line("    \\midrule");
    for arm in &report.arms {
        let mean = |row: &Row| {
            let mean = row.summary(&arm.name).and_then(|summary| summary.mean);
            mean.map_or_else(|| "--".into(), |mean| number(&estimate(&mean, row.metric.unit)))
        };
        let difference = primary.comparison(&arm.name).and_then(|comparison| comparison.difference);
        let difference = difference.map_or_else(String::new, |d| number(&estimate(&d, primary.metric.unit)));
        let cells =
            [escape(&arm.name), mean(primary), difference].into_iter().chain(others.iter().map(|row| mean(row)));
        line(&format!("    {} \\\\", cells.collect::<Vec<_>>().join(" & ")));
    }
    line("    \\bottomrule");
    line("  \\end{tabular}");
    line("\\end{table}");
    table
}

fn caption(report: &Report) -> String {
    format!(
        "{}: mean over {} scenarios of {} seeds each with a {}\\,\\% interval, and paired differences on common seeds. Suite \
         \\texttt{{{}}}.",
        escape(&report.suite),
        report.scenarios.len(),
        report.seeds,
        short(100.0 * report.settings.confidence, 2),
        escape(report.hash.get(..12).unwrap_or(&report.hash)),
    )
}

/// A number with its sign in mathematics, so that it is a minus and not a hyphen. An interval's bracket is protected:
/// after a line's end LaTeX would take it for an argument.
fn number(text: &str) -> String {
    let text = text.split(' ').map(|word| {
        let (bracket, rest) = word.strip_prefix('[').map_or(("", word), |rest| ("{[}", rest));
        rest.strip_prefix('-').map_or_else(|| format!("{bracket}{rest}"), |digits| format!("{bracket}$-${digits}"))
    });
    text.collect::<Vec<_>>().join(" ")
}

/// Text as LaTeX prints it.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', character]),
            '\\' => escaped += "\\textbackslash{}",
            '~' => escaped += "\\textasciitilde{}",
            '^' => escaped += "\\textasciicircum{}",
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_latex_reads_as_commands_is_escaped() {
        assert_eq!(
            escape("a_b & 5 % of {x} \\input~^#$"),
            "a\\_b \\& 5 \\% of \\{x\\} \\textbackslash{}input\\textasciitilde{}\\textasciicircum{}\\#\\$"
        );
        assert_eq!(number("-1.2 [-3.0, 4.5]"), "$-$1.2 {[}$-$3.0, 4.5]");
    }
}
