//! Weights of the actor, the critics and the critics that targets come from.

use rand_chacha::ChaCha8Rng;
use seawall_env::{Purpose, SeedTree};
use seawall_runtime::network::Layer;

use super::config::{ActorActivation, CriticKind, Exploration};
use crate::network::{pairs, size, uniform, views};

/// Widths of all networks, and what their outputs mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SacShape {
    /// Entries of an observation, `D`.
    pub observation: usize,
    /// Entries of an action, `A`.
    pub action: usize,
    /// Units of the actor's hidden layers.
    pub actor_hidden: Vec<usize>,
    /// What stands between the actor's layers.
    pub actor_activation: ActorActivation,
    /// Units of each critic's hidden layers.
    pub critic_hidden: Vec<usize>,
    /// What the critics estimate.
    pub critic: CriticKind,
    /// Where exploration comes from.
    pub exploration: Exploration,
}

impl SacShape {
    /// Inputs and outputs of the actor's layers. The last gives the mean action before squashing, `[A]`, and behind it,
    /// if exploration is Gaussian, the logarithm of its deviation, `[A]`.
    #[must_use]
    pub fn actor(&self) -> Vec<(usize, usize)> {
        let outputs = match self.exploration {
            Exploration::Gaussian => 2 * self.action,
            Exploration::StateDependent => self.action,
        };
        pairs(self.observation, &self.actor_hidden, outputs)
    }

    /// Inputs and outputs of a critic's layers; the first reads an observation and then an action.
    #[must_use]
    pub fn critic(&self) -> Vec<(usize, usize)> {
        pairs(self.observation + self.action, &self.critic_hidden, self.critic.outputs())
    }

    /// Width of what the actor's last layer reads, `H`.
    #[must_use]
    pub fn features(&self) -> usize {
        self.actor_hidden.last().copied().unwrap_or(self.observation)
    }

    /// Parameters of the actor's layers.
    #[must_use]
    pub fn actor_layers_len(&self) -> usize {
        size(&self.actor())
    }

    /// All parameters of the actor: the layers, and behind them the logarithms of the deviations of state-dependent
    /// noise, `[H, A]`.
    #[must_use]
    pub fn actor_len(&self) -> usize {
        let spread = match self.exploration {
            Exploration::Gaussian => 0,
            Exploration::StateDependent => self.features() * self.action,
        };
        self.actor_layers_len() + spread
    }

    /// Parameters of one critic.
    #[must_use]
    pub fn critic_len(&self) -> usize {
        size(&self.critic())
    }
}

/// Parameters of every network, flat, each layer as weight `[inputs, outputs]` then bias `[outputs]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Networks {
    shape: SacShape,
    /// `[actor_len]`.
    pub(super) actor: Vec<f32>,
    /// `[critics][critic_len]`.
    pub(super) critics: Vec<Vec<f32>>,
    /// What the critics were, averaged over the last gradient steps.
    pub(super) targets: Vec<Vec<f32>>,
}

/// Streams of one network's layers; none has that many layers.
const STREAMS: u64 = 1 << 16;

impl Networks {
    /// Draws weights and biases from the tree's weight streams, each layer from its own; targets equal critics.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
    pub fn draw(shape: SacShape, initial_log_std: f64, seeds: SeedTree) -> Self {
        let network = |index: u64, layers: &[(usize, usize)]| -> Vec<f32> {
            let rng = |layer: u64| -> ChaCha8Rng { seeds.stream(Purpose::Weights, index * STREAMS + layer) };
            let layers = (0..).zip(layers);
            layers.flat_map(|(layer, &(inputs, outputs))| uniform(inputs, outputs, &mut rng(layer))).collect()
        };
        let mut actor = network(0, &shape.actor());
        actor.resize(shape.actor_len(), initial_log_std as f32);
        let critics: Vec<_> =
            (1..=shape.critic.critics() as u64).map(|index| network(index, &shape.critic())).collect();
        Self { actor, targets: critics.clone(), critics, shape }
    }

    /// Takes over parameters as [`Networks::flat`] gives them.
    ///
    /// # Panics
    /// If there are not as many of them as `shape` says.
    #[must_use]
    pub fn from_flat(shape: SacShape, flat: &[f32]) -> Self {
        let (actor, rest) = flat.split_at(shape.actor_len());
        let mut networks: Vec<_> = rest.chunks(shape.critic_len()).map(<[f32]>::to_vec).collect();
        assert_eq!(networks.len(), 2 * shape.critic.critics(), "as many parameters as the shape says");
        assert!(rest.len().is_multiple_of(shape.critic_len()), "as many parameters as the shape says");
        let targets = networks.split_off(shape.critic.critics());
        Self { actor: actor.to_vec(), critics: networks, targets, shape }
    }

    /// All parameters: the actor's, the critics', the targets'.
    #[must_use]
    pub fn flat(&self) -> Vec<f32> {
        let networks = core::iter::once(&self.actor).chain(&self.critics).chain(&self.targets);
        networks.flatten().copied().collect()
    }

    /// Widths.
    #[must_use]
    pub const fn shape(&self) -> &SacShape {
        &self.shape
    }

    /// Layers of the actor, from normalised observation to its outputs.
    #[must_use]
    pub fn actor(&self) -> Vec<Layer<'_>> {
        views(&self.actor, &self.shape.actor())
    }

    /// Layers of critic `index`.
    #[must_use]
    pub fn critic(&self, index: usize) -> Vec<Layer<'_>> {
        views(&self.critics[index], &self.shape.critic())
    }

    /// Logarithms of the deviations of state-dependent noise, `[H, A]`; empty if exploration is Gaussian.
    #[must_use]
    pub fn log_std(&self) -> &[f32] {
        &self.actor[self.shape.actor_layers_len()..]
    }

    /// Makes `action` the mean action, but for what the drawn weights add; see [`crate::trainer::Trainer::start_at`].
    pub(super) fn start_at(&mut self, action: &[f32]) {
        assert_eq!(action.len(), self.shape.action, "one entry per action");
        let end = self.shape.actor_layers_len();
        let outputs = self.shape.actor().last().map_or(0, |(_, outputs)| *outputs);
        for (bias, entry) in self.actor[end - outputs..end].iter_mut().zip(action) {
            *bias = libm::atanhf(entry.clamp(-0.9, 0.9));
        }
    }

    /// Moves every target by `rate` of the way to its critic.
    #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
    pub(super) fn follow(&mut self, rate: f64) {
        let rate = rate as f32;
        for (targets, critics) in self.targets.iter_mut().zip(&self.critics) {
            for (target, critic) in targets.iter_mut().zip(critics) {
                *target += rate * (critic - *target);
            }
        }
    }
}
