//! The contract between learner and market: shapes, statuses, clocks, masks and what is refused.

mod common;

use std::sync::Arc;

use seawall_env::action::{ACTIONS, Controls, PARAMETERS};
use seawall_env::liquidation::presets;
use seawall_env::observation::FEATURES_COUNT;
use seawall_env::reward::TERMS;
use seawall_env::scenario::{RewardConfig, Scenario};
use seawall_env::spaces::Group;
use seawall_env::{CascadeEnv, Env, Groups, Purpose, SeedTree, Status, Task, VecEnv};

fn neutral() -> [f32; ACTIONS] {
    Controls::default().encode()
}

/// Normalised neutral values, as the environment holds them.
fn base() -> [f64; ACTIONS] {
    let values = Controls::default().to_array();
    std::array::from_fn(|i| PARAMETERS[i].encode(values[i]))
}

fn masked(scenario: Scenario, groups: Groups) -> CascadeEnv {
    let task =
        Task::new(vec![scenario], presets::by_name("seawall").expect("a preset"), RewardConfig::default(), groups)
            .expect("a valid task");
    CascadeEnv::new(Arc::new(task))
}

fn short() -> CascadeEnv {
    common::environment(common::small("calm", 3, 64), "seawall")
}

/// Steps with one action until the episode ends; returns the number of steps and how it ended.
fn finish(env: &mut CascadeEnv, action: &[f32; ACTIONS], observation: &mut [f32]) -> (u32, Status) {
    for steps in 1.. {
        let status = env.step(action, observation).status;
        if status.is_over() {
            return (steps, status);
        }
    }
    unreachable!("every episode has a horizon")
}

#[test]
fn the_spec_names_every_entry_once() {
    let env = short();
    let spec = env.spec();
    let lengths = (spec.observation.len(), spec.action.len(), spec.reward.len());
    assert_eq!(lengths, (FEATURES_COUNT, ACTIONS, TERMS));
    assert_eq!(env.reward_terms().len(), TERMS);
    for names in [&spec.observation, &spec.action, &spec.reward] {
        let mut sorted = names.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), names.len(), "a name occurs twice");
    }
    assert_eq!(spec.observation[FEATURES_COUNT - ACTIONS..], spec.action, "the parameters in force come last");
}

#[test]
fn the_horizon_truncates() {
    let mut env = short();
    let mut observation = [0.0; FEATURES_COUNT];
    env.reset(0, &mut observation);
    assert_eq!(finish(&mut env, &neutral(), &mut observation), (3, Status::Truncated));
    assert_eq!((env.outcome().decisions, env.outcome().ticks), (3, 30));
}

#[test]
fn losses_that_nobody_covers_terminate() {
    let mut scenario = common::small("crash_day", 120, 256);
    scenario.venue.fund = 1e-4;
    scenario.venue.failure = 1e-6;
    let mut env = common::environment(scenario, "legacy_full");
    let mut observation = [0.0; FEATURES_COUNT];
    env.reset(2, &mut observation);
    let (steps, status) = finish(&mut env, &neutral(), &mut observation);
    assert_eq!(status, Status::Terminated);
    assert!(steps < 120 && env.market().has_failed());
    let failure = env.spec().reward.iter().position(|name| name == "failure").unwrap();
    assert!((env.reward_terms()[failure] - 1.0).abs() < 1e-12, "failure is charged once, at the end");
}

#[test]
#[should_panic(expected = "the episode is over")]
fn a_step_after_the_end_is_refused() {
    let mut env = short();
    let mut observation = [0.0; FEATURES_COUNT];
    env.reset(0, &mut observation);
    finish(&mut env, &neutral(), &mut observation);
    env.step(&neutral(), &mut observation);
}

#[test]
#[should_panic(expected = "an action lies in [-1, 1]")]
fn an_action_outside_the_box_is_refused() {
    let mut action = neutral();
    action[4] = 1.001;
    short().step(&action, &mut [0.0; FEATURES_COUNT]);
}

#[test]
#[should_panic(expected = "an action lies in [-1, 1]")]
fn an_action_that_is_no_number_is_refused() {
    let mut action = neutral();
    action[0] = f32::NAN;
    short().step(&action, &mut [0.0; FEATURES_COUNT]);
}

#[test]
#[should_panic(expected = "an observation has")]
fn a_buffer_of_another_length_is_refused() {
    short().reset(0, &mut [0.0; FEATURES_COUNT - 1]);
}

#[test]
fn an_ended_episode_leaves_its_last_observation_and_the_next_one_starts_in_the_same_step() {
    let seeds = SeedTree::new(77);
    let mut batch = VecEnv::new(vec![short()], seeds);
    let mut alone = short();
    let mut observation = [0.0; FEATURES_COUNT];
    for episode in 0..3 {
        alone.reset(seeds.seed(Purpose::Episode, episode), &mut observation);
        assert_eq!(batch.observations(), observation);
        for decision in 0..3 {
            let step = alone.step(&neutral(), &mut observation);
            batch.step(&neutral());
            assert_eq!(batch.rewards()[0].to_bits(), step.reward.to_bits());
            assert_eq!(batch.statuses()[0], step.status);
            assert_eq!(batch.reward_terms(), alone.reward_terms());
            if decision < 2 {
                assert_eq!(batch.observations(), observation);
            }
        }
        assert_eq!(batch.statuses()[0], Status::Truncated);
        assert_eq!(batch.final_observations(), observation);
    }
}

#[test]
fn a_mask_freezes_the_other_group() {
    for (groups, free) in
        [(Groups { fast: true, slow: false }, Group::Fast), (Groups { fast: false, slow: true }, Group::Slow)]
    {
        let mut env = masked(common::small("calm", 30, 64), groups);
        env.reset(0, &mut [0.0; FEATURES_COUNT]);
        finish(&mut env, &[1.0; ACTIONS], &mut [0.0; FEATURES_COUNT]);
        for ((parameter, own), base) in PARAMETERS.iter().zip(env.parameters()).zip(base()) {
            let moved = (own - base).abs() > 1e-9;
            assert_eq!(moved, parameter.group == free, "{} under {groups:?}", parameter.name);
        }
    }
}

#[test]
fn fast_parameters_follow_at_once_and_slow_ones_on_their_clock_by_a_bounded_change() {
    let interval = 10;
    let mut env = masked(common::small("calm", 35, 64), Groups::default());
    let mut observation = [0.0; FEATURES_COUNT];
    env.reset(0, &mut observation);
    let mut expected = base();
    for decision in 0..35 {
        let wanted = if decision % 2 == 0 { 1.0 } else { -1.0_f32 };
        env.step(&[wanted; ACTIONS], &mut observation);
        let mut churn = 0.0;
        for (parameter, own) in PARAMETERS.iter().zip(&mut expected) {
            if parameter.group == Group::Fast || decision % interval == 0 {
                let change = (f64::from(wanted) - *own).clamp(-parameter.max_change, parameter.max_change);
                *own += change;
                churn += change.abs();
            }
        }
        for ((parameter, got), want) in PARAMETERS.iter().zip(env.parameters()).zip(expected) {
            assert!((got - want).abs() < 1e-12, "{} at decision {decision}: {got}, not {want}", parameter.name);
        }
        let term = env.spec().reward.iter().position(|name| name == "churn").unwrap();
        assert!((env.reward_terms()[term] - churn).abs() < 1e-9);
        let controls = env.market().state().controls.to_array();
        for ((parameter, value), own) in PARAMETERS.iter().zip(controls).zip(expected) {
            assert!((parameter.encode(value) - own).abs() < 1e-9, "{} is not in force", parameter.name);
        }
    }
}

#[test]
fn the_reward_is_minus_the_weighted_sum_of_its_terms() {
    let weights = RewardConfig::default().to_array();
    let mut env = common::environment(common::small("flash_crash", 60, 256), "seawall");
    let mut observation = [0.0; FEATURES_COUNT];
    env.reset(5, &mut observation);
    for _ in 0..60 {
        let step = env.step(&[0.5; ACTIONS], &mut observation);
        let sum: f64 = env.reward_terms().iter().zip(weights).map(|(term, weight)| term * weight).sum();
        assert!((step.reward + sum).abs() <= 1e-9 * sum.abs().max(1.0));
        if step.status.is_over() {
            break;
        }
    }
}

#[test]
fn every_problem_of_a_task_is_reported() {
    let mut scenario = common::small("calm", 3, 64);
    scenario.id = "Not An Id".to_owned();
    scenario.clock.tick_seconds = 0.0;
    let reward = RewardConfig { churn: -1.0, ..RewardConfig::default() };
    let error = Task::new(vec![scenario], presets::by_name("seawall").unwrap(), reward, Groups::default())
        .unwrap_err()
        .to_string();
    for field in ["id", "clock.tick_seconds", "reward.churn"] {
        assert!(error.contains(field), "{field} is missing from: {error}");
    }
}
