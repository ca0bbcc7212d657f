//! Trainers against the figures that Stable-Baselines3 and its zoo of tuned settings reach on classic control.
//!
//! Every figure is the mean return of the deterministic policy over Gymnasium's starts for the reset seeds 10000 to
//! 10099. All tests are ignored by default, because they take minutes and mean nothing without optimisation:
//!
//! - `cargo test --release -p seawall-training --test gates -- --ignored short` is what `.ci/run` runs;
//! - `cargo test --release -p seawall-training --test gates -- --ignored full --test-threads 1 --nocapture` runs
//!   everything, and prints the figure of every seed.
//!
//! # Reference
//! RL Zoo (`hyperparams/{ppo,sac}.yml` and its benchmark table): Pendulum-v1 −157 ± 89 after 20,000 steps of SAC,
//! MountainCarContinuous-v0 94.7 ± 1.1 after 50,000.

use seawall_env::{SeedTree, VecEnv};
use seawall_training::classic::{Classic, Dynamics, MountainCar, Pendulum};
use seawall_training::sac::{self, Exploration, SacConfig, Temperature};
use seawall_training::{RewardTransform, Trainer};

/// Runs to the end; returns the mean return over the fixed starts.
#[expect(clippy::cast_precision_loss, reason = "a hundred starts")]
fn train<D: Dynamics>(learner: &mut dyn Trainer, what: &str, seed: u64) -> f64 {
    while !learner.is_done() {
        learner.iterate(&mut ()).expect("classic control is finite");
    }
    let policy = learner.policy();
    let returns = Classic::<D>::judge(|observation, action| policy.act(observation, action));
    let mean = returns.iter().sum::<f64>() / returns.len() as f64;
    println!("{what} on {}, {} steps, seed {seed}: {mean:.1}", D::NAME, learner.steps_done());
    mean
}

fn envs<D: Dynamics>(count: usize, seed: u64) -> VecEnv<Classic<D>> {
    VecEnv::new(vec![Classic::new(); count], SeedTree::new(seed))
}

/// The zoo's settings are for raw observations and rewards.
fn raw() -> SacConfig {
    SacConfig {
        observation_normalisation: false,
        reward_transform: RewardTransform::None,
        horizon: 1_000,
        ..SacConfig::default()
    }
}

fn sac_pendulum(seed: u64) -> f64 {
    let config = SacConfig {
        total_steps: 20_000,
        learning_rate: 1e-3,
        learning_rate_end: 1e-3,
        replay_capacity: 20_000,
        ..raw()
    };
    let mut learner = sac::Learner::new(config, envs::<Pendulum>(1, seed), SeedTree::new(seed)).expect("valid");
    train::<Pendulum>(&mut learner, "SAC", seed)
}

fn sac_mountain_car(seed: u64) -> f64 {
    let config = SacConfig {
        total_steps: 50_000,
        horizon: 1_600,
        train_frequency: 32,
        gradient_steps: 32,
        learning_starts: 0,
        replay_capacity: 50_000,
        minibatch: 512,
        actor_hidden: vec![64, 64],
        critic_hidden: vec![64, 64],
        discount: 0.9999,
        target_rate: 0.01,
        temperature: Temperature::Fixed(0.1),
        exploration: Exploration::StateDependent,
        initial_log_std: -3.67,
        noise_interval: 32,
        ..raw()
    };
    let mut learner = sac::Learner::new(config, envs::<MountainCar>(1, seed), SeedTree::new(seed)).expect("valid");
    train::<MountainCar>(&mut learner, "SAC", seed)
}

#[test]
#[ignore = "about a minute with optimisation; .ci/run"]
fn short_sac_swings_the_pendulum_up() {
    assert!(sac_pendulum(0) > -140.0);
}

#[test]
#[ignore = "minutes with optimisation; by command"]
fn full_sac_swings_the_pendulum_up_with_every_seed() {
    for seed in 0..3 {
        let mean = sac_pendulum(seed);
        assert!(mean > -140.0, "seed {seed}: {mean}");
    }
}

#[test]
#[ignore = "minutes with optimisation; by command"]
fn full_sac_leaves_the_valley() {
    for seed in 0..3 {
        let mean = sac_mountain_car(seed);
        assert!(mean >= 90.0, "seed {seed}: {mean}");
    }
}
