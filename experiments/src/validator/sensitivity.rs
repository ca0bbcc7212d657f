//! What the conclusions hang on: each fitted parameter moved by its standard error and by half, on a crash day.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use rayon::prelude::*;
use seawall_env::liquidation::Preset;
use seawall_env::market::Site;
use seawall_env::scenario::Scenario;
use seawall_eval::statistics::mean;
use seawall_eval::validation::simulate::record;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{CRASH_VENUE, Plan};
use crate::progress::Voice;

/// What is watched: bad debt and deleveraging in basis points of open interest, and how much deeper the mark falls than the
/// fundamental, in percent.
pub(crate) const WATCHED: [&str; 3] = ["bad debt, bp", "amplification, %", "deleveraged, bp"];

/// Sections of models that the crash day does not run.
const IDLE: [&str; 3] = ["world.garch.", "world.gbm.", "world.heston."];

/// A parameter as `seawall calibrate` wrote it.
#[derive(Clone, Debug, Deserialize)]
struct Estimate {
    name: String,
    value: f64,
    standard_error: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Calibration {
    estimates: Vec<Estimate>,
}

/// One bar of the tornado.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Bar {
    /// Path of the parameter.
    pub(crate) parameter: String,
    /// How it is moved: `-1 se`, `+1 se`, `-50 %`, `+50 %`.
    pub(crate) moved: &'static str,
    /// Its value then.
    pub(crate) value: f64,
    /// Change of what is watched, against the fitted crash day on the same seeds; nothing where the market refuses the value.
    pub(crate) change: Option<[f64; 3]>,
    /// Standard error of that change over seeds. Any move redraws a crash, so a change within twice its error says nothing.
    pub(crate) error: Option<[f64; 3]>,
}

/// The tornado, and the fitted crash day that it turns around.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Tornado {
    pub(crate) base: [f64; 3],
    pub(crate) bars: Vec<Bar>,
}

/// Lays the estimates over `crash_day` and moves each of them in turn, on common seeds.
///
/// # Errors
/// If the file cannot be read or holds no parameter of the market.
pub(crate) fn tornado(plan: &Plan, estimates: &Path, voice: Voice) -> anyhow::Result<Tornado> {
    let text = std::fs::read_to_string(estimates).with_context(|| format!("reading {}", estimates.display()))?;
    let calibration: Calibration =
        serde_json::from_str(&text).with_context(|| format!("reading the estimates in {}", estimates.display()))?;
    let crash = Scenario::shipped("crash_day").expect("the scenario is shipped");
    let mut base = Table::try_from(&crash).context("writing crash_day as TOML")?;
    let mut kept: Vec<Estimate> = Vec::new();
    let acts = |estimate: &Estimate| !IDLE.iter().any(|section| estimate.name.starts_with(section));
    for estimate in calibration.estimates.into_iter().filter(acts) {
        let Some(laid) = with(&base, &estimate.name, estimate.value) else { continue };
        if scenario(&laid).is_none() {
            voice.say(&format!("{}: {} is out of the market's bounds", estimate.name, estimate.value));
            continue;
        }
        base = laid;
        kept.retain(|earlier| earlier.name != estimate.name);
        kept.push(estimate);
    }
    if kept.is_empty() {
        bail!("{} holds no parameter of the market", estimates.display());
    }
    let seeds = plan.seeds(10, plan.seeds);
    let fitted = watch(&scenario(&base).expect("checked as it was laid"), &seeds);
    let moves: Vec<(Estimate, &'static str, f64)> = kept.iter().flat_map(moved).collect();
    let bar = |(estimate, moved, value): (Estimate, &'static str, f64)| {
        let tried = with(&base, &estimate.name, value).and_then(|table| scenario(&table));
        let moves = tried.map(|scenario| {
            let watched = watch(&scenario, &seeds);
            [0, 1, 2].map(|i| paired(&watched, &fitted, i))
        });
        let [change, error] = [0, 1].map(|which| moves.map(|moves| moves.map(|pair| pair[which])));
        Bar { parameter: estimate.name, moved, value, change, error }
    };
    let bars: Vec<Bar> = moves.into_par_iter().map(bar).collect();
    Ok(Tornado { base: [0, 1, 2].map(|i| mean(&column(&fitted, i))), bars })
}

fn moved(estimate: &Estimate) -> Vec<(Estimate, &'static str, f64)> {
    let value = estimate.value;
    let mut moves = vec![("-50 %", 0.5 * value), ("+50 %", 1.5 * value)];
    if let Some(error) = estimate.standard_error {
        moves.extend([("-1 se", value - error), ("+1 se", value + error)]);
    }
    moves.into_iter().map(|(name, value)| (estimate.clone(), name, value)).collect()
}

/// The table with one number replaced; nothing if there is no such parameter.
fn with(table: &Table, path: &str, value: f64) -> Option<Table> {
    let mut table = table.clone();
    let mut steps = path.split('.').peekable();
    let mut at: &mut Value = table.get_mut(steps.next()?)?;
    for step in steps {
        let (name, index) = match step.split_once('[') {
            Some((name, index)) => (name, Some(index.trim_end_matches(']').parse::<usize>().ok()?)),
            None => (step, None),
        };
        at = at.as_table_mut()?.get_mut(name)?;
        if let Some(index) = index {
            at = at.as_array_mut()?.get_mut(index)?;
        }
    }
    at.is_float().then(|| *at = Value::Float(value))?;
    Some(table)
}

fn scenario(table: &Table) -> Option<Scenario> {
    Scenario::from_toml(&table.to_string()).ok()
}

fn column(episodes: &[[f64; 3]], watched: usize) -> Vec<f64> {
    episodes.iter().map(|episode| episode[watched]).collect()
}

/// Mean difference of one of the watched over seeds, and its standard error.
fn paired(moved: &[[f64; 3]], fitted: &[[f64; 3]], watched: usize) -> [f64; 2] {
    let differences: Vec<f64> = moved.iter().zip(fitted).map(|(a, b)| a[watched] - b[watched]).collect();
    let centre = mean(&differences);
    let squares: Vec<f64> = differences.iter().map(|d| (d - centre) * (d - centre)).collect();
    // The sum of squares over n (n - 1) is the variance of the mean.
    #[expect(clippy::cast_precision_loss, reason = "a few seeds")]
    let freedom = differences.len().saturating_sub(1) as f64;
    [centre, (mean(&squares) / freedom).sqrt()]
}

/// What is watched, seed by seed.
fn watch(scenario: &Scenario, seeds: &[u64]) -> Vec<[f64; 3]> {
    let venue = Preset::shipped(CRASH_VENUE).expect("the venue is shipped");
    let site = Site::new(Arc::new(venue.furnish(scenario.clone())), venue.pipeline);
    seeds
        .iter()
        .map(|seed| {
            let outcome = record(&site, *seed).outcome;
            let interest = outcome.reference_open_interest.as_f64();
            let start = outcome.price_start.as_f64();
            let deeper = (outcome.fundamental_low.as_f64() - outcome.mark_low.as_f64()) / start;
            [1e4 * outcome.bad_debt.as_f64() / interest, 100.0 * deeper, 1e4 * outcome.deleveraged.as_f64() / interest]
        })
        .collect()
}

impl Tornado {
    /// Bars by how far they move one of the watched, the farthest first.
    pub(crate) fn ranked(&self, watched: usize) -> Vec<&Bar> {
        let reach = |bar: &&Bar| bar.change.map_or(0.0, |change| change[watched].abs());
        let mut bars: Vec<&Bar> = self.bars.iter().collect();
        bars.sort_by(|a, b| reach(b).total_cmp(&reach(a)));
        bars
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_replaced_and_nothing_else() {
        let table = Table::try_from(Scenario::shipped("crash_day").unwrap()).unwrap();
        let moved = with(&table, "world.clustering.factors[1].deviation", 0.123).unwrap();
        let read = scenario(&moved).unwrap();
        assert!((read.world.clustering.factors[1].deviation - 0.123).abs() < 1e-12);
        assert!((read.world.clustering.factors[0].deviation - 0.40).abs() < 1e-12);
        assert_eq!(with(&table, "statistic.hill_5pct", 1.0), None);
        assert_eq!(with(&table, "world.clustering.factors[9].deviation", 1.0), None);
        // A value that the market refuses makes no scenario.
        assert!(scenario(&with(&table, "book.depth_exponent", 1.4).unwrap()).is_none());
    }

    #[test]
    fn a_change_comes_with_its_error_over_seeds() {
        // Differences 1 and 3: mean 2, variance 2, of which a mean of two has one half.
        let [change, error] = paired(&[[2.0, 0.0, 0.0], [5.0, 0.0, 0.0]], &[[1.0, 0.0, 0.0], [2.0, 0.0, 0.0]], 0);
        assert!((change - 2.0).abs() < 1e-12 && (error - 1.0).abs() < 1e-12, "{change} {error}");
    }

    #[test]
    fn bars_are_ranked_by_how_far_they_reach() {
        let bar = |parameter: &str, change: Option<[f64; 3]>| Bar {
            parameter: parameter.to_owned(),
            moved: "+50 %",
            value: 1.0,
            change,
            error: None,
        };
        let bars = vec![bar("a", Some([1.0, 0.0, 0.0])), bar("b", Some([-5.0, 0.0, 0.0])), bar("c", None)];
        let tornado = Tornado { base: [0.0; 3], bars };
        let order: Vec<&str> = tornado.ranked(0).iter().map(|bar| bar.parameter.as_str()).collect();
        assert_eq!(order, ["b", "a", "c"]);
    }
}
