//! The learner: what it holds, how one iteration goes, how it is saved and resumed.

use rand_chacha::ChaCha8Rng;
use seawall_agents::Policy;
use seawall_env::{Env, Problem, Purpose, SeedTree, VecEnv};
use seawall_runtime::format::Activation;

use super::constraint::Constraint;
use super::gradient::Differentiator;
use super::head;
use super::imitation::{Imitation, Lesson};
use super::loss::Objective;
use super::memory::Memory;
use super::risk::ReturnCap;
use super::rollout::{Behaviour, Rollout};
use super::sight::Sight;
use super::state::{Identity, State};
use super::update::{Learning, Plan, explained_variance};
use crate::backend::Backend;
use crate::config::{AdvantageNormalisation, Head, PpoConfig};
use crate::distribution;
use crate::episodes::Episodes;
use crate::error::Error;
use crate::gae::{self, Trajectory};
use crate::network::{Parameters, Shape, run};
use crate::normaliser::{ObservationNormaliser, RewardScaler};
use crate::observer::{Observer, Phase};
use crate::optimiser::Adam;
use crate::policy::LearnedPolicy;
use crate::trainer::{Iteration, Trainer};

/// Streams of exploration noise.
const ROLLOUT_STREAM: u64 = 0;
const WARMUP_STREAM: u64 = 1;

/// Trains a policy in any environment by proximal policy optimisation.
///
/// The same configuration, backend, environments and seed give the same bits on one machine, whatever the number of
/// threads, interrupted and resumed or not.
#[derive(Clone, Debug)]
pub struct Learner<E> {
    identity: Identity,
    differentiator: Differentiator,
    envs: VecEnv<E>,
    steps_done: u64,
    parameters: Parameters,
    adam: Adam,
    sight: Sight,
    memory: Memory,
    scaler: RewardScaler,
    /// Where returns are capped, if the tail is what is learned for.
    cap: Option<ReturnCap>,
    /// What bounds costs, if anything.
    constraint: Option<Constraint>,
    /// Index of the reward term that is bounded.
    cost: Option<usize>,
    exploration: ChaCha8Rng,
    shuffle: ChaCha8Rng,
    episodes: Episodes,
}

impl<E: Env> Learner<E> {
    /// Starts a run in `envs`, with weights, exploration and shuffles drawn from `seeds`.
    ///
    /// # Errors
    /// [`Error::Config`] if the configuration is not valid, or does not fit the number of environments.
    pub fn new(config: PpoConfig, backend: Backend, mut envs: VecEnv<E>, seeds: SeedTree) -> Result<Self, Error> {
        let spec = envs.spec().clone();
        let mut problems = config.validate_for(envs.len());
        for (field, names) in [("observation", &spec.observation), ("action", &spec.action)] {
            if names.is_empty() {
                problems.0.push(Problem::new(field, 0, "1 or more entries of the environment's buffer"));
            }
        }
        let cost = spec.reward.iter().position(|term| *term == config.lagrangian.cost);
        let is_known = config.lagrangian.cost.is_empty() || cost.is_some();
        let terms = format!("empty, or one of {}", spec.reward.join(", "));
        problems.require(is_known, "lagrangian.cost", format!("{:?}", config.lagrangian.cost), &terms);
        if config.asymmetric_critic {
            envs.reveal();
            let reveals = !envs.privileged().is_empty();
            problems.require(reveals, "asymmetric_critic", true, "false where the environment reveals nothing");
        }
        if !problems.0.is_empty() {
            return Err(Error::Config(problems));
        }
        let privileged = envs.privileged().len() / envs.len();
        let shape = Shape {
            observation: spec.observation.len(),
            privileged,
            memory: config.recurrent.units(),
            action: spec.action.len(),
            actor_hidden: config.actor_hidden.clone(),
            critic_hidden: config.critic_hidden.clone(),
            head: config.head,
        };
        let parameters = Parameters::draw(shape, config.initial_log_std, seeds);
        let normaliser = |width: usize| match config.observation_normalisation {
            true => ObservationNormaliser::new(width, config.observation_clip),
            false => ObservationNormaliser::identity(width),
        };
        Ok(Self {
            differentiator: Differentiator::new(config.gradient, backend, parameters.shape()),
            steps_done: 0,
            adam: Adam::new(parameters.flat().len()),
            memory: Memory::new(config.recurrent.units(), envs.len()),
            parameters,
            sight: Sight {
                observation: normaliser(spec.observation.len()),
                privileged: (privileged > 0).then(|| normaliser(privileged)),
            },
            scaler: RewardScaler::new(config.reward_transform, config.reward_clip, config.discount, envs.len()),
            cap: config.cvar.value().map(|level| ReturnCap::new(level, config.cvar_episodes, envs.len())),
            constraint: cost.map(|_| Constraint::new(&config.lagrangian, envs.len())),
            cost,
            exploration: seeds.stream(Purpose::Exploration, ROLLOUT_STREAM),
            shuffle: seeds.stream(Purpose::Shuffle, 0),
            episodes: Episodes::new(envs.len(), spec.reward.len()),
            identity: Identity { config, backend, seed: seeds.root(), environments: envs.len(), spec },
            envs,
        })
    }

    /// Settings of the run.
    #[must_use]
    pub const fn config(&self) -> &PpoConfig {
        &self.identity.config
    }

    /// Environment steps of one iteration.
    #[must_use]
    pub fn steps_per_iteration(&self) -> u64 {
        (self.config().horizon * self.envs.len()) as u64
    }

    /// Gives the observation statistics their first values, on a copy of the environments.
    fn warm_up(&mut self) -> Result<(), Error> {
        let horizon = self.identity.config.warmup;
        if horizon == 0 || !self.sight.observation.is_blank() {
            return Ok(());
        }
        let behaviour = Behaviour {
            parameters: &self.parameters,
            sight: &mut self.sight,
            memory: &mut self.memory.clone(),
            exploration: &mut SeedTree::new(self.identity.seed).stream(Purpose::Exploration, WARMUP_STREAM),
            noise_interval: self.identity.config.noise_interval,
            sequence: self.identity.config.recurrent.sequence(),
            cost: None,
            step: 0,
        };
        behaviour.collect(&mut self.envs.clone(), &mut self.episodes.clone(), horizon)?;
        Ok(())
    }

    /// See [`super::imitation`]. Optimiser, exploration and environments stay as they are; the statistics of observations
    /// and returns are the teacher's from here on.
    fn learn_from(&mut self, teacher: &dyn Policy) -> Result<Imitation, Error> {
        let config = self.identity.config.clone();
        let (warm, sequence, environments) = (config.warm_start, config.recurrent.sequence(), self.envs.len());
        let mut lesson = Lesson::watch(teacher, &mut self.envs.clone(), &mut self.sight, warm.horizon)?;
        lesson.store(&self.parameters);
        let samples = lesson.rollout.reward.len();
        let mut reward = vec![0.0; samples];
        self.scaler.transform(&lesson.rollout.reward, &lesson.rollout.status, &mut reward);
        self.scaler.forget_running();
        let plan = Plan {
            objective: Objective {
                clip: config.clip,
                value_clip: None,
                value_weight: config.value_weight,
                entropy_weight: 0.0,
                head: config.head,
                imitates: true,
            },
            epochs: 1,
            minibatch: config.minibatch,
            advantage_normalisation: AdvantageNormalisation::Off,
            learning_rate: warm.learning_rate,
            gradient_norm_max: config.gradient_norm_max,
            kl_limit: None,
            sequence,
            environments,
            learned: Lesson::learned(environments),
            step: 0,
        };
        let (mut adam, mut shuffle) = (Adam::new(self.adam.len()), self.shuffle.clone());
        let action_error_before = lesson.look(&self.parameters, sequence);
        let mut returns = vec![0.0; samples];
        for _ in 0..warm.epochs {
            returns_of(&lesson.rollout, &reward, config.discount, &mut returns);
            let mut learning = Learning {
                parameters: &mut self.parameters,
                differentiator: &mut self.differentiator,
                adam: &mut adam,
                shuffle: &mut shuffle,
            };
            plan.run(&mut learning, &lesson.rollout, vec![0.0; samples], &returns)?;
            lesson.look(&self.parameters, sequence);
        }
        returns_of(&lesson.rollout, &reward, config.discount, &mut returns);
        let held_out = [&lesson.rollout.value, &returns].map(|of| lesson.held_out(of));
        Ok(Imitation {
            decisions: samples as u64,
            action_error: lesson.look(&self.parameters, sequence),
            action_error_before,
            explained_variance: explained_variance(&held_out[0], &held_out[1]),
        })
    }

    fn collect(&mut self) -> Result<Rollout, Error> {
        let behaviour = Behaviour {
            parameters: &self.parameters,
            sight: &mut self.sight,
            memory: &mut self.memory,
            exploration: &mut self.exploration,
            noise_interval: self.identity.config.noise_interval,
            sequence: self.identity.config.recurrent.sequence(),
            cost: self.cost,
            step: self.steps_done,
        };
        behaviour.collect(&mut self.envs, &mut self.episodes, self.identity.config.horizon)
    }

    #[expect(clippy::cast_precision_loss, reason = "step counts are far below 2⁵³")]
    fn learn(&mut self, rollout: &Rollout) -> Result<Vec<(&'static str, f64)>, Error> {
        let config = &self.identity.config;
        let samples = rollout.reward.len();
        let mut reward = vec![0.0; samples];
        let level = self.cap.as_ref().and_then(ReturnCap::cap);
        let capped = self.cap.as_mut().map(|cap| cap.apply(&rollout.reward, &rollout.status));
        let raw = capped.as_ref().unwrap_or(&rollout.reward);
        let penalised = self.constraint.as_mut().map(|bound| bound.apply(raw, &rollout.cost, &rollout.status));
        let raw = penalised.as_ref().unwrap_or(raw);
        let clipped = self.scaler.transform(raw, &rollout.status, &mut reward);
        let (mut advantage, mut returns) = (vec![0.0; samples], vec![0.0; samples]);
        let trajectory = Trajectory {
            reward: &reward,
            value: &rollout.value,
            status: &rollout.status,
            final_value: &rollout.final_value,
            last_value: &rollout.last_value,
        };
        gae::estimate(&trajectory, config.discount, config.trace_decay, &mut advantage, &mut returns);

        let progress = self.steps_done as f64 / self.total_steps() as f64;
        let linear = |start: f64, end: f64| start + progress * (end - start);
        let plan = Plan {
            objective: Objective {
                clip: linear(config.clip, config.clip_end),
                value_clip: config.value_clip.value(),
                value_weight: config.value_weight,
                entropy_weight: config.entropy_weight,
                head: config.head,
                imitates: false,
            },
            epochs: config.epochs,
            minibatch: config.minibatch,
            advantage_normalisation: config.advantage_normalisation,
            learning_rate: linear(config.learning_rate, config.learning_rate_end),
            gradient_norm_max: config.gradient_norm_max,
            kl_limit: config.kl_limit.value(),
            sequence: config.recurrent.sequence(),
            environments: self.identity.environments,
            learned: self.identity.environments,
            step: self.steps_done,
        };
        let mut learning = Learning {
            parameters: &mut self.parameters,
            differentiator: &mut self.differentiator,
            adam: &mut self.adam,
            shuffle: &mut self.shuffle,
        };
        let report = plan.run(&mut learning, rollout, advantage, &returns)?;

        let log_std = self.parameters.log_std();
        // Of the Gaussian before squashing there is a closed form; of other policies, what the rollout saw.
        let entropy = match config.head {
            Head::Gaussian => distribution::gaussian_entropy(log_std),
            Head::StateDependent | Head::Beta | Head::Categorical => rollout.squashed_entropy,
        };
        let deviations: f64 = log_std.iter().map(|&log_std| libm::exp(f64::from(log_std))).sum();
        let mut metrics = vec![
            ("policy_loss", report.policy_loss),
            ("value_loss", report.value_loss),
            ("entropy", entropy),
            ("squashed_entropy", rollout.squashed_entropy),
            ("approximate_kl", report.kl),
            ("clip_fraction", report.clip_fraction),
            ("explained_variance", explained_variance(&rollout.value, &returns)),
            ("gradient_norm", report.gradient_norm),
            ("gradient_steps", report.gradient_steps as f64),
            ("learning_rate", plan.learning_rate),
            ("clip", plan.objective.clip),
            ("action_std", deviations / log_std.len() as f64),
            ("clipped_rewards", clipped as f64),
        ];
        if self.cap.is_some() {
            metrics.push(("return_cap", level.unwrap_or(f64::NAN)));
        }
        if let Some(constraint) = &mut self.constraint {
            metrics.push(("multiplier", constraint.multiplier()));
            constraint.update();
            metrics.push(("constraint", constraint.measured().unwrap_or(f64::NAN)));
            metrics.push(("constraint_limit", constraint.limit()));
        }
        Ok(metrics)
    }

    /// Actions without exploration, `[N, A]`, on raw observations, `[N, D]`: what [`LearnedPolicy::act`] does, and for
    /// choices one for what is chosen and minus one for the rest.
    ///
    /// # Panics
    /// If the shapes disagree, or the policy has a memory: step [`Trainer::policy`] then.
    pub fn decide(&self, observations: &[f32], actions: &mut [f32]) {
        let mut normalised = vec![0.0; observations.len()];
        self.sight.observation.apply(observations, &mut normalised);
        let shape = self.parameters.shape();
        head::decide(shape.head, &run(&self.parameters.actor(), &normalised), shape.action, actions);
    }

    /// Values of raw observations, `[N, D]`, in units of the transformed reward, `[N]`, if the critic sees no more and
    /// remembers nothing.
    ///
    /// # Panics
    /// If it does.
    #[must_use]
    pub fn value(&self, observations: &[f32]) -> Vec<f32> {
        let mut normalised = vec![0.0; observations.len()];
        self.sight.observation.apply(observations, &mut normalised);
        run(&self.parameters.critic(), &normalised)
    }

    /// All parameters of actor, exploration and critic.
    #[must_use]
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }
}

/// Discounted returns of a rollout, bootstrapped where an episode is cut: λ is one.
fn returns_of(rollout: &Rollout, reward: &[f32], discount: f64, returns: &mut [f32]) {
    let trajectory = Trajectory {
        reward,
        value: &rollout.value,
        status: &rollout.status,
        final_value: &rollout.final_value,
        last_value: &rollout.last_value,
    };
    gae::estimate(&trajectory, discount, 1.0, &mut vec![0.0; reward.len()], returns);
}

impl<E: Env> Trainer for Learner<E> {
    fn start_at(&mut self, action: &[f32]) {
        assert_eq!(self.steps_done, 0, "a policy is given its start before training");
        self.parameters.start_at(action);
    }

    fn imitate(&mut self, teacher: &dyn Policy) -> Result<Imitation, Error> {
        assert_eq!(self.steps_done, 0, "a policy imitates before it is trained");
        self.learn_from(teacher)
    }

    fn steps_done(&self) -> u64 {
        self.steps_done
    }

    fn iterations_done(&self) -> u64 {
        self.steps_done / self.steps_per_iteration()
    }

    fn total_steps(&self) -> u64 {
        self.config().total_steps.next_multiple_of(self.steps_per_iteration())
    }

    fn iterate(&mut self, observer: &mut dyn Observer) -> Result<Iteration, Error> {
        assert!(!self.is_done(), "the run is complete after {} steps", self.steps_done);
        observer.phase(Phase::Collect);
        self.warm_up()?;
        self.sight.refresh();
        let rollout = self.collect()?;
        observer.phase(Phase::Learn);
        let metrics = self.learn(&rollout)?;
        self.steps_done += self.steps_per_iteration();
        Ok(Iteration { steps_total: self.steps_done, metrics, episodes: rollout.finished })
    }

    fn policy(&self) -> LearnedPolicy {
        LearnedPolicy {
            mean: self.sight.observation.mean().to_vec(),
            inverse_deviation: self.sight.observation.inverse_deviation().to_vec(),
            clip: self.sight.observation.clip(),
            memory: self.parameters.actor_memory().map(|gru| [gru.input.into(), gru.state.into()]),
            hidden: Activation::Tanh,
            layers: self.parameters.actor().into_iter().map(Into::into).collect(),
        }
    }

    fn save(&self) -> Vec<u8> {
        let state = State {
            identity: self.identity.clone(),
            steps_done: self.steps_done,
            parameters: self.parameters.flat().to_vec(),
            adam: self.adam.clone(),
            sight: self.sight.clone(),
            memory: self.memory.clone(),
            scaler: self.scaler.clone(),
            cap: self.cap.clone(),
            constraint: self.constraint.clone(),
            exploration: self.exploration.clone(),
            shuffle: self.shuffle.clone(),
            episodes: self.episodes.clone(),
            environments: self.envs.save(),
        };
        state.to_bytes()
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let state = State::from_bytes(bytes)?;
        self.identity.check(&state.identity)?;
        let is_capped = state.cap.as_ref().is_none_or(|cap| cap.is_sound(self.envs.len()));
        let is_bound = state.constraint.as_ref().is_none_or(|bound| bound.is_sound(self.envs.len()));
        let is_whole = state.cap.is_some() == self.cap.is_some()
            && state.constraint.is_some() == self.constraint.is_some()
            && state.parameters.len() == self.parameters.flat().len()
            && state.sight.seen_by_critic() == self.sight.seen_by_critic()
            && state.memory.is_sound(self.memory.actor.len());
        if !is_capped || !is_bound || !is_whole {
            return Err(Error::Checkpoint { reason: "its parts do not fit one another" });
        }
        self.envs.load(&state.environments)?;
        self.steps_done = state.steps_done;
        self.parameters = Parameters::from_flat(self.parameters.shape().clone(), state.parameters);
        self.adam = state.adam;
        self.sight = state.sight;
        self.memory = state.memory;
        self.scaler = state.scaler;
        self.cap = state.cap;
        self.constraint = state.constraint;
        self.exploration = state.exploration;
        self.shuffle = state.shuffle;
        self.episodes = state.episodes;
        Ok(())
    }
}
