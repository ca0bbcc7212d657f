//! Collecting samples: every environment, `horizon` steps, under one fixed policy.

use rand_chacha::ChaCha8Rng;
use seawall_env::{Env, Status, VecEnv};

use super::head::{self, Sampler};
use crate::episodes::{Episode, Episodes};
use crate::error::{Error, check_finite as check};
use crate::network::{Parameters, run};
use crate::normaliser::ObservationNormaliser;

/// Samples of one rollout.
///
/// # Shapes
/// Row-major; `T` steps of `B` environments.
#[derive(Clone, Debug, Default)]
pub(super) struct Rollout {
    /// Normalised observations that were acted on, `[T, B, D]`.
    pub(super) observation: Vec<f32>,
    /// Actions as their density is of them, before squashing, `[T, B, A]`.
    pub(super) action: Vec<f32>,
    /// Log-density of `action` under the policy, `[T, B]`.
    pub(super) log_density: Vec<f32>,
    /// Values, `[T, B]`.
    pub(super) value: Vec<f32>,
    /// Raw rewards, `[T, B]`.
    pub(super) reward: Vec<f64>,
    /// How each step left its episode, `[T, B]`.
    pub(super) status: Vec<Status>,
    /// Values of the last observations of truncated episodes, zero elsewhere, `[T, B]`.
    pub(super) final_value: Vec<f32>,
    /// Values of the observations that follow, `[B]`.
    pub(super) last_value: Vec<f32>,
    /// Monte Carlo estimate of the squashed policy's entropy, in nats.
    pub(super) squashed_entropy: f64,
    /// Episodes that ended, in the order of steps, then environments.
    pub(super) finished: Vec<Episode>,
}

/// What acts during a rollout.
pub(super) struct Behaviour<'a> {
    pub(super) parameters: &'a Parameters,
    /// Applied as it was last refreshed; observes what is acted on.
    pub(super) normaliser: &'a mut ObservationNormaliser,
    pub(super) exploration: &'a mut ChaCha8Rng,
    /// Steps between two draws of state-dependent noise.
    pub(super) noise_interval: usize,
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
        let Self { parameters, normaliser, exploration, noise_interval, step } = self;
        let (environments, width) = (envs.len(), envs.spec().observation.len());
        let actions = envs.spec().action.len();
        let samples = horizon * environments;
        let mut rollout = Rollout {
            observation: vec![0.0; samples * width],
            action: vec![0.0; samples * actions],
            log_density: Vec::with_capacity(samples),
            reward: Vec::with_capacity(samples),
            status: Vec::with_capacity(samples),
            final_value: vec![0.0; samples],
            ..Rollout::default()
        };
        let mut sampler = Sampler::new(parameters, exploration, noise_interval);
        let mut mean = vec![0.0; environments * actions];
        let mut squashed = vec![0.0; environments * actions];
        let mut cut = Truncations::default();
        let mut entropy = 0.0;

        let rows = rollout.observation.chunks_exact_mut(environments * width);
        for (t, (observation, action)) in rows.zip(rollout.action.chunks_exact_mut(environments * actions)).enumerate()
        {
            check("observation", envs.observations(), step)?;
            normaliser.observe(envs.observations());
            normaliser.apply(envs.observations(), observation);
            let drawn = (&mut *action, &mut rollout.log_density, &mut entropy);
            sampler.draw(observation, &mut mean, drawn);
            head::enact(parameters.shape().head, action, &mut squashed);
            envs.step(&squashed);

            check("reward", envs.rewards(), step)?;
            rollout.reward.extend_from_slice(envs.rewards());
            rollout.status.extend_from_slice(envs.statuses());
            cut.gather(envs, t, normaliser, step)?;
            episodes.step(envs.rewards(), envs.statuses(), envs.reward_terms(), &mut rollout.finished);
        }

        let critic = parameters.critic();
        check("observation", envs.observations(), step)?;
        let mut last = vec![0.0; environments * width];
        normaliser.apply(envs.observations(), &mut last);
        rollout.value = run(&critic, &rollout.observation);
        rollout.last_value = run(&critic, &last);
        for (sample, value) in cut.samples.iter().zip(run(&critic, &cut.observations)) {
            rollout.final_value[*sample] = value;
        }
        rollout.squashed_entropy = entropy / samples as f64;
        Ok(rollout)
    }
}

/// Last observations of truncated episodes, kept so that one forward pass values all of them.
#[derive(Default)]
struct Truncations {
    /// Index into `[T, B]` of each.
    samples: Vec<usize>,
    /// Normalised, `[number, D]`.
    observations: Vec<f32>,
}

impl Truncations {
    fn gather<E: Env>(
        &mut self,
        envs: &VecEnv<E>,
        t: usize,
        normaliser: &ObservationNormaliser,
        step: u64,
    ) -> Result<(), Error> {
        let width = envs.spec().observation.len();
        for (b, status) in envs.statuses().iter().enumerate() {
            if *status == Status::Truncated {
                let raw = &envs.final_observations()[b * width..(b + 1) * width];
                check("observation", raw, step)?;
                self.samples.push(t * envs.len() + b);
                let start = self.observations.len();
                self.observations.resize(start + width, 0.0);
                normaliser.apply(raw, &mut self.observations[start..]);
            }
        }
        Ok(())
    }
}
