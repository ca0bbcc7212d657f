//! Liquidity from depth, quotes and trades: profile, spread, withdrawal, return, order sizes.

use std::collections::BTreeMap;

use seawall_env::scenario::Scenario;
use seawall_eval::calibration::depth::{self, Snapshot};
use seawall_eval::calibration::{Fitted, long_run, tails, variance};
use seawall_eval::statistics::median;

use super::findings::{Findings, Source};
use super::prices::Prices;
use crate::datasets::{Kind, Table};

/// Share of the largest orders that the tail is taken from.
const ORDER_TAIL: f64 = 0.02;
/// Snapshots of depth are compared with their own median of the week before.
const WEEK_MS: i64 = 7 * 86_400_000;
/// Widest distance of a second's snapshot that is complete, in basis points.
const WIDTH_MAX: f64 = 25.0;

/// Source of a table between its first and last row.
pub(crate) fn source(file: &str, table: &Table) -> Source {
    Source::new(file, table.times.first().copied().zip(table.times.last().copied()))
}

/// Profile and spread from seconds of quotes and depth.
pub(crate) fn quotes(file: &str, table: &Table, findings: &mut Findings) {
    let source = source(file, table);
    let widths: Vec<f64> = table
        .names()
        .filter_map(|name| name.strip_prefix("bid_usd_")?.strip_suffix("bp")?.parse().ok())
        .filter(|width| *width <= WIDTH_MAX)
        .collect();
    let mut widths = widths;
    widths.sort_by(f64::total_cmp);
    let column = |side: &str, width: &f64| table.column(&format!("{side}_usd_{width}bp"));
    let columns: Option<Vec<_>> = widths.iter().map(|w| column("bid", w).zip(column("ask", w))).collect();
    if let Some(columns) = columns {
        let both =
            |(bids, asks): &(&[Option<f64>], &[Option<f64>]), t: usize| bids[t].unwrap_or(0.0) + asks[t].unwrap_or(0.0);
        let snapshots: Vec<Vec<f64>> =
            (0..table.times.len()).map(|t| columns.iter().map(|pair| both(pair, t)).collect()).collect();
        match depth::profile_exponent(&widths, &snapshots) {
            Some(exponent) => findings.set(
                "book.depth_exponent",
                exponent,
                &format!("exponent of cumulative depth in width, {} to {WIDTH_MAX} bp", widths[0]),
                &source,
            ),
            None => findings.skip(format!("{file}: too few complete snapshots for the profile of depth")),
        }
    }
    let spreads = table.runs("spread_bps").unwrap_or_default();
    let spreads: Vec<&[f64]> = spreads.iter().map(Vec::as_slice).collect();
    if let Some(spread) = long_run::mean(&spreads, 60) {
        findings.set("book.half_spread_bp", spread.scaled(0.5), "mean half spread, Newey-West over a minute", &source);
    }
}

/// Order sizes from public trades: fills of one millisecond and side are one order.
pub(crate) fn trades(file: &str, table: &Table, findings: &mut Findings) {
    let source = source(file, table);
    let (Some(price), Some(qty), Some(maker)) =
        (table.column("price"), table.column("qty"), table.column("buyer_is_maker"))
    else {
        return;
    };
    let mut orders = BTreeMap::<(i64, bool), f64>::new();
    for (at, time) in table.times.iter().enumerate() {
        if let (Some(price), Some(qty), Some(maker)) = (price[at], qty[at], maker[at]) {
            *orders.entry((*time, maker > 0.5)).or_default() += price * qty;
        }
    }
    let sizes: Vec<f64> = orders.into_values().collect();
    order_sizes(&sizes, "taker orders, fills of one millisecond and side joined", file, &source, findings);
}

/// Order sizes from fills by user, of one coin.
pub(crate) fn fills(file: &str, table: &Table, asset: &str, findings: &mut Findings) {
    let source = source(file, table);
    let (Some(price), Some(size), Some(coin)) = (table.column("px"), table.column("sz"), table.text("coin")) else {
        return;
    };
    let sizes: Vec<f64> = (0..coin.len())
        .filter(|at| coin[*at].eq_ignore_ascii_case(asset))
        .filter_map(|at| Some(price[at]? * size[at]?))
        .collect();
    order_sizes(&sizes, "fills by users", file, &source, findings);
}

fn order_sizes(sizes: &[f64], what: &str, file: &str, source: &Source, findings: &mut Findings) {
    match tails::hill(sizes, ORDER_TAIL) {
        Some(tail) => {
            let about =
                format!("Hill index of the largest 2 % of {what}; the tail of positions is taken to be that of orders");
            findings.set("traders.size_tail", tail, &about, source);
        }
        None => findings.skip(format!("{file}: too few orders for a tail")),
    }
    if !sizes.is_empty() {
        findings.note(
            "order_usd_median",
            Fitted::bare(median(sizes), sizes.len()),
            &format!("dollars, {what}"),
            source,
        );
    }
}

/// Depth within 1 % every few hours: level, withdrawal with volatility, and return.
pub(crate) fn book_depth(file: &str, table: &Table, asset: &str, context: &Context<'_>, findings: &mut Findings) {
    let source = source(file, table);
    let beginnings = [format!("fut_{asset}"), asset.to_owned(), format!("spot_{asset}")];
    let Some((name, depth)) = beginnings.iter().find_map(|name| Some((name, both_sides(table, name)?))) else {
        return findings.skip(format!("{file}: no depth of {asset}"));
    };
    let logs: Vec<f64> = depth.iter().copied().flatten().map(libm::log).collect();
    let Some(mean) = long_run::mean(&[&logs], 42) else {
        return findings.skip(format!("{file}: too few snapshots of {name}"));
    };
    let level = libm::exp(mean.value);
    let about = format!("{name}: geometric mean depth within 1 % on one side, in dollars");
    findings.note("depth_1pct_usd", mean.through(level, level), &about, &source);
    if name.starts_with("spot_") {
        // Depth over open interest is a scale only where both are of one market.
        findings
            .skip(format!("{file}: {name} is depth of the spot market, which has no open interest to be scaled by"));
    } else {
        scale(level, mean, context, &source, findings);
    }

    let (runs, unmatched) = snapshots(table, &depth, context.prices);
    let Some(fit) = depth::withdrawal(&runs) else {
        return findings
            .skip(format!("{file}: withdrawal needs candles of the same time; {unmatched} snapshots have none"));
    };
    #[expect(clippy::cast_precision_loss, reason = "hours")]
    let seconds = table.step_ms as f64 / 1_000.0;
    let about = format!(
        "decay of depth per unit of excess volatility, a lower bound: snapshots {:.0} h apart miss the trough; explains {:.1} % of the variance",
        seconds / 3_600.0,
        100.0 * fit.explained
    );
    if fit.aversion.value > 0.0 {
        findings.set("makers.volatility_aversion", fit.aversion, &about, &source);
    } else {
        findings.note("volatility_aversion", fit.aversion, &about, &source);
    }
    if let Some(half_life) = fit.half_life {
        let about = "half-life of deviations of log depth from its week, first-order autoregression, in seconds";
        findings.set("makers.return_half_life", half_life.scaled(seconds), about, &source);
    }
}

/// What depth is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// Prices of the same time.
    pub(crate) prices: &'a [Prices],
    /// Mean open interest on the venue of the depth, in dollars, and where it comes from.
    pub(crate) open_interest: Option<(f64, &'a str)>,
}

/// The market keeps its own size: what is fitted is depth over open interest.
fn scale(level: f64, mean: Fitted, context: &Context<'_>, source: &Source, findings: &mut Findings) {
    let Some((interest, file)) = context.open_interest else {
        return findings
            .skip(format!("{}: depth is set relative to open interest by exchange, which is not given", source.file));
    };
    let own = Scenario::default().traders.open_interest;
    let scaled = level / interest * own;
    let about = format!(
        "depth within 1 % over open interest on the same exchange, {:.4}, at the market's open interest of {:.0} million dollars; open interest from {file}",
        level / interest,
        own / 1e6
    );
    findings.set("book.depth_1pct", mean.through(scaled, scaled), &about, source);
}

fn both_sides(table: &Table, name: &str) -> Option<Vec<Option<f64>>> {
    let (bids, asks) = (table.column(&format!("{name}_bids_usd"))?, table.column(&format!("{name}_asks_usd"))?);
    Some(bids.iter().zip(asks).map(|(bid, ask)| Some(0.5 * ((*bid)? + (*ask)?))).collect())
}

/// Depth over its median of the week before, with the volatility of the bar that ends at each snapshot; and how many
/// snapshots no candles cover.
fn snapshots(table: &Table, depth: &[Option<f64>], prices: &[Prices]) -> (Vec<Vec<Snapshot>>, usize) {
    let variances = prices
        .iter()
        .map(|prices| by_step(prices, table.step_ms))
        .max_by_key(|by_time| table.times.iter().filter(|time| by_time.contains_key(*time)).count());
    let variances = variances.unwrap_or_default();
    let matched: Vec<f64> = table.times.iter().filter_map(|time| variances.get(time).copied()).collect();
    if matched.is_empty() {
        return (Vec::new(), table.times.len());
    }
    let usual = seawall_eval::statistics::mean(&matched);
    let mut runs = vec![Vec::new()];
    let mut unmatched = 0;
    for (at, time) in table.times.iter().enumerate() {
        let week: Vec<f64> = (0..at)
            .rev()
            .take_while(|before| table.times[*before] >= time - WEEK_MS)
            .filter_map(|before| depth[before])
            .collect();
        let whole = i64::try_from(week.len()).unwrap_or(i64::MAX) * table.step_ms * 2 >= WEEK_MS;
        match (depth[at], variances.get(time)) {
            (Some(depth), Some(variance)) if whole => {
                let snapshot =
                    Snapshot { log_depth: libm::log(depth / median(&week)), stress: (variance / usual).sqrt() };
                runs.last_mut().expect("there is a run").push(snapshot);
            }
            (_, found) => {
                unmatched += usize::from(found.is_none());
                runs.push(Vec::new());
            }
        }
    }
    runs.retain(|run| run.len() > 1);
    (runs, unmatched)
}

/// Realised variance by the opening time of each whole step.
fn by_step(prices: &Prices, step_ms: i64) -> BTreeMap<i64, f64> {
    if step_ms % prices.bar_ms != 0 || step_ms <= prices.bar_ms {
        return BTreeMap::new();
    }
    let size = usize::try_from(step_ms / prices.bar_ms).unwrap_or(1);
    let mut sums = BTreeMap::<i64, Vec<f64>>::new();
    for (run, returns) in prices.runs.iter().zip(prices.series().returns()) {
        for (bar, r) in run.iter().skip(1).zip(returns) {
            sums.entry(bar.open_time_ms.div_euclid(step_ms) * step_ms).or_default().push(r);
        }
    }
    sums.into_iter()
        .filter(|(_, returns)| returns.len() == size)
        .map(|(time, r)| (time, variance::realised(&r)))
        .collect()
}

/// Mean open interest of an exchange, for depth on that exchange.
pub(crate) fn mean_open_interest(table: &Table, exchange: &str) -> Option<f64> {
    let column = table.column(exchange)?;
    let values: Vec<f64> = column.iter().copied().flatten().collect();
    (table.kind == Kind::OpenInterestByExchange && !values.is_empty()).then(|| seawall_eval::statistics::mean(&values))
}
