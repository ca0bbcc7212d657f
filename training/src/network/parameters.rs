//! Weights of actor and critic in one flat vector.

use seawall_env::{Purpose, SeedTree};
use seawall_runtime::network::Layer;
use serde::{Deserialize, Serialize};

use super::init::orthogonal;
use crate::config::Head;

/// Gains of the orthogonal initialisation (Huang et al. 2022, detail 2).
const HIDDEN_GAIN: f64 = core::f64::consts::SQRT_2;
const ACTION_GAIN: f64 = 0.01;
const VALUE_GAIN: f64 = 1.0;

/// Widths of both networks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Entries of an observation, `D`.
    pub observation: usize,
    /// Entries of an action, `A`.
    pub action: usize,
    /// Units of the actor's hidden layers.
    pub actor_hidden: Vec<usize>,
    /// Units of the critic's hidden layers.
    pub critic_hidden: Vec<usize>,
    /// What the actor's outputs mean.
    pub head: Head,
}

impl Shape {
    /// Inputs and outputs of the actor's layers; the last gives the mean action before squashing.
    #[must_use]
    pub fn actor(&self) -> Vec<(usize, usize)> {
        pairs(self.observation, &self.actor_hidden, self.action)
    }

    /// Inputs and outputs of the critic's layers; the last gives the value.
    #[must_use]
    pub fn critic(&self) -> Vec<(usize, usize)> {
        pairs(self.observation, &self.critic_hidden, 1)
    }

    /// Number of parameters in all.
    #[must_use]
    pub fn len(&self) -> usize {
        size(&self.actor()) + self.spread() + size(&self.critic())
    }

    /// Width of what the actor's last layer reads, `H`.
    #[must_use]
    pub fn features(&self) -> usize {
        self.actor_hidden.last().copied().unwrap_or(self.observation)
    }

    /// Parameters of exploration: one for each entry of the action, or `[H, A]` for state-dependent noise, or none for
    /// choices.
    #[must_use]
    pub fn spread(&self) -> usize {
        match self.head {
            Head::Gaussian | Head::Beta => self.action,
            Head::StateDependent => self.features() * self.action,
            Head::Categorical => 0,
        }
    }

    /// Never: every layer has parameters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Inputs and outputs of each layer of a network.
pub(crate) fn pairs(first: usize, hidden: &[usize], last: usize) -> Vec<(usize, usize)> {
    let inputs = core::iter::once(first).chain(hidden.iter().copied());
    inputs.zip(hidden.iter().copied().chain([last])).collect()
}

/// Number of weights and biases of some layers.
pub(crate) fn size(layers: &[(usize, usize)]) -> usize {
    layers.iter().map(|(inputs, outputs)| (inputs + 1) * outputs).sum()
}

/// Parameters of actor, exploration and critic.
///
/// # Shapes
/// In this order, each layer as weight `[inputs, outputs]` then bias `[outputs]`: the actor's layers, the logarithms
/// of the standard deviations `[A]` (see [`Shape::spread`]), the critic's layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    shape: Shape,
    flat: Vec<f32>,
}

impl Parameters {
    /// Draws orthogonal weights from the tree's weight streams; biases are zero.
    ///
    /// Each layer has its own stream, so a wider critic leaves the actor as it was.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
    pub fn draw(shape: Shape, initial_log_std: f64, seeds: SeedTree) -> Self {
        let mut flat = Vec::with_capacity(shape.len());
        let layers = |first_stream: u64, widths: &[(usize, usize)], last_gain: f64, flat: &mut Vec<f32>| {
            for (index, (stream, &(inputs, outputs))) in (first_stream..).zip(widths).enumerate() {
                let gain = if index + 1 == widths.len() { last_gain } else { HIDDEN_GAIN };
                flat.extend(orthogonal(inputs, outputs, gain, &mut seeds.stream(Purpose::Weights, stream)));
                flat.extend(core::iter::repeat_n(0.0, outputs));
            }
        };
        layers(0, &shape.actor(), ACTION_GAIN, &mut flat);
        flat.extend(core::iter::repeat_n(initial_log_std as f32, shape.spread()));
        layers(CRITIC_STREAM, &shape.critic(), VALUE_GAIN, &mut flat);
        Self { shape, flat }
    }

    /// Makes `action`, `[A]` in `[-1, 1]`, the mean action whatever is observed, but for the small weights of the last
    /// layer. Entries beyond ±0.9 are pulled in to there, where squashing still lets a gradient through.
    ///
    /// # Panics
    /// If `action` does not have one entry per action.
    pub fn start_at(&mut self, action: &[f32]) {
        assert_eq!(action.len(), self.shape.action, "one entry per action");
        let end = size(&self.shape.actor());
        for (bias, entry) in self.flat[end - action.len()..end].iter_mut().zip(action) {
            *bias = libm::atanhf(entry.clamp(-0.9, 0.9));
        }
    }

    /// Wraps a flat vector.
    ///
    /// # Panics
    /// If `flat` does not have as many entries as `shape` says.
    #[must_use]
    pub fn from_flat(shape: Shape, flat: Vec<f32>) -> Self {
        assert_eq!(flat.len(), shape.len(), "as many parameters as the shape says");
        Self { shape, flat }
    }

    /// Widths of both networks.
    #[must_use]
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// All parameters.
    #[must_use]
    pub fn flat(&self) -> &[f32] {
        &self.flat
    }

    /// All parameters, to be changed.
    pub fn flat_mut(&mut self) -> &mut [f32] {
        &mut self.flat
    }

    /// Layers of the actor, from normalised observation to mean action before squashing.
    #[must_use]
    pub fn actor(&self) -> Vec<Layer<'_>> {
        views(&self.flat, &self.shape.actor())
    }

    /// Layers of the critic, from normalised observation to value.
    #[must_use]
    pub fn critic(&self) -> Vec<Layer<'_>> {
        let critic = self.shape.critic();
        views(&self.flat[self.flat.len() - size(&critic)..], &critic)
    }

    /// Logarithms of the standard deviations before squashing, as many as [`Shape::spread`] says.
    #[must_use]
    pub fn log_std(&self) -> &[f32] {
        let start = size(&self.shape.actor());
        &self.flat[start..start + self.shape.spread()]
    }
}

/// Stream of the critic's first layer; an actor never has that many layers.
const CRITIC_STREAM: u64 = 1 << 16;

/// Layers over a flat vector, each weight `[inputs, outputs]` then bias `[outputs]`.
pub(crate) fn views<'a>(mut flat: &'a [f32], widths: &[(usize, usize)]) -> Vec<Layer<'a>> {
    let mut take = |count: usize| {
        let (head, tail) = flat.split_at(count);
        flat = tail;
        head
    };
    widths.iter().map(|&(inputs, outputs)| Layer { weight: take(inputs * outputs), bias: take(outputs) }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::run;
    use super::*;

    fn shape() -> Shape {
        Shape { observation: 3, action: 2, actor_hidden: vec![4, 5], critic_hidden: vec![6], head: Head::Gaussian }
    }

    #[test]
    fn views_cover_the_flat_vector_in_the_documented_order() {
        let shape = shape();
        // Actor 3·4+4 + 4·5+5 + 5·2+2 = 53, deviations 2, critic 3·6+6 + 6·1+1 = 31.
        assert_eq!(shape.len(), 86);
        let flat: Vec<f32> = (0..86_u8).map(f32::from).collect();
        let parameters = Parameters::from_flat(shape, flat.clone());
        let mut seen = Vec::new();
        for layer in parameters.actor() {
            seen.extend_from_slice(layer.weight);
            seen.extend_from_slice(layer.bias);
        }
        seen.extend_from_slice(parameters.log_std());
        for layer in parameters.critic() {
            seen.extend_from_slice(layer.weight);
            seen.extend_from_slice(layer.bias);
        }
        assert_eq!(seen, flat);
        assert_eq!(parameters.actor().iter().map(Layer::inputs).collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!(parameters.critic().iter().map(Layer::outputs).collect::<Vec<_>>(), [6, 1]);
    }

    #[test]
    fn a_policy_starts_at_the_action_it_is_given() {
        let mut parameters = Parameters::draw(shape(), 0.0, SeedTree::new(3));
        let wanted: Vec<f32> = (0..shape().action).map(|k| if k == 0 { -1.0 } else { 0.3 }).collect();
        parameters.start_at(&wanted);
        let mean = run(&parameters.actor(), &vec![0.0; shape().observation]);
        for (mean, wanted) in mean.iter().zip(&wanted) {
            assert!((libm::tanhf(*mean) - wanted.clamp(-0.9, 0.9)).abs() < 1e-4, "{mean} for {wanted}");
        }
    }

    #[test]
    fn draws_depend_on_the_seed_and_the_layer_alone() {
        let draw = |critic_hidden: Vec<usize>, seed| {
            Parameters::draw(Shape { critic_hidden, ..shape() }, -0.7, SeedTree::new(seed))
        };
        let (a, b) = (draw(vec![6], 1), draw(vec![32, 32], 1));
        assert_eq!(a.flat()[..55], b.flat()[..55]);
        assert_ne!(a, draw(vec![6], 2));
        assert_eq!(a.log_std(), [-0.7, -0.7]);
        assert!(a.actor()[2].weight.iter().all(|w| w.abs() <= 0.01));
        assert!(a.actor().iter().chain(&a.critic()).all(|layer| layer.bias.iter().all(|b| *b == 0.0)));
    }
}
