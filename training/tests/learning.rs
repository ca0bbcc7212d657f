//! Learning where the best policy is known.

mod common;

use common::{Tracking, finish, learner};
use seawall_training::{Backend, PpoConfig, Trainer};

fn config() -> PpoConfig {
    PpoConfig {
        total_steps: 40_000,
        horizon: 32,
        minibatch: 64,
        epochs: 5,
        actor_hidden: vec![32],
        critic_hidden: vec![32],
        learning_rate: 3e-3,
        discount: 0.5,
        ..PpoConfig::default()
    }
}

/// Root mean squared distance from the target over its whole range.
fn error(seed: u64) -> f64 {
    let mut learner = learner(config(), Backend::Flex, &Tracking::new(), 8, seed);
    finish(&mut learner);
    let policy = learner.policy();
    let targets: Vec<f32> = (-16..=16_i8).map(|i| f32::from(i) / 20.0).collect();
    let observations: Vec<f32> = targets.iter().flat_map(|&target| [target, 50.0 + 100.0 * target]).collect();
    let mut actions = vec![0.0; targets.len()];
    policy.act(&observations, &mut actions);
    let squares: f64 = targets.iter().zip(&actions).map(|(t, a)| f64::from((t - a) * (t - a))).sum();
    (squares / 33.0).sqrt()
}

#[test]
fn a_policy_learns_to_follow_its_target() {
    // Standing still at zero is 0.48 away; a uniformly random action is further.
    for seed in 0..3 {
        let error = error(seed);
        assert!(error < 0.05, "seed {seed}: {error}");
    }
}
