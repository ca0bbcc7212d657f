//! The soft actor-critic where the answer is known, and its runs to the bit.

mod common;

use common::{Chain, Tracking};
use seawall_env::{Env, SeedTree, Status, VecEnv};
use seawall_training::sac::{CriticKind, Exploration, Learner, SacConfig, Temperature};
use seawall_training::{Error, Iteration, RewardTransform, Trainer};

fn learner<E: Env>(config: SacConfig, env: &E, count: usize, seed: u64) -> Learner<E> {
    let seeds = SeedTree::new(seed);
    Learner::new(config, VecEnv::new(vec![env.clone(); count], seeds), seeds).expect("a test's own settings")
}

/// Learned values of the states of a chain, discount 0.9, reward as it is, entropy worth next to nothing.
fn values(chain: &Chain, states: usize, config: SacConfig) -> Vec<f32> {
    let config = SacConfig {
        total_steps: 4_000,
        horizon: 500,
        actor_hidden: vec![4],
        critic_hidden: vec![32],
        learning_rate: 3e-3,
        learning_rate_end: 3e-4,
        discount: 0.9,
        target_rate: 0.05,
        minibatch: 64,
        temperature: Temperature::Fixed(1e-4),
        observation_normalisation: false,
        reward_transform: RewardTransform::None,
        ..config
    };
    let mut learner = learner(config, chain, 2, 1);
    while !learner.is_done() {
        learner.iterate(&mut ()).expect("numbers are finite");
    }
    let mean = |values: Vec<f32>| values.iter().sum::<f32>() / f32::from(u8::try_from(values.len()).expect("a few"));
    (0..states)
        .map(|s| {
            let seen: Vec<f32> = (0..states).map(|i| f32::from(u8::from(i == s))).collect();
            mean(learner.value(0, &seen, &[0.0]))
        })
        .collect()
}

fn ways() -> [SacConfig; 3] {
    let quantiles = CriticKind::Quantiles { critics: 2, count: 5, dropped: 0 };
    [
        SacConfig::default(),
        SacConfig { return_steps: 3, ..SacConfig::default() },
        SacConfig { critic: quantiles, ..SacConfig::default() },
    ]
}

fn assert_values(chain: &Chain, expected: &[f32]) {
    for config in ways() {
        let what = format!("{:?}, {} steps", config.critic, config.return_steps);
        let values = values(chain, expected.len(), config);
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 0.03 * expected.abs(), "{what}: {values:?}");
        }
    }
}

#[test]
fn one_state_that_never_ends_is_worth_the_geometric_series() {
    // 1 / (1 − 0.9).
    assert_values(&Chain::new(&[1.0], 0, Status::Running), &[10.0]);
}

#[test]
fn one_state_that_is_truncated_is_worth_as_much_as_if_it_went_on() {
    assert_values(&Chain::new(&[1.0], 5, Status::Truncated), &[10.0]);
}

#[test]
fn one_state_that_terminates_is_worth_its_reward() {
    assert_values(&Chain::new(&[1.0], 1, Status::Terminated), &[1.0]);
}

#[test]
fn two_states_that_alternate_and_two_that_end() {
    // V₀ = 2 + 0.9·V₁ and V₁ = −1 + 0.9·V₀.
    assert_values(&Chain::new(&[2.0, -1.0], 3, Status::Truncated), &[1.1 / 0.19, 0.8 / 0.19]);
    // V₁ = −1, V₀ = 2 − 0.9.
    assert_values(&Chain::new(&[2.0, -1.0], 2, Status::Terminated), &[1.1, -1.0]);
}

fn tracking(exploration: Exploration) -> SacConfig {
    SacConfig {
        total_steps: 6_000,
        horizon: 100,
        gradient_steps: 2,
        minibatch: 64,
        actor_hidden: vec![32],
        critic_hidden: vec![32],
        learning_rate: 3e-3,
        learning_rate_end: 3e-4,
        discount: 0.5,
        exploration,
        ..SacConfig::default()
    }
}

#[test]
fn a_policy_learns_to_follow_its_target() {
    for exploration in [Exploration::Gaussian, Exploration::StateDependent] {
        let mut learner = learner(tracking(exploration), &Tracking::new(), 4, 2);
        while !learner.is_done() {
            learner.iterate(&mut ()).expect("numbers are finite");
        }
        let targets: Vec<f32> = (-16..=16_i8).map(|i| f32::from(i) / 20.0).collect();
        let observations: Vec<f32> = targets.iter().flat_map(|&target| [target, 50.0 + 100.0 * target]).collect();
        let mut actions = vec![0.0; targets.len()];
        learner.policy().act(&observations, &mut actions);
        let squares: f64 = targets.iter().zip(&actions).map(|(t, a)| f64::from((t - a) * (t - a))).sum();
        // Standing still at zero is 0.48 away.
        let error = (squares / 33.0).sqrt();
        assert!(error < 0.05, "{exploration:?}: {error}");
    }
}

/// Small, and with everything switched on that carries state.
fn stateful() -> SacConfig {
    SacConfig {
        total_steps: 6 * 120,
        horizon: 20,
        train_frequency: 2,
        learning_starts: 50,
        replay_capacity: 300,
        minibatch: 200,
        return_steps: 2,
        actor_hidden: vec![16, 8],
        critic_hidden: vec![12],
        exploration: Exploration::StateDependent,
        noise_interval: 7,
        reward_transform: RewardTransform::Symlog,
        ..SacConfig::default()
    }
}

fn iterate(learner: &mut Learner<Tracking>, times: usize) -> Vec<Iteration> {
    (0..times).map(|_| learner.iterate(&mut ()).expect("numbers are finite")).collect()
}

#[test]
fn a_resumed_run_is_bit_equal_to_an_uninterrupted_one() {
    for exploration in [Exploration::Gaussian, Exploration::StateDependent] {
        let config = SacConfig { exploration, ..stateful() };
        let fresh = || learner(config.clone(), &Tracking::new(), 6, 3);
        let mut whole = fresh();
        iterate(&mut whole, 3);
        let bytes = whole.save();
        let rest = iterate(&mut whole, 3);
        let mut resumed = fresh();
        resumed.load(&bytes).expect("the checkpoint is of this run");
        assert_eq!(resumed.save(), bytes);
        assert_eq!(iterate(&mut resumed, 3), rest);
        assert_eq!(resumed.save(), whole.save());
        assert!(resumed.is_done());
    }
}

#[test]
fn a_run_does_not_depend_on_the_number_of_threads() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut learner = learner(stateful(), &Tracking::new(), 6, 3);
            iterate(&mut learner, 6);
            learner.save()
        })
    };
    assert_eq!(run(1), run(2));
}

#[test]
fn a_checkpoint_of_another_run_or_trainer_is_refused_and_changes_nothing() {
    let mut ours = learner(stateful(), &Tracking::new(), 6, 3);
    iterate(&mut ours, 2);
    let before = ours.save();
    let other = learner(SacConfig { minibatch: 100, ..stateful() }, &Tracking::new(), 6, 3);
    assert!(matches!(ours.load(&other.save()), Err(Error::CheckpointMismatch { field: "settings", .. })));
    let other = learner(stateful(), &Tracking::new(), 6, 4);
    assert!(matches!(ours.load(&other.save()), Err(Error::CheckpointMismatch { field: "seed", .. })));
    let other = common::learner(
        seawall_training::PpoConfig { horizon: 20, minibatch: 40, ..Default::default() },
        seawall_training::Backend::Flex,
        &Tracking::new(),
        6,
        3,
    );
    assert!(matches!(ours.load(&other.save()), Err(Error::Checkpoint { .. })));
    assert!(matches!(ours.load(&before[..before.len() / 2]), Err(Error::Checkpoint { .. })));
    assert_eq!(ours.save(), before);
}
