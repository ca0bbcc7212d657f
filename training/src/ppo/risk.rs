//! Learning for the worst episodes: returns are capped where the tail begins.
//!
//! The mean of the worst share α of returns `R` is `max over C of C − E[(C − R)⁺] / α`, and the best `C` is the
//! α-quantile of `R` (Rockafellar & Uryasev 2000, theorem 1). For a fixed `C` that is the mean of `min(R, C)`, up to
//! constants: so a learner that maximises the mean of capped returns, with the cap at the quantile of its own latest
//! episodes, climbs the tail's mean without throwing any episode away.
//!
//! An episode's capped return is paid out step by step, as the difference that each step makes to `min(S, C)`, where `S`
//! is what was earned so far. Values are those of observations alone: whoever wants them to know `S` observes it.
//!
//! # Reference
//! Mead et al. 2025, "Return capping: sample-efficient `CVaR` policy gradient optimisation" (ICML).

use std::collections::VecDeque;

use seawall_env::Status;
use serde::{Deserialize, Serialize};

/// Episodes that have to be in the tail before a quantile is taken of them.
const TAIL_MIN: f64 = 2.0;

/// Returns so far, and those of the latest episodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ReturnCap {
    level: f64,
    window: usize,
    /// Undiscounted raw return of each environment's running episode, `[B]`.
    running: Vec<f64>,
    /// Oldest first.
    finished: VecDeque<f64>,
}

impl ReturnCap {
    /// For the worst share `level` of the latest `window` episodes of `environments`.
    pub(super) fn new(level: f64, window: usize, environments: usize) -> Self {
        Self { level, window, running: vec![0.0; environments], finished: VecDeque::new() }
    }

    /// Where returns are capped: the quantile of the latest episodes, or nowhere before there are enough of them.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a short list"
    )]
    pub(super) fn cap(&self) -> Option<f64> {
        let tail = self.level * self.finished.len() as f64;
        if tail < TAIL_MIN {
            return None;
        }
        let mut sorted: Vec<f64> = self.finished.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        // The tail's best episode, so that a share `level` is at or below the cap.
        Some(sorted[tail.ceil() as usize - 1])
    }

    /// Replaces raw rewards of a rollout, `[T, B]`, by what they add to capped returns; the cap is that of the episodes
    /// before the rollout.
    pub(super) fn apply(&mut self, rewards: &[f64], statuses: &[Status]) -> Vec<f64> {
        let cap = self.cap().unwrap_or(f64::INFINITY);
        let environments = self.running.len();
        let mut capped = Vec::with_capacity(rewards.len());
        for (at, (reward, status)) in rewards.iter().zip(statuses).enumerate() {
            let running = &mut self.running[at % environments];
            let after = *running + reward;
            // Below the cap the reward itself, so that nothing is lost to rounding.
            capped.push(if running.max(after) <= cap { *reward } else { after.min(cap) - running.min(cap) });
            *running = after;
            if status.is_over() {
                self.finished.push_back(after);
                *running = 0.0;
            }
        }
        while self.finished.len() > self.window {
            self.finished.pop_front();
        }
        capped
    }

    /// Whether it belongs to this run; what a checkpoint brings is asked.
    pub(super) fn is_sound(&self, environments: usize) -> bool {
        self.running.len() == environments && self.finished.len() <= self.window
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "tables of numbers that double precision holds exactly")]
mod tests {
    use super::Status::{Running, Terminated, Truncated};
    use super::*;

    /// With episodes 1, 2, …, 10 behind it: the worst fifth ends at 2.
    fn seasoned() -> ReturnCap {
        let mut cap = ReturnCap::new(0.2, 100, 1);
        for total in [7.0, 2.0, 9.0, 1.0, 5.0, 10.0, 3.0, 8.0, 6.0, 4.0] {
            assert_eq!(cap.apply(&[total], &[Terminated]), [total]);
        }
        cap
    }

    #[test]
    fn the_cap_is_the_tails_best_episode() {
        assert_eq!(ReturnCap::new(0.2, 100, 1).cap(), None);
        assert_eq!(seasoned().cap(), Some(2.0));
    }

    #[test]
    fn what_is_paid_adds_up_to_the_capped_return_however_the_episode_ends() {
        for end in [Terminated, Truncated] {
            let rewards = [1.0, 3.0, -4.0, 1.0, 5.0];
            let paid = seasoned().apply(&rewards, &[Running, Running, Running, Running, end]);
            // So far 1, 4, 0, 1, 6; capped 1, 2, 0, 1, 2.
            assert_eq!(paid, [1.0, 1.0, -2.0, 1.0, 1.0]);
            assert_eq!(paid.iter().sum::<f64>(), 2.0);
        }
    }

    #[test]
    fn episodes_go_on_from_one_rollout_to_the_next_and_environments_do_not_mix() {
        let mut cap = ReturnCap::new(0.5, 100, 2);
        cap.apply(&[3.0, 10.0, 5.0, 20.0], &[Terminated, Terminated, Terminated, Terminated]);
        // Of 3, 5, 10, 20 the worst half ends at 5.
        assert_eq!(cap.cap(), Some(5.0));
        assert_eq!(cap.apply(&[4.0, 9.0], &[Running, Running]), [4.0, 5.0]);
        assert_eq!(cap.apply(&[4.0, -6.0], &[Running, Terminated]), [1.0, -2.0]);
    }

    #[test]
    fn only_the_latest_episodes_count() {
        let mut cap = ReturnCap::new(0.5, 4, 1);
        cap.apply(&[-9.0, -8.0, 1.0, 2.0, 3.0, 4.0], &[Terminated; 6]);
        assert_eq!(cap.cap(), Some(2.0));
        assert!(cap.is_sound(1) && !cap.is_sound(2));
    }
}
