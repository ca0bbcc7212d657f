//! What an economy is for, as paired tests: one thing differs, and the seeds are the same.

use std::sync::Arc;

use seawall_env::action::Controls;
use seawall_env::book::Book;
use seawall_env::economy::Economy;
use seawall_env::liquidation::presets;
use seawall_env::market::Site;
use seawall_env::scenario::Scenario;

const SEEDS: u64 = 6;

fn open(scenario: &Scenario, preset: &str, seed: u64) -> Economy {
    let pipeline = presets::by_name(preset).expect("a preset");
    let mut economy = Economy::on(&Site::new(Arc::new(scenario.clone()), pipeline), seed).expect("an economy");
    economy.set_controls(Controls::default());
    economy
}

fn shipped(id: &str) -> Scenario {
    Scenario::shipped(id).expect("a shipped scenario")
}

#[test]
fn home_is_dislocated_less_where_the_other_venue_is_not_levered() {
    let levered = shipped("contagion");
    let mut plain = levered.clone();
    plain.venues[0].leverage = 0.01;
    let (mut less, mut sums) = (0, [0.0; 2]);
    for seed in 0..SEEDS {
        let [with, without] = [&levered, &plain].map(|scenario| {
            let mut economy = open(scenario, "partial_sliced", seed);
            (0..scenario.horizon_ticks()).for_each(|_| economy.tick());
            // Distance of marks from the fundamental price, beyond what is tolerated and by open interest: a term of
            // the reward.
            economy.excess_deviation_hours()
        });
        less += u32::from(without < with);
        sums[0] += with;
        sums[1] += without;
    }
    // Measured: 6 of 6 seeds, 0.044 against 0.014 hours.
    assert!(less >= 5 && sums[1] < 0.5 * sums[0], "{less} of {SEEDS} seeds, {sums:?}");
}

/// Mean distance of home's mid from the other venue's in the second quarter of the episode, in basis points.
fn mean_basis(scenario: &Scenario, seed: u64) -> f64 {
    let mut economy = open(scenario, "legacy_full", seed);
    let quarter = scenario.horizon_ticks() / 4;
    (0..quarter).for_each(|_| economy.tick());
    let (mut sum, mut count) = (0.0, 0.0);
    for _ in 0..quarter {
        economy.tick();
        let mid = |venue: usize| economy.market(venue, 0).state().book.mid();
        sum += 1e4 * (mid(0) / mid(1) - 1.0).abs();
        count += 1.0;
    }
    sum / count
}

#[test]
fn bases_open_when_arbitrageurs_are_exhausted() {
    let rich = shipped("contagion");
    let mut poor = rich.clone();
    poor.arbitrage.capacity = 1e-4;
    let (mut wider, mut sums) = (0, [0.0; 2]);
    for seed in 0..SEEDS {
        let [with, without] = [&rich, &poor].map(|scenario| mean_basis(scenario, seed));
        wider += u32::from(without > with);
        sums[0] += with;
        sums[1] += without;
    }
    assert!(wider >= 5 && sums[1] > 1.1 * sums[0], "{wider} of {SEEDS} seeds, {sums:?}");
}

/// Mean correlation of home's prices over the half of the episode in which the world falls.
fn correlation(scenario: &Scenario, preset: &str, seed: u64) -> f64 {
    let mut economy = open(scenario, preset, seed);
    let (mut sum, mut count) = (0.0, 0.0);
    for look in 0..scenario.horizon_ticks() / 30 {
        (0..30).for_each(|_| economy.tick());
        if look > 48 && look < 168 {
            sum += economy.correlation();
            count += 1.0;
        }
    }
    sum / count
}

#[test]
fn correlation_rises_with_forced_sales() {
    // Cont & Wagalath 2013: what owners have in common is sold together. The world alone moves the first asset.
    let mut scenario = shipped("three_by_three");
    scenario.venues.clear();
    scenario.links.overlap = 1.0;
    for asset in &mut scenario.assets[1..] {
        (asset.shock, asset.correlation) = (0.0, [0.2; 3]);
    }
    for class in &mut scenario.traders.classes {
        class.leverage = (2.0 * class.leverage).min(50.0);
    }
    let (mut higher, mut sums) = (0_u64, [0.0; 2]);
    // Returns are noisy: four times as many seeds.
    for seed in 0..4 * SEEDS {
        let [with, without] = ["partial_sliced", "off"].map(|preset| correlation(&scenario, preset, seed));
        higher += u64::from(with > without);
        sums[0] += with;
        sums[1] += without;
    }
    assert!(higher > 2 * SEEDS && sums[0] > 1.1 * sums[1], "{higher} of {} seeds, {sums:?}", 4 * SEEDS);
}
