//! A warm start: the actor imitates a teacher before it learns from rewards, and the critic learns what the teacher earns.
//!
//! The teacher plays copies of the environments. The actor maximises the likelihood of its actions under the actor's own
//! head, with exploration held as it is; the critic is fitted to the teacher's discounted returns, which bootstrap from the
//! critic itself where an episode is cut, anew in every pass. Some environments are held out: on them nobody learns, and
//! they say how close the imitation is.
//!
//! The teacher acts on its own path, so the clone is close where the teacher goes; corrections on the clone's path
//! (`DAgger`) are deliberately not here, because learning from rewards follows.
//!
//! # Reference
//! Bain & Sammut 1995, "A framework for behavioural cloning"; Pomerleau 1991.

use seawall_agents::Policy;
use seawall_env::{Env, Status, VecEnv};

use super::head;
use super::rollout::Rollout;
use super::sight::Sight;
use crate::error::Error;
use crate::network::{Parameters, run};

/// Distance from the ends of an action's interval at which it is imitated: squashing lets little gradient through beyond.
const EDGE: f32 = 0.02;
/// Of so many environments one is held out.
const HELD_OUT: usize = 8;

/// What a warm start came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Imitation {
    /// Decisions of the teacher, over all environments; they are not steps of the run.
    pub decisions: u64,
    /// Root mean square distance between the teacher's actions and the imitation's, without exploration, on environments
    /// that nobody learned from; actions lie in `[-1, 1]`.
    pub action_error: f64,
    /// The same before anything was learned.
    pub action_error_before: f64,
    /// Share of the variance of the teacher's returns that the critic explains, on the same environments.
    pub explained_variance: f64,
}

/// A teacher's decisions, and what came of them.
pub(super) struct Lesson {
    /// As of a rollout; log-densities are zero.
    pub(super) rollout: Rollout,
    /// What the teacher did, `[T, B, A]`.
    actions: Vec<f32>,
    environments: usize,
}

impl Lesson {
    /// Lets copies of `teacher` decide in every environment, from the start of its first episode, for `horizon` steps.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if an observation or a reward is not finite.
    pub(super) fn watch<E: Env>(
        teacher: &dyn Policy,
        envs: &mut VecEnv<E>,
        sight: &mut Sight,
        horizon: usize,
    ) -> Result<Self, Error> {
        // Everything is played twice: statistics first, so that all of it is seen through the same ones.
        let mut actions = Vec::new();
        play(teacher, &mut envs.clone(), horizon, |envs, action| {
            sight.observe(envs, 0)?;
            actions.extend_from_slice(action);
            envs.step(action);
            Ok(())
        })?;
        sight.refresh();
        let mut rollout = Rollout::default();
        play(teacher, envs, horizon, |envs, action| {
            let start = rollout.observation.len();
            rollout.observation.resize(start + envs.observations().len(), 0.0);
            sight.observation.apply(envs.observations(), &mut rollout.observation[start..]);
            rollout.step(envs, action, sight, (None, 0))
        })?;
        rollout.last = sight.critic(envs.observations(), envs.privileged());
        rollout.log_density = vec![0.0; rollout.reward.len()];
        Ok(Self { rollout, actions, environments: envs.len() })
    }

    /// Environments that are learned from, the first ones; at least one of two or more is held out.
    pub(super) const fn learned(environments: usize) -> usize {
        environments - environments.div_ceil(HELD_OUT)
    }

    /// Keeps the teacher's actions as the head stores them.
    pub(super) fn store(&mut self, parameters: &Parameters) {
        let (head, width) = (parameters.shape().head, parameters.shape().action);
        self.rollout.action = vec![0.0; self.actions.len()];
        for (action, stored) in self.actions.chunks_exact(width).zip(self.rollout.action.chunks_exact_mut(width)) {
            head::store(head, action, EDGE, stored);
        }
    }

    /// Values and states under the parameters as they are now; returns the distance from the teacher on held-out
    /// environments, as of [`Imitation::action_error`].
    pub(super) fn look(&mut self, parameters: &Parameters, sequence: usize) -> f64 {
        let (shape, environments) = (parameters.shape(), self.environments);
        self.rollout.appraise(parameters, &mut vec![0.0; environments * shape.memory], sequence);
        let read = self.rollout.recall(parameters, environments, sequence);
        let mut decided = vec![0.0; self.actions.len()];
        head::decide(shape.head, &run(&parameters.actor(), &read), shape.action, &mut decided);
        let held = Self::learned(environments) * shape.action;
        let rows = self.actions.chunks_exact(environments * shape.action);
        let rows = rows.zip(decided.chunks_exact(environments * shape.action));
        let pairs = rows.flat_map(|(a, b)| a[held..].iter().zip(&b[held..]));
        let (mut sum, mut count) = (0.0, 0.0_f64);
        for (a, b) in pairs {
            sum += (f64::from(*a) - f64::from(*b)) * (f64::from(*a) - f64::from(*b));
            count += 1.0;
        }
        (sum / count.max(1.0)).sqrt()
    }

    /// Of a quantity, `[T, B]`, what belongs to held-out environments.
    pub(super) fn held_out(&self, of: &[f32]) -> Vec<f32> {
        let learned = Self::learned(self.environments);
        of.chunks_exact(self.environments).flat_map(|row| &row[learned..]).copied().collect()
    }
}

/// Asks one copy of `teacher` for each environment, and hands its actions to `step`, which steps the environments.
fn play<E: Env>(
    teacher: &dyn Policy,
    envs: &mut VecEnv<E>,
    horizon: usize,
    mut step: impl FnMut(&mut VecEnv<E>, &[f32]) -> Result<(), Error>,
) -> Result<(), Error> {
    let (width, actions) = (envs.spec().observation.len(), envs.spec().action.len());
    let mut action = vec![0.0; envs.len() * actions];
    let mut teachers: Vec<(Box<dyn Policy>, u64)> =
        (0..envs.len() as u64).map(|b| (teacher.boxed(), b << 32)).collect();
    for (teacher, episode) in &mut teachers {
        teacher.reset(*episode);
    }
    for _ in 0..horizon {
        let rows = envs.observations().chunks_exact(width).zip(action.chunks_exact_mut(actions));
        for ((teacher, _), (observation, action)) in teachers.iter_mut().zip(rows) {
            teacher.act(observation, action);
        }
        step(envs, &action)?;
        for ((teacher, episode), status) in teachers.iter_mut().zip(envs.statuses()) {
            if *status != Status::Running {
                *episode += 1;
                teacher.reset(*episode);
            }
        }
    }
    Ok(())
}
