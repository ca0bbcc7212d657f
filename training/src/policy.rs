//! A trained policy as plain data: what leaves this crate for evaluation and export.

use seawall_runtime::Gru;
use seawall_runtime::format::Activation;
use seawall_runtime::network::{self, Layer, Network};

/// Weights of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Width of what goes in.
    pub inputs: usize,
    /// Width of what comes out.
    pub outputs: usize,
    /// Row-major `[inputs, outputs]`.
    pub weight: Vec<f32>,
    /// `[outputs]`.
    pub bias: Vec<f32>,
}

impl Dense {
    /// Borrows the layer for the runtime.
    #[must_use]
    pub fn view(&self) -> Layer<'_> {
        Layer { weight: &self.weight, bias: &self.bias }
    }
}

impl Dense {
    /// Drops all outputs but the first `outputs`.
    pub(crate) fn keep(&mut self, outputs: usize) {
        self.weight = self.weight.chunks_exact(self.outputs).flat_map(|row| &row[..outputs]).copied().collect();
        self.bias.truncate(outputs);
        self.outputs = outputs;
    }
}

impl From<Layer<'_>> for Dense {
    fn from(layer: Layer<'_>) -> Self {
        Self {
            inputs: layer.inputs(),
            outputs: layer.outputs(),
            weight: layer.weight.to_vec(),
            bias: layer.bias.to_vec(),
        }
    }
}

/// A deterministic policy: `tanh(network(clip((observation − mean) · inverse_deviation)))`, where a memory may stand in
/// front of the network.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedPolicy {
    /// Mean of each observation entry, `[D]`.
    pub mean: Vec<f32>,
    /// Reciprocal of each observation entry's standard deviation, `[D]`.
    pub inverse_deviation: Vec<f32>,
    /// Where standardised observations are clipped; `f32::MAX` if they are not.
    pub clip: f32,
    /// What it remembers by, if it does: the layers of [`Gru`], from the input and from the state.
    pub memory: Option<[Dense; 2]>,
    /// What stands between the layers.
    pub hidden: Activation,
    /// Layers; the last one's output is squashed by `tanh`.
    pub layers: Vec<Dense>,
}

impl LearnedPolicy {
    /// Entries of an observation, `D`.
    #[must_use]
    pub fn observation_len(&self) -> usize {
        self.mean.len()
    }

    /// Entries of an action, `A`.
    ///
    /// # Panics
    /// If the policy has no layer.
    #[must_use]
    pub fn action_len(&self) -> usize {
        self.layers.last().expect("a policy has at least one layer").outputs
    }

    /// Entries of the state of an episode, `H`; none if nothing is remembered.
    #[must_use]
    pub fn state_len(&self) -> usize {
        self.memory.as_ref().map_or(0, |[_, state]| state.inputs)
    }

    /// The policy's actions, `[N, A]` in `[-1, 1]`, on raw observations, `[N, D]`, if it remembers nothing.
    ///
    /// # Panics
    /// If the shapes disagree, or the policy has a memory.
    pub fn act(&self, observations: &[f32], actions: &mut [f32]) {
        self.step(observations, &mut [], actions);
    }

    /// The policy's actions, `[N, A]` in `[-1, 1]`, on raw observations, `[N, D]`, which it takes into the states of their
    /// episodes, `[N, H]`; these start as zeros.
    ///
    /// # Panics
    /// If the shapes disagree.
    pub fn step(&self, observations: &[f32], states: &mut [f32], actions: &mut [f32]) {
        let rows = observations.len() / self.observation_len();
        let layers: Vec<_> = self.layers.iter().map(Dense::view).collect();
        let mut normalised = vec![0.0; observations.len()];
        network::normalise(observations, &self.mean, &self.inverse_deviation, self.clip, &mut normalised);
        assert_eq!(states.len(), rows * self.state_len(), "states must be [N, H]");
        if let Some([input, state]) = &self.memory {
            let gru = Gru { input: input.view(), state: state.view() };
            gru.step(&normalised, rows, &mut vec![0.0; gru.scratch_len(rows)], states);
        }
        let read: &[f32] = if self.memory.is_some() { states } else { &normalised };
        let mut scratch = vec![0.0; network::scratch_len(&layers, rows)];
        Network { layers: &layers, hidden: self.hidden }.forward(read, rows, &mut scratch, actions);
        for action in actions {
            *action = network::tanh(*action);
        }
    }
}
