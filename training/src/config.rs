//! Settings of proximal policy optimisation.

use seawall_env::Problems;
use serde::{Deserialize, Serialize};

/// A bound that may be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// No bound.
    Off,
    /// Bound at this value.
    At(f64),
}

impl Limit {
    /// The value, if there is one.
    #[must_use]
    pub const fn value(self) -> Option<f64> {
        match self {
            Self::Off => None,
            Self::At(value) => Some(value),
        }
    }
}

/// What the value function and the advantages see of a reward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RewardTransform {
    /// The reward itself.
    None,
    /// The reward over the running standard deviation of the discounted return; its mean stays where it is.
    RunningStd,
    /// As `RunningStd`, then `sign(x) · ln(1 + |x|)`: ordinary rewards pass nearly unchanged, tails are compressed
    /// but keep their order, unlike under a clip.
    Symlog,
    /// The reward over the running interquartile range of the discounted return, in deviations of a Gaussian: one
    /// crash does not shrink what all other days weigh. Where more than half of all returns are equal the range is
    /// zero and this is the wrong choice.
    QuantileRange,
}

/// Over which set of samples advantages get mean zero and deviation one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdvantageNormalisation {
    /// Not at all.
    Off,
    /// Over the whole rollout.
    Batch,
    /// Over each minibatch.
    Minibatch,
}

/// How the gradient of a minibatch is computed. Both ways are the same function, to rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gradient {
    /// By formulas derived for dense networks: no graph, no allocation, the same bits on every processor and any
    /// number of threads. The backend does not matter.
    Fused,
    /// By burn, on the backend that the run names.
    Autodiff,
}

/// What the actor's outputs mean, and where exploration comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// A Gaussian squashed by `tanh`, with one deviation for each entry of the action.
    #[default]
    Gaussian,
    /// A Gaussian squashed by `tanh` whose noise is a function of the state until it is drawn again: generalised
    /// state-dependent exploration (Raffin et al. 2021, arXiv:2005.05719).
    StateDependent,
    /// A beta distribution over the whole range of each entry (Chou et al. 2017), by its mean and one concentration for
    /// each entry: nothing piles up at the edges, and the mean is the squashed output that exports have.
    Beta,
    /// A choice among the action's entries, of which one is taken.
    Categorical,
}

/// Whether networks remember, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Recurrence {
    /// What is decided depends on the observation alone.
    Off,
    /// A gated recurrent unit in front of the actor's hidden layers, and another in front of the critic's.
    Gru {
        /// Units of each; 1 to 4,096.
        units: usize,
        /// Steps that gradients reach back at most, from where a rollout has stored the state; 2 or more, divides horizon
        /// and minibatch.
        sequence: usize,
    },
}

impl Recurrence {
    /// Units of each memory; zero if there is none.
    #[must_use]
    pub const fn units(self) -> usize {
        match self {
            Self::Off => 0,
            Self::Gru { units, .. } => units,
        }
    }

    /// Steps that stay together: one if nothing is remembered.
    #[must_use]
    pub const fn sequence(self) -> usize {
        match self {
            Self::Off => 1,
            Self::Gru { sequence, .. } => sequence,
        }
    }
}

/// What of an episode's cost is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Its mean.
    Mean,
    /// Its quantile at this level: at most the rest of the episodes cost more than the bound.
    Quantile(f64),
    /// Its mean over this worst share of episodes, the conditional value at risk.
    Cvar(f64),
}

/// A bound on what an episode costs, kept by a multiplier: Lagrangian PPO.
///
/// The learner maximises `(return − multiplier · penalty) / (1 + multiplier)`; see `ppo::constraint` for the penalty of each
/// measure. Source of the controller and of its order of gains: Stooke et al. 2020 (arXiv:2007.03964), §6.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LagrangianConfig {
    /// Reward term whose total over an episode is bounded, unweighted and in its own unit; empty for no bound. Default
    /// empty.
    pub cost: String,
    /// What of the total is bounded. Default `cvar` of the worst tenth.
    pub measure: Measure,
    /// The bound, in the unit of the cost; finite. Default 50, basis points of open interest for bad debt.
    pub bound: f64,
    /// Multiplier at the start: units of the reward for one of the penalty; 0 or more. Default 0.
    pub multiplier: f64,
    /// Largest multiplier; above 0. Default 100.
    pub multiplier_max: f64,
    /// Gain of the violation itself, per unit of it; 0 or more. Default 0.02.
    pub proportional: f64,
    /// Gain of its sum over iterations; 0 or more. Default 0.002.
    pub integral: f64,
    /// Gain of its rise from one iteration to the next; 0 or more. Default 0.01.
    pub derivative: f64,
    /// Latest episodes that the measure is taken over; 10 or more. Default 200.
    pub episodes: usize,
}

impl Default for LagrangianConfig {
    fn default() -> Self {
        Self {
            cost: String::new(),
            measure: Measure::Cvar(0.1),
            bound: 50.0,
            multiplier: 0.0,
            multiplier_max: 100.0,
            proportional: 0.02,
            integral: 0.002,
            derivative: 0.01,
            episodes: 200,
        }
    }
}

impl LagrangianConfig {
    fn validate(&self, problems: &mut Problems) {
        if let Measure::Quantile(share) | Measure::Cvar(share) = self.measure {
            problems.require(share > 0.0 && share < 1.0, "lagrangian.measure", share, "above 0 and below 1");
        }
        problems.require(self.bound.is_finite(), "lagrangian.bound", self.bound, "finite");
        problems.require(
            self.multiplier_max > 0.0 && self.multiplier_max.is_finite(),
            "lagrangian.multiplier_max",
            self.multiplier_max,
            "above 0 and finite",
        );
        problems.range("lagrangian.multiplier", self.multiplier, 0.0, self.multiplier_max.max(0.0));
        let gains = [("proportional", self.proportional), ("integral", self.integral), ("derivative", self.derivative)];
        for (field, gain) in gains {
            problems.range(format!("lagrangian.{field}"), gain, 0.0, 1e6);
        }
        problems.require(self.episodes >= 10, "lagrangian.episodes", self.episodes, "10 or more");
    }
}

/// How a policy starts as an imitation, if a run asks for one; see `ppo::imitation`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WarmStartConfig {
    /// Decisions of the teacher in each environment; 1 or more, a multiple of a recurrent policy's sequence. Default 480.
    pub horizon: usize,
    /// Passes over them; 1 or more. Default 20.
    pub epochs: usize,
    /// Adam's step size; above 0, to 1. Default 1e-3.
    pub learning_rate: f64,
}

impl Default for WarmStartConfig {
    fn default() -> Self {
        Self { horizon: 480, epochs: 20, learning_rate: 1e-3 }
    }
}

/// Settings of proximal policy optimisation; the default is the documented baseline.
///
/// Sources: *S* Schulman et al. 2017 (arXiv:1707.06347), *H* Huang et al. 2022, "The 37 implementation details of
/// PPO", *A* Andrychowicz et al. 2021 (arXiv:2006.05990). Steps are decisions of one environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PpoConfig {
    /// Environment steps of the whole run, rounded up to whole rollouts; 1 or more. Default 1,000,000 (*S*).
    pub total_steps: u64,
    /// Steps of each environment in one rollout; 1 or more. Default 256.
    pub horizon: usize,
    /// Samples per gradient step; 2 or more, divides environments × horizon. Default 256.
    pub minibatch: usize,
    /// Passes over each rollout; 1 or more. Default 10 (*S*, *H*).
    pub epochs: usize,
    /// Units of the actor's hidden layers; each 1 to 4,096. Default `[64, 64]` (*S*).
    pub actor_hidden: Vec<usize>,
    /// Units of the critic's hidden layers; each 1 to 4,096. Default `[64, 64]` (*S*).
    pub critic_hidden: Vec<usize>,
    /// Whether actor and critic remember. Default off; a memory needs `gradient = "autodiff"`.
    pub recurrent: Recurrence,
    /// Whether the critic also sees what the environment reveals and no actor may see (Pinto et al. 2017,
    /// arXiv:1710.06542). Default false.
    pub asymmetric_critic: bool,
    /// What the actor's outputs mean, and where exploration comes from. Default `gaussian`; all others need
    /// `gradient = "autodiff"`.
    pub head: Head,
    /// Steps between two draws of the noise of `head = "state_dependent"`, which every rollout draws anew; 1 or more.
    /// Default 4 (the tuned settings of RL Zoo).
    pub noise_interval: usize,
    /// Initial natural logarithm of the exploration's standard deviation before squashing; -5 to 2. Default -0.7,
    /// a deviation of 0.5 (*A*). For `state_dependent`, of each noise weight; for `beta`, of a centred action, nearly.
    pub initial_log_std: f64,
    /// Adam's step size at the start; above 0, to 1. Default 3e-4 (*S*).
    pub learning_rate: f64,
    /// Step size that the schedule reaches linearly at the end of the run; 0 to 1. Default 0 (*H*).
    pub learning_rate_end: f64,
    /// Clip range of the probability ratio at the start; above 0, below 1. Default 0.2 (*S*).
    pub clip: f64,
    /// Clip range that the schedule reaches linearly at the end of the run; above 0, below 1. Default 0.2.
    pub clip_end: f64,
    /// Discount per step; 0 to 1. Default 0.99 (*S*).
    pub discount: f64,
    /// Decay of the eligibility trace, λ of generalised advantage estimation; 0 to 1. Default 0.95 (*S*).
    pub trace_decay: f64,
    /// Weight of the entropy bonus; 0 to 1. The entropy is that of the Gaussian before squashing, which has a closed
    /// form. Default 0 (*H*, for continuous actions).
    pub entropy_weight: f64,
    /// Weight of the mean squared value error; 0 to 10. Default 0.5 (*H*).
    pub value_weight: f64,
    /// Clip range of the value's change from the rollout's, in units of the transformed reward; above 0. Default off
    /// (*A*: it does not help).
    pub value_clip: Limit,
    /// Over which samples advantages are standardised. Default `minibatch` (*H*).
    pub advantage_normalisation: AdvantageNormalisation,
    /// How gradients are computed. Default `fused`, which makes the default networks learn 2.8 times as fast.
    pub gradient: Gradient,
    /// Largest Euclidean norm of the gradient of all parameters together; above 0. Default 0.5 (*H*).
    pub gradient_norm_max: f64,
    /// Divergence from the rollout's policy, in nats, above which the rest of the update is skipped; above 0.
    /// Default 0.03, one and a half times the target of 0.02 that Stable-Baselines3 documents.
    pub kl_limit: Limit,
    /// Whether observations are standardised by running statistics. Default true (*H*, *A*).
    pub observation_normalisation: bool,
    /// Where standardised observations are clipped, in standard deviations; above 0, to 1e6. Default 10 (*H*).
    pub observation_clip: f64,
    /// Steps of each environment under the initial policy, before the first rollout and on copies of the
    /// environments, that give the observation statistics their first values; they are not learned from and do not
    /// count as steps of the run. Default 128.
    pub warmup: usize,
    /// What the learner sees of a reward. Default `running_std` (*H*).
    pub reward_transform: RewardTransform,
    /// Share of the worst episodes whose mean return is what is learned for, instead of the mean of all: their returns are
    /// capped at the quantile of the latest episodes (conditional value at risk by return capping, Mead et al. 2025);
    /// above 0, below 1. Default off.
    pub cvar: Limit,
    /// Latest episodes that the quantile of `cvar` is taken of; 10 or more. Default 500.
    pub cvar_episodes: usize,
    /// Where transformed rewards are clipped; above 0. Default off: where tails are the objective, they must count.
    pub reward_clip: Limit,
    /// Bound on what an episode costs. Default none.
    pub lagrangian: LagrangianConfig,
    /// How an imitation is learned, where a run starts with one.
    pub warm_start: WarmStartConfig,
}

impl Default for PpoConfig {
    fn default() -> Self {
        Self {
            total_steps: 1_000_000,
            horizon: 256,
            minibatch: 256,
            epochs: 10,
            actor_hidden: vec![64, 64],
            critic_hidden: vec![64, 64],
            recurrent: Recurrence::Off,
            asymmetric_critic: false,
            head: Head::Gaussian,
            noise_interval: 4,
            initial_log_std: -0.7,
            learning_rate: 3e-4,
            learning_rate_end: 0.0,
            clip: 0.2,
            clip_end: 0.2,
            discount: 0.99,
            trace_decay: 0.95,
            entropy_weight: 0.0,
            value_weight: 0.5,
            value_clip: Limit::Off,
            advantage_normalisation: AdvantageNormalisation::Minibatch,
            gradient: Gradient::Fused,
            gradient_norm_max: 0.5,
            kl_limit: Limit::At(0.03),
            observation_normalisation: true,
            observation_clip: 10.0,
            warmup: 128,
            reward_transform: RewardTransform::RunningStd,
            cvar: Limit::Off,
            cvar_episodes: 500,
            reward_clip: Limit::Off,
            lagrangian: LagrangianConfig::default(),
            warm_start: WarmStartConfig::default(),
        }
    }
}

impl PpoConfig {
    /// Everything wrong with the settings by themselves; empty if they are sound.
    #[must_use]
    pub fn validate(&self) -> Problems {
        let mut problems = Problems::default();
        problems.require(self.total_steps >= 1, "total_steps", self.total_steps, "1 or more");
        problems.require(self.horizon >= 1, "horizon", self.horizon, "1 or more");
        problems.require(self.minibatch >= 2, "minibatch", self.minibatch, "2 or more");
        problems.require(self.epochs >= 1, "epochs", self.epochs, "1 or more");
        for (field, widths) in [("actor_hidden", &self.actor_hidden), ("critic_hidden", &self.critic_hidden)] {
            for (index, &width) in widths.iter().enumerate() {
                let holds = (1..=4_096).contains(&width);
                problems.require(holds, format!("{field}[{index}]"), width, "in [1, 4096]");
            }
        }
        let is_plain = self.head == Head::Gaussian && self.recurrent == Recurrence::Off;
        let is_derived = is_plain || self.gradient == Gradient::Autodiff;
        let bound = "\"autodiff\" for every head but gaussian, and for recurrent networks";
        problems.require(is_derived, "gradient", "\"fused\"", bound);
        if let Recurrence::Gru { units, sequence } = self.recurrent {
            problems.require((1..=4_096).contains(&units), "recurrent.gru.units", units, "in [1, 4096]");
            let splits = |whole: usize| sequence >= 2 && whole.is_multiple_of(sequence);
            let fits = splits(self.horizon) && splits(self.minibatch) && splits(self.warm_start.horizon);
            let bound = "2 or more, and divide horizon, minibatch and warm_start.horizon";
            problems.require(fits, "recurrent.gru.sequence", sequence, bound);
        }
        problems.require(self.noise_interval >= 1, "noise_interval", self.noise_interval, "1 or more");
        let featureless = self.head == Head::StateDependent && self.actor_hidden.is_empty();
        problems.require(!featureless, "actor_hidden", "[]", "one or more layers for head = \"state_dependent\"");
        problems.range("initial_log_std", self.initial_log_std, -5.0, 2.0);
        problems.require(
            self.learning_rate > 0.0 && self.learning_rate <= 1.0,
            "learning_rate",
            self.learning_rate,
            "above 0, to 1",
        );
        problems.range("learning_rate_end", self.learning_rate_end, 0.0, 1.0);
        for (field, value) in [("clip", self.clip), ("clip_end", self.clip_end)] {
            problems.require(value > 0.0 && value < 1.0, field, value, "above 0 and below 1");
        }
        problems.range("discount", self.discount, 0.0, 1.0);
        problems.range("trace_decay", self.trace_decay, 0.0, 1.0);
        problems.range("entropy_weight", self.entropy_weight, 0.0, 1.0);
        problems.range("value_weight", self.value_weight, 0.0, 10.0);
        let positive = [
            ("value_clip", self.value_clip.value()),
            ("gradient_norm_max", Some(self.gradient_norm_max)),
            ("kl_limit", self.kl_limit.value()),
            ("reward_clip", self.reward_clip.value()),
        ];
        for (field, value) in positive.into_iter().filter_map(|(field, value)| Some((field, value?))) {
            problems.require(value > 0.0 && value.is_finite(), field, value, "above 0 and finite");
        }
        if let Limit::At(level) = self.cvar {
            problems.require(level > 0.0 && level < 1.0, "cvar", level, "above 0 and below 1");
        }
        problems.require(self.cvar_episodes >= 10, "cvar_episodes", self.cvar_episodes, "10 or more");
        problems.require(
            self.observation_clip > 0.0 && self.observation_clip <= 1e6,
            "observation_clip",
            self.observation_clip,
            "above 0, to 1e6",
        );
        self.lagrangian.validate(&mut problems);
        let WarmStartConfig { horizon, epochs, learning_rate } = self.warm_start;
        problems.require(horizon >= 1, "warm_start.horizon", horizon, "1 or more");
        problems.require(epochs >= 1, "warm_start.epochs", epochs, "1 or more");
        let is_step = learning_rate > 0.0 && learning_rate <= 1.0;
        problems.require(is_step, "warm_start.learning_rate", learning_rate, "above 0, to 1");
        problems
    }

    /// As [`PpoConfig::validate`], and whether rollouts of `environments` split into whole minibatches.
    #[must_use]
    pub fn validate_for(&self, environments: usize) -> Problems {
        let mut problems = self.validate();
        let samples = self.horizon * environments;
        if self.minibatch > 0 {
            let bound = format!("a divisor of the rollout, {environments} environments × {} steps", self.horizon);
            problems.require(samples.is_multiple_of(self.minibatch), "minibatch", self.minibatch, &bound);
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid() {
        assert_eq!(PpoConfig::default().validate_for(8), Problems::default());
    }

    #[test]
    fn every_field_out_of_bounds_is_reported_by_its_path() {
        let config = PpoConfig {
            total_steps: 0,
            horizon: 0,
            minibatch: 0,
            epochs: 0,
            actor_hidden: vec![64, 0],
            critic_hidden: vec![5_000],
            head: Head::Beta,
            noise_interval: 0,
            initial_log_std: f64::NAN,
            learning_rate: 0.0,
            learning_rate_end: -1.0,
            clip: 1.0,
            clip_end: 0.0,
            discount: 1.1,
            trace_decay: -0.1,
            entropy_weight: f64::NAN,
            value_weight: 11.0,
            value_clip: Limit::At(0.0),
            gradient_norm_max: f64::INFINITY,
            kl_limit: Limit::At(-1.0),
            observation_clip: 0.0,
            cvar: Limit::At(1.0),
            cvar_episodes: 9,
            reward_clip: Limit::At(f64::NAN),
            recurrent: Recurrence::Gru { units: 0, sequence: 1 },
            lagrangian: LagrangianConfig {
                measure: Measure::Cvar(0.0),
                bound: f64::NAN,
                multiplier: -1.0,
                multiplier_max: 0.0,
                integral: -1.0,
                episodes: 3,
                ..LagrangianConfig::default()
            },
            warm_start: WarmStartConfig { horizon: 0, epochs: 0, learning_rate: 2.0 },
            ..PpoConfig::default()
        };
        let fields: Vec<_> = config.validate().0.into_iter().map(|problem| problem.field).collect();
        let expected = [
            "total_steps",
            "horizon",
            "minibatch",
            "epochs",
            "actor_hidden[1]",
            "critic_hidden[0]",
            "gradient",
            "recurrent.gru.units",
            "recurrent.gru.sequence",
            "noise_interval",
            "initial_log_std",
            "learning_rate",
            "learning_rate_end",
            "clip",
            "clip_end",
            "discount",
            "trace_decay",
            "entropy_weight",
            "value_weight",
            "value_clip",
            "gradient_norm_max",
            "kl_limit",
            "reward_clip",
            "cvar",
            "cvar_episodes",
            "observation_clip",
            "lagrangian.measure",
            "lagrangian.bound",
            "lagrangian.multiplier_max",
            "lagrangian.multiplier",
            "lagrangian.integral",
            "lagrangian.episodes",
            "warm_start.horizon",
            "warm_start.epochs",
            "warm_start.learning_rate",
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn a_rollout_that_does_not_split_is_refused() {
        let config = PpoConfig { horizon: 10, minibatch: 7, ..PpoConfig::default() };
        assert_eq!(config.validate_for(2).0[0].field, "minibatch");
        assert_eq!(config.validate_for(7), Problems::default());
    }
}
