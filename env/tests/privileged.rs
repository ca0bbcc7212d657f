//! What only a critic sees: present, right, apart from the observation, and the same whatever the threads.

mod common;

use seawall_env::action::{ACTIONS, Controls};
use seawall_env::observation::{PRIVILEGED_COUNT, PRIVILEGED_NAMES};
use seawall_env::{CascadeEnv, Env, SeedTree, VecEnv};

fn crash() -> CascadeEnv {
    common::environment(common::small("flash_crash", 24, 64), "seawall")
}

fn entry(env: &CascadeEnv, name: &str) -> f32 {
    let mut row = [0.0; PRIVILEGED_COUNT];
    env.reveal(&mut row);
    row[PRIVILEGED_NAMES.iter().position(|known| *known == name).expect("a privileged entry")]
}

#[test]
fn nothing_privileged_is_observed_by_name() {
    let env = crash();
    assert_eq!(env.privileged(), PRIVILEGED_NAMES);
    for name in PRIVILEGED_NAMES {
        assert!(!env.spec().observation.iter().any(|observed| observed == name), "{name}");
    }
}

#[test]
fn a_critic_sees_the_crash_that_a_venue_does_not() {
    let mut env = crash();
    let mut observation = vec![0.0; env.spec().observation.len()];
    env.reset(5, &mut observation);
    let action = Controls::default().encode();
    let market_at_reset = env.market().state().prices.fundamental;
    assert!(entry(&env, "shock_to_come") < -1.0, "{}", entry(&env, "shock_to_come"));
    assert!(entry(&env, "next_shock") > 0.0);
    assert!((entry(&env, "remaining") - 1.0).abs() < 1e-6);
    let mut gaps = 0.0_f32;
    let mut before = entry(&env, "remaining");
    while !env.step(&action, &mut observation).status.is_over() {
        let remaining = entry(&env, "remaining");
        assert!(remaining < before);
        before = remaining;
        gaps = gaps.max(entry(&env, "fundamental_gap").abs());
    }
    assert!(entry(&env, "remaining").abs() < 1e-6);
    assert!(env.market().state().prices.fundamental.total_cmp(&market_at_reset).is_ne() && gaps > 0.1, "{gaps}");
    assert!(entry(&env, "shock_to_come").abs() < 1e-6, "everything scripted has happened");
}

#[test]
fn rows_are_those_of_the_environments_and_outlive_a_reset_and_a_snapshot() {
    let count = 3;
    let new = || VecEnv::new(vec![crash(); count], SeedTree::new(4));
    let (mut envs, mut plain) = (new(), new());
    envs.reveal();
    assert!(plain.privileged().is_empty());
    let actions = Controls::default().encode().repeat(count);
    assert_eq!(actions.len(), count * ACTIONS);
    let mut resumed = None;
    for step in 0..30 {
        if step == 11 {
            let mut copy = new();
            copy.reveal();
            copy.load(&envs.save()).expect("its own snapshot");
            resumed = Some(copy);
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1 + step % 3).build().expect("a small pool");
        let before = envs.privileged().to_vec();
        pool.install(|| envs.step(&actions));
        plain.step(&actions);
        assert_eq!(envs.observations(), plain.observations(), "looking behind changes nothing");
        if let Some(resumed) = &mut resumed {
            resumed.step(&actions);
            assert_eq!(resumed.privileged(), envs.privileged());
        }
        let remaining = |rows: &[f32], b: usize| rows[(b + 1) * PRIVILEGED_COUNT - 1];
        for (b, status) in envs.statuses().iter().enumerate() {
            if status.is_over() {
                assert!(remaining(envs.final_privileged(), b) < remaining(&before, b));
                assert!((remaining(envs.privileged(), b) - 1.0).abs() < 1e-6, "the row is the next episode's");
            }
        }
    }
    assert!(resumed.is_some());
}
