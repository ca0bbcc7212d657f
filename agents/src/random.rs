//! Uniform actions: what a policy is worth that knows nothing.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use seawall_env::rng::open_unit;
use seawall_env::{Purpose, SeedTree};

use crate::policy::Policy;

/// A policy that draws every entry of every action anew.
#[derive(Clone, Debug)]
pub struct Random {
    stream: ChaCha8Rng,
}

impl Random {
    /// As after a reset with `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { stream: SeedTree::new(seed).stream(Purpose::Policy, 0) }
    }
}

impl Policy for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn reset(&mut self, seed: u64) {
        *self = Self::new(seed);
    }

    #[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
    fn act(&mut self, _observation: &[f32], action: &mut [f32]) {
        action.fill_with(|| (2.0 * open_unit(self.stream.next_u64()) - 1.0) as f32);
    }

    fn boxed(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn episode(policy: &mut dyn Policy, decisions: usize) -> Vec<[f32; 13]> {
        let mut action = [0.0; 13];
        (0..decisions)
            .map(|_| {
                policy.act(&[], &mut action);
                action
            })
            .collect()
    }

    #[test]
    fn one_seed_is_one_episode_whatever_came_before() {
        let mut policy = Random::new(1);
        let first = episode(&mut policy, 5);
        policy.reset(2);
        let second = episode(&mut policy, 5);
        policy.reset(1);
        assert_eq!(episode(&mut policy, 5), first);
        assert_ne!(first, second);
    }

    #[test]
    fn a_copy_goes_on_where_the_original_would() {
        let mut policy = Random::new(3);
        episode(&mut policy, 2);
        let mut copy = policy.boxed();
        assert_eq!(episode(copy.as_mut(), 4), episode(&mut policy, 4));
    }

    #[test]
    fn entries_fill_the_box_evenly() {
        let mut policy = Random::new(7);
        let mut counts = [[0_u32; 4]; 13];
        for action in episode(&mut policy, 4_000) {
            for (entry, counts) in action.iter().zip(&mut counts) {
                assert!((-1.0..=1.0).contains(entry));
                let quarter = (0..3).filter(|edge| f64::from(*entry) > f64::from(*edge) / 2.0 - 0.5).count();
                counts[quarter] += 1;
            }
        }
        // 4,000 draws into quarters: 1,000 each, with a standard deviation of √(4,000 · ¼ · ¾) ≈ 27.
        assert!(counts.as_flattened().iter().all(|count| count.abs_diff(1_000) < 5 * 27), "{counts:?}");
    }
}
