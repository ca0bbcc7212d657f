//! Acting: one step of every environment, into the memory.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use seawall_env::rng::{normal_quantile, open_unit};
use seawall_env::{Env, VecEnv};
use serde::{Deserialize, Serialize};

use super::config::Exploration;
use super::head::{Drawn, Head, Noise, Outputs};
use super::networks::Networks;
use crate::network::run_with;
use crate::normaliser::ObservationNormaliser;

/// Noise that exploration is made of, and how long it has stood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Explorer {
    rng: ChaCha8Rng,
    /// Steps since state-dependent noise was drawn.
    age: usize,
    /// State-dependent noise of each environment, `[B][H, A]`.
    weights: Vec<Vec<f32>>,
}

impl Explorer {
    pub(super) const fn new(rng: ChaCha8Rng) -> Self {
        Self { rng, age: 0, weights: Vec::new() }
    }

    /// Uniformly random actions, `[count]`.
    #[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
    pub(super) fn uniform(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| (2.0 * open_unit(self.rng.next_u64()) - 1.0) as f32).collect()
    }

    /// Actions of the stochastic policy on the environments' observations, `[B, A]`; draws state-dependent noise
    /// anew every `interval` steps.
    pub(super) fn act<E: Env>(
        &mut self,
        networks: &Networks,
        normaliser: &ObservationNormaliser,
        envs: &VecEnv<E>,
        interval: usize,
    ) -> Vec<f32> {
        let shape = networks.shape();
        let mut input = vec![0.0; envs.observations().len()];
        normaliser.apply(envs.observations(), &mut input);
        let layers = networks.actor();
        let hidden = shape.actor_activation.into();
        let (last, before) = layers.split_last().expect("a network has at least one layer");
        let mut head = Head::new(shape);
        head.load(networks.log_std());
        let mut drawn = Drawn::default();
        match shape.exploration {
            Exploration::Gaussian => {
                let outputs = run_with(hidden, &layers, &input);
                let noise = Noise::Rows(normals(&mut self.rng, envs.len() * shape.action));
                head.draw(&(0..envs.len()), Outputs { last: &outputs, features: &[] }, &noise, &mut drawn);
                drawn.action
            }
            Exploration::StateDependent => {
                self.redraw(envs.len(), shape.features() * shape.action, interval);
                let mut features = run_with(hidden, before, &input);
                hidden.apply(&mut features);
                let outputs = run_with(hidden, core::slice::from_ref(last), &features);
                let rows = outputs.chunks_exact(shape.action).zip(features.chunks_exact(shape.features()));
                let mut actions = Vec::with_capacity(outputs.len());
                for ((last, features), weights) in rows.zip(&mut self.weights) {
                    let noise = Noise::Matrix(core::mem::take(weights));
                    head.draw(&(0..1), Outputs { last, features }, &noise, &mut drawn);
                    actions.extend_from_slice(&drawn.action);
                    let Noise::Matrix(back) = noise else { unreachable!("it was just made") };
                    *weights = back;
                }
                actions
            }
        }
    }

    fn redraw(&mut self, environments: usize, weights: usize, interval: usize) {
        if self.weights.is_empty() || self.age == interval {
            self.weights = (0..environments).map(|_| normals(&mut self.rng, weights)).collect();
            self.age = 0;
        }
        self.age += 1;
    }
}

/// Standard normal numbers.
#[expect(clippy::cast_possible_truncation, reason = "learning is single precision")]
pub(super) fn normals(rng: &mut ChaCha8Rng, count: usize) -> Vec<f32> {
    (0..count).map(|_| normal_quantile(open_unit(rng.next_u64())) as f32).collect()
}
