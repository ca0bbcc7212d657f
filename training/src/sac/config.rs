//! Settings of the soft actor-critic.

use seawall_env::{Problem, Problems};
use seawall_runtime::format::Activation;
use serde::{Deserialize, Serialize};

use crate::config::{Limit, RewardTransform};

/// Weight of the entropy against the reward.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Temperature {
    /// Learned, from this value on, so that the entropy meets its target.
    Automatic(f64),
    /// This value throughout.
    Fixed(f64),
}

/// What the critics estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CriticKind {
    /// The mean of the return, by two critics of which the lower counts.
    Twin,
    /// Quantiles of the return, by several critics whose highest quantiles are dropped from the target.
    Quantiles {
        /// Critics; 1 to 10.
        critics: usize,
        /// Quantiles of each critic; 2 to 200.
        count: usize,
        /// Highest quantiles that are dropped, for each critic; 0 to count − 1.
        dropped: usize,
    },
}

impl CriticKind {
    /// Number of critics.
    #[must_use]
    pub const fn critics(self) -> usize {
        match self {
            Self::Twin => 2,
            Self::Quantiles { critics, .. } => critics,
        }
    }

    /// Outputs of each critic.
    #[must_use]
    pub const fn outputs(self) -> usize {
        match self {
            Self::Twin => 1,
            Self::Quantiles { count, .. } => count,
        }
    }
}

/// What stands between the actor's layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorActivation {
    /// The hyperbolic tangent.
    Tanh,
    /// `max(0, x)`.
    Relu,
}

impl From<ActorActivation> for Activation {
    fn from(activation: ActorActivation) -> Self {
        match activation {
            ActorActivation::Tanh => Self::Tanh,
            ActorActivation::Relu => Self::Relu,
        }
    }
}

/// Where exploration comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exploration {
    /// Fresh noise for every step, its deviation an output of the actor.
    Gaussian,
    /// Noise that is a function of the state until it is drawn again (generalised state-dependent exploration).
    StateDependent,
}

/// Settings of the soft actor-critic; the default is the documented baseline.
///
/// Sources: *H* Haarnoja et al. 2018b (arXiv:1812.05905), *S* the defaults of Stable-Baselines3, *R* Raffin et al. 2021
/// (arXiv:2005.05719), *K* Kuznetsov et al. 2020 (arXiv:2005.04269). Steps are decisions of one environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SacConfig {
    /// Environment steps of the whole run, rounded up to whole iterations; 1 or more. Default 1,000,000.
    pub total_steps: u64,
    /// Steps of each environment in one iteration, which is what a line of the log covers; a multiple of
    /// `train_frequency`. Default 250.
    pub horizon: usize,
    /// Steps of each environment between two rounds of gradient steps; 1 or more. Default 1 (*H*).
    pub train_frequency: usize,
    /// Gradient steps of a round; 1 or more. Default 1 (*H*).
    pub gradient_steps: usize,
    /// Environment steps with uniformly random actions before the first round; 0 or more. Default 100 (*S*).
    pub learning_starts: u64,
    /// Transitions that are remembered, rounded up to a whole number for each environment; `minibatch` or more.
    /// Default 1,000,000 (*H*). Each takes `4 · (2 D + A + 3)` bytes, in checkpoints too.
    pub replay_capacity: usize,
    /// Transitions per gradient step; 1 or more. Default 256 (*H*).
    pub minibatch: usize,
    /// Rewards before the bootstrap; 1 to 100. More than one is biased by the actions of older policies. Default 1.
    pub return_steps: usize,
    /// Units of the actor's hidden layers; each 1 to 4,096. Default `[256, 256]` (*H*).
    pub actor_hidden: Vec<usize>,
    /// What stands between the actor's layers. Default `relu` (*H*).
    pub actor_activation: ActorActivation,
    /// Units of the critics' hidden layers, rectified; each 1 to 4,096. Default `[256, 256]` (*H*).
    pub critic_hidden: Vec<usize>,
    /// What the critics estimate. Default `twin` (*H*); *K* has `{ quantiles = { critics = 2, count = 25, dropped = 2 } }`.
    pub critic: CriticKind,
    /// Adam's step size at the start, of actor, critics and temperature; above 0, to 1. Default 3e-4 (*H*).
    pub learning_rate: f64,
    /// Step size that the schedule reaches linearly at the end of the run; 0 to 1. Default 3e-4.
    pub learning_rate_end: f64,
    /// Discount per step; 0 to 1. Default 0.99 (*H*).
    pub discount: f64,
    /// Share of the critics that the target critics take over in a gradient step, τ; above 0, to 1. Default 0.005 (*H*).
    pub target_rate: f64,
    /// Weight of the entropy against the reward; above 0. Default `{ automatic = 1.0 }` (*S*).
    pub temperature: Temperature,
    /// Entropy that an automatic temperature aims at, in nats per action entry; -10 to 2. Default -1 (*H*).
    pub entropy_target: f64,
    /// Where exploration comes from. Default `gaussian` (*H*).
    pub exploration: Exploration,
    /// Initial natural logarithm of the deviation of each noise weight of `state_dependent` exploration; -10 to 2.
    /// Default -3 (*S*).
    pub initial_log_std: f64,
    /// Steps between two draws of `state_dependent` noise; 1 or more. Default 8 (*R*).
    pub noise_interval: usize,
    /// Largest Euclidean norm of each network's gradient; above 0. Default off.
    pub gradient_norm_max: Limit,
    /// Whether observations are standardised by running statistics. Default true, which *H* does not: entries of a
    /// market's observation differ by orders of magnitude.
    pub observation_normalisation: bool,
    /// Where standardised observations are clipped, in standard deviations; above 0, to 1e6. Default 10.
    pub observation_clip: f64,
    /// What the critics see of a reward; statistics are those of the moment of learning. Default `running_std`, which
    /// keeps one temperature right for rewards in any unit.
    pub reward_transform: RewardTransform,
}

impl Default for SacConfig {
    fn default() -> Self {
        Self {
            total_steps: 1_000_000,
            horizon: 250,
            train_frequency: 1,
            gradient_steps: 1,
            learning_starts: 100,
            replay_capacity: 1_000_000,
            minibatch: 256,
            return_steps: 1,
            actor_hidden: vec![256, 256],
            actor_activation: ActorActivation::Relu,
            critic_hidden: vec![256, 256],
            critic: CriticKind::Twin,
            learning_rate: 3e-4,
            learning_rate_end: 3e-4,
            discount: 0.99,
            target_rate: 0.005,
            temperature: Temperature::Automatic(1.0),
            entropy_target: -1.0,
            exploration: Exploration::Gaussian,
            initial_log_std: -3.0,
            noise_interval: 8,
            gradient_norm_max: Limit::Off,
            observation_normalisation: true,
            observation_clip: 10.0,
            reward_transform: RewardTransform::RunningStd,
        }
    }
}

impl SacConfig {
    /// Everything wrong with the settings; empty if they are sound.
    #[must_use]
    pub fn validate(&self) -> Problems {
        let mut problems = Problems::default();
        let counts = [
            ("total_steps", usize::try_from(self.total_steps).unwrap_or(usize::MAX)),
            ("horizon", self.horizon),
            ("train_frequency", self.train_frequency),
            ("gradient_steps", self.gradient_steps),
            ("minibatch", self.minibatch),
            ("noise_interval", self.noise_interval),
        ];
        for (field, value) in counts {
            problems.require(value >= 1, field, value, "1 or more");
        }
        if self.train_frequency > 0 {
            let bound = format!("a multiple of train_frequency, {}", self.train_frequency);
            problems.require(self.horizon.is_multiple_of(self.train_frequency), "horizon", self.horizon, &bound);
        }
        let bound = format!("minibatch, {}, or more", self.minibatch);
        problems.require(self.replay_capacity >= self.minibatch, "replay_capacity", self.replay_capacity, &bound);
        problems.require((1..=100).contains(&self.return_steps), "return_steps", self.return_steps, "in [1, 100]");
        for (field, widths) in [("actor_hidden", &self.actor_hidden), ("critic_hidden", &self.critic_hidden)] {
            for (index, &width) in widths.iter().enumerate() {
                let holds = (1..=4_096).contains(&width);
                problems.require(holds, format!("{field}[{index}]"), width, "in [1, 4096]");
            }
        }
        let featureless = self.exploration == Exploration::StateDependent && self.actor_hidden.is_empty();
        problems.require(!featureless, "actor_hidden", "[]", "one or more layers for state_dependent exploration");
        self.validate_critic(&mut problems);
        self.validate_rates(&mut problems);
        problems
    }

    fn validate_critic(&self, problems: &mut Problems) {
        let CriticKind::Quantiles { critics, count, dropped } = self.critic else { return };
        let at = |field: &str| format!("critic.quantiles.{field}");
        problems.require((1..=10).contains(&critics), at("critics"), critics, "in [1, 10]");
        problems.require((2..=200).contains(&count), at("count"), count, "in [2, 200]");
        problems.require(dropped < count, at("dropped"), dropped, "below count");
    }

    fn validate_rates(&self, problems: &mut Problems) {
        for (field, value) in [("learning_rate", self.learning_rate), ("target_rate", self.target_rate)] {
            problems.require(value > 0.0 && value <= 1.0, field, value, "above 0, to 1");
        }
        problems.range("learning_rate_end", self.learning_rate_end, 0.0, 1.0);
        problems.range("discount", self.discount, 0.0, 1.0);
        let (field, temperature) = match self.temperature {
            Temperature::Automatic(value) => ("temperature.automatic", value),
            Temperature::Fixed(value) => ("temperature.fixed", value),
        };
        for (field, value) in [(field, Some(temperature)), ("gradient_norm_max", self.gradient_norm_max.value())] {
            let Some(value) = value else { continue };
            if !(value > 0.0 && value.is_finite()) {
                problems.0.push(Problem::new(field, value, "above 0 and finite"));
            }
        }
        problems.range("entropy_target", self.entropy_target, -10.0, 2.0);
        problems.range("initial_log_std", self.initial_log_std, -10.0, 2.0);
        let holds = self.observation_clip > 0.0 && self.observation_clip <= 1e6;
        problems.require(holds, "observation_clip", self.observation_clip, "above 0, to 1e6");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid() {
        assert_eq!(SacConfig::default().validate(), Problems::default());
    }

    #[test]
    fn every_field_out_of_bounds_is_reported_by_its_path() {
        let config = SacConfig {
            total_steps: 0,
            horizon: 7,
            train_frequency: 2,
            gradient_steps: 0,
            minibatch: 0,
            return_steps: 0,
            actor_hidden: vec![0],
            critic_hidden: vec![64, 5_000],
            critic: CriticKind::Quantiles { critics: 0, count: 1, dropped: 1 },
            learning_rate: 0.0,
            learning_rate_end: -1.0,
            discount: f64::NAN,
            target_rate: 2.0,
            temperature: Temperature::Fixed(0.0),
            entropy_target: 3.0,
            initial_log_std: -11.0,
            noise_interval: 0,
            gradient_norm_max: Limit::At(f64::INFINITY),
            observation_clip: 0.0,
            ..SacConfig::default()
        };
        let fields: Vec<_> = config.validate().0.into_iter().map(|problem| problem.field).collect();
        let expected = [
            "total_steps",
            "gradient_steps",
            "minibatch",
            "noise_interval",
            "horizon",
            "return_steps",
            "actor_hidden[0]",
            "critic_hidden[1]",
            "critic.quantiles.critics",
            "critic.quantiles.count",
            "critic.quantiles.dropped",
            "learning_rate",
            "target_rate",
            "learning_rate_end",
            "discount",
            "temperature.fixed",
            "gradient_norm_max",
            "entropy_target",
            "initial_log_std",
            "observation_clip",
        ];
        assert_eq!(fields, expected);
        let config = SacConfig { replay_capacity: 10, ..SacConfig::default() };
        assert_eq!(config.validate().0[0].field, "replay_capacity");
        let config =
            SacConfig { actor_hidden: vec![], exploration: Exploration::StateDependent, ..SacConfig::default() };
        assert_eq!(config.validate().0[0].field, "actor_hidden");
    }
}
