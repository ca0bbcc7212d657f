//! The market on an automated market maker: nobody requotes, and the price is tied to the outside one by arbitrage.

mod common;

use seawall_env::action::Controls;
use seawall_env::book::{Book, BookKind, Curve};
use seawall_env::observation::FEATURES_COUNT;
use seawall_env::outcome::Outcome;
use seawall_env::scenario::ClockConfig;
use seawall_env::units::Usd;
use seawall_env::{CascadeEnv, Env};

/// Four hours in ticks of 2 s on a pool; arbitrageurs may hold `capacity` of open interest each.
fn environment(id: &str, preset: &str, curve: Curve, capacity: f64) -> CascadeEnv {
    let mut scenario = common::small(id, 240, 500);
    scenario.clock = ClockConfig { tick_seconds: 2.0, ticks_per_decision: 30, decisions: 240, slow_interval: 1 };
    scenario.book.kind = BookKind::Amm;
    scenario.book.amm.curve = curve;
    scenario.arbitrage.capacity = capacity;
    common::environment(scenario, preset)
}

/// Plays an episode; returns the distances of mid from the price outside after each decision, ascending, in basis points.
fn bases(env: &mut CascadeEnv, seed: u64) -> (Vec<f64>, Outcome) {
    let mut observation = [0.0; FEATURES_COUNT];
    env.reset(seed, &mut observation);
    let (action, mut bases, mut over) = (Controls::default().encode(), Vec::new(), false);
    while !over {
        over = env.step(&action, &mut observation).status.is_over();
        let state = env.market().state();
        state.ledger.assert_invariants();
        assert_eq!(-state.ledger.deficit(), env.outcome().written_off);
        bases.push(1e4 * (state.book.mid() / state.prices.outside - 1.0).abs());
    }
    bases.sort_by(f64::total_cmp);
    (bases, *env.outcome())
}

/// All but the worst twentieth of decisions.
fn most(bases: &[f64]) -> f64 {
    bases[bases.len() * 19 / 20]
}

const CURVES: [Curve; 2] = [Curve::ConstantProduct, Curve::Concentrated];

#[test]
fn arbitrage_ties_a_pool_to_the_price_outside() {
    // The band is the fee of 5 bp, the arbitrageurs' own 5 bp, and half of what 50,000 dollars move.
    for (id, preset, capacity) in [
        ("calm", "legacy_full", 0.02),
        ("calm", "seawall", 0.02),
        ("flash_crash", "legacy_full", 0.2),
        ("flash_crash", "seawall", 0.2),
    ] {
        for curve in CURVES {
            let mut env = environment(id, preset, curve, capacity);
            let mut crashed = Usd::ZERO;
            for seed in 0..3 {
                let (bases, outcome) = bases(&mut env, seed);
                assert!(bases.len() > 100, "{id} {preset} {curve:?} {seed} ended after {}", bases.len());
                assert!(most(&bases) < 15.0, "{id} {preset} {curve:?} {seed}: {} bp", most(&bases));
                assert!(outcome.natural_volume > Usd::from_f64(10e6), "a market without trade proves nothing");
                crashed += outcome.liquidated;
            }
            assert!(id == "calm" || crashed > Usd::from_f64(50e6), "nobody was liquidated in a crash: {crashed}");
        }
    }
}

#[test]
fn bases_open_when_arbitrageurs_are_full() {
    // To move a full constant product by a tenth takes some 110 M dollars; four arbitrageurs of 8 M each do not have it.
    let worst = |capacity: f64| {
        let mut env = environment("flash_crash", "legacy_full", Curve::ConstantProduct, capacity);
        (0..3).map(|seed| most(&bases(&mut env, seed).0)).fold(0.0, f64::max)
    };
    let (full, free) = (worst(0.02), worst(0.2));
    assert!(full > 10.0 * free, "{full} bp with little capital, {free} bp with ten times as much");
}

#[test]
fn without_arbitrage_a_pool_drifts_from_the_price_outside_even_in_calm() {
    for curve in CURVES {
        let drift = |capacity: f64| most(&bases(&mut environment("calm", "legacy_full", curve, capacity), 1).0);
        let (alone, tied) = (drift(0.0), drift(0.02));
        assert!(alone > 3.0 * tied, "{curve:?}: {alone} bp without arbitrage, {tied} bp with it");
    }
}

#[test]
fn providers_withdraw_in_a_crash() {
    for curve in CURVES {
        let depth_low = |id: &str| bases(&mut environment(id, "legacy_full", curve, 0.2), 0).1.depth_low;
        let (calm, crash) = (depth_low("calm"), depth_low("flash_crash"));
        assert!(crash < 0.5 * calm, "{curve:?}: {crash} of depth in a crash, {calm} in calm");
    }
}
