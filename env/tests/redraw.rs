//! Withheld futures: a redrawn environment keeps what has happened and knows nothing of what its seed had in store.

mod common;

use std::sync::Arc;

use seawall_env::action::ACTIONS;
use seawall_env::liquidation::presets;
use seawall_env::scenario::{RewardConfig, Scenario, presets::NAMES};
use seawall_env::{CascadeEnv, Env, Groups, Task};

/// Plays `decisions` neutral decisions; returns the fundamental price after each.
fn play(env: &mut CascadeEnv, decisions: u32) -> Vec<f64> {
    let mut observation = vec![0.0; env.spec().observation.len()];
    let action = seawall_env::action::Controls::default().encode();
    assert_eq!(action.len(), ACTIONS);
    let mut path = Vec::new();
    for _ in 0..decisions {
        let step = env.step(&action, &mut observation);
        path.push(env.market().state().prices.fundamental);
        if step.status.is_over() {
            break;
        }
    }
    path
}

fn started(scenario: Scenario, seed: u64, decisions: u32) -> CascadeEnv {
    let mut env = common::environment(scenario, "seawall");
    let mut observation = vec![0.0; env.spec().observation.len()];
    env.reset(seed, &mut observation);
    play(&mut env, decisions);
    env
}

#[test]
fn environments_that_differ_only_in_their_future_become_the_same() {
    for id in NAMES {
        // Early, in the middle and late: before, within and after what each scenario has in store. The odd tick cuts a block
        // of draws in two.
        for decisions in [1, 17, 33, 47] {
            let mut scenario = common::small(id, 60, 64);
            scenario.clock.ticks_per_decision = 11;
            let env = started(scenario, 3, decisions);
            let mut here = env.clone();
            here.redraw(5).unwrap();
            for other in [6, 7] {
                let mut there = env.clone();
                there.redraw(other).unwrap();
                assert!(there.save() != here.save(), "{id} after {decisions}: seeds 5 and {other} give one future");
                there.redraw(5).unwrap();
                assert!(there.save() == here.save(), "{id} after {decisions}: something of seed {other} is left");
            }
        }
    }
}

#[test]
fn the_past_stays_and_the_future_does_not() {
    for id in NAMES {
        let env = started(common::small(id, 60, 64), 8, 20);
        let mut redrawn = env.clone();
        redrawn.redraw(9).unwrap();
        let (before, after) = (env.market().state(), redrawn.market().state());
        assert_eq!((before.outside, before.tick), (after.outside, after.tick), "{id}");
        assert_eq!(before.prices.mark, after.prices.mark, "{id}");
        assert_eq!(env.outcome(), redrawn.outcome(), "{id}");
        assert_eq!(before.ledger.open_interest(), after.ledger.open_interest(), "{id}");
        let (true_path, other_path) = (play(&mut env.clone(), 10), play(&mut redrawn, 10));
        assert!(true_path.iter().zip(&other_path).all(|(a, b)| a.total_cmp(b).is_ne()), "{id}: one path in both");
        // The price goes on from where it was: no decision of these markets moves it by half.
        assert!((other_path[0] / before.prices.fundamental - 1.0).abs() < 0.5, "{id}: {other_path:?}");
    }
}

#[test]
fn a_crash_that_has_not_come_may_come_at_any_later_time() {
    // The crash starts within [0.2, 0.6] of the episode: one that is not there at 40 % lies ahead in every future.
    let mut scenario = common::small("flash_crash", 100, 64);
    scenario.world.volatility_scale = [0.1, 0.1];
    let late = |seed| {
        let env = started(scenario.clone(), seed, 40);
        let fallen = env.market().state().prices.fundamental < 0.99 * env.outcome().price_start.as_f64();
        (!fallen).then_some(env)
    };
    let env = (0..20).find_map(late).expect("a seed whose crash comes late");
    let start = env.market().state().prices.fundamental;
    let first_fall = |seed: u64| {
        let mut env = env.clone();
        env.redraw(seed).unwrap();
        play(&mut env, 60).iter().position(|price| *price < 0.97 * start)
    };
    let falls: Vec<Option<usize>> = (0..60).map(first_fall).collect();
    assert!(falls.iter().all(Option::is_some), "every future has its crash: {falls:?}");
    let mut moments: Vec<usize> = falls.into_iter().flatten().collect();
    moments.sort_unstable();
    moments.dedup();
    assert!(moments.len() > 10, "and each has it at a time of its own: {moments:?}");
}

#[test]
fn a_redrawn_episode_is_pure_in_its_seed() {
    let env = started(common::small("crash_day", 60, 64), 2, 20);
    let path = |seed| {
        let mut env = env.clone();
        env.redraw(seed).unwrap();
        play(&mut env, 30)
    };
    assert_eq!(path(4), path(4));
    assert_ne!(path(4), path(5));
}

#[test]
fn a_replayed_price_has_no_other_future() {
    use seawall_env::market::Site;
    use seawall_env::units::Price;
    use seawall_env::world::{Bar, ReplaySeries, ReplayStart, Segment, WorldModel};

    let scenario = common::small("calm", 4, 64);
    let price = Price::from_f64(100.0);
    let bar =
        |k: i64| Bar { open_time_ms: k * 60_000, open: price, high: price, low: price, close: price, volume: 1.0 };
    let series = ReplaySeries::new(vec![Segment { bars: (0..60).map(bar).collect() }], 60_000).unwrap();
    let clock = scenario.world_clock();
    let world = WorldModel::replay(&scenario.world, clock, Arc::new(series), ReplayStart::Random, None).unwrap();
    let site = Site::in_world(Arc::new(scenario), presets::by_name("seawall").unwrap(), world);
    let task = Task::on_sites(vec![site], RewardConfig::default(), Groups::default()).unwrap();
    let mut env = CascadeEnv::new(Arc::new(task));
    let before = env.save();
    assert!(matches!(env.redraw(1), Err(seawall_env::Error::OneFuture)));
    assert_eq!(env.save(), before);
}
