//! Trainers against the figures that Stable-Baselines3 and its zoo of tuned settings reach on classic control.
//!
//! Every figure is the mean return of the deterministic policy over Gymnasium's starts for the reset seeds 10000 to
//! 10099. All tests are ignored by default, because they take minutes and mean nothing without optimisation:
//!
//! - `cargo test --release -p seawall-training --test gates -- --ignored short` is the short form, which `.ci/run` has;
//! - `cargo test --release -p seawall-training --test gates -- --ignored full --test-threads 1 --nocapture` runs
//!   everything, and prints the figure of every seed.
//!
//! # Reference
//! RL Zoo (`hyperparams/{ppo,sac}.yml` and its benchmark table). PPO: CartPole-v1 500 ± 0 and Pendulum-v1 −172 ± 104
//! after 100,000 steps; SAC: Pendulum-v1 −157 ± 89 after 20,000, MountainCarContinuous-v0 94.7 ± 1.1 after 50,000.
//!
//! README.md says which of them are met.

use seawall_env::{SeedTree, VecEnv};
use seawall_training::classic::{CartPole, Classic, Dynamics, MountainCar, Pendulum};
use seawall_training::cma_es::CmaEsConfig;
use seawall_training::sac::{self, Exploration, SacConfig, Temperature};
use seawall_training::search::{Form, NetworkForm, SearchConfig, Searcher, Strategy, episode_seeds};
use seawall_training::{Backend, Gradient, Head, Learner, Limit, PpoConfig, RewardTransform, Trainer};

fn finish(learner: &mut dyn Trainer) {
    while !learner.is_done() {
        learner.iterate(&mut ()).expect("classic control is finite");
    }
}

/// The mean return over the fixed starts.
#[expect(clippy::cast_precision_loss, clippy::print_stdout, reason = "a hundred starts, and a figure for whoever asks")]
fn judge<D: Dynamics>(what: &str, seed: u64, act: impl FnMut(&[f32], &mut [f32])) -> f64 {
    let returns = Classic::<D>::judge(act);
    let mean = returns.iter().sum::<f64>() / returns.len() as f64;
    println!("{what} on {}, seed {seed}: {mean:.1}", D::NAME);
    mean
}

fn ppo<D: Dynamics>(config: PpoConfig, count: usize, seed: u64) -> f64 {
    let config = PpoConfig {
        gradient: Gradient::Autodiff,
        kl_limit: Limit::Off,
        observation_normalisation: false,
        reward_transform: RewardTransform::None,
        ..config
    };
    let mut learner =
        Learner::new(config, Backend::Flex, envs::<D>(count, seed), SeedTree::new(seed)).expect("valid settings");
    finish(&mut learner);
    judge::<D>("PPO", seed, |observation, action| learner.decide(observation, action))
}

fn ppo_cart_pole(seed: u64) -> f64 {
    let config = PpoConfig {
        total_steps: 100_000,
        horizon: 32,
        minibatch: 256,
        epochs: 20,
        head: Head::Categorical,
        learning_rate: 1e-3,
        // The zoo's goes to zero, which is no clip; the last update is made at one part in 390 of the first.
        clip_end: 1e-4,
        discount: 0.98,
        trace_decay: 0.8,
        ..PpoConfig::default()
    };
    ppo::<CartPole>(config, 8, seed)
}

fn ppo_pendulum(seed: u64) -> f64 {
    let config = PpoConfig {
        total_steps: 100_000,
        horizon: 1_024,
        minibatch: 64,
        head: Head::StateDependent,
        noise_interval: 4,
        initial_log_std: 0.0,
        learning_rate: 1e-3,
        learning_rate_end: 1e-3,
        discount: 0.9,
        ..PpoConfig::default()
    };
    ppo::<Pendulum>(config, 4, seed)
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
    finish(&mut learner);
    let policy = learner.policy();
    judge::<Pendulum>("SAC", seed, |observation, action| policy.act(observation, action))
}

fn sac_mountain_car(seed: u64) -> f64 {
    let config = SacConfig {
        total_steps: 50_000,
        // Whole rounds of 32: 50,016 steps, where Stable-Baselines3 stops too.
        horizon: 16_672,
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
    finish(&mut learner);
    let policy = learner.policy();
    judge::<MountainCar>("SAC", seed, |observation, action| policy.act(observation, action))
}

/// A search over networks with these hidden layers, from zero: its centre is judged.
fn search<D: Dynamics>(config: SearchConfig, hidden: &[usize], seed: u64) -> f64 {
    let form = NetworkForm::new(D::OBSERVATION.len(), hidden, D::ACTION.len());
    let (what, start) = (config.algorithm.name(), vec![0.0; form.dimension()]);
    let episodes = config.episodes;
    let mut search =
        Searcher::new(config, form.clone(), vec![Classic::<D>::new()], &start, SeedTree::new(seed)).expect("valid");
    while !search.is_done() {
        let seeds = episode_seeds(SeedTree::new(seed), search.generation(), 1, episodes);
        search.iterate(&seeds).expect("classic control is finite");
    }
    let policy = form.network(search.strategy().centre(), search.normaliser());
    judge::<D>(what, seed, |observation, action| policy.act(observation, action))
}

fn cma_es(total_steps: u64, episodes: usize) -> SearchConfig {
    let cma_es = CmaEsConfig { step_size: 1.0, ..CmaEsConfig::default() };
    SearchConfig { total_steps, episodes, cma_es, ..SearchConfig::default() }
}

#[test]
#[ignore = "seconds with optimisation; .ci/run"]
fn short_ppo_balances_the_pole() {
    for seed in 0..2 {
        let mean = ppo_cart_pole(seed);
        assert!(mean >= 495.0, "seed {seed}: {mean}");
    }
}

#[test]
#[ignore = "a minute with optimisation; by command"]
fn full_ppo_balances_the_pole_with_every_seed() {
    for seed in 0..6 {
        let mean = ppo_cart_pole(seed);
        assert!(mean >= 495.0, "seed {seed}: {mean}");
    }
}

#[test]
#[ignore = "minutes with optimisation; by command"]
fn full_ppo_swings_the_pendulum_up_with_every_seed() {
    let mut means: Vec<f64> = (0..10).map(ppo_pendulum).collect();
    means.sort_by(f64::total_cmp);
    assert!(means[0] >= -185.0, "{means:?}");
    assert!(f64::midpoint(means[4], means[5]) > -170.0, "{means:?}");
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

#[test]
#[ignore = "a second with optimisation; .ci/run"]
fn short_cma_es_balances_the_pole_with_every_seed() {
    for seed in 0..6 {
        let mean = search::<CartPole>(cma_es(50_000, 1), &[], seed);
        assert!(mean >= 495.0, "seed {seed}: {mean}");
    }
}

/// Figures and no gate: what the gradient-free family makes of the other tasks, with the steps that RL Zoo gives its own.
#[test]
#[ignore = "seconds with optimisation; by command"]
fn full_cma_es_on_the_same_tasks() {
    for seed in 0..6 {
        search::<Pendulum>(cma_es(2_000_000, 4), &[16], seed);
        search::<MountainCar>(cma_es(500_000, 1), &[], seed);
    }
}
