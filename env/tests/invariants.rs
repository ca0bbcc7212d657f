//! The numbered invariants, over random markets, venues, seeds and actions, extremes included.

#[path = "common/checks.rs"]
mod checks;
mod common;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use checks::{assert_claims_are_covered, assert_funding_leaves_only_dust, assert_levels_are_ordered, assert_waterfall};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use seawall_env::action::{ACTIONS, Controls};
use seawall_env::book::{BookKind, Curve};
use seawall_env::error::Problems;
use seawall_env::halts::BreakerConfig;
use seawall_env::liquidation::{
    Auction, Backstop, CloseSize, Dial, Disposal, Execution, Guard, Incentive, LimitPrice, Limits, LossAllocation,
    Pipeline, Rank, Then, Throttle, Toxic, Trigger, Unwind, presets,
};
use seawall_env::margin::theory::{Restoration, ratio_after_closing, restoration};
use seawall_env::market::Market;
use seawall_env::participants::keepers::DropoutConfig;
use seawall_env::scenario::presets::NAMES;
use seawall_env::scenario::{DepegConfig, OptionsConfig, Scenario, StablecoinConfig, WithdrawalConfig};
use seawall_env::units::Usd;
use seawall_env::world::{SlowdownConfig, WindowConfig};
use seawall_env::{CascadeEnv, Env};

const DECISIONS: u32 = 40;
/// Ticks between two funding payments: often, so that rounding has its chance.
const FUNDING_TICKS: u32 = 8;

/// A shipped scenario with its numbers moved: thin funds and nervous populations included.
fn scenarios() -> impl Strategy<Value = Scenario> {
    let numbers = (0.0..0.02_f64, 0.3..3.0_f64, 0.0..1.0_f64, 0.02..0.3_f64, 1.0..2.5_f64);
    let kinds = prop::sample::select(vec![BookKind::Depth, BookKind::Order, BookKind::Amm]);
    let curves = prop::sample::select(vec![Curve::ConstantProduct, Curve::Concentrated]);
    let ticks = prop::sample::select(vec![1.0, 10.0, 30.0]);
    let is_one = |id: &&str| !Scenario::shipped(id).expect("a shipped scenario").is_economy();
    let one_market: Vec<&str> = NAMES.into_iter().filter(is_one).collect();
    let moved = (prop::sample::select(one_market), 64..256_u32, ticks, numbers, (kinds, curves)).prop_map(
        |(which, accounts, tick_seconds, (fund, leverage, home, failure, volatility), (kind, curve))| {
            let mut scenario = common::small(which, DECISIONS, accounts);
            scenario.book.kind = kind;
            scenario.book.amm.curve = curve;
            scenario.clock.tick_seconds = tick_seconds;
            scenario.venue.fund = fund;
            scenario.venue.home_share = home;
            scenario.venue.failure = failure;
            scenario.funding.interval = f64::from(FUNDING_TICKS) * tick_seconds;
            scenario.world.volatility_scale = [volatility, volatility];
            for class in &mut scenario.traders.classes {
                class.leverage = (class.leverage * leverage).max(1.0);
            }
            scenario
        },
    );
    let further = (desks(), coins(), runs());
    (moved, incidents(), breakers(), further).prop_map(
        |(mut scenario, (outage, dropout, slowdown), breaker, (desk, coin, run))| {
            scenario.options = desk.or(scenario.options);
            scenario.stablecoin = coin.or(scenario.stablecoin);
            scenario.withdrawals = run;
            scenario.venue.outages.extend(outage);
            scenario.keepers.dropouts.extend(dropout);
            scenario.oracle.slowdowns.extend(slowdown);
            scenario.venue.breaker = breaker;
            scenario
        },
    )
}

/// Withdrawals in a third of all markets, with or without a gate.
fn runs() -> impl Strategy<Value = Option<WithdrawalConfig>> {
    let run =
        (0.0..60.0_f64, 0.0..10.0_f64, 0.0..=1.0_f64, 0.0..300.0_f64).prop_map(|(rate, panic, share, gate_seconds)| {
            WithdrawalConfig { rate, panic, share, gate_seconds, ..Default::default() }
        });
    prop_oneof![2 => Just(None), 1 => run.prop_map(Some)]
}

/// A stablecoin in a third of all markets, which loses its peg anywhere in the episode.
fn coins() -> impl Strategy<Value = Option<StablecoinConfig>> {
    let coin = (0.0..1.0_f64, 0.0..1.0_f64, 0.0..0.8_f64, 0.01..1.0_f64, 1.0..2e3_f64).prop_map(
        |(accounts, equity, at, low, fall_seconds)| {
            let depeg = DepegConfig {
                start_fraction: [at, at],
                low: [low, 1.0],
                fall_seconds,
                hold_seconds: 0.1 * fall_seconds,
                recovery_half_life: fall_seconds,
            };
            StablecoinConfig { accounts, equity, depegs: vec![depeg], ..StablecoinConfig::default() }
        },
    );
    prop_oneof![2 => Just(None), 1 => coin.prop_map(Some)]
}

/// An option desk in a third of all markets: few accounts, thin cushions, much of everything.
fn desks() -> impl Strategy<Value = Option<OptionsConfig>> {
    let numbers = (0.01..2.0_f64, 1.0..1.5_f64, 0.0..60.0_f64, 1.0..60.0_f64);
    let shares =
        prop::sample::select(vec![[0.25; 4], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.2, 0.8], [0.0, 1.0, 0.0, 0.0]]);
    let desk = (8..40_u32, numbers, shares, 0.05..1.0_f64).prop_map(
        |(accounts, (notional, cushion, rate, mark_seconds), shares, share)| {
            let mut options = OptionsConfig {
                mark_seconds,
                step_share: share,
                expiry_hours: vec![0.1, 24.0],
                ..OptionsConfig::default()
            };
            options.customers.accounts = accounts;
            options.customers.notional = notional;
            options.customers.cushion = [1.0, cushion];
            options.customers.rate = rate;
            options.customers.shares = shares;
            options
        },
    );
    prop_oneof![2 => Just(None), 1 => desk.prop_map(Some)]
}

/// Outage of the venue, absence of keepers, slowdown of the oracle: each in half of all markets, anywhere in the episode.
fn incidents() -> impl Strategy<Value = (Option<WindowConfig>, Option<DropoutConfig>, Option<SlowdownConfig>)> {
    let window = || (0.0..0.8_f64, 0.0..5e3_f64);
    let outage = window().prop_map(|(at, length)| WindowConfig { start_fraction: [at, at], seconds: [0.0, length] });
    let dropout = (window(), 0.0..1.0_f64).prop_map(|((at, length), share)| DropoutConfig {
        start_fraction: [at, at],
        seconds: [0.0, length],
        share: [share, share],
    });
    let slowdown = (window(), 0.0..600.0_f64).prop_map(|((at, length), interval)| SlowdownConfig {
        start_fraction: [at, at],
        seconds: [0.0, length],
        interval_seconds: interval,
    });
    (prop::option::of(outage), prop::option::of(dropout), prop::option::of(slowdown))
}

/// Breakers that break often.
fn breakers() -> impl Strategy<Value = BreakerConfig> {
    (any::<bool>(), 1e-3..0.05_f64, 1.0..3.0_f64, 0.0..100.0_f64, 1.0..1e3_f64).prop_map(
        |(enabled, band, halt, limit_seconds, pause_seconds)| BreakerConfig {
            enabled,
            band,
            halt_band: band * halt,
            limit_seconds,
            pause_seconds,
            recovery_seconds: pause_seconds,
            ..BreakerConfig::default()
        },
    )
}

/// Entries of an action: anywhere in the box, often in its corners.
fn actions() -> impl Strategy<Value = Vec<[f32; ACTIONS]>> {
    let entry = prop_oneof![2 => -1.0..=1.0_f32, 1 => Just(-1.0), 1 => Just(1.0)];
    prop::collection::vec(prop::array::uniform13(entry), 1..8)
}

/// Any engine: every option of every slot, with every other.
fn pipelines() -> impl Strategy<Value = Pipeline> {
    (triggers(), sizes(), executions(), limits(), throttles(), incentives(), backstops(), allocations()).prop_map(
        |(trigger, size, execution, limit, throttle, incentive, backstop, allocation)| Pipeline {
            trigger,
            size,
            execution,
            limit,
            throttle,
            incentive,
            backstop,
            allocation,
        },
    )
}

fn dial(low: f64, high: f64) -> impl Strategy<Value = Dial> {
    prop_oneof![Just(Dial::Controlled), (low..high).prop_map(Dial::Fixed)]
}

fn triggers() -> impl Strategy<Value = Trigger> {
    let guard = (1e-3..0.2_f64, 1.0..200.0_f64);
    prop_oneof![
        4 => Just(Trigger::Maintenance),
        1 => (0.0..4.0_f64).prop_map(|z| Trigger::Hazard { z }),
        2 => dial(0.0, 200.0).prop_map(|bp| Trigger::Preemptive { bp }),
        2 => guard.prop_map(|(divergence, staleness)| Trigger::Guarded(Guard { divergence, staleness })),
    ]
}

fn sizes() -> impl Strategy<Value = CloseSize> {
    let then = prop_oneof![Just(Then::Repeat), Just(Then::RestAfterWait), Just(Then::RestDuringWait)];
    let toxic = prop_oneof![Just(Toxic::CloseAll), Just(Toxic::HandOver)];
    let small = 0.0..1e5_f64;
    prop_oneof![
        Just(CloseSize::Full),
        (0.01..1.0_f64, small.clone(), then, 0.0..1.0_f64).prop_map(|(share, full_below, then, full_under_health)| {
            CloseSize::Fraction { share, full_below, then, full_under_health }
        }),
        (0.01..1.0_f64, 0.0..1e4_f64, 1e4..1e6_f64).prop_map(|(share, least, most)| CloseSize::Block {
            share,
            least,
            most
        }),
        (0.0..1.0_f64, 0.0..300.0_f64, 0.0..0.05_f64, small.clone()).prop_map(
            |(initial, seconds, exit, full_below)| {
                CloseSize::Ramp { initial, seconds, exit, full_shortage: 50.0, full_below }
            }
        ),
        Just(CloseSize::TierStep),
        (dial(0.0, 3.0), small.clone(), toxic).prop_map(|(buffer, full_below, toxic)| CloseSize::RestoreToBuffer {
            buffer,
            full_below,
            toxic
        }),
        (1.0..1e3_f64, 0.0..1e-3_f64)
            .prop_map(|(horizon, risk_aversion)| CloseSize::AlmgrenChriss { horizon, risk_aversion }),
        (1e-3..1.0_f64, 10.0..1e3_f64, small.clone())
            .prop_map(|(share, distance_bp, full_below)| { CloseSize::DepthShare { share, distance_bp, full_below } }),
        (0.01..1.0_f64, small).prop_map(|(share, full_below)| CloseSize::FractionUntilToxic { share, full_below }),
    ]
}

fn executions() -> impl Strategy<Value = Execution> {
    let auction = (1.0..1.5_f64, 0.8..0.999_f64, 1.0..60.0_f64, 0.1..0.9_f64, 10.0..1e3_f64);
    prop_oneof![
        Just(Execution::Book),
        Just(Execution::KeepersThenBook),
        Just(Execution::Keepers),
        any::<bool>().prop_map(|all_or_none| Execution::ImmediateThenFund { all_or_none }),
        dial(0.0, 1.0).prop_map(|share| Execution::Internalised { share }),
        Just(Execution::Pool),
        Just(Execution::OpposingSide),
        (0.0..100.0_f64).prop_map(|cost_bp| Execution::Routed { cost_bp }),
        auction.prop_map(|(start, cut, step, floor, tail)| {
            Execution::DutchAuction(Auction { start, cut, step, floor, tail })
        }),
        (1.0..60.0_f64, 0.0..50.0_f64, 50.0..500.0_f64).prop_map(|(seconds, start_bp, end_bp)| Execution::JitAuction {
            seconds,
            start_bp,
            end_bp
        }),
    ]
}

fn limits() -> impl Strategy<Value = LimitPrice> {
    prop_oneof![
        Just(LimitPrice::Unlimited),
        Just(LimitPrice::Bankruptcy),
        dial(1.0, 500.0).prop_map(|bp| LimitPrice::Band { bp }),
        (0.1..3.0_f64, 0.0..3.0_f64).prop_map(|(adjustment, spread)| LimitPrice::Fillable { adjustment, spread }),
    ]
}

fn throttles() -> impl Strategy<Value = Throttle> {
    prop_oneof![
        Just(Throttle::Unlimited),
        dial(0.0, 120.0).prop_map(|delay| Throttle::PerAccount { delay }),
        (1.0..60.0_f64, 0.0..5.0_f64).prop_map(|(delay, gain)| Throttle::AdaptiveDelay {
            delay,
            gain,
            least: 0.0,
            most: 600.0
        }),
        (dial(0.02, 20.0), dial(0.0, 120.0)).prop_map(|(capacity, delay)| Throttle::DepthCapacity { capacity, delay }),
        (1e4..1e8_f64, 1.0..600.0_f64).prop_map(|(notional, seconds)| Throttle::Window { notional, seconds }),
        (1.0..1e4_f64, 1.0..60.0_f64).prop_map(|(skew_scale, seconds)| Throttle::SkewWindow {
            maker_fee_bp: 2.0,
            taker_fee_bp: 5.0,
            skew_scale,
            multiplier: 1.0,
            seconds,
        }),
        (1e4..1e8_f64).prop_map(|notional| Throttle::Hole { notional }),
        (1e-3..1.0_f64, 10.0..1e3_f64, 1.0..60.0_f64).prop_map(|(share, distance_bp, seconds)| Throttle::BookShare {
            share,
            distance_bp,
            seconds
        }),
    ]
}

fn incentives() -> impl Strategy<Value = Incentive> {
    prop_oneof![
        dial(0.0, 500.0).prop_map(|bp| Incentive::Fixed { bp }),
        (0.0..50.0_f64, 0.0..5.0_f64, 50.0..1e3_f64, 0.0..300.0_f64).prop_map(
            |(start_bp, bp_per_second, max_bp, after)| { Incentive::Ramp { start_bp, bp_per_second, max_bp, after } }
        ),
        (0.0..500.0_f64).prop_map(|max_bp| Incentive::Auctioned { max_bp }),
        (0.0..500.0_f64).prop_map(|bp| Incentive::Falling { bp }),
        (0.0..500.0_f64, 0.0..100.0_f64).prop_map(|(dollars, bp)| Incentive::Tip { dollars, bp }),
    ]
}

fn backstops() -> impl Strategy<Value = Backstop> {
    let money = || prop_oneof![Just(f64::INFINITY), 0.0..1e6_f64];
    let limits = || {
        (money(), money(), 0.0..1.0_f64, 0.05..=1.0_f64).prop_map(|(per_account, total, floor, drawdown)| Limits {
            per_account,
            total,
            floor,
            drawdown,
            window: 600.0,
        })
    };
    let unwinds = || {
        prop_oneof![
            (0.01..5.0_f64).prop_map(Unwind::Pace),
            (1.0..60.0_f64, 0.05..1.0_f64, 0.01..0.5_f64).prop_map(|(seconds, fraction, book_share)| {
                Unwind::Disposal(Disposal { seconds, fraction, full_below: 0.1, book_share, distance_bp: 1_000.0 })
            }),
            (0.0..500.0_f64).prop_map(|discount_bp| Unwind::Storefront { discount_bp }),
        ]
    };
    let takeover = || (0.0..=1.0_f64, 0.0..20.0_f64, unwinds(), limits());
    prop_oneof![
        Just(Backstop::PayOnly),
        limits().prop_map(Backstop::Fund),
        takeover().prop_map(|(below, max_leverage, unwind, limits)| {
            Backstop::TakeOver { below, max_leverage, unwind, limits }
        }),
        (0.0..=1.0_f64, takeover()).prop_map(|(share, (below, max_leverage, unwind, limits))| {
            Backstop::Vault { share, below, max_leverage, unwind, limits }
        }),
    ]
}

fn allocations() -> impl Strategy<Value = LossAllocation> {
    let rank = prop_oneof![Just(Rank::ProfitLeverage), Just(Rank::PriceLeverage)];
    prop_oneof![
        rank.prop_map(|rank| LossAllocation::Queue { rank }),
        (1..200_u32).prop_map(|scan| LossAllocation::Random { scan }),
        Just(LossAllocation::ProRata),
        (0.01..1.0_f64).prop_map(|cap| LossAllocation::CappedProRata { cap }),
        Just(LossAllocation::Socialised),
        Just(LossAllocation::ByInterest),
        Just(LossAllocation::Haircut),
        (1e-3..0.5_f64, 0.1..1.0_f64).prop_map(|(ceiling, part)| {
            let ceiling = ceiling.max(0.01);
            LossAllocation::Pool { ceiling, target: ceiling * part }
        }),
        Just(LossAllocation::Booked),
    ]
}

/// What winners gave up left liquidated accounts; a pool that pays its winners off liquidates nobody.
fn assert_deleveraging_follows_liquidation(market: &Market) {
    let outcome = market.outcome();
    let pool = matches!(market.pipeline().allocation, LossAllocation::Pool { .. });
    assert!(pool || outcome.deleveraged <= outcome.liquidated, "{outcome:?}");
}

/// All of them after every decision.
fn play(env: &mut CascadeEnv, seed: u64, actions: &[[f32; ACTIONS]]) {
    let mut observation = vec![0.0; env.spec().observation.len()];
    env.reset(seed, &mut observation);
    for action in actions.iter().cycle() {
        let before = *env.outcome();
        let step = env.step(action, &mut observation);
        let market = env.market();
        let ledger = &market.state().ledger;
        // M1, M2, M9.
        ledger.assert_invariants();
        market.desk().into_iter().for_each(seawall_env::market::Desk::assert_invariants);
        assert_eq!(-ledger.deficit(), env.outcome().written_off, "M1: only what was written off is missing");
        assert_eq!(ledger.fees(), env.outcome().fees);
        assert_levels_are_ordered(market);
        assert_waterfall(&before, env.outcome());
        assert_deleveraging_follows_liquidation(market);
        assert_claims_are_covered(market);
        assert_funding_leaves_only_dust(ledger, env.outcome().ticks / u64::from(FUNDING_TICKS));
        assert!(observation.iter().all(|x| x.is_finite()) && step.reward.is_finite(), "M12");
        assert!(env.reward_terms().iter().all(|x| x.is_finite()), "M12: {:?}", env.reward_terms());
        if step.status.is_over() {
            return;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_invariants_hold_after_every_decision_of_any_market(
        scenario in scenarios(),
        preset in prop::sample::select(presets::NAMES.to_vec()),
        seed in any::<u64>(),
        actions in actions(),
    ) {
        let mut problems = Problems::default();
        scenario.validate("scenario", &mut problems);
        prop_assert_eq!(problems, Problems::default());
        play(&mut common::environment(scenario, preset), seed, &actions);
    }

    #[test]
    fn the_invariants_hold_for_any_choice_in_any_slot(
        scenario in scenarios(),
        pipeline in pipelines(),
        seed in any::<u64>(),
        actions in actions(),
    ) {
        let mut problems = Problems::default();
        pipeline.validate("pipeline", &mut problems);
        prop_assert_eq!(problems, Problems::default());
        play(&mut common::environment_under(scenario, pipeline), seed, &actions);
    }
}

/// Ticks of the long run.
const LONG: u64 = 1_000_000;

#[test]
#[ignore = "minutes without optimisation; .ci/run has it in release, and the two tests above are its short form"]
fn the_invariants_hold_over_a_million_ticks() {
    let (mut runner, played) = (TestRunner::deterministic(), Cell::new(0));
    let markets = (scenarios(), pipelines(), prop::sample::select(presets::NAMES.to_vec()), any::<u64>(), actions());
    while played.get() < LONG {
        let market = markets.new_tree(&mut runner).expect("nothing is filtered").current();
        let shown = format!("{market:?}");
        let (scenario, pipeline, preset, seed, actions) = market;
        let run = || {
            // Any engine and a shipped one in turn.
            let mut env = if seed % 2 == 0 {
                common::environment_under(scenario, pipeline)
            } else {
                common::environment(scenario, preset)
            };
            play(&mut env, seed, &actions);
            played.set(played.get() + env.outcome().ticks);
        };
        // The broken invariant has been printed by then.
        assert!(catch_unwind(AssertUnwindSafe(run)).is_ok(), "after {} ticks, in {shown}", played.get());
    }
}

proptest! {
    #[test]
    fn a_slice_at_its_named_cost_never_worsens_the_ratio_above_the_toxic_frontier(
        maintenance in 0.002..0.2_f64,
        buffer in 0.0..3.0_f64,
        health in -1.0..2.0_f64,
        exit_cost in 0.0..0.3_f64,
        part in 0.01..0.99_f64,
    ) {
        // M4 and T1.
        let (ratio, target) = (maintenance * health, maintenance * (1.0 + buffer));
        match restoration(ratio, target, exit_cost) {
            Restoration::Met => prop_assert!(ratio >= target),
            Restoration::Close(share) => {
                prop_assert!(share > 0.0 && share <= 1.0);
                let after = ratio_after_closing(ratio, share * part, exit_cost);
                prop_assert!(after >= ratio * (1.0 - 1e-12), "{after} after {ratio}");
                prop_assert!(after <= target * (1.0 + 1e-9), "a slice closes more than it needs: {after}");
            }
            Restoration::Toxic => {
                let after = ratio_after_closing(ratio, part, exit_cost);
                // Worse, but by no more than the named cost over what is left.
                prop_assert!(after <= ratio + 1e-12);
                prop_assert!((after - (ratio - exit_cost) / (1.0 - part) - exit_cost).abs() < 1e-9);
            }
        }
    }
}

/// A market in which the fund runs out: the only place where winners pay.
fn ruin(preset: &str) -> CascadeEnv {
    let mut scenario = common::small("crash_day", 120, 256);
    scenario.funding.interval = 80.0;
    scenario.venue.fund = 1e-4;
    scenario.venue.failure = 1.0;
    for class in &mut scenario.traders.classes {
        class.leverage = (class.leverage * 2.5).min(100.0);
    }
    common::environment(scenario, preset)
}

#[test]
fn a_ruined_fund_makes_winners_pay_and_the_books_still_balance() {
    let neutral = Controls::default().encode();
    for preset in ["legacy_full", "partial_sliced", "hyperliquid_like", "seawall"] {
        let mut env = ruin(preset);
        let mut haircut = Usd::ZERO;
        for seed in 0..4 {
            play(&mut env, seed, &[neutral]);
            haircut += env.outcome().haircut;
        }
        assert!(haircut > Usd::ZERO, "{preset}: the scenario has to reach the last slot to test it");
    }
}
