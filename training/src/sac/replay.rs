//! The memory of transitions that minibatches are drawn from.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use seawall_env::Status;
use serde::{Deserialize, Serialize};

use super::gradient::Batch;
use crate::normaliser::{ObservationNormaliser, RewardScaler};

/// The last steps of every environment, raw: statistics are those of the moment when they are read.
///
/// How an episode ended stands beside the observation that it ended with: a truncated step bootstraps from that, a
/// terminated one from nothing.
///
/// # Shapes
/// A ring of `steps` rows; row-major `[steps, B, …]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Replay {
    environments: usize,
    steps_max: usize,
    /// Steps that were ever written; step `t` stands in row `t mod steps_max`.
    written: usize,
    observation: Vec<f32>,
    action: Vec<f32>,
    reward: Vec<f64>,
    status: Vec<Status>,
    /// What each step led to, which is the last observation of its episode if that is over.
    next: Vec<f32>,
}

/// One step of every environment.
pub(super) struct Step<'a> {
    /// `[B, D]`.
    pub(super) observation: &'a [f32],
    /// `[B, A]`.
    pub(super) action: &'a [f32],
    /// `[B]`.
    pub(super) reward: &'a [f64],
    /// `[B]`.
    pub(super) status: &'a [Status],
    /// `[B, D]`.
    pub(super) next: &'a [f32],
}

/// How transitions are read.
pub(super) struct Reading<'a> {
    pub(super) normaliser: &'a ObservationNormaliser,
    pub(super) scaler: &'a RewardScaler,
    pub(super) discount: f64,
    /// Rewards before the bootstrap.
    pub(super) return_steps: usize,
}

impl Replay {
    /// Of at least `capacity` transitions of `environments`; allocates as it fills.
    pub(super) fn new(capacity: usize, environments: usize) -> Self {
        Self {
            environments,
            steps_max: capacity.div_ceil(environments),
            written: 0,
            observation: Vec::new(),
            action: Vec::new(),
            reward: Vec::new(),
            status: Vec::new(),
            next: Vec::new(),
        }
    }

    /// Transitions that are remembered.
    pub(super) fn len(&self) -> usize {
        self.written.min(self.steps_max) * self.environments
    }

    /// Whether the parts belong together and to `environments`; what a checkpoint brings is asked.
    pub(super) fn is_sound(&self, environments: usize, width: usize, actions: usize) -> bool {
        let transitions = self.len();
        self.environments == environments
            && self.steps_max > 0
            && self.observation.len() == transitions * width
            && self.next.len() == transitions * width
            && self.action.len() == transitions * actions
            && self.reward.len() == transitions
            && self.status.len() == transitions
    }

    /// Writes one step, over the oldest if the memory is full.
    pub(super) fn push(&mut self, step: &Step<'_>) {
        let row = self.written % self.steps_max;
        self.written += 1;
        write(&mut self.observation, row, step.observation);
        write(&mut self.action, row, step.action);
        write(&mut self.reward, row, step.reward);
        write(&mut self.status, row, step.status);
        write(&mut self.next, row, step.next);
    }

    /// Draws `count` transitions, each as likely as any other, and reads them.
    pub(super) fn sample(&self, count: usize, rng: &mut ChaCha8Rng, reading: &Reading<'_>, batch: &mut Batch) {
        let filled = self.len();
        let (width, actions) = (self.observation.len() / filled, self.action.len() / filled);
        let (mut raw, mut next) = (Vec::with_capacity(count * width), Vec::with_capacity(count * width));
        batch.action.clear();
        batch.reward.clear();
        batch.discount.clear();
        let scale = reading.scaler.scale();
        for _ in 0..count {
            let pick = usize::try_from((u128::from(rng.next_u64()) * filled as u128) >> 64).expect("below the length");
            let oldest = self.written.saturating_sub(self.steps_max);
            let (step, environment) = (oldest + pick / self.environments, pick % self.environments);
            let first = self.at(step, environment);
            raw.extend_from_slice(&self.observation[first * width..(first + 1) * width]);
            batch.action.extend_from_slice(&self.action[first * actions..(first + 1) * actions]);
            let last = self.accumulate(step, environment, scale, reading, batch);
            next.extend_from_slice(&self.next[last * width..(last + 1) * width]);
        }
        batch.observation.resize(raw.len(), 0.0);
        batch.next_observation.resize(next.len(), 0.0);
        reading.normaliser.apply(&raw, &mut batch.observation);
        reading.normaliser.apply(&next, &mut batch.next_observation);
    }

    /// Adds the rewards from `step` on, up to the end of the episode, of what is written, or of `return_steps`; returns
    /// where the last of them stands.
    #[expect(clippy::cast_possible_truncation, reason = "learning is single precision")]
    fn accumulate(
        &self,
        step: usize,
        environment: usize,
        scale: f64,
        reading: &Reading<'_>,
        batch: &mut Batch,
    ) -> usize {
        let (mut total, mut weight) = (0.0, 1.0);
        let mut last = self.at(step, environment);
        for step in step..self.written.min(step + reading.return_steps) {
            last = self.at(step, environment);
            total += weight * reading.scaler.shape(scale * self.reward[last]);
            weight *= reading.discount;
            if self.status[last].is_over() {
                break;
            }
        }
        batch.reward.push(total as f32);
        batch.discount.push(if self.status[last] == Status::Terminated { 0.0 } else { weight as f32 });
        last
    }

    fn at(&self, step: usize, environment: usize) -> usize {
        step % self.steps_max * self.environments + environment
    }
}

/// Puts `values` into row `row`, which is an old one or the first new one.
fn write<T: Copy>(buffer: &mut Vec<T>, row: usize, values: &[T]) {
    let start = row * values.len();
    if start == buffer.len() {
        buffer.extend_from_slice(values);
    } else {
        buffer[start..start + values.len()].copy_from_slice(values);
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "numbers that single precision holds exactly")]
mod tests {
    use seawall_env::Status::{Running, Terminated, Truncated};
    use seawall_env::{Purpose, SeedTree};

    use super::*;
    use crate::config::{Limit, RewardTransform};

    /// One environment; step `t` sees `t`, does `t / 10`, earns `2^t` and leads to `t + 1`, or to 100 + t at an end.
    fn memory(capacity: usize, statuses: &[Status]) -> Replay {
        let mut replay = Replay::new(capacity, 1);
        for (t, status) in (0_u8..).zip(statuses) {
            let seen = f32::from(t);
            let next = if status.is_over() { 100.0 + seen } else { seen + 1.0 };
            replay.push(&Step {
                observation: &[seen],
                action: &[seen / 10.0],
                reward: &[f64::from(1_u32 << t)],
                status: &[*status],
                next: &[next],
            });
        }
        replay
    }

    /// Reward, bootstrap observation and discount by first observation, of a discount of one half.
    fn read(replay: &Replay, return_steps: usize) -> Vec<Option<[f32; 3]>> {
        let reading = Reading {
            normaliser: &ObservationNormaliser::identity(1),
            scaler: &RewardScaler::new(RewardTransform::None, Limit::Off, 0.5, 1),
            discount: 0.5,
            return_steps,
        };
        let mut batch = Batch::default();
        replay.sample(200, &mut SeedTree::new(1).stream(Purpose::Shuffle, 0), &reading, &mut batch);
        let mut found = vec![None; 6];
        for (row, seen) in batch.observation.iter().enumerate() {
            assert_eq!(batch.action[row].to_bits(), (seen / 10.0).to_bits());
            let at = (0_u8..6).position(|t| f32::from(t) == *seen).expect("an observation that was written");
            let values = [batch.reward[row], batch.next_observation[row], batch.discount[row]];
            assert!(found[at].is_none_or(|before| before == values), "{found:?}");
            found[at] = Some(values);
        }
        found
    }

    #[test]
    fn one_step_bootstraps_from_what_follows_and_a_truncated_one_from_its_last_observation() {
        let found = read(&memory(10, &[Running, Truncated, Running, Terminated]), 1);
        let expected = [[1.0, 1.0, 0.5], [2.0, 101.0, 0.5], [4.0, 3.0, 0.5], [8.0, 103.0, 0.0]].map(Some);
        assert_eq!(found[..4], expected);
        assert_eq!(found[4..], [None, None]);
    }

    #[test]
    fn several_steps_stop_at_the_end_of_the_episode_and_of_the_memory() {
        let found = read(&memory(10, &[Running, Running, Truncated, Running, Terminated, Running]), 3);
        let expected = [
            // 1 + 2/2 + 4/4, then the truncated episode's last observation at (1/2)³.
            [3.0, 102.0, 0.125],
            [2.0 + 2.0, 102.0, 0.25],
            [4.0, 102.0, 0.5],
            // 8 + 16/2, and then nothing.
            [16.0, 104.0, 0.0],
            [16.0, 104.0, 0.0],
            // The newest step has no successor in the memory yet.
            [32.0, 6.0, 0.5],
        ];
        assert_eq!(found, expected.map(Some));
    }

    #[test]
    fn the_oldest_step_is_forgotten_first() {
        let replay = memory(4, &[Running; 6]);
        assert_eq!(replay.len(), 4);
        let found = read(&replay, 2);
        assert_eq!(found[..2], [None, None]);
        assert_eq!(found[2], Some([4.0 + 4.0, 4.0, 0.25]));
        assert_eq!(found[5], Some([32.0, 6.0, 0.5]));
        assert!(replay.is_sound(1, 1, 1) && !replay.is_sound(2, 1, 1) && !replay.is_sound(1, 2, 1));
    }
}
