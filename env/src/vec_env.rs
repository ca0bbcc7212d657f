//! Many environments stepped together into contiguous buffers, with autoreset.

use crate::error::Error;
use crate::gym::{Env, Spec, Status};
use crate::rng::{Purpose, SeedTree};

/// `B` environments in lockstep.
///
/// Autoreset is *same-step*: when an episode ends, the observation row already belongs to the next episode, and
/// the last observation of the ended one stands in [`VecEnv::final_observations`]. Episode `e` of environment `b`
/// is seeded by `(root, b, e)` alone, so results depend neither on the number of threads nor on the order of work.
///
/// # Shapes
/// Row-major: observations and final observations `[B, D]`, actions `[B, A]`, rewards and statuses `[B]`,
/// reward terms `[B, R]`, privileged entries `[B, P]`.
#[derive(Clone, Debug)]
pub struct VecEnv<E> {
    lanes: Vec<Lane<E>>,
    seeds: SeedTree,
    observations: Vec<f32>,
    final_observations: Vec<f32>,
    rewards: Vec<f64>,
    statuses: Vec<Status>,
    terms: Vec<f64>,
    /// Empty until [`VecEnv::reveal`].
    privileged: Vec<f32>,
    final_privileged: Vec<f32>,
}

#[derive(Clone, Debug)]
struct Lane<E> {
    env: E,
    index: u64,
    episode: u64,
}

/// Episodes per environment before seeds would collide: 2²⁴ environments of 2²⁴ episodes fit in a stream index.
const EPISODES: u64 = 1 << 24;

/// Parts of the work for each thread: an environment in a crash, or one that starts again, takes many times as long as
/// its neighbours, and whoever is done takes over a part from the others.
#[cfg(feature = "parallel")]
const PARTS: usize = 4;

impl<E: Env> VecEnv<E> {
    /// Wraps `envs` and starts the first episode of each.
    ///
    /// # Panics
    /// If `envs` is empty or the environments do not share one spec.
    #[must_use]
    pub fn new(envs: Vec<E>, seeds: SeedTree) -> Self {
        let spec = envs.first().expect("at least one environment").spec();
        assert!(envs.iter().all(|env| env.spec() == spec), "all environments must share one spec");
        let (obs, terms, count) = (spec.observation.len(), spec.reward.len(), envs.len());
        let lanes = (0..).zip(envs).map(|(index, env)| Lane { env, index, episode: 0 }).collect();
        let mut this = Self {
            lanes,
            seeds,
            observations: vec![0.0; count * obs],
            final_observations: vec![0.0; count * obs],
            rewards: vec![0.0; count],
            statuses: vec![Status::Running; count],
            terms: vec![0.0; count * terms],
            privileged: Vec::new(),
            final_privileged: Vec::new(),
        };
        this.reset();
        this
    }

    /// Starts every environment's first episode again.
    pub fn reset(&mut self) {
        let seeds = self.seeds;
        let width = self.spec().observation.len();
        for (lane, row) in self.lanes.iter_mut().zip(self.observations.chunks_exact_mut(width)) {
            lane.episode = 0;
            lane.reset(seeds, row);
        }
        self.look_behind();
    }

    /// From now on also gathers what the environments do not show: [`VecEnv::privileged`].
    pub fn reveal(&mut self) {
        let length = self.lanes.len() * self.lanes[0].env.privileged().len();
        (self.privileged, self.final_privileged) = (vec![0.0; length], vec![0.0; length]);
        self.look_behind();
    }

    fn look_behind(&mut self) {
        let width = self.privileged.len() / self.lanes.len();
        for (b, lane) in self.lanes.iter().enumerate().filter(|_| width > 0) {
            lane.env.reveal(&mut self.privileged[b * width..(b + 1) * width]);
        }
    }

    /// Names and sizes of one environment's buffers.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        self.lanes[0].env.spec()
    }

    /// Number of environments, `B`.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lanes.len()
    }

    /// Always false: a `VecEnv` has at least one environment.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Observations to act on, `[B, D]`.
    #[must_use]
    pub fn observations(&self) -> &[f32] {
        &self.observations
    }

    /// Last observation of each episode that the last step ended, `[B, D]`; other rows are stale.
    #[must_use]
    pub fn final_observations(&self) -> &[f32] {
        &self.final_observations
    }

    /// Privileged entries beside [`VecEnv::observations`], `[B, P]`; empty without [`VecEnv::reveal`].
    #[must_use]
    pub fn privileged(&self) -> &[f32] {
        &self.privileged
    }

    /// Privileged entries beside [`VecEnv::final_observations`], `[B, P]`; other rows are stale.
    #[must_use]
    pub fn final_privileged(&self) -> &[f32] {
        &self.final_privileged
    }

    /// Rewards of the last step, `[B]`.
    #[must_use]
    pub fn rewards(&self) -> &[f64] {
        &self.rewards
    }

    /// Statuses of the last step, `[B]`.
    #[must_use]
    pub fn statuses(&self) -> &[Status] {
        &self.statuses
    }

    /// Reward terms of the last step, `[B, R]`.
    #[must_use]
    pub fn reward_terms(&self) -> &[f64] {
        &self.terms
    }

    /// Steps every environment by one decision.
    ///
    /// With the feature `parallel` the environments are split over rayon's current pool; the result is the same.
    ///
    /// # Panics
    /// If `actions` is not `[B, A]`, or an environment refuses its row (see [`Env::step`]).
    pub fn step(&mut self, actions: &[f32]) {
        let spec = self.lanes[0].env.spec();
        let (obs, act, terms) = (spec.observation.len(), spec.action.len(), spec.reward.len());
        assert_eq!(actions.len(), self.lanes.len() * act, "actions must be [B, A]");
        let (seeds, hidden) = (self.seeds, self.privileged.len() / self.lanes.len());
        let rows = Rows {
            lanes: &mut self.lanes,
            actions,
            observations: &mut self.observations,
            finals: &mut self.final_observations,
            rewards: &mut self.rewards,
            statuses: &mut self.statuses,
            terms: &mut self.terms,
            privileged: &mut self.privileged,
            final_privileged: &mut self.final_privileged,
            width: Width { obs, act, terms, hidden },
        };
        rows.step(seeds);
    }

    /// Serialises every environment and episode counter.
    ///
    /// # Panics
    /// Never in practice: serialising into memory cannot fail.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let lanes: Vec<(u64, Vec<u8>)> = self.lanes.iter().map(|lane| (lane.episode, lane.env.save())).collect();
        postcard::to_stdvec(&(lanes, &self.observations)).expect("serialising into memory cannot fail")
    }

    /// Restores what [`VecEnv::save`] wrote, into a `VecEnv` built from the same configuration.
    ///
    /// # Errors
    /// [`Error::Snapshot`] or [`Error::SnapshotMismatch`] if the bytes do not belong here; nothing is changed then.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let (saved, observations): (Vec<(u64, Vec<u8>)>, Vec<f32>) = postcard::from_bytes(bytes)?;
        if saved.len() != self.lanes.len() {
            return Err(mismatch("environments", self.lanes.len(), saved.len()));
        }
        if observations.len() != self.observations.len() {
            return Err(mismatch("observation entries", self.observations.len(), observations.len()));
        }
        let mut lanes = self.lanes.clone();
        for (lane, (episode, bytes)) in lanes.iter_mut().zip(&saved) {
            lane.env.load(bytes)?;
            lane.episode = *episode;
        }
        self.lanes = lanes;
        self.observations = observations;
        self.look_behind();
        Ok(())
    }
}

fn mismatch(field: &'static str, expected: usize, found: usize) -> Error {
    Error::SnapshotMismatch { field, expected: expected.to_string(), found: found.to_string() }
}

impl<E: Env> Lane<E> {
    fn reset(&mut self, seeds: SeedTree, row: &mut [f32]) {
        assert!(self.episode < EPISODES, "environment {} ran out of episode seeds", self.index);
        self.env.reset(seeds.seed(Purpose::Episode, self.index * EPISODES + self.episode), row);
    }
}

#[derive(Clone, Copy)]
struct Width {
    obs: usize,
    act: usize,
    terms: usize,
    hidden: usize,
}

/// The rows of a contiguous range of environments; splits in halves for parallel work.
struct Rows<'a, E> {
    lanes: &'a mut [Lane<E>],
    actions: &'a [f32],
    observations: &'a mut [f32],
    finals: &'a mut [f32],
    rewards: &'a mut [f64],
    statuses: &'a mut [Status],
    terms: &'a mut [f64],
    privileged: &'a mut [f32],
    final_privileged: &'a mut [f32],
    width: Width,
}

impl<'a, E: Env> Rows<'a, E> {
    #[cfg(feature = "parallel")]
    fn step(self, seeds: SeedTree) {
        let threads = rayon::current_num_threads();
        let parts = if threads == 1 { 1 } else { threads * PARTS };
        let most = self.lanes.len().div_ceil(parts);
        self.step_parts(seeds, most);
    }

    #[cfg(not(feature = "parallel"))]
    fn step(self, seeds: SeedTree) {
        self.step_serial(seeds);
    }

    /// Halves until a part has at most `most` environments.
    #[cfg(feature = "parallel")]
    fn step_parts(self, seeds: SeedTree, most: usize) {
        if self.lanes.len() <= most {
            return self.step_serial(seeds);
        }
        let half = self.lanes.len().div_ceil(2);
        let (left, right) = self.split(half);
        rayon::join(|| left.step_parts(seeds, most), || right.step_parts(seeds, most));
    }

    #[cfg(feature = "parallel")]
    fn split(self, at: usize) -> (Self, Self) {
        let width = self.width;
        let (lanes, lanes_) = self.lanes.split_at_mut(at);
        let (actions, actions_) = self.actions.split_at(at * width.act);
        let (observations, observations_) = self.observations.split_at_mut(at * width.obs);
        let (finals, finals_) = self.finals.split_at_mut(at * width.obs);
        let (rewards, rewards_) = self.rewards.split_at_mut(at);
        let (statuses, statuses_) = self.statuses.split_at_mut(at);
        let (terms, terms_) = self.terms.split_at_mut(at * width.terms);
        let (privileged, privileged_) = self.privileged.split_at_mut(at * width.hidden);
        let (final_privileged, final_privileged_) = self.final_privileged.split_at_mut(at * width.hidden);
        let left = Rows {
            lanes,
            actions,
            observations,
            finals,
            rewards,
            statuses,
            terms,
            privileged,
            final_privileged,
            width,
        };
        let right = Rows {
            lanes: lanes_,
            actions: actions_,
            observations: observations_,
            finals: finals_,
            rewards: rewards_,
            statuses: statuses_,
            terms: terms_,
            privileged: privileged_,
            final_privileged: final_privileged_,
            width,
        };
        (left, right)
    }

    fn step_serial(self, seeds: SeedTree) {
        let Width { obs, act, terms, hidden } = self.width;
        for (b, lane) in self.lanes.iter_mut().enumerate() {
            let row = &mut self.observations[b * obs..(b + 1) * obs];
            let step = lane.env.step(&self.actions[b * act..(b + 1) * act], row);
            self.rewards[b] = step.reward;
            self.statuses[b] = step.status;
            self.terms[b * terms..(b + 1) * terms].copy_from_slice(lane.env.reward_terms());
            let behind = b * hidden..(b + 1) * hidden;
            if step.status.is_over() {
                if hidden > 0 {
                    lane.env.reveal(&mut self.final_privileged[behind.clone()]);
                }
                self.finals[b * obs..(b + 1) * obs].copy_from_slice(row);
                lane.episode += 1;
                lane.reset(seeds, row);
            }
            if hidden > 0 {
                lane.env.reveal(&mut self.privileged[behind]);
            }
        }
    }
}
