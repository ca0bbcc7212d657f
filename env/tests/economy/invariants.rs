//! M1 to M12 over random economies, venues, seeds and actions.

use proptest::prelude::*;
use seawall_env::action::ACTIONS;
use seawall_env::book::BookKind;
use seawall_env::economy::{AssetConfig, ExternalVenueConfig};
use seawall_env::error::Problems;
use seawall_env::liquidation::{Execution, presets};
use seawall_env::outcome::Outcome;
use seawall_env::scenario::Scenario;
use seawall_env::units::Usd;
use seawall_env::world::WindowConfig;
use seawall_env::{CascadeEnv, Env};

use super::checks::{
    assert_claims_are_covered, assert_funding_leaves_only_dust, assert_levels_are_ordered, assert_waterfall,
};
use super::{environment_under, small};

const DECISIONS: u32 = 30;
/// Ticks between two funding payments: often, so that rounding has its chance.
const FUNDING_TICKS: u32 = 8;

/// One to three assets on one to three venues, with thin funds and nervous populations.
fn economies() -> impl Strategy<Value = Scenario> {
    let shape =
        (1..=3_usize, prop::collection::vec(venues(), 0..3), prop::sample::select(vec!["three_by_three", "contagion"]));
    let numbers = (0.0..0.01_f64, 0.5..3.0_f64, 0.0..1.0_f64, 0.0..=1.0_f64, 0.0..2_000.0_f64, 1.0..2.5_f64);
    let kind = prop::sample::select(vec![BookKind::Depth, BookKind::Depth, BookKind::Order, BookKind::Amm]);
    let between = (0.0..0.2_f64, 1..6_u32, kind);
    (shape, numbers, between, 64..160_u32).prop_map(|((assets, venues, id), numbers, between, accounts)| {
        let (fund, leverage, spot_share, cross_margin, transfer_seconds, volatility) = numbers;
        let mut scenario = small(id, DECISIONS, accounts);
        scenario.assets = Scenario::shipped("three_by_three").expect("a shipped scenario").assets[..assets].to_vec();
        scenario.venues = venues;
        for (i, venue) in scenario.venues.iter_mut().enumerate() {
            venue.id = format!("venue{i}");
        }
        (scenario.arbitrage.capacity, scenario.arbitrage.count, scenario.book.kind) = between;
        scenario.links.spot_share = spot_share;
        scenario.links.cross_margin = cross_margin;
        scenario.links.transfer_seconds = transfer_seconds;
        scenario.venue.fund = fund;
        scenario.venue.failure = 1.0;
        scenario.funding.interval = f64::from(FUNDING_TICKS) * scenario.clock.tick_seconds;
        scenario.world.volatility_scale = [volatility, volatility];
        for class in &mut scenario.traders.classes {
            class.leverage = (class.leverage * leverage).clamp(1.0, 50.0);
        }
        scenario
    })
}

fn venues() -> impl Strategy<Value = ExternalVenueConfig> {
    let outage = (0.0..0.8_f64, 0.0..2e3_f64)
        .prop_map(|(at, length)| WindowConfig { start_fraction: [at, at], seconds: [0.0, length] });
    let sizes = (0.2..4.0_f64, 0.1..3.0_f64, 0.5..2.0_f64, 0.1..2.0_f64);
    let preset = prop_oneof![3 => prop::sample::select(presets::NAMES.to_vec()), 1 => Just("partial_routed")];
    (preset, sizes, prop::option::of(0.0..0.01_f64), prop::collection::vec(outage, 0..2)).prop_map(
        |(preset, (size, depth, accounts, leverage), fund, outages)| ExternalVenueConfig {
            id: String::new(),
            preset: preset.to_owned(),
            size,
            depth,
            accounts,
            leverage,
            fund,
            outages,
        },
    )
}

/// Entries of an action: anywhere in the box, often in its corners.
fn actions() -> impl Strategy<Value = Vec<[f32; ACTIONS]>> {
    let entry = prop_oneof![2 => -1.0..=1.0_f32, 1 => Just(-1.0), 1 => Just(1.0)];
    prop::collection::vec(prop::array::uniform13(entry), 1..6)
}

/// All of them in every market after every decision, and over all ledgers.
fn play(env: &mut CascadeEnv, seed: u64, actions: &[[f32; ACTIONS]]) {
    let mut observation = vec![0.0; env.spec().observation.len()];
    env.reset(seed, &mut observation);
    for action in actions.iter().cycle() {
        let before: Vec<Outcome> =
            env.economy().expect("an economy").markets().iter().map(|market| *market.outcome()).collect();
        let home_before = *env.outcome();
        let step = env.step(action, &mut observation);
        let economy = env.economy().expect("an economy");
        // M1, M2, M9, in every ledger and over all of them.
        economy.assert_invariants();
        for (market, before) in economy.markets().iter().zip(&before) {
            let (ledger, outcome) = (&market.state().ledger, market.outcome());
            assert_eq!(-ledger.deficit(), outcome.written_off, "M1: only what was written off is missing");
            assert_eq!(ledger.fees(), outcome.fees);
            assert_levels_are_ordered(market);
            assert_waterfall(before, outcome);
            assert_claims_are_covered(market);
            assert_funding_leaves_only_dust(ledger, outcome.ticks / u64::from(FUNDING_TICKS));
        }
        assert_waterfall(&home_before, env.outcome());
        let home: Usd = economy.home().iter().map(|market| market.outcome().bad_debt).sum();
        assert_eq!(env.outcome().bad_debt, home, "totals are exact");
        assert!(observation.iter().all(|x| x.is_finite()) && step.reward.is_finite(), "M12");
        assert!(env.reward_terms().iter().all(|x| x.is_finite()), "M12: {:?}", env.reward_terms());
        if step.status.is_over() {
            return;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_invariants_hold_after_every_decision_of_any_economy(
        scenario in economies(),
        preset in prop::sample::select(presets::NAMES.to_vec()),
        // Whatever the venue is otherwise, half of them route.
        routed in prop::option::of(0.0..100.0_f64),
        seed in any::<u64>(),
        actions in actions(),
    ) {
        let mut problems = Problems::default();
        scenario.validate("scenario", &mut problems);
        prop_assert_eq!(problems, Problems::default());
        let mut pipeline = presets::by_name(preset).expect("a preset");
        pipeline.execution = routed.map_or(pipeline.execution, |cost_bp| Execution::Routed { cost_bp });
        play(&mut environment_under(scenario, pipeline), seed, &actions);
    }
}

#[test]
fn every_problem_of_assets_venues_and_links_is_named() {
    let mut scenario = small("three_by_three", 10, 64);
    scenario.assets[0].volatility = 2.0;
    scenario.assets[1].correlation = [0.5, 0.4, 0.9];
    scenario.assets[2].id = "eth".to_owned();
    scenario.venues[0].preset = "lunch".to_owned();
    scenario.venues[1].size = f64::NAN;
    scenario.links.cross_margin = 2.0;
    scenario.adversaries = Scenario::shipped("jelly").unwrap().adversaries;
    let mut problems = Problems::default();
    scenario.validate("x", &mut problems);
    let fields: Vec<&str> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
    let expected = [
        "x.links.cross_margin",
        "x.adversaries",
        "x.assets[1].correlation",
        "x.assets[2].id",
        "x.assets[0].volatility, shock, correlation",
        "x.venues[0].preset",
        "x.venues[1].size",
    ];
    assert_eq!(fields, expected);
}

#[test]
fn factors_that_make_an_invalid_instrument_are_named_with_it() {
    let mut scenario = small("three_by_three", 10, 64);
    scenario.venue.reference_volatility = 4.0;
    let mut problems = Problems::default();
    scenario.validate("x", &mut problems);
    let fields: Vec<&str> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
    assert!(fields.contains(&"x.home-alt.venue.reference_volatility"), "{fields:?}");
    assert!(fields.iter().all(|field| field.ends_with("venue.reference_volatility")), "{fields:?}");
    let nameless = AssetConfig { id: String::new(), ..scenario.assets[0].clone() };
    scenario.assets = vec![nameless];
    let mut problems = Problems::default();
    scenario.validate("x", &mut problems);
    assert_eq!(problems.0[0].field, "x.assets[0].id");
}
