//! The tails from two sides, as cells of text: what was seen, and what a fitted tail adds.

use crate::metric::PRIMARY;
use crate::report::number::{estimate, of_unit, short, significant};
use crate::report::{Extremes, MetricInfo, Report, Row, SHARES, THRESHOLD};
use crate::statistics::NoFit;
use crate::statistics::pareto::EXCEEDANCES_MIN;

/// Metrics whose bad ends are listed for people; files for machines have all.
pub(super) const METRICS: [&str; 4] = [PRIMARY, "bad_debt", "deleveraged", "liquidation_cost"];

/// What stands where a number is undefined.
const UNDEFINED: &str = "—";

/// What the table says, in sentences.
pub(super) fn note() -> String {
    format!(
        "Mean of the worst 10, 5 and 1 % of episodes (CVaR at 90, 95 and 99 %) as they were seen, with interval and number of \
         episodes in the tail; beside them the same by a generalised Pareto distribution, fitted by maximum likelihood to what lies \
         beyond the worst {} % of episodes. Where the two differ much, the tail is not known; nothing is decided by the fit. It needs \
         {EXCEEDANCES_MIN} episodes beyond the threshold.",
        short(100.0 * THRESHOLD, 1),
    )
}

/// Header of the table: the first cell is the metric's and the contender's.
pub(super) fn header() -> Vec<String> {
    let percent = |share: f64| format!("CVaR {} %", short(100.0 * (1.0 - share), 1));
    let levels = SHARES.into_iter().map(percent);
    let last = ["Pareto 90, 95, 99 %", "rests on"].map(String::from);
    std::iter::once("metric, contender".to_owned()).chain(levels).chain(last).collect()
}

/// One line for each of [`METRICS`] and each contender that defines it and for whom it is not always the same.
pub(super) fn lines(report: &Report) -> Vec<Vec<String>> {
    let rows = METRICS.iter().filter_map(|name| report.sections[0].row(name));
    let of_row = |row: &Row| -> Vec<Vec<String>> {
        let varies = row.summaries.iter().filter(|summary| summary.range.is_some_and(|(low, high)| low < high));
        varies.filter_map(|summary| Some(line(&row.metric, &summary.arm, summary.extremes.as_ref()?))).collect()
    };
    rows.flat_map(of_row).collect()
}

fn line(metric: &MetricInfo, arm: &str, extremes: &Extremes) -> Vec<String> {
    let mut cells = vec![format!("{}, {arm}", metric.name.replace('_', " "))];
    cells.extend(extremes.levels.iter().map(|l| format!("{} ({})", estimate(&l.mean, metric.unit), l.samples)));
    let pareto = extremes.levels.iter().map(|l| l.pareto.map_or_else(|| UNDEFINED.into(), |v| of_unit(v, metric.unit)));
    let pareto: Vec<String> = pareto.collect();
    cells.push(if extremes.fit.is_some() { pareto.join(", ") } else { "not estimable".into() });
    cells.push(basis(extremes));
    cells
}

/// What the fit rests on, or why there is none.
fn basis(extremes: &Extremes) -> String {
    let beyond = format!("{} beyond the threshold", extremes.exceedances());
    match (extremes.fit, extremes.not_estimable) {
        (Some(fit), _) => format!("{beyond}, shape {}", significant(fit.shape)),
        (None, Some(NoFit::TooFew { .. })) => format!("{beyond}, {EXCEEDANCES_MIN} needed"),
        (None, _) => format!("{beyond}, without a regular maximum of the likelihood"),
    }
}
