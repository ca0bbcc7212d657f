//! The learner: what it holds, how one iteration goes, how it is saved and resumed.

use seawall_env::{Env, Problem, Purpose, SeedTree, VecEnv};
use seawall_runtime::format::Activation;

use super::config::SacConfig;
use super::gradient::Differentiator;
use super::networks::{Networks, SacShape};
use super::replay::{Reading, Replay, Step};
use super::rollout::Explorer;
use super::state::{Identity, State};
use super::update::{Optimisers, Plan, Report, Scratch};
use crate::episodes::{Episode, Episodes};
use crate::error::{Error, check_finite as check};
use crate::network::run_with;
use crate::normaliser::{ObservationNormaliser, RewardScaler};
use crate::observer::{Observer, Phase};
use crate::policy::{Dense, LearnedPolicy};
use crate::trainer::{Iteration, Trainer};

/// Streams of exploration noise.
const ROLLOUT_STREAM: u64 = 0;
const UPDATE_STREAM: u64 = 2;

/// Trains a policy in any environment by the soft actor-critic.
///
/// The same configuration, environments and seed give the same bits on one machine, whatever the number of threads,
/// interrupted and resumed or not.
#[derive(Clone, Debug)]
pub struct Learner<E> {
    identity: Identity,
    envs: VecEnv<E>,
    steps_done: u64,
    networks: Networks,
    differentiator: Differentiator,
    optimisers: Optimisers,
    scratch: Scratch,
    normaliser: ObservationNormaliser,
    scaler: RewardScaler,
    explorer: Explorer,
    replay: Replay,
    episodes: Episodes,
}

impl<E: Env> Learner<E> {
    /// Starts a run in `envs`, with weights, exploration and samples drawn from `seeds`.
    ///
    /// # Errors
    /// [`Error::Config`] if the configuration is not valid, or the environments have no observation or no action.
    pub fn new(config: SacConfig, envs: VecEnv<E>, seeds: SeedTree) -> Result<Self, Error> {
        let spec = envs.spec().clone();
        let mut problems = config.validate();
        for (field, names) in [("observation", &spec.observation), ("action", &spec.action)] {
            if names.is_empty() {
                problems.0.push(Problem::new(field, 0, "1 or more entries of the environment's buffer"));
            }
        }
        if !problems.0.is_empty() {
            return Err(Error::Config(problems));
        }
        let shape = SacShape {
            observation: spec.observation.len(),
            action: spec.action.len(),
            actor_hidden: config.actor_hidden.clone(),
            actor_activation: config.actor_activation,
            critic_hidden: config.critic_hidden.clone(),
            critic: config.critic,
            exploration: config.exploration,
        };
        let normaliser = if config.observation_normalisation {
            ObservationNormaliser::new(spec.observation.len(), config.observation_clip)
        } else {
            ObservationNormaliser::identity(spec.observation.len())
        };
        let mut differentiator = Differentiator::new(&shape);
        let networks = Networks::draw(shape, config.initial_log_std, seeds);
        differentiator.load(&networks);
        let (sampling, noise) = (seeds.stream(Purpose::Shuffle, 0), seeds.stream(Purpose::Exploration, UPDATE_STREAM));
        Ok(Self {
            differentiator,
            optimisers: Optimisers::new(&config, &networks, sampling, noise),
            scratch: Scratch::new(&networks),
            networks,
            steps_done: 0,
            normaliser,
            scaler: RewardScaler::new(config.reward_transform, crate::Limit::Off, config.discount, envs.len()),
            explorer: Explorer::new(seeds.stream(Purpose::Exploration, ROLLOUT_STREAM)),
            replay: Replay::new(config.replay_capacity, envs.len()),
            episodes: Episodes::new(envs.len(), spec.reward.len()),
            identity: Identity { config, seed: seeds.root(), environments: envs.len(), spec },
            envs,
        })
    }

    /// Settings of the run.
    #[must_use]
    pub const fn config(&self) -> &SacConfig {
        &self.identity.config
    }

    /// Environment steps of one iteration.
    #[must_use]
    pub fn steps_per_iteration(&self) -> u64 {
        (self.config().horizon * self.envs.len()) as u64
    }

    /// All networks.
    #[must_use]
    pub const fn networks(&self) -> &Networks {
        &self.networks
    }

    /// Values of raw observations, `[N, D]`, and actions, `[N, A]`, by critic `index`, `[N, outputs]`, in units of the
    /// transformed reward.
    #[must_use]
    pub fn value(&self, index: usize, observations: &[f32], actions: &[f32]) -> Vec<f32> {
        let mut normalised = vec![0.0; observations.len()];
        self.normaliser.apply(observations, &mut normalised);
        let shape = self.networks.shape();
        let rows = normalised.chunks_exact(shape.observation).zip(actions.chunks_exact(shape.action));
        let input: Vec<f32> = rows.flat_map(|(o, a)| o.iter().chain(a).copied().collect::<Vec<_>>()).collect();
        run_with(Activation::Relu, &self.networks.critic(index), &input)
    }

    /// Steps every environment once and remembers it.
    fn collect(&mut self, finished: &mut Vec<Episode>) -> Result<(), Error> {
        let Self { identity, envs, explorer, networks, normaliser, .. } = self;
        let step = self.steps_done;
        check("observation", envs.observations(), step)?;
        normaliser.observe(envs.observations());
        let actions = if step < identity.config.learning_starts {
            explorer.uniform(envs.len() * identity.spec.action.len())
        } else {
            explorer.act(networks, normaliser, envs, identity.config.noise_interval)
        };
        let before = envs.observations().to_vec();
        envs.step(&actions);

        check("reward", envs.rewards(), step)?;
        let mut next = envs.observations().to_vec();
        let width = identity.spec.observation.len();
        let finals = envs.final_observations().chunks_exact(width).zip(envs.statuses());
        for (row, (last, status)) in next.chunks_exact_mut(width).zip(finals) {
            if status.is_over() {
                row.copy_from_slice(last);
            }
        }
        check("observation", &next, step)?;
        self.scaler.observe(envs.rewards(), envs.statuses());
        self.replay.push(&Step {
            observation: &before,
            action: &actions,
            reward: envs.rewards(),
            status: envs.statuses(),
            next: &next,
        });
        self.episodes.step(envs.rewards(), envs.statuses(), envs.reward_terms(), finished);
        self.steps_done += envs.len() as u64;
        Ok(())
    }

    /// Makes a round of gradient steps.
    fn learn(&mut self, report: &mut Report) -> Result<(), Error> {
        self.normaliser.refresh();
        let config = &self.identity.config;
        let plan = Plan { config, learning_rate: self.learning_rate(), step: self.steps_done };
        let reading = Reading {
            normaliser: &self.normaliser,
            scaler: &self.scaler,
            discount: config.discount,
            return_steps: config.return_steps,
        };
        for _ in 0..config.gradient_steps {
            plan.step(
                &mut self.networks,
                (&mut self.differentiator, &mut self.optimisers),
                (&self.replay, &reading),
                &mut self.scratch,
                report,
            )?;
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "step counts are far below 2⁵³")]
    fn learning_rate(&self) -> f64 {
        let config = self.config();
        let progress = self.steps_done as f64 / self.total_steps() as f64;
        config.learning_rate + progress * (config.learning_rate_end - config.learning_rate)
    }

    /// Diagnostics of an iteration; means over its gradient steps, NaN if there was none.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2⁵³")]
    fn metrics(&self, report: &Report) -> Vec<(&'static str, f64)> {
        let mean = |sum: f64| sum / report.steps;
        let critics = self.networks.shape().critic.critics() as f64;
        vec![
            ("actor_loss", mean(report.actor_loss)),
            ("critic_loss", mean(report.critic_loss)),
            ("value", mean(report.value)),
            ("target", mean(report.target)),
            ("entropy", mean(report.entropy)),
            ("temperature", self.optimisers.temperature(self.config())),
            ("actor_gradient_norm", mean(report.actor_norm)),
            ("critic_gradient_norm", mean(report.critic_norm) / critics),
            ("gradient_steps", report.steps),
            ("learning_rate", self.learning_rate()),
            ("replay_transitions", self.replay.len() as f64),
            ("reward_scale", self.scaler.scale()),
        ]
    }
}

impl<E: Env> Trainer for Learner<E> {
    fn start_at(&mut self, action: &[f32]) {
        assert_eq!(self.steps_done, 0, "a policy is given its start before training");
        self.networks.start_at(action);
        self.differentiator.load(&self.networks);
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
        let (mut finished, mut report) = (Vec::new(), Report::default());
        let (horizon, frequency) = (self.config().horizon, self.config().train_frequency);
        let mut phase = None;
        let mut enter = |next: Phase| {
            if phase.replace(next) != Some(next) {
                observer.phase(next);
            }
        };
        for step in 1..=horizon {
            enter(Phase::Collect);
            self.collect(&mut finished)?;
            if step.is_multiple_of(frequency) && self.steps_done >= self.config().learning_starts {
                enter(Phase::Learn);
                self.learn(&mut report)?;
            }
        }
        Ok(Iteration { steps_total: self.steps_done, metrics: self.metrics(&report), episodes: finished })
    }

    fn policy(&self) -> LearnedPolicy {
        let actions = self.identity.spec.action.len();
        let mut layers: Vec<Dense> = self.networks.actor().into_iter().map(Into::into).collect();
        if let Some(last) = layers.last_mut() {
            last.keep(actions);
        }
        LearnedPolicy {
            mean: self.normaliser.mean().to_vec(),
            inverse_deviation: self.normaliser.inverse_deviation().to_vec(),
            clip: self.normaliser.clip(),
            memory: None,
            hidden: self.networks.shape().actor_activation.into(),
            layers,
        }
    }

    fn save(&self) -> Vec<u8> {
        let state = State {
            kind: State::kind(),
            identity: self.identity.clone(),
            steps_done: self.steps_done,
            networks: self.networks.flat(),
            optimisers: self.optimisers.clone(),
            normaliser: self.normaliser.clone(),
            scaler: self.scaler.clone(),
            explorer: self.explorer.clone(),
            replay: self.replay.clone(),
            episodes: self.episodes.clone(),
            environments: self.envs.save(),
        };
        state.to_bytes()
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let state = State::from_bytes(bytes)?;
        self.identity.check(&state.identity)?;
        let (width, actions) = (self.identity.spec.observation.len(), self.identity.spec.action.len());
        let is_whole = state.networks.len() == self.networks.flat().len()
            && state.optimisers.fits(&self.networks)
            && state.replay.is_sound(self.envs.len(), width, actions);
        if !is_whole {
            return Err(Error::Checkpoint { reason: "its parts do not fit one another" });
        }
        self.envs.load(&state.environments)?;
        self.steps_done = state.steps_done;
        self.networks = Networks::from_flat(self.networks.shape().clone(), &state.networks);
        self.differentiator.load(&self.networks);
        self.optimisers = state.optimisers;
        self.normaliser = state.normaliser;
        self.scaler = state.scaler;
        self.explorer = state.explorer;
        self.replay = state.replay;
        self.episodes = state.episodes;
        Ok(())
    }
}
