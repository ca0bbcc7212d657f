use proptest::prelude::*;

use super::super::{Direction, Levels, Zone};
use super::*;

fn table(rows: &[(f64, f64, f64)]) -> MarginConfig {
    let row =
        |&(notional_cap_usd, maintenance, max_leverage)| TierConfig { notional_cap_usd, maintenance, max_leverage };
    MarginConfig { tiers: rows.iter().map(row).collect(), buffer: 0.0, ..MarginConfig::default() }
}

/// Binance BTCUSDT, October 2024, whole.
fn binance() -> MarginConfig {
    table(&[
        (50e3, 0.004, 125.0),
        (600e3, 0.005, 100.0),
        (3e6, 0.006_5, 75.0),
        (12e6, 0.01, 50.0),
        (70e6, 0.02, 25.0),
        (100e6, 0.025, 20.0),
        (230e6, 0.05, 10.0),
        (480e6, 0.1, 5.0),
        (600e6, 0.125, 4.0),
        (800e6, 0.15, 3.0),
        (1.2e9, 0.25, 2.0),
        (1.8e9, 0.5, 1.0),
    ])
}

fn hyperliquid_bitcoin() -> MarginConfig {
    table(&[(150e6, 0.012_5, 40.0), (1e9, 0.025, 20.0)])
}

fn usd(value: f64) -> Usd {
    Usd::from_f64(value)
}

#[test]
fn deductions_follow_the_published_columns() {
    let schedule = MarginSchedule::new(&binance());
    // Published: 0, 50, 950, 11,450, 131,450, 481,450. Then by recursion: + 100 M · 2.5 % = 2,981,450,
    // + 230 M · 5 % = 14,481,450, + 480 M · 2.5 % = 26,481,450, + 600 M · 2.5 % = 41,481,450,
    // + 800 M · 10 % = 121,481,450, + 1.2 bn · 25 % = 421,481,450.
    let published = [
        0.0,
        50.0,
        950.0,
        11_450.0,
        131_450.0,
        481_450.0,
        2_981_450.0,
        14_481_450.0,
        26_481_450.0,
        41_481_450.0,
        121_481_450.0,
        421_481_450.0,
    ];
    for (line, deduction) in published.into_iter().enumerate() {
        assert_eq!(schedule.deduction(line), usd(deduction), "line {line}");
    }
    // Bybit: 2 M · (0.56 % - 0.50 %) = 1,200.
    let bybit = MarginSchedule::new(&table(&[(2e6, 0.005, 100.0), (2.6e6, 0.005_6, 90.0)]));
    assert_eq!(bybit.deduction(1), usd(1_200.0));
    // Hyperliquid BTC: 150 M · (2.5 % - 1.25 %) = 1.875 M.
    assert_eq!(MarginSchedule::new(&hyperliquid_bitcoin()).deduction(1), usd(1.875e6));
}

#[test]
fn maintenance_and_initial_follow_the_table() {
    let (schedule, none) = (MarginSchedule::new(&binance()), Adjustment::default());
    // 10,000 · 0.4 %; 50,000 · 0.4 %; 1 M · 0.65 % - 950; 20 M · 2 % - 131,450; 2 bn · 50 % - 421,481,450.
    for (notional, maintenance, tier) in
        [(10e3, 40.0, 0), (50e3, 200.0, 0), (1e6, 5_550.0, 2), (20e6, 268_550.0, 4), (2e9, 578_518_550.0, 11)]
    {
        assert_eq!(schedule.maintenance(usd(notional), none), usd(maintenance), "{notional}");
        assert_eq!(schedule.tier(usd(notional)), tier, "{notional}");
    }
    // The whole position opens at its tier's leverage: 1/75 rounds up in the last digit.
    let rate = |notional| schedule.initial_rate(Qty::ZERO, usd(notional), Usd::ZERO, none).raw();
    assert_eq!([rate(50e3), rate(50e3 + 1e-6), rate(1e6)], [8_000_000, 10_000_000, 13_333_334]);
    assert_eq!(schedule.notional_max(), usd(1.8e9));
}

#[test]
fn owed_margin_rounds_up() {
    let (schedule, none) = (MarginSchedule::new(&binance()), Adjustment::default());
    // 0.4 % of a millionth of a dollar is owed as a millionth.
    assert_eq!(schedule.maintenance(Usd::from_raw(1), none), Usd::from_raw(1));
    assert_eq!(schedule.maintenance(Usd::ZERO, none), Usd::ZERO);
    let third = Adjustment { maintenance: Rate::from_raw(333_333_333), ..none };
    // 4,000,000 · 0.333333333 = 1,333,333.332 in units of 1e-9.
    assert_eq!(schedule.rate(0, third).raw(), 1_333_334);
}

#[test]
fn multiplier_reads_the_table_at_a_multiple_of_the_notional() {
    let schedule = MarginSchedule::new(&binance());
    let adjustment = Adjustment { maintenance: Rate::from_f64(1.5), ..Adjustment::default() };
    // 800,000 · 1.5 = 1.2 M, in the third row: 1.2 M · 0.65 % - 950 = 6,850.
    assert_eq!(schedule.maintenance(usd(800e3), adjustment), usd(6_850.0));
    // At five times, half the whole: 50 % · 5 is capped at the notional itself, less the deduction.
    let most = Adjustment { maintenance: Rate::from_f64(5.0), ..Adjustment::default() };
    assert_eq!(schedule.rate(11, most), ONE);
}

#[test]
fn floor_binds_small_and_large_positions_alike() {
    let schedule = MarginSchedule::new(&binance());
    let adjustment = Adjustment { floor: Rate::from_f64(0.02), ..Adjustment::default() };
    // A floor inside the row's rate alone would ask 20 M · 2 % - 131,450 and so do nothing for the large one.
    for notional in [10e3, 20e6] {
        assert_eq!(schedule.maintenance(usd(notional), adjustment), usd(0.02 * notional));
    }
    // 110 M lies on 5 % - 2,981,450 = 2,518,550, above the floor's 2.2 M.
    assert_eq!(schedule.maintenance(usd(110e6), adjustment), usd(2_518_550.0));
    assert_eq!(schedule.rate(schedule.flat_line(), adjustment), Rate::from_f64(0.02));
    assert_eq!(schedule.deduction(schedule.flat_line()), Usd::ZERO);
}

#[test]
fn levels_of_a_position_at_hyperliquid() {
    let schedule = MarginSchedule::new(&MarginConfig { buffer: 0.5, ..hyperliquid_bitcoin() });
    let position = Position { qty: Qty::from_f64(-2.0), cash: usd(121_000.0), funding: Price::ZERO };
    // 100,000 dollars short: initial 1/40, maintenance half of it, its end 1.5 times that, backstop two thirds.
    let levels = schedule.levels(&position, Price::from_f64(50_000.0), Usd::ZERO, Adjustment::default());
    let expected = Levels {
        initial: usd(2_500.0),
        liquidation_end: usd(1_875.0),
        maintenance: usd(1_250.0),
        backstop: usd(833.333_334),
    };
    assert_eq!(levels, expected);
    for (equity, zone) in [
        (2_500.0, Zone::Free),
        (2_499.0, Zone::Committed),
        (1_875.0, Zone::Committed),
        (1_250.0, Zone::Called),
        (1_249.0, Zone::Liquidatable),
        (833.0, Zone::Backstop),
        (0.0, Zone::Backstop),
        (-1e-6, Zone::Bankrupt),
    ] {
        assert_eq!(levels.zone(usd(equity)), zone, "{equity}");
    }
    // 1.25 % · 1.5.
    assert_eq!(schedule.call_rate(0, Adjustment::default()), Rate::from_f64(0.018_75));
}

#[test]
fn open_interest_and_size_raise_initial_margin_alone() {
    let config = MarginConfig {
        open_interest_scaling: Some(OpenInterestScalingConfig { lower_usd: 40e6, upper_usd: 100e6 }),
        size_premium: 0.000_5,
        ..table(&[(1e9, 0.03, 20.0)])
    };
    let schedule = MarginSchedule::new(&config);
    let rate = |coins, open_interest| {
        schedule.initial_rate(Qty::from_f64(coins), usd(1e3), usd(open_interest), Adjustment::default())
    };
    assert_eq!(rate(100.0, 70e6), Rate::from_f64(0.525));
    // 0.8 · 5 % + 0.0005 · √10,000 = 9 %.
    assert_eq!(rate(1e4, 0.0), Rate::from_f64(0.09));
    assert_eq!(schedule.maintenance(usd(1e3), Adjustment::default()), usd(30.0));
}

#[test]
fn every_problem_of_a_table_is_named() {
    let mut config = table(&[(50e3, 0.004, 125.0), (50e3, 0.004, 200.0), (1e6, 0.3, 5.0)]);
    config.backstop_share = f64::NAN;
    let mut problems = Problems::default();
    config.validate("margin", &mut problems);
    let fields: Vec<_> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
    let expected = [
        "margin.backstop_share",
        // M3: five times leverage opens at 20 %, below 30 % maintenance.
        "margin.tiers[2].max_leverage",
        "margin.tiers[1].notional_cap_usd",
        "margin.tiers[1].maintenance",
        "margin.tiers[1].max_leverage",
    ];
    assert_eq!(fields, expected);
    for sound in [MarginConfig::default(), binance(), hyperliquid_bitcoin()] {
        let mut problems = Problems::default();
        sound.validate("margin", &mut problems);
        assert_eq!(problems, Problems::default());
    }
    let mut problems = Problems::default();
    MarginConfig { tiers: Vec::new(), ..binance() }.validate("margin", &mut problems);
    assert_eq!(problems.0.len(), 1);
}

fn adjustments() -> impl Strategy<Value = Adjustment> {
    let share = |low: f64, high: f64| (low..high).prop_map(Rate::from_f64);
    (share(0.5, 4.0), share(0.5, 4.0), share(0.0, 0.2)).prop_map(|(initial, maintenance, floor)| Adjustment {
        initial,
        maintenance,
        floor,
    })
}

/// A position of up to two billion dollars near 60,000, anywhere from far in profit to far under water.
fn positions() -> impl Strategy<Value = Position> {
    ((1.0..9.3_f64, any::<bool>()), -0.2..1.2_f64, -500.0..500.0_f64).prop_map(|((digits, long), ratio, funding)| {
        let notional = libm::pow(10.0, digits);
        let sign = if long { 1.0 } else { -1.0 };
        Position {
            qty: Qty::from_f64(sign * notional / 60_000.0),
            cash: Usd::from_f64(notional * (ratio - sign)),
            funding: Price::from_f64(funding),
        }
    })
}

proptest! {
    #[test]
    fn envelope_equals_the_row_of_the_notional(raw in 0..3_000_000_000_000_000_i64) {
        let (schedule, none) = (MarginSchedule::new(&binance()), Adjustment::default());
        let notional = Usd::from_raw(raw);
        let row = schedule.requirement(schedule.tier(notional), none);
        prop_assert_eq!(schedule.maintenance(notional, none), row.amount(notional));
    }

    #[test]
    fn maintenance_never_falls_as_the_notional_grows(raw in 0..3_000_000_000_000_000_i64, by in 0..1_000_000_000_i64,
                                                     adjustment in adjustments()) {
        let schedule = MarginSchedule::new(&binance());
        let at = |raw| schedule.maintenance(Usd::from_raw(raw), adjustment);
        prop_assert!(at(raw) <= at(raw + by));
    }

    #[test]
    fn levels_keep_their_order_under_every_action(position in positions(), price in 1.0..200_000.0_f64,
                                                  adjustment in adjustments(), open_interest in 0.0..1e10_f64) {
        // M3.
        let schedule = MarginSchedule::new(&MarginConfig { buffer: 0.25, ..binance() });
        let levels = schedule.levels(&position, Price::from_f64(price), usd(open_interest), adjustment);
        prop_assert!(levels.initial >= levels.liquidation_end);
        prop_assert!(levels.liquidation_end >= levels.maintenance);
        prop_assert!(levels.maintenance >= levels.backstop);
        prop_assert!(!levels.backstop.is_negative());
    }

    #[test]
    fn binding_tier_alone_decides_at_every_price(position in positions(), adjustment in adjustments(),
                                                 funding in -500.0..500.0_f64, share in 0.2..4.0_f64, nudge in -2..=2_i64) {
        prop_assume!(!position.qty.is_zero());
        let schedule = MarginSchedule::new(&binance());
        let adjustment = Adjustment { floor: Rate::ZERO, ..adjustment };
        let funding = Price::from_f64(funding);
        let tier = schedule.binding_tier(&position, funding, adjustment.maintenance);
        let line = schedule.requirement(tier, adjustment);
        let mut marks = vec![Price::from_f64(60_000.0 * share)];
        if line.rate < ONE || Direction::of(position.qty) == Direction::Short {
            // Around the liquidation price itself, where a wrong row would show.
            marks.extend(position.trigger_price(line, funding).map(|price| Price::from_raw((price.raw() + nudge).max(1))));
        }
        for mark in marks {
            prop_assert_eq!(
                schedule.is_short(&position, mark, funding, adjustment),
                position.is_below(line, mark, funding),
                "tier {} at {}", tier, mark
            );
        }
    }
}
