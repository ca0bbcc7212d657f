//! One thing changed, on the same seeds: leverage, margin that follows volatility, a vault that is capped.

use std::sync::Arc;

use seawall_env::SeedTree;
use seawall_env::action::Controls;
use seawall_env::liquidation::{Backstop, Pipeline};
use seawall_env::market::Site;
use seawall_env::scenario::Scenario;

use super::facts::{Fact, Run};
use super::row::Row;
use super::simulate::{Recording, record_with};
use crate::statistics::resample::Level;
use crate::statistics::{Resamples, mean, percentile, real};
use rayon::prelude::*;

/// Factors on the leverage that every class of traders chooses.
const LEVERAGE: [f64; 2] = [0.3, 2.0];
/// Sensitivity of initial margin to volatility of the venue that follows it.
const SENSITIVITY: f64 = 1.0;
/// Share of the largest absolute returns of a minute that the tail is taken from.
const TAIL: f64 = 0.01;
/// Share of the fund that a capped vault holds.
const VAULT_SHARE: f64 = 0.1;
/// Bootstrap replicates over seeds.
const REPLICATES: usize = 200;

/// Tails of one-minute returns with little and with much leverage, and with margin that follows volatility.
///
/// # Reference
/// Thurner, Farmer & Geanakoplos 2012 (arXiv:0908.1555): leverage thickens tails; limits that follow volatility do not help
/// once leverage is high.
#[must_use]
pub fn leverage(scenario: &Scenario, pipeline: Pipeline, seeds: &[u64]) -> Vec<Row> {
    let play = |factor: f64, controls: Controls| -> Vec<Run> {
        let mut levered = scenario.clone();
        for class in &mut levered.traders.classes {
            class.leverage = (class.leverage * factor).clamp(1.0, 100.0);
        }
        let site = Site::new(Arc::new(levered), pipeline);
        let run = |seed: &u64| {
            let (returns, volumes) = record_with(&site, *seed, controls).sampled(60.0);
            Run { returns, volumes }
        };
        seeds.par_iter().map(run).collect()
    };
    let [little, much] = LEVERAGE.map(|factor| play(factor, Controls::default()));
    let followed = play(LEVERAGE[1], Controls { volatility_sensitivity: SENSITIVITY, ..Controls::default() });
    let source = "Thurner, Farmer & Geanakoplos 2012";
    let (value, interval, note) = fall(&little, &much);
    let thicker = Row::new(
        "V11",
        "fall of the Hill index (top 1 %, 1 min) from 0.3 to twice the leverage",
        [Some(0.0), None],
        source,
    )
    .measured(value, interval)
    .noted(note);
    let (value, interval, note) = fall(&followed, &much);
    let linked = Row::new(
        "V11b",
        "rise of that index by margin that follows volatility, at twice the leverage",
        [None, Some(0.1)],
        source,
    )
    .measured(value, interval)
    .noted(note);
    vec![thicker, linked]
}

/// Hill index of the first less that of the second, paired over seeds.
fn fall(first: &[Run], second: &[Run]) -> (Option<f64>, Option<[f64; 2]>, String) {
    let index = |runs: &[Run], times: &[u32]| {
        let drawn: Vec<&Run> =
            runs.iter().zip(times).flat_map(|(run, times)| std::iter::repeat_n(run, *times as usize)).collect();
        Fact::Hill(TAIL).of(&drawn)
    };
    let difference = |times: &[u32]| Some(index(first, times)? - index(second, times)?);
    let once = vec![1; first.len()];
    let resamples = Resamples::draw(SeedTree::new(0), Level::Cells, &[first.len()], REPLICATES);
    let distribution: Vec<f64> = resamples.iter().filter_map(difference).collect();
    let shown = |runs: &[Run]| index(runs, &once).map_or_else(|| "-".to_owned(), |alpha| format!("{alpha:.2}"));
    let interval = percentile(&distribution, 0.95).map(|(low, high)| [low, high]);
    (difference(&once), interval, format!("{} and {}", shown(first), shown(second)))
}

/// What an attack costs a vault that holds the whole fund over what it costs one that holds a tenth.
///
/// `pipeline` must have a vault; the two differ in its share alone.
///
/// # Panics
/// If the pipeline has no vault.
#[must_use]
pub fn pooled_vault(scenario: &Scenario, pipeline: Pipeline, seeds: &[u64]) -> Row {
    let loss = |vault: f64| -> f64 {
        let Backstop::Vault { below, max_leverage, unwind, limits, .. } = pipeline.backstop else {
            panic!("the venue has no vault");
        };
        let backstop = Backstop::Vault { share: vault, below, max_leverage, unwind, limits };
        let site = Site::new(Arc::new(scenario.clone()), Pipeline { backstop, ..pipeline });
        let lost = |seed: &u64| {
            let Recording { outcome, .. } = record_with(&site, *seed, Controls::default());
            (outcome.fund_start - outcome.fund_low).as_f64() / outcome.fund_start.as_f64()
        };
        mean(&seeds.par_iter().map(lost).collect::<Vec<f64>>())
    };
    let [pooled, capped] = [1.0, VAULT_SHARE].map(loss);
    let ratio = (capped > 0.0).then(|| pooled / capped);
    Row::new(
        "V14",
        "loss to JELLY: a vault that pools the fund over one that holds a tenth",
        [Some(1.0), None],
        "Hyperliquid, 26 March 2025: 10.6 to 13.5 M$ at the pooled vault",
    )
    .measured(ratio, None)
    .noted(format!(
        "{:.1} % against {:.1} % of the fund, mean of {} seeds",
        100.0 * pooled,
        100.0 * capped,
        real(seeds.len())
    ))
}
