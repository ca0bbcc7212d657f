//! Collecting samples: every environment, `horizon` steps, under one fixed policy.

use rand_chacha::ChaCha8Rng;
use seawall_env::{Env, Status, VecEnv};
use seawall_runtime::Gru;

use super::head::{self, Sampler};
use super::memory::{Memory, forget};
use super::sight::Sight;
use crate::episodes::{Episode, Episodes};
use crate::error::{Error, check_finite as check};
use crate::network::{Parameters, run};

/// Samples of one rollout.
///
/// # Shapes
/// Row-major; `T` steps of `B` environments.
#[derive(Clone, Debug, Default)]
pub(super) struct Rollout {
    /// Normalised observations that were acted on, `[T, B, D]`.
    pub(super) observation: Vec<f32>,
    /// What the critic saw, `[T, B, D + P]`; empty if that is what the actor saw.
    pub(super) critic_observation: Vec<f32>,
    /// Actions as their density is of them, before squashing, `[T, B, A]`.
    pub(super) action: Vec<f32>,
    /// Log-density of `action` under the policy, `[T, B]`.
    pub(super) log_density: Vec<f32>,
    /// Values, `[T, B]`.
    pub(super) value: Vec<f32>,
    /// Raw rewards, `[T, B]`.
    pub(super) reward: Vec<f64>,
    /// The constrained reward term, `[T, B]`; empty if none is.
    pub(super) cost: Vec<f64>,
    /// How each step left its episode, `[T, B]`.
    pub(super) status: Vec<Status>,
    /// Values of the last observations of truncated episodes, zero elsewhere, `[T, B]`.
    pub(super) final_value: Vec<f32>,
    /// Values of the observations that follow, `[B]`.
    pub(super) last_value: Vec<f32>,
    /// What the actor remembered before each sequence of `L` steps, `[T / L, B, H]`; empty if it does not.
    pub(super) actor_state: Vec<f32>,
    /// The critic's.
    pub(super) critic_state: Vec<f32>,
    /// What the critic sees behind the last step, `[B, D + P]`.
    pub(super) last: Vec<f32>,
    /// What it saw last of truncated episodes.
    pub(super) cut: Truncations,
    /// Monte Carlo estimate of the squashed policy's entropy, in nats.
    pub(super) squashed_entropy: f64,
    /// Episodes that ended, in the order of steps, then environments.
    pub(super) finished: Vec<Episode>,
}

/// What acts during a rollout.
pub(super) struct Behaviour<'a> {
    pub(super) parameters: &'a Parameters,
    /// Applied as it was last refreshed; observes what is acted on.
    pub(super) sight: &'a mut Sight,
    pub(super) memory: &'a mut Memory,
    pub(super) exploration: &'a mut ChaCha8Rng,
    /// Steps between two draws of state-dependent noise.
    pub(super) noise_interval: usize,
    /// Steps of a sequence, `L`.
    pub(super) sequence: usize,
    /// Index of the constrained reward term, if there is one.
    pub(super) cost: Option<usize>,
    /// Environment steps done so far, for errors.
    pub(super) step: u64,
}

impl Behaviour<'_> {
    /// Collects `horizon` steps of every environment.
    ///
    /// Sampling is serial in the order of steps, environments and entries, so it does not depend on threads.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if an observation or a reward is not finite.
    #[expect(clippy::cast_precision_loss, reason = "a number of samples")]
    pub(super) fn collect<E: Env>(
        self,
        envs: &mut VecEnv<E>,
        episodes: &mut Episodes,
        horizon: usize,
    ) -> Result<Rollout, Error> {
        let Self { parameters, sight, memory, exploration, noise_interval, sequence, cost, step } = self;
        let (environments, width) = (envs.len(), envs.spec().observation.len());
        let actions = envs.spec().action.len();
        let samples = horizon * environments;
        let mut rollout = Rollout {
            observation: vec![0.0; samples * width],
            action: vec![0.0; samples * actions],
            ..Rollout::default()
        };
        let mut sampler = Sampler::new(parameters, exploration, noise_interval);
        let remember = Remember::new(parameters.actor_memory(), environments);
        let mut remember = remember.map(|remember| (remember, &mut memory.actor));
        let mut mean = vec![0.0; environments * actions];
        let mut squashed = vec![0.0; environments * actions];
        let mut entropy = 0.0;

        for t in 0..horizon {
            sight.observe(envs, step)?;
            let observation = &mut rollout.observation[t * environments * width..(t + 1) * environments * width];
            sight.observation.apply(envs.observations(), observation);
            let action = &mut rollout.action[t * environments * actions..(t + 1) * environments * actions];
            let read: &[f32] = match &mut remember {
                None => observation,
                Some((remember, state)) => {
                    if t.is_multiple_of(sequence) {
                        rollout.actor_state.extend_from_slice(state);
                    }
                    remember.step(observation, state);
                    state
                }
            };
            sampler.draw(read, &mut mean, (&mut *action, &mut rollout.log_density, &mut entropy));
            head::enact(parameters.shape().head, action, &mut squashed);
            rollout.step(envs, &squashed, sight, (cost, step))?;
            if let Some((_, state)) = &mut remember {
                forget(state, envs.statuses());
            }
            episodes.step(envs.rewards(), envs.statuses(), envs.reward_terms(), &mut rollout.finished);
        }
        check("observation", envs.observations(), step)?;
        rollout.last = sight.critic(envs.observations(), envs.privileged());
        rollout.appraise(parameters, &mut memory.critic, sequence);
        rollout.squashed_entropy = entropy / samples as f64;
        Ok(rollout)
    }
}

impl Rollout {
    /// Steps the environments and keeps what comes of it.
    pub(super) fn step<E: Env>(
        &mut self,
        envs: &mut VecEnv<E>,
        actions: &[f32],
        sight: &Sight,
        (cost, step): (Option<usize>, u64),
    ) -> Result<(), Error> {
        if sight.privileged.is_some() {
            self.critic_observation.extend(sight.critic(envs.observations(), envs.privileged()));
        }
        envs.step(actions);
        check("reward", envs.rewards(), step)?;
        if let Some(term) = cost {
            let terms = envs.reward_terms().chunks_exact(envs.spec().reward.len());
            self.cost.extend(terms.map(|terms| terms[term]));
            check("constrained cost", &self.cost[self.reward.len()..], step)?;
        }
        let before = self.reward.len();
        self.reward.extend_from_slice(envs.rewards());
        self.status.extend_from_slice(envs.statuses());
        self.cut.gather(envs, before, sight, step)
    }

    /// What the critic saw, `[T, B, D + P]`.
    pub(super) fn seen(&self) -> &[f32] {
        if self.critic_observation.is_empty() { &self.observation } else { &self.critic_observation }
    }

    /// Values everything that was collected; `state` is what the critic remembers, before and then after.
    pub(super) fn appraise(&mut self, parameters: &Parameters, state: &mut [f32], sequence: usize) {
        let critic = parameters.critic();
        self.final_value = vec![0.0; self.reward.len()];
        let environments = self.last.len() / parameters.shape().seen_by_critic();
        let Some(mut remember) = Remember::new(parameters.critic_memory(), environments) else {
            self.value = run(&critic, self.seen());
            self.last_value = run(&critic, &self.last);
            for (sample, value) in self.cut.samples.iter().zip(run(&critic, &self.cut.observations)) {
                self.final_value[*sample] = value;
            }
            return;
        };
        let width = parameters.shape().seen_by_critic();
        let units = parameters.shape().memory;
        (self.value, self.critic_state) = (Vec::with_capacity(self.reward.len()), Vec::new());
        let mut cut = 0;
        for t in 0..self.status.len() / environments {
            if t.is_multiple_of(sequence) {
                self.critic_state.extend_from_slice(state);
            }
            let rows = t * environments * width..(t + 1) * environments * width;
            remember.step(&self.seen()[rows], state);
            self.value.extend(run(&critic, state));
            while let Some(sample) = self.cut.samples.get(cut).filter(|sample| **sample < (t + 1) * environments) {
                let b = sample - t * environments;
                let mut ended = state[b * units..(b + 1) * units].to_vec();
                remember.step(&self.cut.observations[cut * width..(cut + 1) * width], &mut ended);
                self.final_value[*sample] = run(&critic, &ended)[0];
                cut += 1;
            }
            forget(state, &self.status[t * environments..(t + 1) * environments]);
        }
        let mut beyond = state.to_vec();
        remember.step(&self.last, &mut beyond);
        self.last_value = run(&critic, &beyond);
    }

    /// What the actor's layers read, `[T, B, D]` or `[T, B, H]`, if every environment starts an episode; keeps what it
    /// remembers before each sequence.
    pub(super) fn recall(&mut self, parameters: &Parameters, environments: usize, sequence: usize) -> Vec<f32> {
        let Some(mut remember) = Remember::new(parameters.actor_memory(), environments) else {
            return self.observation.clone();
        };
        let mut state = vec![0.0; environments * parameters.shape().memory];
        self.actor_state.clear();
        let mut read = Vec::new();
        let rows = self.observation.chunks_exact(environments * parameters.shape().observation);
        for (t, (observation, statuses)) in rows.zip(self.status.chunks_exact(environments)).enumerate() {
            if t.is_multiple_of(sequence) {
                self.actor_state.extend_from_slice(&state);
            }
            remember.step(observation, &mut state);
            read.extend_from_slice(&state);
            forget(&mut state, statuses);
        }
        read
    }
}

/// A memory with the buffer that stepping it needs.
struct Remember<'a> {
    gru: Gru<'a>,
    scratch: Vec<f32>,
}

impl<'a> Remember<'a> {
    fn new(gru: Option<Gru<'a>>, rows: usize) -> Option<Self> {
        gru.map(|gru| Self { gru, scratch: vec![0.0; gru.scratch_len(rows)] })
    }

    fn step(&mut self, input: &[f32], state: &mut [f32]) {
        self.gru.step(input, state.len() / self.gru.units(), &mut self.scratch, state);
    }
}

/// Last observations of truncated episodes, kept so that all of them are valued after the rollout.
#[derive(Clone, Debug, Default)]
pub(super) struct Truncations {
    /// Index into `[T, B]` of each, rising.
    samples: Vec<usize>,
    /// As the critic sees them, `[number, D + P]`.
    observations: Vec<f32>,
}

impl Truncations {
    fn gather<E: Env>(&mut self, envs: &VecEnv<E>, first: usize, sight: &Sight, step: u64) -> Result<(), Error> {
        let width = envs.spec().observation.len();
        let hidden = envs.final_privileged().len() / envs.len();
        for (b, status) in envs.statuses().iter().enumerate() {
            if *status == Status::Truncated {
                let raw = &envs.final_observations()[b * width..(b + 1) * width];
                check("observation", raw, step)?;
                let privileged = &envs.final_privileged()[b * hidden..(b + 1) * hidden];
                self.samples.push(first + b);
                self.observations.extend(sight.critic(raw, privileged));
            }
        }
        Ok(())
    }
}
