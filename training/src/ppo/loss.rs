//! The objective of one minibatch, as burn operations.

use burn::tensor::{Device, Tensor, TensorData};

use super::density::Density;
use crate::config::Head;
use crate::network::{Sequences, Tensors};

/// One minibatch on the host.
///
/// # Shapes
/// Row-major; `N` samples.
#[derive(Clone, Debug, Default)]
pub struct Minibatch {
    /// Normalised observations, `[N, D]`.
    pub observation: Vec<f32>,
    /// What the critic sees, `[N, D + P]`; empty if it sees what the actor does.
    pub critic_observation: Vec<f32>,
    /// How rows follow one another, where networks remember.
    pub sequences: Sequences,
    /// Actions before squashing, or points of `(0, 1)`, or choices as zeros and a one, `[N, A]`.
    pub action: Vec<f32>,
    /// Log-density of `action` under the rollout's policy, `[N]`.
    pub log_density: Vec<f32>,
    /// Advantages as the surrogate uses them, `[N]`.
    pub advantage: Vec<f32>,
    /// What the value is to predict, `[N]`.
    pub returns: Vec<f32>,
    /// The rollout's values, `[N]`.
    pub value: Vec<f32>,
}

/// Weights and clips of the objective.
#[derive(Clone, Copy, Debug)]
pub struct Objective {
    /// Clip range of the probability ratio.
    pub clip: f64,
    /// Clip range of the value's change, if any.
    pub value_clip: Option<f64>,
    /// Weight of the mean squared value error.
    pub value_weight: f64,
    /// Weight of the entropy: the Gaussian's before squashing, or that of the choices, or of the beta distribution.
    pub entropy_weight: f64,
    /// What the actor's outputs mean.
    pub head: Head,
    /// Whether actions are imitated: their log-density is maximised in the place of the surrogate.
    pub imitates: bool,
}

/// The objective and its parts, each a tensor of one element but for the first.
#[derive(Debug)]
pub struct Loss {
    /// Logarithm of the probability ratio of each sample, `[N]`.
    pub log_ratio: Tensor<1>,
    /// Clipped surrogate, or mean log-density where actions are imitated, negated.
    pub policy: Tensor<1>,
    /// Mean squared value error, or the larger of the plain and the clipped one.
    pub value: Tensor<1>,
    /// What to minimise: `policy + value_weight · value − entropy_weight · entropy`.
    pub total: Tensor<1>,
}

impl Loss {
    /// Evaluates the objective on one minibatch; takes its buffers.
    ///
    /// # Reference
    /// Schulman et al. 2017 (arXiv:1707.06347), eqs. 7 and 9. The ratio of squashed densities is that of the
    /// Gaussians before squashing, since both share the Jacobian.
    ///
    /// # Panics
    /// If the shapes disagree.
    #[must_use]
    pub fn new(network: &Tensors, minibatch: Minibatch, objective: &Objective, device: &Device) -> Self {
        let samples = minibatch.advantage.len();
        let vector = |values: Vec<f32>| Tensor::<1>::from_data(TensorData::new(values, [samples]), device);
        let matrix = |values: Vec<f32>| {
            let width = values.len() / samples;
            Tensor::<2>::from_data(TensorData::new(values, [samples, width]), device)
        };
        let observation = matrix(minibatch.observation);
        let critic_observation = match minibatch.critic_observation {
            seen if seen.is_empty() => observation.clone(),
            seen => matrix(seen),
        };
        let actor_input = network.remembered_by_actor(observation, &minibatch.sequences);
        let critic_input = network.remembered_by_critic(critic_observation, &minibatch.sequences);

        let action = matrix(minibatch.action);
        let density = Density::new(objective.head, network, actor_input, action, device);
        let Density { log_density, entropy } = density;
        let log_ratio = log_density.clone() - vector(minibatch.log_density);
        let policy = if objective.imitates {
            log_density.mean().neg()
        } else {
            let ratio = log_ratio.clone().exp();
            let advantage = vector(minibatch.advantage);
            let clipped = ratio.clone().clamp(1.0 - objective.clip, 1.0 + objective.clip) * advantage.clone();
            (ratio * advantage).min_pair(clipped).mean().neg()
        };

        let value = network.value(critic_input);
        let returns = vector(minibatch.returns);
        let error = value.clone() - returns.clone();
        let mut squared = error.clone() * error;
        if let Some(clip) = objective.value_clip {
            let old = vector(minibatch.value);
            let clipped = old.clone() + (value - old).clamp(-clip, clip) - returns;
            squared = squared.max_pair(clipped.clone() * clipped);
        }
        let value = squared.mean();

        // The entropy's constant part has no gradient.
        let total = policy.clone() + value.clone().mul_scalar(objective.value_weight)
            - entropy.mul_scalar(objective.entropy_weight);
        Self { log_ratio, policy, value, total }
    }
}
