//! A critic that sees more than its actor.

mod common;

use common::{Corridor, learner};
use seawall_env::Status;
use seawall_training::network::{Parameters, Shape};
use seawall_training::ppo::gradient::Differentiator;
use seawall_training::ppo::loss::{Minibatch, Objective};
use seawall_training::{Backend, Gradient, Head, PpoConfig, Trainer};

fn config(asymmetric_critic: bool) -> PpoConfig {
    PpoConfig {
        total_steps: 30_000,
        horizon: 24,
        minibatch: 96,
        epochs: 5,
        actor_hidden: vec![8],
        critic_hidden: vec![16],
        // Little exploration: the actor stays to the right, where which sign it meets is most of what it gets.
        initial_log_std: -4.0,
        learning_rate: 3e-3,
        discount: 1.0,
        asymmetric_critic,
        ..PpoConfig::default()
    }
}

/// Explained variance of returns at the end of training, and entries that the policy observes.
fn trained(asymmetric_critic: bool) -> (f64, usize) {
    let mut learner = learner(config(asymmetric_critic), Backend::Flex, &Corridor::new(4, Status::Terminated), 16, 2);
    // A policy that leans to one side, so that the sign matters to it.
    learner.start_at(&[0.7]);
    let mut explained = 0.0;
    for _ in 0..12 {
        let iteration = learner.iterate(&mut ()).expect("numbers are finite");
        let found = iteration.metrics.iter().find(|(name, _)| *name == "explained_variance");
        explained = found.expect("it is always logged").1;
    }
    (explained, learner.policy().observation_len())
}

#[test]
fn a_privileged_critic_explains_what_the_actor_cannot_know_and_the_policy_does_not_see_it() {
    let (with, seen_with) = trained(true);
    let (without, seen_without) = trained(false);
    assert_eq!((seen_with, seen_without), (2, 2));
    assert!(with > without + 0.2 && with > 0.7, "{with} against {without}");
}

#[test]
fn both_gradients_agree_where_the_critic_sees_more() {
    let shape = Shape {
        observation: 3,
        privileged: 2,
        action: 2,
        actor_hidden: vec![5],
        critic_hidden: vec![7],
        ..Shape::default()
    };
    let wave = |count: usize, pace: u16| -> Vec<f32> {
        (0_u16..).take(count).map(|k| f32::from(k * pace % 31) / 15.0 - 1.0).collect()
    };
    let rows = 130;
    let minibatch = Minibatch {
        observation: wave(rows * 3, 7),
        critic_observation: wave(rows * 5, 11),
        action: wave(rows * 2, 13),
        log_density: vec![-1.8; rows],
        advantage: wave(rows, 5),
        returns: wave(rows, 3),
        value: wave(rows, 9),
        ..Minibatch::default()
    };
    let parameters = Parameters::draw(shape.clone(), -0.3, seawall_env::SeedTree::new(4));
    for imitates in [false, true] {
        let objective = Objective {
            clip: 0.2,
            value_clip: None,
            value_weight: 0.5,
            entropy_weight: 0.01,
            head: Head::Gaussian,
            imitates,
        };
        let evaluate = |gradient| {
            let mut output = vec![f32::NAN; shape.len()];
            let mut way = Differentiator::new(gradient, Backend::Flex, &shape);
            let total = way.evaluate(&parameters, &minibatch, &objective, &mut output).total;
            (total, output)
        };
        let (fused, autodiff) = (evaluate(Gradient::Fused), evaluate(Gradient::Autodiff));
        assert!((fused.0 - autodiff.0).abs() < 1e-5, "{} against {}", fused.0, autodiff.0);
        for (index, (a, b)) in fused.1.iter().zip(&autodiff.1).enumerate() {
            assert!((a - b).abs() < 1e-5 * b.abs().max(1.0), "{imitates}, parameter {index}: {a} against {b}");
        }
    }
}
