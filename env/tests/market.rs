//! What the market does, as claims about paired episodes: the same seeds, one thing changed.

mod common;

use std::sync::Arc;

use seawall_env::action::Controls;
use seawall_env::liquidation::presets;
use seawall_env::observation::FEATURES_COUNT;
use seawall_env::outcome::Outcome;
use seawall_env::scenario::{ClockConfig, RewardConfig, Scenario};
use seawall_env::units::Usd;
use seawall_env::{CascadeEnv, Env, Groups, Task};

/// Plays one episode at constant parameters; `look` sees the environment after every decision.
fn play(env: &mut CascadeEnv, seed: u32, controls: Controls, mut look: impl FnMut(&CascadeEnv)) -> Outcome {
    let mut observation = [0.0; FEATURES_COUNT];
    env.reset(u64::from(seed), &mut observation);
    let action = controls.encode();
    while !env.step(&action, &mut observation).status.is_over() {
        look(env);
    }
    *env.outcome()
}

/// A shipped scenario in ticks of 2 s, whose slow parameters move at every decision, and which never closes.
fn hours(id: &str) -> Scenario {
    let mut scenario = Scenario::shipped(id).expect("a shipped scenario");
    scenario.clock = ClockConfig { tick_seconds: 2.0, ticks_per_decision: 30, decisions: 240, slow_interval: 1 };
    scenario.traders.accounts = 500;
    scenario.venue.failure = 1.0;
    scenario
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a handful of seeds")]
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

#[test]
fn liquidations_push_the_price_further_than_the_crash_alone() {
    let deviation = |preset: &str| {
        let mut env = common::environment(hours("flash_crash"), preset);
        mean((0..8).map(|seed| play(&mut env, seed, Controls::default(), |_| ()).deviation_max_bp))
    };
    let (legacy, off) = (deviation("legacy_full"), deviation("off"));
    assert!(legacy > 1.1 * off, "{legacy} bp with liquidations, {off} bp without");
}

#[test]
fn without_liquidation_nobody_is_liquidated() {
    let mut env = common::environment(hours("crash_day"), "off");
    let outcome = play(&mut env, 1, Controls::default(), |_| ());
    assert_eq!((outcome.liquidated, outcome.liquidated_accounts, outcome.forced_volume), (Usd::ZERO, 0, Usd::ZERO));
}

#[test]
fn makers_withdraw_within_minutes_and_take_longer_to_come_back() {
    let mut env = common::environment(hours("flash_crash"), "legacy_full");
    for seed in 0..4 {
        let mut presence = Vec::new();
        play(&mut env, seed, Controls::default(), |env| {
            let makers = &env.market().state().makers;
            presence.push(mean(makers.iter().map(|maker| maker.size)));
        });
        let least = presence.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(least < 0.3, "seed {seed}: makers stay in a crash ({least})");
        let low = presence.iter().position(|&p| p <= least).unwrap();
        let half = 0.5 * (1.0 + least);
        let fall = presence[..low].iter().rev().take_while(|&&p| p < half).count();
        let rise = presence[low..].iter().take_while(|&&p| p < half).count();
        assert!(rise > 2 * fall, "seed {seed}: gone in {fall} minutes, back in {rise}");
    }
}

#[test]
fn keepers_act_only_when_the_bonus_pays() {
    let mut env = common::environment(hours("flash_crash"), "partial_sliced");
    let mut carried = |bonus: f64| {
        let controls = Controls { keeper_bonus: bonus, ..Controls::default() };
        let mut most = 0.0_f64;
        let mut liquidated = Usd::ZERO;
        let mut profit = Usd::ZERO;
        for seed in 0..3 {
            let outcome = play(&mut env, seed, controls, |env| {
                let [keepers, _] = env.market().inventories();
                most = most.max(keepers.abs());
            });
            liquidated += outcome.liquidated;
            profit += outcome.keeper_profit;
        }
        assert!(liquidated > Usd::ZERO, "nothing was on offer");
        (most, profit)
    };
    let (idle, nothing) = carried(0.0);
    assert!(idle <= 0.0 && nothing.is_zero(), "keepers took positions for no discount: {idle}, {nothing}");
    let (busy, _) = carried(200.0);
    assert!(busy > 0.01, "2 % of discount tempted nobody: {busy}");
}

#[test]
fn dearer_margin_lowers_open_interest() {
    let mut env = common::environment(hours("calm"), "seawall");
    let mut interest = |multiplier: f64| {
        let controls = Controls { initial_margin_multiplier: multiplier, ..Controls::default() };
        mean((0..4).map(|seed| {
            let outcome = play(&mut env, seed, controls, |_| ());
            outcome.open_interest_end.as_f64() / outcome.reference_open_interest.as_f64()
        }))
    };
    let (cheap, dear) = (interest(1.0), interest(4.0));
    assert!(dear < 0.97 * cheap, "open interest {dear} at four times the margin, {cheap} at one");
}

#[test]
fn above_the_cap_nobody_opens() {
    let scenario = hours("calm");
    let accounts = scenario.traders.accounts;
    let mut env = common::environment(scenario, "seawall");
    // Traders who were flat before a decision and hold a position after it.
    let mut opened = |cap: f64| {
        let controls = Controls { open_interest_cap: cap, ..Controls::default() };
        let mut held = vec![true; accounts as usize];
        let mut count = 0;
        play(&mut env, 0, controls, |env| {
            let market = env.market();
            let interest = market.open_interest().as_f64();
            let reference = env.outcome().reference_open_interest.as_f64();
            // The cap moves down over the first decisions, by a bounded change each.
            let full =
                env.outcome().decisions > 5 && interest > 1.2 * market.state().controls.open_interest_cap * reference;
            for (id, held) in (0..accounts).zip(&mut held) {
                let holds = !market.state().ledger.qty(id).is_zero();
                count += u32::from((full || cap > 1.0) && holds && !*held);
                *held = holds;
            }
        });
        count
    };
    assert_eq!(opened(0.5), 0, "positions were opened above the cap");
    assert!(opened(3.0) > 20, "below the cap traders do open");
}

#[test]
fn a_scenario_drawn_by_the_seed_covers_the_whole_task() {
    let scenarios = ["calm", "tense", "flash_crash"].map(|id| common::small(id, 2, 64)).to_vec();
    let task =
        Task::new(scenarios, presets::by_name("seawall").unwrap(), RewardConfig::default(), Groups::default()).unwrap();
    let mut env = CascadeEnv::new(Arc::new(task));
    let mut met = std::collections::BTreeSet::new();
    for seed in 0..32 {
        env.reset(seed, &mut [0.0; FEATURES_COUNT]);
        met.insert(env.market().scenario().id.clone());
    }
    assert_eq!(met.len(), 3, "{met:?}");
}
