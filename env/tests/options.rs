//! The option desk from outside: tasks with and without it, snapshots, and golden digests of its scenarios.
//!
//! Re-mint with `cargo test -p seawall-env --test options -- --ignored mint`, in a commit that says why results moved.

mod common;

use std::fmt::Write as _;
use std::sync::Arc;

use seawall_env::action::Controls;
use seawall_env::liquidation::presets;
use seawall_env::observation::{FEATURES_COUNT, OPTIONS, features};
use seawall_env::scenario::{OptionsConfig, RewardConfig, Scenario};
use seawall_env::{CascadeEnv, Env, Groups, Task};

/// Scenarios with a section of their own here.
const SCENARIOS: [&str; 2] = ["option_squeeze", "depeg"];

fn task(scenarios: Vec<Scenario>) -> Arc<Task> {
    let pipeline = presets::by_name("seawall").expect("a preset");
    Arc::new(Task::new(scenarios, pipeline, RewardConfig::default(), Groups::default()).expect("a valid task"))
}

/// FNV-1a over what an environment shows and keeps.
fn continued(env: &mut CascadeEnv, decisions: u32) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut take = |bytes: &[u8]| {
        for &byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    let neutral = Controls::default().encode();
    let mut observation = vec![0.0; env.spec().observation.len()];
    for _ in 0..decisions {
        let step = env.step(&neutral, &mut observation);
        observation.iter().for_each(|value| take(&value.to_bits().to_le_bytes()));
        take(&step.reward.to_bits().to_le_bytes());
        if step.status.is_over() {
            break;
        }
    }
    take(&postcard::to_stdvec(env.outcome()).expect("serialising into memory cannot fail"));
    take(&postcard::to_stdvec(&env.market().desk_outcome()).expect("serialising into memory cannot fail"));
    hash
}

#[test]
fn only_tasks_with_options_observe_them_and_a_scenario_without_shows_nothing() {
    let names = |task: &Task| CascadeEnv::new(Arc::new(task.clone())).spec().observation.clone();
    let base: Vec<String> = features().iter().map(|feature| feature.name.to_owned()).collect();
    let plain = task(vec![common::small("calm", 20, 64)]);
    assert_eq!(names(&plain), base);
    let both = task(vec![common::small("calm", 20, 64), common::small("option_squeeze", 20, 64)]);
    let further: Vec<String> = OPTIONS.iter().map(|feature| feature.name.to_owned()).collect();
    assert_eq!(names(&both), [base, further].concat());
    assert_eq!(both.features().len(), names(&both).len());
    // The same market, seen by either task.
    let mut seen = [vec![0.0; FEATURES_COUNT], vec![0.0; FEATURES_COUNT + OPTIONS.len()]];
    CascadeEnv::new(plain).reset_on(0, 4, &mut seen[0]);
    let mut env = CascadeEnv::new(both);
    env.reset_on(0, 4, &mut seen[1]);
    assert_eq!(seen[0], seen[1][..FEATURES_COUNT]);
    assert!(seen[1][FEATURES_COUNT..].iter().all(|value| *value == 0.0), "no desk, nothing to see");
    env.reset_on(1, 4, &mut seen[1]);
    assert!(seen[1][FEATURES_COUNT + 1..].iter().any(|value| *value != 0.0), "a desk is seen");
}

#[test]
fn snapshot_goes_on_as_the_original_and_not_into_a_market_without_a_desk() {
    for id in SCENARIOS {
        let make = || CascadeEnv::new(task(vec![common::small(id, 60, 128)]));
        let mut env = make();
        let mut observation = vec![0.0; env.spec().observation.len()];
        env.reset(3, &mut observation);
        continued(&mut env, 25);
        let bytes = env.save();
        let uninterrupted = continued(&mut env, 30);
        let mut restored = make();
        restored.reset(9, &mut observation);
        continued(&mut restored, 40);
        restored.load(&bytes).unwrap();
        assert_eq!(restored.save(), bytes);
        assert_eq!(continued(&mut restored, 30), uninterrupted, "{id}");
    }
    let mut with = common::small("calm", 20, 64);
    with.options = Some(OptionsConfig::default());
    let bytes = CascadeEnv::new(task(vec![with])).save();
    assert!(CascadeEnv::new(task(vec![common::small("calm", 20, 64)])).load(&bytes).is_err());
}

fn digests() -> String {
    let mut lines = String::new();
    for id in SCENARIOS {
        for preset in ["legacy_full", "seawall"] {
            let mut env = common::environment(Scenario::shipped(id).expect("a shipped scenario"), preset);
            let mut observation = vec![0.0; env.spec().observation.len()];
            env.reset(1, &mut observation);
            let digest = continued(&mut env, u32::MAX);
            writeln!(lines, "{id} {preset} 1 {digest:016x}").expect("writing into memory cannot fail");
        }
    }
    lines
}

#[test]
fn whole_episodes_match_their_golden_digests() {
    assert_eq!(digests(), include_str!("options.txt"), "results moved: re-mint only in a commit that says why");
}

#[test]
#[ignore = "writes the golden file; run by hand in a commit that says why results moved"]
fn mint() {
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/options.txt"), digests()).unwrap();
}
