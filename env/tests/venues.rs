//! What a crash leaves behind at each venue, with its own margin and fee where it publishes them.

mod common;

use std::collections::BTreeMap;

use seawall_env::action::Controls;
use seawall_env::liquidation::{Preset, presets};
use seawall_env::observation::FEATURES_COUNT;
use seawall_env::outcome::Outcome;
use seawall_env::scenario::{ClockConfig, Scenario};
use seawall_env::units::Usd;
use seawall_env::{CascadeEnv, Env};

/// A crash day of nervous traders at a venue. With an empty fund the venue takes no fee that could fill it.
fn crash(preset: &Preset, fund: f64) -> Scenario {
    let mut scenario = preset.furnish(common::small("crash_day", 120, 512));
    scenario.clock = ClockConfig { tick_seconds: 2.0, ticks_per_decision: 60, decisions: 120, slow_interval: 60 };
    scenario.venue.fund = fund;
    scenario.venue.failure = 1.0;
    if fund <= 0.0 {
        scenario.venue.liquidation_fee_bp = 0.0;
    }
    for class in &mut scenario.traders.classes {
        class.leverage = (class.leverage * 2.0).min(100.0);
    }
    scenario
}

fn play(mut env: CascadeEnv, seed: u64) -> Outcome {
    let neutral = Controls::default().encode();
    let mut observation = [0.0; FEATURES_COUNT];
    env.reset(seed, &mut observation);
    while !env.step(&neutral, &mut observation).status.is_over() {}
    *env.outcome()
}

fn everywhere(fund: f64, seed: u64) -> BTreeMap<&'static str, Outcome> {
    let venue = |name: &'static str| {
        let preset = Preset::shipped(name).expect("a shipped preset");
        (name, play(common::environment_under(crash(&preset, fund), preset.pipeline), seed))
    };
    presets::NAMES.map(venue).into()
}

/// Venues that close positions without an order.
const BOOKLESS: [&str; 5] = ["aave_v3", "gmx_v2", "maker_liq2", "percolator_ak", "synthetix_v3"];

#[test]
fn a_crash_liquidates_somebody_at_every_venue_and_moves_the_book_only_where_there_is_one() {
    for (name, outcome) in everywhere(0.006, 5) {
        let liquidated = outcome.liquidated > Usd::ZERO && outcome.liquidated_accounts > 0;
        assert_eq!(liquidated, name != "off", "{name}: {outcome:?}");
        let forced = outcome.forced_volume > Usd::ZERO;
        // Compound sells to keepers, and what it cannot carry to the book.
        if name != "compound_v3" {
            assert_eq!(forced, liquidated && !BOOKLESS.contains(&name), "{name}: {}", outcome.forced_volume);
        }
    }
}

#[test]
fn a_venue_whose_pool_or_other_side_takes_positions_adds_nothing_to_the_fall() {
    // Keepers leave theirs on the book, a pool and an opposing side do not.
    for name in ["gmx_v2", "percolator_ak", "synthetix_v3"] {
        let preset = Preset::shipped(name).expect("a shipped preset");
        let scenario = crash(&preset, 0.006);
        let off = play(common::environment(scenario.clone(), "off"), 5).deviation_max_bp;
        let here = play(common::environment_under(scenario.clone(), preset.pipeline), 5).deviation_max_bp;
        let legacy = play(common::environment(scenario, "legacy_full"), 5).deviation_max_bp;
        assert!(here < 1.2 * off && here < legacy, "{name}: {here} bp, {off} without, {legacy} on the book");
    }
}

#[test]
fn with_an_empty_fund_each_venue_makes_those_pay_that_its_rules_name() {
    // A crash with a gap: without one nobody is bankrupt at a venue that closes at mark and at once.
    let outcomes = everywhere(0.0, 4);
    let of = |name: &str| outcomes.get(name).expect("a played venue");
    for (name, outcome) in &outcomes {
        let parts = outcome.covered_by_fund + outcome.haircut + outcome.socialised + outcome.written_off;
        assert_eq!(outcome.bad_debt, parts, "M8 at {name}");
    }
    for name in ["legacy_full", "binance", "bybit", "dydx_v4", "hyperliquid"] {
        assert!(of(name).haircut > Usd::ZERO, "{name} deleverages: {:?}", of(name));
    }
    for name in ["drift_v2", "percolator_ak", "vega"] {
        let outcome = of(name);
        assert!(outcome.socialised > Usd::ZERO && outcome.haircut.is_zero(), "{name} socialises: {outcome:?}");
    }
    let booked = of("maker_liq2");
    assert_eq!((booked.haircut, booked.socialised), (Usd::ZERO, Usd::ZERO), "outsiders pay for Maker: {booked:?}");
    assert!(booked.written_off > Usd::ZERO, "{booked:?}");
}
