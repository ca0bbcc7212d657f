//! Three tools against procyclical margin, on one series of returns: do they flatten margin at equal coverage?
//!
//! Margin follows a forecast of volatility, times a factor that makes losses exceed margin equally often under every tool;
//! what is compared is the highest margin over the lowest. A static position of one dollar, no trading.
//!
//! # Reference
//! Commission Delegated Regulation (EU) 153/2013, article 28 (1) (a)–(c); Murphy, Vasios & Vause 2014 (Bank of England
//! Financial Stability Paper 29) for peak-to-trough and the comparison at equal coverage.

use super::row::Row;
use crate::calibration::garch;
use crate::statistics::{quantile, real};

/// Weight of the past in the exponentially weighted variance of daily returns: `RiskMetrics` 1996.
const DECAY: f64 = 0.97;
/// Days before the first margin.
const WARM_UP: usize = 250;
/// Days of filtered historical simulation.
const HISTORY: usize = 500;
/// Coverage: losses exceed margin on one day in a hundred.
const COVERAGE: f64 = 0.99;

/// What margin is based on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Exponentially weighted volatility.
    Ewma,
    /// GARCH(1,1) with Student-t innovations.
    Garch,
    /// Quantile of past returns over their volatility, times volatility now.
    Filtered,
}

/// What is laid over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Nothing.
    None,
    /// A quarter more, which is given up as margin rises above its mean so far: article 28 (1) (a).
    Buffer,
    /// A quarter of the weight on the highest margin so far: (b).
    Stress,
    /// No lower than under the mean variance of all days: (c).
    Floor,
}

/// Margin for each day after the first 250, before scaling; nothing if the series is too short or GARCH does not fit.
#[must_use]
pub fn base_margin(returns: &[f64], base: Base) -> Option<Vec<f64>> {
    if returns.len() < WARM_UP + 250 {
        return None;
    }
    let start = returns[..WARM_UP].iter().map(|r| r * r).sum::<f64>() / real(WARM_UP);
    let (omega, alpha, beta) = match base {
        Base::Ewma | Base::Filtered => (0.0, 1.0 - DECAY, DECAY),
        Base::Garch => {
            let fit = garch::fit(&[returns])?;
            (fit.omega.value * fit.deviation * fit.deviation, fit.alpha.value, fit.beta.value)
        }
    };
    let mut variance = start;
    let mut deviations = Vec::with_capacity(returns.len());
    for r in returns {
        deviations.push(variance.sqrt());
        variance = omega + alpha * r * r + beta * variance;
    }
    let filtered: Vec<f64> = returns.iter().zip(&deviations).map(|(r, d)| (r / d).abs()).collect();
    let margin = |day: usize| match base {
        Base::Ewma | Base::Garch => deviations[day],
        Base::Filtered => deviations[day] * quantile(&filtered[day.saturating_sub(HISTORY)..day], COVERAGE),
    };
    Some((WARM_UP..returns.len()).map(margin).collect())
}

/// Margin with a tool laid over it, before scaling. Only the past is used.
#[must_use]
pub fn with_tool(margin: &[f64], tool: Tool) -> Vec<f64> {
    let (mut highest, mut sum, mut squares) = (0.0_f64, 0.0, 0.0);
    let mut day = 0.0;
    let step = |m: &f64| {
        day += 1.0;
        sum += m;
        squares += m * m;
        highest = highest.max(*m);
        match tool {
            Tool::None => *m,
            Tool::Buffer => m.max((1.25 * m).min(1.25 * sum / day)),
            Tool::Stress => 0.75 * m + 0.25 * highest,
            Tool::Floor => m.max((squares / day).sqrt()),
        }
    };
    margin.iter().map(step).collect()
}

/// Highest over lowest margin once the factor is such that 99 % of losses, of either side, are covered.
///
/// The factor does not change the ratio; it is returned because it is what equal coverage costs in the mean:
/// `[peak to trough, mean margin]`.
///
/// # Panics
/// If there are more margins than returns.
#[must_use]
pub fn at_equal_coverage(returns: &[f64], margin: &[f64]) -> [f64; 2] {
    let judged = &returns[returns.len() - margin.len()..];
    let needed: Vec<f64> = judged.iter().zip(margin).map(|(r, m)| r.abs() / m).collect();
    let factor = quantile(&needed, COVERAGE);
    // The first year after warm-up builds the tools' own history and would decide the lowest margin.
    let settled = &margin[(margin.len() / 5).min(WARM_UP)..];
    let (low, high) = settled.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), m| (low.min(*m), high.max(*m)));
    [high / low, factor * margin.iter().sum::<f64>() / real(margin.len())]
}

/// One row for each base and tool: peak-to-trough under the tool over that without, which has to be below one.
#[must_use]
pub fn rows(returns: &[f64], series: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for (base, name) in [(Base::Ewma, "EWMA"), (Base::Garch, "GARCH"), (Base::Filtered, "filtered history")] {
        for (tool, what) in
            [(Tool::Buffer, "buffer of 25 %"), (Tool::Stress, "stress weight of 25 %"), (Tool::Floor, "long-run floor")]
        {
            let id = format!("V12 {name} {what}");
            let row = Row::new(
                &id,
                "peak-to-trough of margin with the tool over without, equal coverage",
                [None, Some(0.999)],
                "EMIR article 28; Murphy, Vasios & Vause 2014",
            );
            let Some(margin) = base_margin(returns, base) else {
                rows.push(row.skip(format!("{series}: too few days")));
                continue;
            };
            let [plain, cost] = at_equal_coverage(returns, &with_tool(&margin, Tool::None));
            let [flat, price] = at_equal_coverage(returns, &with_tool(&margin, tool));
            let note = format!(
                "{series}: {flat:.2} instead of {plain:.2}, mean margin {:.1} % instead of {:.1} %",
                100.0 * price,
                100.0 * cost
            );
            rows.push(row.measured(Some(flat / plain), None).noted(note));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_by_hand() {
        let margin = [1.0, 2.0, 1.0];
        // Mean so far 1, 1.5, 4/3: the buffer is full at the first and last, and given up at 2.
        assert_eq!(with_tool(&margin, Tool::Buffer), vec![1.25, 2.0, 1.25]);
        // Highest so far 1, 2, 2.
        assert_eq!(with_tool(&margin, Tool::Stress), vec![1.0, 2.0, 1.25]);
        // Root mean square 1, √2.5, √2.
        assert_eq!(with_tool(&margin, Tool::Floor), vec![1.0, 2.0, 2.0_f64.sqrt()]);
    }

    #[test]
    fn coverage_sets_the_factor_and_leaves_the_ratio() {
        let returns = vec![0.01; 100];
        let [ratio, mean] = at_equal_coverage(&returns, &[2.0; 100]);
        assert!((ratio - 1.0).abs() < 1e-12 && (mean - 0.01).abs() < 1e-12);
    }

    #[test]
    fn every_tool_flattens_a_margin_that_swings() {
        // Two years of calm and storm in turn, months each.
        let returns: Vec<f64> = (0..1_500)
            .map(|day| if day / 60 % 4 == 3 { 0.05 } else { 0.01 } * if day % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        let rows = rows(&returns, "made up");
        let ewma: Vec<&Row> = rows.iter().filter(|row| row.id.contains("EWMA")).collect();
        assert_eq!(ewma.len(), 3);
        assert!(ewma.iter().all(|row| row.value.unwrap() < 0.999), "{ewma:?}");
    }
}
