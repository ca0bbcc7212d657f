//! Around the market: funding, basis to other venues, macro, margin brackets, liquidations.

use std::collections::BTreeMap;

use seawall_eval::calibration::{Fitted, autoregression, long_run, rank};
use seawall_eval::statistics::{mean, median, quantile};

use super::findings::{Findings, Source, literal};
use super::liquidity::source;
use super::prices::Prices;
use crate::datasets::Table;

/// VIX on the day before that separates calm from tense and tense from crisis.
const VIX: [f64; 2] = [18.0, 25.0];
/// Calendar days in a business day.
const CALENDAR: f64 = 365.0 / 252.0;
/// Venues state rates per eight hours.
const EIGHT_HOURS_MS: f64 = 28_800_000.0;

/// Funding: interval, interest, mean, deviation and half-life.
pub(crate) fn funding(file: &str, table: &Table, findings: &mut Findings) {
    let source = source(file, table);
    #[expect(clippy::cast_precision_loss, reason = "an interval of hours")]
    let step = table.step_ms as f64;
    let to_eight = EIGHT_HOURS_MS / step;
    let runs = table.runs("funding_rate").unwrap_or_default();
    let rates: Vec<f64> = runs.iter().flatten().copied().collect();
    let slices: Vec<&[f64]> = runs.iter().map(Vec::as_slice).collect();
    if rates.is_empty() {
        return;
    }
    findings.write("funding.interval", literal(step / 1_000.0), &format!("Distance of two settlements; {file}"));
    let (modal, count) = mode(&rates);
    let share = Fitted::bare(modal * to_eight, count);
    let about =
        format!("most frequent rate per eight hours, {count} of {} settlements: the interest part", rates.len());
    findings.set("funding.interest", share, &about, &source);
    let largest = rates.iter().fold(0.0_f64, |largest, rate| largest.max(rate.abs()));
    let about = "largest absolute rate per eight hours: the clamp is no lower";
    findings.note("funding.largest", Fitted::bare(largest * to_eight, rates.len()), about, &source);
    if let Some(fit) = autoregression::fit(&slices) {
        findings.note("funding.mean", fit.mean.scaled(to_eight), "mean rate per eight hours, Newey-West", &source);
        findings.note("funding.deviation", fit.deviation.scaled(to_eight), "deviation per eight hours", &source);
        if let Some(half_life) = fit.half_life {
            findings.note(
                "funding.half_life_seconds",
                half_life.scaled(step / 1_000.0),
                "first-order autoregression",
                &source,
            );
        }
    }
}

/// Most frequent value, to a hundredth of a basis point.
fn mode(values: &[f64]) -> (f64, usize) {
    let mut counts = BTreeMap::<i64, usize>::new();
    for value in values {
        #[expect(clippy::cast_possible_truncation, reason = "rates are far below one")]
        let key = libm::round(value * 1e6) as i64;
        *counts.entry(key).or_default() += 1;
    }
    let (key, count) = counts.into_iter().max_by_key(|(_, count)| *count).unwrap_or((0, 0));
    #[expect(clippy::cast_precision_loss, reason = "rates in millionths")]
    let value = key as f64 / 1e6;
    (value, count)
}

/// Closing moments and closes.
pub(crate) type Closes = BTreeMap<i64, f64>;

/// Closes of candles.
pub(crate) fn closes_of(prices: &Prices) -> Closes {
    prices.runs.iter().flatten().map(|bar| (bar.open_time_ms + prices.bar_ms, bar.close.as_f64())).collect()
}

/// Closes of marks.
pub(crate) fn closes_of_marks(table: &Table) -> Closes {
    let closes = table.column("close").unwrap_or_default();
    table.times.iter().zip(closes).filter_map(|(time, close)| Some((time + table.step_ms, (*close)?))).collect()
}

/// Basis of the first series over another, at common closing moments.
pub(crate) fn basis(name: &str, first: &Closes, other: &Closes, source: &Source, findings: &mut Findings) {
    let common: Vec<(i64, f64)> =
        first.iter().filter_map(|(time, price)| Some((*time, 1e4 * libm::log(price / other.get(time)?)))).collect();
    let step = common.windows(2).map(|pair| pair[1].0 - pair[0].0).min().unwrap_or(1);
    let runs: Vec<Vec<f64>> =
        common.chunk_by(|a, b| b.0 - a.0 == step).map(|run| run.iter().map(|(_, basis)| *basis).collect()).collect();
    let slices: Vec<&[f64]> = runs.iter().map(Vec::as_slice).collect();
    let Some(fit) = autoregression::fit(&slices) else {
        return findings.skip(format!("{}: {} common moments are too few for a basis", source.file, common.len()));
    };
    findings.note(&format!("{name}.mean_bp"), fit.mean, "mean of the first price over this one, Newey-West", source);
    findings.note(&format!("{name}.deviation_bp"), fit.deviation, "stationary deviation", source);
    if let Some(half_life) = fit.half_life {
        #[expect(clippy::cast_precision_loss, reason = "a bar")]
        let seconds = step as f64 / 1_000.0;
        let about = "first-order autoregression; closes that are not of one instant shorten it";
        findings.note(&format!("{name}.half_life_seconds"), half_life.scaled(seconds), about, source);
    }
}

/// Macro: loading by class of VIX, and the processes of VIX, DXY and rate.
pub(crate) fn macro_daily(file: &str, table: &Table, asset: &str, findings: &mut Findings) {
    let source = source(file, table);
    let rows = aligned(table, asset);
    for (class, name) in ["calm", "tense", "crisis"].into_iter().enumerate() {
        let pairs: Vec<(f64, f64)> = rows.iter().filter(|row| row.class == class).map(|row| row.returns).collect();
        let bounds = ["below 18", "18 to 25", "25 and more"][class];
        let about = format!(
            "correlation of daily returns of {asset} and the S&P 500, VIX {bounds} on the day before; the market loads so in the episodes whose macro factor leads"
        );
        match rank::pearson(&pairs) {
            // A loading cannot be negative; one that is not there is zero.
            Some(rho) if rho.value >= 0.0 => {
                findings.set(&format!("world.regimes.{name}.equity_correlation"), rho, &about, &source);
            }
            Some(rho) => findings.note(&format!("equity_correlation.{name}"), rho, &about, &source),
            None => findings.skip(format!("{file}: too few days with VIX {bounds}")),
        }
    }
    for (column, prefix) in [("vix", "vix"), ("dxy", "dxy")] {
        process(table, column, prefix, true, &source, findings);
    }
    process(table, "us10y", "rate", false, &source, findings);
}

struct Day {
    class: usize,
    /// Of the asset and of the index.
    returns: (f64, f64),
}

/// Days whose neighbours both have prices. The class is decided by the day before: nothing is read ahead.
fn aligned(table: &Table, asset: &str) -> Vec<Day> {
    let (Some(own), Some(index), Some(vix)) = (table.column(asset), table.column("spx"), table.column("vix")) else {
        return Vec::new();
    };
    let day = |at: usize| {
        let log = |column: &[Option<f64>]| Some(libm::log(column[at]? / column[at - 1]?));
        let before = vix[at - 1]?;
        let class = VIX.iter().filter(|bound| before >= **bound).count();
        // More than a long weekend apart is a hole.
        let neighbours = table.times[at] - table.times[at - 1] <= 5 * 86_400_000;
        neighbours.then_some(())?;
        Some(Day { class, returns: (log(own)?, log(index)?) })
    };
    (1..table.times.len()).filter_map(day).collect()
}

fn process(table: &Table, column: &str, prefix: &str, log: bool, source: &Source, findings: &mut Findings) {
    let runs: Option<Vec<Vec<f64>>> = table.runs(column).map(|runs| {
        runs.into_iter().map(|run| run.into_iter().map(|x| if log { libm::log(x) } else { x }).collect()).collect()
    });
    let runs = runs.unwrap_or_default();
    let slices: Vec<&[f64]> = runs.iter().map(Vec::as_slice).collect();
    let Some(fit) = autoregression::fit(&slices) else { return };
    let at = |field: &str| format!("world.macro_factor.{prefix}_{field}");
    let about =
        format!("{column}: first-order autoregression of daily closes{}", if log { " in logarithms" } else { "" });
    let level = if log { libm::exp(fit.mean.value) } else { fit.mean.value };
    findings.set(&at("mean"), fit.mean.through(level, if log { level } else { 1.0 }), &about, source);
    findings.set(&at("deviation"), fit.deviation, &about, source);
    if let Some(half_life) = fit.half_life {
        findings.set(&at("half_life_days"), half_life.scaled(CALENDAR), &about, source);
    }
}

/// Mean of an implied volatility index.
pub(crate) fn implied(file: &str, table: &Table, findings: &mut Findings) {
    let runs = table.runs("dvol_btc").unwrap_or_default();
    let slices: Vec<&[f64]> = runs.iter().map(Vec::as_slice).collect();
    if let Some(level) = long_run::mean(&slices, 60) {
        findings.note(
            "implied_volatility",
            level.scaled(0.01),
            "mean DVOL, annualised, Newey-West over 60 days",
            &source(file, table),
        );
    }
}

/// The brackets of one contract, as they are.
pub(crate) fn margin(file: &str, table: &Table, symbol: &str, findings: &mut Findings) {
    let Some(symbols) = table.text("symbol") else { return };
    let column = |name: &str| table.column(name).unwrap_or_default();
    let (caps, rates, leverage) = (column("max_notional"), column("maint_margin_rate"), column("max_leverage"));
    let rows: Vec<usize> = (0..symbols.len()).filter(|at| symbols[*at] == symbol).collect();
    if rows.is_empty() {
        return findings.skip(format!("{file}: no contract is called {symbol}"));
    }
    for (index, at) in rows.iter().enumerate() {
        let (Some(cap), Some(rate), Some(leverage)) = (caps[*at], rates[*at], leverage[*at]) else { continue };
        let remark = format!("Bracket {} of {symbol}, as published; {file}", index + 1);
        let table = format!("margin.tiers[{index}]");
        findings.write(&format!("{table}.notional_cap_usd"), literal(cap), &remark);
        findings.write(&format!("{table}.maintenance"), literal(rate), "");
        findings.write(&format!("{table}.max_leverage"), literal(leverage), "");
    }
}

/// Share of liquidated value that was long.
pub(crate) fn liquidations(file: &str, table: &Table, asset: &str, findings: &mut Findings) {
    let at = |side: &str| table.column(&format!("{asset}_{side}_liq_usd"));
    let (Some(longs), Some(shorts)) = (at("long"), at("short")) else {
        return findings.skip(format!("{file}: no liquidations of {asset}"));
    };
    let shares: Vec<f64> = longs
        .iter()
        .zip(shorts)
        .filter_map(|(long, short)| Some(((*long)?, (*short)?)))
        .filter(|(long, short)| long + short > 0.0)
        .map(|(long, short)| long / (long + short))
        .collect();
    if let Some(share) = long_run::mean(&[&shares], 42) {
        findings.note(
            "liquidations.long_share",
            share,
            "mean share of liquidated value that was long",
            &source(file, table),
        );
    }
}

/// Change of open interest per step.
pub(crate) fn open_interest(file: &str, table: &Table, asset: &str, findings: &mut Findings) {
    let runs = table.runs(&format!("{asset}_oi_close")).unwrap_or_default();
    let changes: Vec<Vec<f64>> =
        runs.iter().map(|run| run.windows(2).map(|pair| libm::log(pair[1] / pair[0]).abs()).collect()).collect();
    let slices: Vec<&[f64]> = changes.iter().map(Vec::as_slice).collect();
    if let Some(change) = long_run::mean(&slices, 42) {
        findings.note(
            "open_interest.absolute_change",
            change,
            "mean absolute log change per step",
            &source(file, table),
        );
    }
}

/// Leverage at liquidation on a perpetuals venue.
pub(crate) fn perp_liquidations(file: &str, table: &Table, findings: &mut Findings) {
    let column = table.column("leverage_at_liq").unwrap_or_default();
    // An account that is already negative has no leverage.
    let values: Vec<f64> = column.iter().copied().flatten().filter(|x| *x > 0.0).collect();
    note_median("liquidations.leverage", &values, "median notional over account value", &source(file, table), findings);
}

/// What a liquidator in a lending market got for a dollar of debt.
pub(crate) fn lending_liquidations(file: &str, table: &Table, findings: &mut Findings) {
    let at = |name: &str| table.column(name).unwrap_or_default();
    let ratios: Vec<f64> = at("collateral_usd")
        .iter()
        .zip(at("debt_usd"))
        .filter_map(|(collateral, debt)| Some((*collateral)? / (*debt)?))
        .filter(|ratio| (0.9..1.3).contains(ratio))
        .collect();
    let about = "median collateral over debt, ratios of 0.9 to 1.3: one plus the bonus";
    note_median("liquidations.lending_ratio", &ratios, about, &source(file, table), findings);
}

/// A median with the error of a density taken between the quantiles of 45 % and 55 %.
fn note_median(name: &str, values: &[f64], about: &str, source: &Source, findings: &mut Findings) {
    if values.len() < 20 || mean(values) <= 0.0 {
        return findings.skip(format!("{}: too few values for {name}", source.file));
    }
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let n = values.len() as f64;
    let spacing = quantile(values, 0.55) - quantile(values, 0.45);
    let fitted = Fitted::new(median(values), 5.0 * spacing / n.sqrt(), values.len());
    findings.note(name, fitted, about, source);
}
