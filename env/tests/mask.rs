//! What a mask hides and what it leaves, and parameters that nobody moves.

use std::sync::Arc;

use seawall_env::action::{ACTIONS, Controls, Fixed, PARAMETERS};
use seawall_env::liquidation::presets;
use seawall_env::observation::FEATURES_COUNT;
use seawall_env::scenario::{ClockConfig, RewardConfig, Scenario};
use seawall_env::{CascadeEnv, Env, Groups, Mask, Problems, Task};

/// Twelve decisions with few accounts, in coarse ticks.
fn small(id: &str) -> Scenario {
    let mut scenario = Scenario::shipped(id).expect("a shipped scenario");
    scenario.clock = ClockConfig { tick_seconds: 10.0, ticks_per_decision: 10, decisions: 12, slow_interval: 10 };
    scenario.traders.accounts = 64;
    scenario
}

fn task() -> Task {
    let scenarios = vec![small("calm"), small("crash_day")];
    let pipeline = presets::by_name("seawall").expect("a shipped venue");
    Task::new(scenarios, pipeline, RewardConfig::default(), Groups::default()).expect("shipped scenarios")
}

fn mask(off: &[&str], shuffled: &[&str]) -> Mask {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    Mask::new(&task().features(), &names(off), &names(shuffled)).expect("known names")
}

fn shuffling() -> CascadeEnv {
    let mask = mask(&["book"], &["macro", "jump"]).recording(&Arc::new(task()), 3);
    CascadeEnv::new(Arc::new(task().behind(Arc::new(mask))))
}

/// Observations of a whole episode under one action.
fn episode(env: &mut CascadeEnv, scenario: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut observation = vec![0.0; FEATURES_COUNT];
    env.reset_on(scenario, seed, &mut observation);
    let mut rows = vec![observation.clone()];
    while !env.step(&Controls::default().encode(), &mut observation).status.is_over() {
        rows.push(observation.clone());
    }
    rows.push(observation);
    rows
}

#[test]
fn a_mask_hides_its_features_and_leaves_all_others_and_the_market_as_they_are() {
    let features = task().features();
    let (mut plain, mut masked) = (CascadeEnv::new(Arc::new(task())), shuffling());
    let (seen, hidden) = (episode(&mut plain, 1, 5), episode(&mut masked, 1, 5));
    assert_eq!(plain.outcome(), masked.outcome());
    for (a, b) in seen.iter().zip(&hidden) {
        for (index, feature) in features.iter().enumerate() {
            match feature.group {
                "book" => assert_eq!(b[index].to_bits(), 0.0_f32.to_bits(), "{}", feature.name),
                "macro" => {}
                _ if feature.name == "jump" => {}
                _ => assert_eq!(a[index].to_bits(), b[index].to_bits(), "{}", feature.name),
            }
        }
    }
}

#[test]
fn what_is_shuffled_is_whole_episodes_of_the_task_and_says_nothing_of_this_one() {
    let features = task().features();
    let columns: Vec<usize> =
        (0..features.len()).filter(|i| features[*i].group == "macro" || features[*i].name == "jump").collect();
    let column = |rows: &[Vec<f32>]| -> Vec<Vec<u32>> {
        rows.iter().map(|row| columns.iter().map(|i| row[*i].to_bits()).collect()).collect()
    };
    let mut env = shuffling();
    let mut met = Vec::new();
    for seed in 0..60 {
        // Whatever the scenario, one seed meets one recording: the scenario cannot be read off it.
        let found = column(&episode(&mut env, 0, seed));
        assert_eq!(found, column(&episode(&mut env, 1, seed)));
        if !met.contains(&found) {
            met.push(found);
        }
    }
    // Two scenarios with three recordings each: sixty draws miss one of them with probability 6 · (5/6)^60 < 2e-4.
    assert_eq!(met.len(), 6);
    let mut plain = CascadeEnv::new(Arc::new(task()));
    assert!((0..60).all(|seed| !met.contains(&column(&episode(&mut plain, 1, seed)))), "no episode is its own donor");
}

#[test]
fn a_snapshot_keeps_the_recording() {
    let (mut env, mut other) = (shuffling(), shuffling());
    let mut observation = vec![0.0; FEATURES_COUNT];
    env.reset(17, &mut observation);
    env.step(&Controls::default().encode(), &mut observation);
    let bytes = env.save();
    other.load(&bytes).unwrap();
    assert_eq!(other.save(), bytes);
    let mut again = vec![0.0; FEATURES_COUNT];
    for _ in 0..5 {
        env.step(&Controls::default().encode(), &mut observation);
        other.step(&Controls::default().encode(), &mut again);
        assert_eq!(observation, again);
    }
    // One without recordings, and one that names a recording that is not there.
    other.load(&bytes[..bytes.len() - 4]).unwrap_err();
    let spoilt = [&bytes[..bytes.len() - 4], &99_u32.to_le_bytes()].concat();
    assert!(other.load(&spoilt).unwrap_err().to_string().contains("recordings"));
    assert_eq!(other.save(), env.save(), "a refused snapshot changes nothing");
}

#[test]
fn names_that_mean_nothing_here_are_refused_together() {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let refused = Mask::new(&task().features(), &names(&["options", "luck", "vix"]), &names(&["macro"]));
    let text = refused.unwrap_err().to_string();
    for part in [
        "observation.off[0] = \"options\": must be observed in this task",
        "observation.off[1] = \"luck\": must be a feature, or one of the groups price, book, ",
        "observation = vix: must be a feature that is hidden in one way",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_fixed_parameter_never_moves_and_costs_no_churn() {
    let mut problems = Problems::default();
    let fixed = Fixed::new([("keeper_bonus", 0.0), ("open_interest_cap", 3.0)], "action.fixed", &mut problems);
    let mut env = CascadeEnv::new(Arc::new(task().holding(fixed)));
    let mut observation = vec![0.0; FEATURES_COUNT];
    env.reset(3, &mut observation);
    let [bonus, cap] = ["keeper_bonus", "open_interest_cap"]
        .map(|name| PARAMETERS.iter().position(|parameter| parameter.name == name).unwrap());
    let own = FEATURES_COUNT - ACTIONS;
    for sign in [1.0, -1.0, 1.0] {
        assert_eq!(
            [observation[own + bonus], observation[own + cap]].map(f32::to_bits),
            [-1.0_f32, 1.0].map(f32::to_bits)
        );
        // Everybody else holds still, so what is left of churn would be the fixed ones'.
        let mut action = Controls::default().encode();
        (action[bonus], action[cap]) = (sign, sign);
        env.step(&action, &mut observation);
        let churn = env.spec().reward.iter().position(|name| name == "churn").unwrap();
        assert!(env.reward_terms()[churn] < 1e-6, "{:?}", env.reward_terms());
        let controls = env.market().state().controls;
        assert!(controls.keeper_bonus.abs() < 1e-12 && (controls.open_interest_cap - 3.0).abs() < 1e-12);
    }
}
