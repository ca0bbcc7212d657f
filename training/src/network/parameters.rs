//! Weights of actor and critic in one flat vector.

use seawall_env::{Purpose, SeedTree};
use seawall_runtime::Gru;
use seawall_runtime::network::Layer;
use serde::{Deserialize, Serialize};

use super::init::orthogonal;
use crate::config::Head;

/// Gains of the orthogonal initialisation (Huang et al. 2022, detail 2).
const HIDDEN_GAIN: f64 = core::f64::consts::SQRT_2;
const ACTION_GAIN: f64 = 0.01;
const VALUE_GAIN: f64 = 1.0;
/// Of each gate's part of a memory, from the input and from the state.
const GATE_GAIN: f64 = 1.0;
/// First bias of the update gate: a new memory keeps three quarters of what it holds, so that gradients reach back
/// (Jozefowicz et al. 2015, "An empirical exploration of recurrent network architectures", §2.2).
const UPDATE_BIAS: f32 = 1.0;

/// Widths of both networks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Entries of an observation, `D`.
    pub observation: usize,
    /// Entries that only the critic sees behind the observation, `P`.
    pub privileged: usize,
    /// Entries of an action, `A`.
    pub action: usize,
    /// Units of the actor's memory and of the critic's, `H`; zero if they have none.
    pub memory: usize,
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
        pairs(self.remembered(self.observation), &self.actor_hidden, self.action)
    }

    /// Inputs and outputs of the layers of the actor's memory, from its input and from its state; none without one.
    #[must_use]
    pub fn actor_memory(&self) -> Vec<(usize, usize)> {
        self.gates(self.observation)
    }

    /// Inputs and outputs of the layers of the critic's memory; see [`Shape::actor_memory`].
    #[must_use]
    pub fn critic_memory(&self) -> Vec<(usize, usize)> {
        self.gates(self.seen_by_critic())
    }

    /// Entries that the critic sees, `D + P`.
    #[must_use]
    pub const fn seen_by_critic(&self) -> usize {
        self.observation + self.privileged
    }

    const fn remembered(&self, input: usize) -> usize {
        if self.memory == 0 { input } else { self.memory }
    }

    fn gates(&self, input: usize) -> Vec<(usize, usize)> {
        let sums = 3 * self.memory;
        if self.memory == 0 { Vec::new() } else { vec![(input, sums), (self.memory, sums)] }
    }

    /// Inputs and outputs of the critic's layers; the last gives the value.
    #[must_use]
    pub fn critic(&self) -> Vec<(usize, usize)> {
        pairs(self.remembered(self.seen_by_critic()), &self.critic_hidden, 1)
    }

    /// Number of parameters in all.
    #[must_use]
    pub fn len(&self) -> usize {
        let memories = size(&self.actor_memory()) + size(&self.critic_memory());
        memories + size(&self.actor()) + self.spread() + size(&self.critic())
    }

    /// Width of what the actor's last layer reads, `H`.
    #[must_use]
    pub fn features(&self) -> usize {
        self.actor_hidden.last().copied().unwrap_or(self.remembered(self.observation))
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

    /// Where the parameters of exploration start.
    fn log_std_at(&self) -> usize {
        size(&self.actor_memory()) + size(&self.actor())
    }

    /// Where the parameters of exploration stand.
    #[must_use]
    pub fn log_std_range(&self) -> core::ops::Range<usize> {
        let start = self.log_std_at();
        start..start + self.spread()
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
/// In this order, each layer as weight `[inputs, outputs]` then bias `[outputs]`: the actor's memory and layers, the
/// logarithms of the standard deviations `[A]` (see [`Shape::spread`]), the critic's memory and layers.
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
        remember(MEMORY_STREAM, &shape.actor_memory(), seeds, &mut flat);
        layers(0, &shape.actor(), ACTION_GAIN, &mut flat);
        flat.extend(core::iter::repeat_n(initial_log_std as f32, shape.spread()));
        remember(CRITIC_STREAM + MEMORY_STREAM, &shape.critic_memory(), seeds, &mut flat);
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
        let end = self.shape.log_std_at();
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

    /// Layers of the actor, from normalised observation, or from its memory, to mean action before squashing.
    #[must_use]
    pub fn actor(&self) -> Vec<Layer<'_>> {
        views(&self.flat[size(&self.shape.actor_memory())..], &self.shape.actor())
    }

    /// What the actor remembers by, if it does.
    #[must_use]
    pub fn actor_memory(&self) -> Option<Gru<'_>> {
        gru(&self.flat, &self.shape.actor_memory())
    }

    /// What the critic remembers by, if it does.
    #[must_use]
    pub fn critic_memory(&self) -> Option<Gru<'_>> {
        let start = self.shape.log_std_at() + self.shape.spread();
        gru(&self.flat[start..], &self.shape.critic_memory())
    }

    /// Layers of the critic, from what it sees, or from its memory, to value.
    #[must_use]
    pub fn critic(&self) -> Vec<Layer<'_>> {
        let critic = self.shape.critic();
        views(&self.flat[self.flat.len() - size(&critic)..], &critic)
    }

    /// Logarithms of the standard deviations before squashing, as many as [`Shape::spread`] says.
    #[must_use]
    pub fn log_std(&self) -> &[f32] {
        &self.flat[self.shape.log_std_range()]
    }
}

/// Stream of the critic's first layer; an actor never has that many layers.
const CRITIC_STREAM: u64 = 1 << 16;
/// Stream of the first gate of a memory, behind its network's own.
const MEMORY_STREAM: u64 = 1 << 15;

/// Draws a memory: each gate's matrix is orthogonal by itself, from a stream of its own.
fn remember(first_stream: u64, layers: &[(usize, usize)], seeds: SeedTree, flat: &mut Vec<f32>) {
    for (part, &(inputs, sums)) in (0..).zip(layers) {
        let units = sums / 3;
        let gates: Vec<Vec<f32>> = (0..3)
            .map(|gate| {
                let mut rng = seeds.stream(Purpose::Weights, first_stream + 3 * part + gate);
                orthogonal(inputs, units, GATE_GAIN, &mut rng)
            })
            .collect();
        for row in 0..inputs {
            gates.iter().for_each(|gate| flat.extend_from_slice(&gate[row * units..(row + 1) * units]));
        }
        let is_input = part == 0;
        flat.extend((0..sums).map(|k| if is_input && k / units == 1 { UPDATE_BIAS } else { 0.0 }));
    }
}

/// The memory at the front of a flat vector, if there is one.
fn gru<'a>(flat: &'a [f32], layers: &[(usize, usize)]) -> Option<Gru<'a>> {
    let mut views = views(flat, layers).into_iter();
    Some(Gru { input: views.next()?, state: views.next()? })
}

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
        Shape { observation: 3, action: 2, actor_hidden: vec![4, 5], critic_hidden: vec![6], ..Shape::default() }
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

    #[test]
    fn memories_stand_before_their_networks_and_privilege_widens_the_critic_alone() {
        let shape = Shape { memory: 7, privileged: 2, ..shape() };
        // Actor's memory (3 + 1 + 7 + 1)·21 = 252, critic's (5 + 1 + 7 + 1)·21 = 294, layers from 7 instead of 3 inputs.
        assert_eq!(shape.len(), 252 + (7 * 4 + 4 + 25 + 12) + 2 + 294 + (7 * 6 + 6 + 7));
        assert_eq!(shape.log_std_range(), 252 + 69..252 + 71);
        let parameters = Parameters::draw(shape.clone(), -0.7, SeedTree::new(1));
        assert_eq!(parameters.flat().len(), shape.len());
        let mut seen = Vec::new();
        let mut take = |layers: &[Layer<'_>]| layers.iter().for_each(|l| seen.extend([l.weight, l.bias].concat()));
        let [actor, critic] = [parameters.actor_memory().unwrap(), parameters.critic_memory().unwrap()];
        take(&[actor.input, actor.state]);
        take(&parameters.actor());
        take(&[Layer { weight: &[], bias: parameters.log_std() }]);
        take(&[critic.input, critic.state]);
        take(&parameters.critic());
        assert_eq!(seen, parameters.flat());
        assert_eq!([actor.input.inputs(), critic.input.inputs(), actor.units(), critic.units()], [3, 5, 7, 7]);
        // Three quarters are kept, and each gate of the state's part is orthogonal: its columns have length one.
        assert_eq!(actor.input.bias.iter().filter(|bias| bias.to_bits() == 1.0_f32.to_bits()).count(), 7);
        for column in 0..21 {
            let square: f32 = actor.state.weight.iter().skip(column).step_by(21).map(|w| w * w).sum();
            assert!((square - 1.0).abs() < 1e-5, "{square}");
        }
        assert!(parameters.log_std().iter().all(|x| x.to_bits() == (-0.7_f32).to_bits()));
    }
}
