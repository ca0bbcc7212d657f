//! What an episode came to, gathered while it runs.

use seawall_env::Status;
use serde::{Deserialize, Serialize};

/// A finished episode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// Index of the environment that ran it.
    pub environment: usize,
    /// Undiscounted sum of raw rewards.
    pub total_reward: f64,
    /// Steps.
    pub length: u64,
    /// Why it ended.
    pub status: Status,
    /// Mean over its steps of each reward term, unweighted, in the order of the environment's spec.
    pub mean_terms: Vec<f64>,
}

/// Running episodes of all environments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Episodes {
    running: Vec<Running>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Running {
    total_reward: f64,
    length: u64,
    terms: Vec<f64>,
}

impl Episodes {
    pub(crate) fn new(environments: usize, terms: usize) -> Self {
        Self { running: vec![Running::new(terms); environments] }
    }

    /// Adds one step of every environment; appends the episodes that it ended, in the order of environments.
    ///
    /// # Shapes
    /// `rewards` and `statuses` are `[B]`, `terms` is row-major `[B, R]`.
    pub(crate) fn step(&mut self, rewards: &[f64], statuses: &[Status], terms: &[f64], finished: &mut Vec<Episode>) {
        let width = terms.len() / rewards.len();
        for (environment, running) in self.running.iter_mut().enumerate() {
            running.total_reward += rewards[environment];
            running.length += 1;
            for (sum, term) in running.terms.iter_mut().zip(&terms[environment * width..]) {
                *sum += term;
            }
            let status = statuses[environment];
            if status.is_over() {
                let ended = core::mem::replace(running, Running::new(width));
                finished.push(ended.finish(environment, status));
            }
        }
    }
}

impl Running {
    fn new(terms: usize) -> Self {
        Self { total_reward: 0.0, length: 0, terms: vec![0.0; terms] }
    }

    #[expect(clippy::cast_precision_loss, reason = "an episode's length is far below 2⁵³")]
    fn finish(self, environment: usize, status: Status) -> Episode {
        let Self { total_reward, length, terms } = self;
        let mean_terms = terms.iter().map(|sum| sum / length as f64).collect();
        Episode { environment, total_reward, length, status, mean_terms }
    }
}

#[cfg(test)]
mod tests {
    use super::Status::{Running, Terminated, Truncated};
    use super::*;

    #[test]
    fn an_episode_sums_its_own_steps_only() {
        let mut episodes = Episodes::new(2, 2);
        let mut finished = Vec::new();
        episodes.step(&[1.0, 10.0], &[Running, Terminated], &[1.0, 2.0, 3.0, 4.0], &mut finished);
        episodes.step(&[2.0, 20.0], &[Truncated, Running], &[5.0, 6.0, 7.0, 8.0], &mut finished);
        let expected = [
            Episode { environment: 1, total_reward: 10.0, length: 1, status: Terminated, mean_terms: vec![3.0, 4.0] },
            Episode { environment: 0, total_reward: 3.0, length: 2, status: Truncated, mean_terms: vec![3.0, 4.0] },
        ];
        assert_eq!(finished, expected);
    }
}
