//! Every metric against one episode worked by hand, and against one in which nothing happened.

use seawall_env::outcome::Outcome;
use seawall_env::units::Price;

use super::*;
use crate::counterfactual::LetBe;
use crate::path::Path;

/// A crash from 50,000: fundamental to 45,000 (10 %), mark to 40,000 (20 %); without liquidations mark to 44,000 (12 %).
fn crash() -> EpisodeRecord {
    let dollars = |amount: f64| Usd::from_f64(amount);
    let outcome = Outcome {
        ticks: 3_600,
        decisions: 120,
        reference_open_interest: dollars(100_000_000.0),
        bad_debt: dollars(1_500_000.0),
        covered_by_fund: dollars(800_000.0),
        socialised: dollars(500_000.0),
        haircut: dollars(150_000.0),
        written_off: dollars(50_000.0),
        deleveraged: dollars(6_000_000.0),
        deleveraged_accounts: 9,
        liquidated: dollars(20_000_000.0),
        liquidated_accounts: 321,
        liquidation_cost: dollars(400_000.0),
        forced_volume: dollars(15_000_000.0),
        natural_volume: dollars(45_000_000.0),
        fees: dollars(30_000.0),
        turned_away: dollars(-50_000.0),
        fund_start: dollars(1_200_000.0),
        fund_low: dollars(-300_000.0),
        fund_end: dollars(200_000.0),
        keeper_profit: dollars(-20_000.0),
        price_start: Price::from_f64(50_000.0),
        mark_low: Price::from_f64(40_000.0),
        fundamental_low: Price::from_f64(45_000.0),
        mark_high: Price::from_f64(50_500.0),
        fundamental_high: Price::from_f64(51_000.0),
        deviation_max_bp: 900.0,
        deviation_mean_bp: 35.5,
        open_interest_mean: dollars(88_000_000.0),
        open_interest_end: dollars(70_000_000.0),
        margin_mean: 1.25,
        margin_peak: 2.0,
        margin_trough: 0.8,
        depth_low: 0.07,
        peak_minute: dollars(8_000_000.0),
        first_liquidation: Some(600),
        first_deleveraging: Some(655),
        stressed_ticks: 900,
    };
    let without = Outcome {
        mark_low: Price::from_f64(44_000.0),
        mark_high: Price::from_f64(50_100.0),
        price_start: outcome.price_start,
        ..Outcome::default()
    };
    EpisodeRecord {
        arm: 0,
        run: 0,
        training_seed: None,
        scenario: 0,
        index: 0,
        seed: 1,
        episode_return: -12.5,
        terms: vec![],
        outcome,
        without_liquidations: Some(without),
        path: Some(Path {
            branching: Some(0.75),
            reproduction_peak: 1.5,
            supercritical: 0.125,
            depth_recovery: Some(90),
            margin_calls: [Some(0.25), Some(0.5), Some(1.0)],
        }),
        let_be: Some(LetBe { entered: 321, sampled: 16, survived: 4 }),
        overruled: Some(3),
    }
}

#[test]
fn a_crash_worked_by_hand() {
    let expected = [
        ("return", -12.5),
        ("bad_debt", 150.0),
        ("bad_debt_episodes", 100.0),
        ("socialised", 50.0),
        ("haircut", 15.0),
        ("written_off", 5.0),
        ("deleveraged", 600.0),
        ("deleveraging_episodes", 100.0),
        ("deleveraged_share", 30.0),
        ("first_deleveraging_delay", 55.0),
        // From 1.2 to -0.3 million.
        ("fund_drawdown", 150.0),
        ("fund_change", -100.0),
        ("liquidated", 2_000.0),
        ("liquidated_accounts", 321.0),
        // 4 of 16.
        ("false_liquidations", 25.0),
        ("stressed_time", 25.0),
        // 20 % over 12 %.
        ("price_amplification", 5.0 / 3.0),
        ("excess_move", 800.0),
        // 20 % less 10 %.
        ("fundamental_overshoot", 1_000.0),
        ("deviation_max", 900.0),
        ("deviation_mean", 35.5),
        ("forced_share", 25.0),
        ("depth_low", 7.0),
        ("peak_minute_share", 40.0),
        ("depth_recovery", 90.0),
        ("branching_ratio", 0.75),
        // R = 1.5.
        ("reproduction_peak", 0.176_091_259_055_681_24),
        ("supercritical_time", 12.5),
        ("liquidation_cost", 40.0),
        ("open_interest_mean", 88.0),
        ("open_interest_end", 70.0),
        ("fees", 3.0),
        ("turned_away", -5.0),
        ("margin_mean", 1.25),
        ("margin_peak_to_trough", 2.5),
        ("margin_call_1", 0.25),
        ("margin_call_5", 0.5),
        ("margin_call_20", 1.0),
        ("keeper_profit", -2.0),
        // 3 of 120.
        ("shield_rate", 2.5),
    ];
    let record = crash();
    assert_eq!(metrics().iter().map(|m| m.name).collect::<Vec<_>>(), expected.map(|(name, _)| name));
    for (name, value) in expected {
        let found = (metric(name).unwrap().value)(&record).unwrap();
        assert!((found - value).abs() < 1e-9 * value.abs().max(1.0), "{name}: {found}, not {value}");
    }
}

#[test]
fn an_episode_in_which_nothing_happened_defines_no_nan() {
    let mut record = crash();
    record.outcome = Outcome::default();
    record.without_liquidations = Some(Outcome::default());
    for metric in metrics() {
        let value = (metric.value)(&record);
        assert!(value.is_none_or(f64::is_finite), "{}: {value:?}", metric.name);
    }
    for undefined in
        ["bad_debt", "first_deleveraging_delay", "price_amplification", "forced_share", "peak_minute_share"]
    {
        assert_eq!((metric(undefined).unwrap().value)(&record), None, "{undefined}");
    }
    assert_eq!((metric("bad_debt_episodes").unwrap().value)(&record), Some(0.0));
}

#[test]
fn amplification_looks_up_when_the_market_was_squeezed() {
    // Without liquidations: 2 % down, 4 % up. With: 10 % down, 6 % up. The exogenous move was up, so 6 % over 4 %.
    let mut record = crash();
    let prices = |low: f64, high: f64, outcome: &mut Outcome| {
        (outcome.mark_low, outcome.mark_high) = (Price::from_f64(low), Price::from_f64(high));
    };
    prices(45_000.0, 53_000.0, &mut record.outcome);
    prices(49_000.0, 52_000.0, record.without_liquidations.as_mut().unwrap());
    let found = (metric("price_amplification").unwrap().value)(&record).unwrap();
    assert!((found - 1.5).abs() < 1e-12, "{found}");
}

#[test]
fn without_what_is_played_beside_an_episode_its_counterfactuals_are_undefined_and_nothing_else() {
    let mut record = crash();
    (record.without_liquidations, record.let_be) = (None, None);
    let undefined: Vec<&str> =
        metrics().iter().filter(|metric| (metric.value)(&record).is_none()).map(|metric| metric.name).collect();
    assert_eq!(undefined, COUNTERFACTUAL);
}

#[test]
fn every_metric_has_a_name_of_its_own() {
    let mut names: Vec<&str> = metrics().iter().map(|m| m.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    assert_eq!(PRIMARY, "return");
}
