//! What recurrent networks carry through a rollout: one state for each environment and network.

use seawall_env::Status;
use serde::{Deserialize, Serialize};

/// States of actor and critic in every environment's running episode, `[B, H]`; empty if nothing is remembered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Memory {
    pub(super) actor: Vec<f32>,
    pub(super) critic: Vec<f32>,
}

impl Memory {
    /// At the start of `environments` episodes.
    pub(super) fn new(units: usize, environments: usize) -> Self {
        Self { actor: vec![0.0; units * environments], critic: vec![0.0; units * environments] }
    }

    /// Whether it belongs to this run; what a checkpoint brings is asked.
    pub(super) fn is_sound(&self, length: usize) -> bool {
        self.actor.len() == length && self.critic.len() == length
    }
}

/// Clears the states, `[B, H]`, of environments whose episode is over.
pub(super) fn forget(state: &mut [f32], statuses: &[Status]) {
    let units = state.len() / statuses.len();
    for (b, status) in statuses.iter().enumerate() {
        if status.is_over() {
            state[b * units..(b + 1) * units].fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_episode_is_forgotten_for_either_reason_and_alone() {
        let mut state = [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0];
        forget(&mut state, &[Status::Terminated, Status::Running, Status::Truncated]);
        assert_eq!(state.map(f32::to_bits), [0.0_f32, 0.0, 3.0, 4.0, 0.0, 0.0].map(f32::to_bits));
        forget(&mut [], &[Status::Terminated]);
    }
}
