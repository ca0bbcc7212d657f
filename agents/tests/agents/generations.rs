//! The three generations over the environment's own observation.

use std::sync::Arc;

use seawall_agents::generations::{DepthRule, Gen2, Gen3, MarginRule, generations};
use seawall_agents::{Error, Exported, Policy};
use seawall_env::action::{ACTIONS, Controls, PARAMETERS};
use seawall_env::liquidation::presets;
use seawall_env::observation::features;
use seawall_env::scenario::{RewardConfig, Scenario};
use seawall_env::{CascadeEnv, Env, Groups, Spec, Task};

use crate::fixture::Network;

fn env(scenario: &str, preset: &str, decisions: u32) -> CascadeEnv {
    let mut scenario = Scenario::shipped(scenario).unwrap();
    scenario.clock.decisions = decisions;
    let pipeline = presets::by_name(preset).unwrap();
    let task = Task::new(vec![scenario], pipeline, RewardConfig::default(), Groups::default()).unwrap();
    CascadeEnv::new(Arc::new(task))
}

fn spec() -> Spec {
    env("calm", "legacy_full", 1).spec().clone()
}

/// Values that a policy asks for where all features are zero but those given as (name, value).
fn asked(policy: &dyn Policy, spec: &Spec, given: &[(&str, f32)]) -> Controls {
    let mut observation = vec![0.0; spec.observation.len()];
    for (name, value) in given {
        observation[spec.observation.iter().position(|found| found == name).unwrap()] = *value;
    }
    let mut action = [0.0; ACTIONS];
    policy.boxed().act(&observation, &mut action);
    Controls::from_array(std::array::from_fn(|i| PARAMETERS[i].decode(action[i].into())))
}

fn assert_close(found: Controls, expected: Controls) {
    for ((found, expected), parameter) in found.to_array().iter().zip(expected.to_array()).zip(&PARAMETERS) {
        let room = 1e-6 * (parameter.high - parameter.low);
        assert!((found - expected).abs() < room, "{}: {found} instead of {expected}", parameter.name);
    }
}

#[test]
fn ratios_are_read_from_the_logarithms_that_the_environment_observes() {
    let spec = spec();
    let [gen1, gen2, gen3] = generations(&spec).unwrap();
    let neutral = Controls::default();
    // A quarter of the depth, four times the ten-minute and twice the one-hour volatility, in powers of two.
    let stressed = [("depth_100bp", -2.0), ("volatility_10m", 2.0), ("volatility_1h", 1.0)];
    assert_close(asked(gen1.policy.as_ref(), &spec, &stressed), neutral);

    let rule = DepthRule::default();
    let calm = Controls {
        capacity: rule.capacity,
        delay: rule.delay,
        target_buffer: rule.buffer,
        keeper_bonus: rule.keeper_bonus,
        ..neutral
    };
    assert_close(asked(gen2.policy.as_ref(), &spec, &[]), calm);
    let thin = Controls {
        // Capacity counts in depths already: the default exponent is zero.
        capacity: rule.capacity,
        delay: 4.0 * rule.delay,
        target_buffer: 4.0 * rule.buffer,
        keeper_bonus: 4.0 * rule.keeper_bonus,
        ..neutral
    };
    assert_close(asked(gen2.policy.as_ref(), &spec, &stressed), thin);

    let margin = MarginRule::default();
    let slow = |multiplier: f64, controls: Controls| Controls {
        initial_margin_multiplier: multiplier,
        macro_sensitivity: margin.macro_sensitivity,
        ..controls
    };
    assert_close(asked(gen3.policy.as_ref(), &spec, &[]), slow(1.25, calm));
    assert_close(asked(gen3.policy.as_ref(), &spec, &stressed), slow(margin.charge(2.0), thin));
}

#[test]
fn features_are_found_by_name_wherever_they_stand() {
    let spec = spec();
    let mut reversed = spec.clone();
    reversed.observation.reverse();
    let stressed = [("depth_100bp", -1.5), ("volatility_10m", 0.7), ("volatility_1h", 1.3)];
    let there = Gen3::new(&spec, DepthRule::default(), MarginRule::default()).unwrap();
    let here = Gen3::new(&reversed, DepthRule::default(), MarginRule::default()).unwrap();
    assert_eq!(asked(&there, &spec, &stressed), asked(&here, &reversed, &stressed));
}

#[test]
fn missing_features_are_all_named() {
    let mut spec = spec();
    spec.observation.retain(|name| !name.starts_with("depth") && name != "volatility_10m");
    let error = Gen2::new(&spec, DepthRule::default()).unwrap_err();
    let expected = ["depth_100bp", "volatility_10m"];
    assert!(
        matches!(&error, Error::Features { policy, missing } if policy == "gen2" && missing == &expected),
        "{error}"
    );

    spec.observation.retain(|name| name != "volatility_1h");
    let error = generations(&spec).unwrap_err();
    assert!(matches!(error, Error::Features { .. }));
    let error = Gen3::new(&spec, DepthRule::default(), MarginRule::default()).unwrap_err();
    let expected = ["depth_100bp", "volatility_10m", "volatility_1h"];
    assert!(
        matches!(&error, Error::Features { policy, missing } if policy == "gen3" && missing == &expected),
        "{error}"
    );
}

#[test]
fn constants_out_of_bounds_are_refused() {
    let fast = DepthRule { capacity: -1.0, ..DepthRule::default() };
    let margin = MarginRule { buffer: f64::INFINITY, ..MarginRule::default() };
    let Err(Error::Invalid(problems)) = Gen3::new(&spec(), fast, margin) else { panic!("must be refused") };
    let fields: Vec<_> = problems.0.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["gen3.fast.capacity", "gen3.margin.buffer"]);
}

/// Runs one episode and returns the rewards' bits.
fn episode(env: &mut CascadeEnv, policy: &mut dyn Policy, seed: u64) -> Vec<u64> {
    let spec = env.spec();
    let (mut observation, mut action) = (vec![0.0; spec.observation.len()], vec![0.0; spec.action.len()]);
    env.reset(seed, &mut observation);
    policy.reset(seed);
    let mut rewards = Vec::new();
    loop {
        policy.act(&observation, &mut action);
        let step = env.step(&action, &mut observation);
        rewards.push(step.reward.to_bits());
        if step.status.is_over() {
            return rewards;
        }
    }
}

#[test]
fn every_generation_runs_its_venue_and_one_seed_is_one_episode() {
    for mut baseline in generations(&spec()).unwrap() {
        let mut env = env("crash_day", baseline.preset, 20);
        let first = episode(&mut env, baseline.policy.as_mut(), 5);
        episode(&mut env, baseline.policy.as_mut(), 6);
        let again = episode(&mut env, baseline.policy.boxed().as_mut(), 5);
        assert_eq!(first.len(), 20);
        assert_eq!(first, again, "{}", baseline.policy.name());
    }
}

#[test]
fn an_exported_network_drives_the_environment_with_its_decoded_values() {
    let mut env = env("calm", "seawall", 10);
    let source = Network::over(features().iter().map(|feature| feature.name.to_owned()).collect(), 4);
    let mut policy = Exported::new("ppo", source.bytes(), env.spec()).unwrap();
    let mut observation = vec![0.0; env.spec().observation.len()];
    let (mut action, mut values) = ([0.0; ACTIONS], [0.0; ACTIONS]);
    env.reset(3, &mut observation);
    for _ in 0..10 {
        policy.act(&observation, &mut action);
        policy.runtime().decode(&action, &mut values).unwrap();
        env.step(&action, &mut observation);
        let in_force = env.parameters();
        for ((parameter, value), own) in PARAMETERS.iter().zip(values).zip(in_force) {
            if parameter.max_change >= 2.0 {
                assert_eq!(parameter.decode(*own).to_bits(), value.to_bits(), "{}", parameter.name);
            }
        }
    }
}
