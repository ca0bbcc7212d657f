//! What forced sales do to how prices of different assets move together.

use std::sync::Arc;

use rayon::prelude::*;
use seawall_env::SeedTree;
use seawall_env::action::Controls;
use seawall_env::economy::Economy;
use seawall_env::liquidation::presets;
use seawall_env::market::Site;
use seawall_env::scenario::Scenario;

use super::row::Row;
use crate::statistics::resample::Level;
use crate::statistics::{Resamples, mean, percentile, real};

/// Correlation of the assets' fundamentals: low, so that what owners have in common shows.
const CORRELATION: f64 = 0.2;
/// Shares of the episode between which prices are looked at: the world falls there.
const FALL: [f64; 2] = [0.2, 0.7];
/// Seconds between two looks.
const EVERY: f64 = 30.0;
/// Bootstrap replicates over seeds.
const REPLICATES: usize = 1_000;

/// Rise of the correlation of the home venue's prices by liquidation, on the same seeds: three assets with the same owners at
/// twice the leverage, of which the world moves the first alone; the venue liquidates, or nobody is.
///
/// # Panics
/// If the shipped scenario of three assets is none.
///
/// # Reference
/// Cont & Wagalath 2013 (arXiv:1110.6633): distressed sales of common holdings raise correlation.
#[must_use]
pub fn correlation_by_forced_sales(seeds: &[u64]) -> Row {
    let scenario = Arc::new(common_owners());
    let episode = |seed: &u64| ["partial_sliced", "off"].map(|preset| correlation(&scenario, preset, *seed));
    let pairs: Vec<[f64; 2]> = seeds.par_iter().map(episode).collect();
    let rises: Vec<f64> = pairs.iter().map(|[with, without]| with - without).collect();
    let resamples = Resamples::draw(SeedTree::new(0), Level::Cells, &[rises.len()], REPLICATES);
    let drawn = |times: &[u32]| {
        rises.iter().zip(times).map(|(rise, times)| rise * f64::from(*times)).sum::<f64>() / real(rises.len())
    };
    let distribution: Vec<f64> = resamples.iter().map(drawn).collect();
    let [with, without] = [0, 1].map(|i| mean(&pairs.iter().map(|pair| pair[i]).collect::<Vec<f64>>()));
    Row::new(
        "V13",
        "rise of the correlation of three assets by forced sales of common owners",
        [Some(0.0), None],
        "Cont & Wagalath 2013",
    )
    .measured(Some(mean(&rises)), percentile(&distribution, 0.95).map(|(low, high)| [low, high]))
    .noted(format!("{with:.3} with liquidations, {without:.3} without"))
}

fn common_owners() -> Scenario {
    let mut scenario = Scenario::shipped("three_by_three").expect("the scenario is shipped");
    scenario.venues.clear();
    scenario.links.overlap = 1.0;
    for asset in &mut scenario.assets[1..] {
        (asset.shock, asset.correlation) = (0.0, [CORRELATION; 3]);
    }
    for class in &mut scenario.traders.classes {
        class.leverage = (2.0 * class.leverage).min(50.0);
    }
    scenario
}

/// Mean correlation of home's prices while the world falls.
fn correlation(scenario: &Arc<Scenario>, preset: &str, seed: u64) -> f64 {
    let pipeline = presets::by_name(preset).expect("the preset is shipped");
    let site = Site::new(Arc::clone(scenario), pipeline);
    let mut economy = Economy::on(&site, seed).expect("the scenario has several assets");
    economy.set_controls(Controls::default());
    let horizon = scenario.horizon_ticks();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shares of an episode, in ticks")]
    let [every, from, to] = [
        (EVERY / scenario.clock.tick_seconds).max(1.0) as u64,
        (FALL[0] * real(usize::try_from(horizon).unwrap_or(0))) as u64,
        (FALL[1] * real(usize::try_from(horizon).unwrap_or(0))) as u64,
    ];
    let mut looks = Vec::new();
    for tick in 0..to {
        economy.tick();
        if tick >= from && tick.is_multiple_of(every) {
            looks.push(economy.correlation());
        }
    }
    mean(&looks)
}
