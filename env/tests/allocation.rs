//! What allocates while it warms up, and never again: the matching engine, and a step of the environment. And how much
//! memory an environment takes.

use std::sync::Arc;

use allocation_counter::measure;
use seawall_env::action::Controls;
use seawall_env::book::order::streams::{DEEP, Message, Replay, SHALLOW, Stream, book};
use seawall_env::liquidation::{Preset, presets};
use seawall_env::market::Site;
use seawall_env::observation::FEATURES_COUNT;
use seawall_env::scenario::{RewardConfig, Scenario};
use seawall_env::{CascadeEnv, Env, Groups, Task};

fn crash(preset: &str) -> CascadeEnv {
    let mut scenario = Scenario::shipped("crash_day").expect("a shipped scenario");
    scenario.traders.accounts = 600;
    scenario.clock.decisions = 150;
    let preset = Preset::shipped(preset).expect("a preset");
    let task = Task::new(vec![preset.furnish(scenario)], preset.pipeline, RewardConfig::default(), Groups::default());
    CascadeEnv::new(Arc::new(task.expect("a valid task")))
}

#[test]
fn a_step_allocates_nothing_once_an_episode_has_warmed_it_up() {
    let action = Controls::default().encode();
    let mut observation = [0.0; FEATURES_COUNT];
    let mut liquidated = 0;
    for preset in presets::NAMES {
        let mut env = crash(preset);
        let mut play = |seed: u64| {
            env.reset(seed, &mut observation);
            let played = measure(|| while !env.step(&action, &mut observation).status.is_over() {});
            liquidated += env.outcome().liquidated_accounts;
            played.count_total
        };
        let _ = [1, 2, 3].map(&mut play);
        assert_eq!(play(3), 0, "{preset}");
    }
    assert!(liquidated > 1_000, "only {liquidated} accounts were liquidated: not what a crash does");
}

#[test]
fn an_account_takes_less_than_two_hundred_bytes() {
    for (accounts, most) in [(100_000, 200 * 100_000), (2_000, 400 << 10)] {
        let mut scenario = Scenario::shipped("calm").expect("a shipped scenario");
        scenario.traders.accounts = accounts;
        let site = Site::new(Arc::new(scenario), presets::by_name("seawall").expect("a preset"));
        let mut market = None;
        let held = measure(|| market = Some(site.open(1))).bytes_current;
        let held = usize::try_from(held).expect("more than nothing");
        let counted = market.expect("just opened").bytes();
        assert!(held < most, "{held} bytes for {accounts} accounts");
        // What the market says of itself is what the allocator says, but for a few small lists.
        assert!(counted.abs_diff(held) < 16 << 10, "{counted} bytes by its own account, {held} by the allocator's");
    }
}

#[test]
fn a_warm_book_allocates_nothing() {
    for (stream, warm) in [(SHALLOW, 50_000), (DEEP, 400_000)] {
        let (messages, _) = Stream { messages: 2 * warm, ..stream }.generate(7);
        let (first, second) = messages.split_at(warm as usize);
        let mut replay = Replay::new(book()).with_capacity(messages.len());
        let mut allocations = |messages: &[Message]| {
            let run = || {
                for &message in messages {
                    replay.apply(message);
                }
            };
            measure(run).count_total
        };
        assert!(allocations(first) > 0, "{}: pages are opened where orders first rest", stream.name);
        assert_eq!(allocations(second), 0, "{}", stream.name);
    }
}
