//! Bounds on costs, where the best multiplier is known.

use seawall_env::{Env, Error, SeedTree, Spec, Status, Step, VecEnv};
use seawall_training::{
    Backend, Gradient, Head, LagrangianConfig, Learner, Measure, PpoConfig, RewardTransform, Trainer,
};

/// Two arms, one pull: the first pays one and costs one, the second neither. With a bound below one on the mean cost the
/// first arm is pulled as often as the bound allows, and a multiplier of one makes both arms alike.
#[derive(Clone, Debug)]
struct Arms {
    spec: Spec,
    terms: [f64; 2],
}

impl Arms {
    fn new() -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let spec = Spec {
            observation: names(&["nothing"]),
            action: names(&["first", "second"]),
            reward: names(&["paid", "cost"]),
        };
        Self { spec, terms: [0.0; 2] }
    }
}

impl Env for Arms {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, _: u64, observation: &mut [f32]) {
        observation.fill(0.0);
    }

    fn step(&mut self, action: &[f32], observation: &mut [f32]) -> Step {
        let pulled = f64::from(u8::from(action[0] > 0.0));
        self.terms = [pulled, pulled];
        observation.fill(0.0);
        Step { reward: pulled, status: Status::Terminated }
    }

    fn reward_terms(&self) -> &[f64] {
        &self.terms
    }

    fn save(&self) -> Vec<u8> {
        postcard::to_stdvec(&self.terms).expect("a test's own memory")
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.terms = postcard::from_bytes(bytes)?;
        Ok(())
    }
}

fn config(lagrangian: LagrangianConfig) -> PpoConfig {
    PpoConfig {
        total_steps: 300 * 256,
        horizon: 16,
        minibatch: 64,
        epochs: 2,
        actor_hidden: vec![4],
        critic_hidden: vec![4],
        head: Head::Categorical,
        gradient: Gradient::Autodiff,
        learning_rate: 3e-3,
        learning_rate_end: 3e-3,
        entropy_weight: 0.01,
        reward_transform: RewardTransform::None,
        observation_normalisation: false,
        warmup: 0,
        lagrangian,
        ..PpoConfig::default()
    }
}

/// Multiplier at the start. From zero the first arm would be pulled always at once, where the tail's mean is flat: a tail
/// that costs one throughout costs no more if it is pulled more often.
const START: f64 = 1.5;

/// Multiplier and share of the first arm, both as means over the second half of training.
fn trained(measure: Measure, bound: f64, seed: u64) -> (f64, f64) {
    let lagrangian = LagrangianConfig {
        cost: "cost".to_owned(),
        measure,
        bound,
        multiplier: START,
        proportional: 2.0,
        integral: 0.02,
        derivative: 0.0,
        episodes: 256,
        ..LagrangianConfig::default()
    };
    let seeds = SeedTree::new(seed);
    let envs = VecEnv::new(vec![Arms::new(); 16], seeds);
    let mut learner = Learner::new(config(lagrangian), Backend::Flex, envs, seeds).expect("valid settings");
    let (mut multiplier, mut share, mut count) = (0.0, 0.0, 0.0);
    while !learner.is_done() {
        let iteration = learner.iterate(&mut ()).expect("numbers are finite");
        if learner.steps_done() > learner.total_steps() / 2 {
            let found = iteration.metrics.iter().find(|(name, _)| *name == "multiplier");
            multiplier += found.expect("it is logged under a bound").1;
            let episodes = &iteration.episodes;
            share += episodes.iter().map(|episode| episode.total_reward).sum::<f64>() / 256.0;
            count += 1.0;
        }
    }
    (multiplier / count, share / count)
}

#[test]
fn the_multiplier_finds_its_known_optimum_for_every_measure() {
    for (measure, bound, best) in [
        // Mean cost 0.3: both arms are alike at a multiplier of one.
        (Measure::Mean, 0.3, 1.0),
        // At most 0.3 of the episodes cost more than a half: the penalty is one, as the cost.
        (Measure::Quantile(0.7), 0.5, 1.0),
        // The worst four fifths cost 1.25 times the share pulled: 0.375 at 0.3, and a pull is penalised by 1.25.
        (Measure::Cvar(0.8), 0.375, 0.8),
    ] {
        let (multiplier, share) = trained(measure, bound, 1);
        assert!((multiplier - best).abs() < 0.05 * best, "{measure:?}: multiplier {multiplier} instead of {best}");
        assert!((share - 0.3).abs() < 0.05, "{measure:?}: {share}");
    }
}

#[test]
fn a_bound_that_does_not_bind_costs_nothing() {
    let (multiplier, share) = trained(Measure::Mean, 1.5, 1);
    assert!(multiplier.abs() < 1e-12 && share > 0.95, "{multiplier}, {share}");
}

#[test]
fn a_cost_that_the_environment_does_not_have_is_refused() {
    let lagrangian = LagrangianConfig { cost: "luck".to_owned(), ..LagrangianConfig::default() };
    let envs = VecEnv::new(vec![Arms::new(); 16], SeedTree::new(1));
    let error = Learner::new(config(lagrangian), Backend::Flex, envs, SeedTree::new(1)).unwrap_err().to_string();
    assert!(error.contains("lagrangian.cost") && error.contains("paid, cost"), "{error}");
}
