//! Scores of a generation: every candidate in the same episodes, in parallel, summed in the order of indices.

use rayon::prelude::*;
use seawall_agents::Policy;
use seawall_env::{Env, Purpose, SeedTree};

use super::config::Objective;
use super::form::Form;
use crate::episodes::{Episode, Episodes};
use crate::normaliser::ObservationNormaliser;

/// One episode of one candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// What it came to.
    pub episode: Episode,
    /// What was acted on, `[steps, D]`, if it was asked for.
    pub observations: Vec<f32>,
}

/// Plays one episode from its beginning to its end.
///
/// # Panics
/// If the environment refuses what the policy does (see [`Env::step`]).
pub fn play<E: Env>(mut env: E, policy: &mut dyn Policy, seed: u64, is_watched: bool) -> Played {
    let mut observation = vec![0.0; env.spec().observation.len()];
    let mut action = vec![0.0; env.spec().action.len()];
    let (mut observations, mut finished) = (Vec::new(), Vec::new());
    let mut episodes = Episodes::new(1, env.spec().reward.len());
    env.reset(seed, &mut observation);
    // The stream that an evaluation gives its policies, so that the two play alike.
    policy.reset(SeedTree::new(seed).seed(Purpose::Policy, 0));
    loop {
        if is_watched {
            observations.extend_from_slice(&observation);
        }
        policy.act(&observation, &mut action);
        let step = env.step(&action, &mut observation);
        episodes.step(&[step.reward], &[step.status], env.reward_terms(), &mut finished);
        if let Some(episode) = finished.pop() {
            return Played { episode, observations };
        }
    }
}

/// What a generation is played in.
#[derive(Debug)]
pub(super) struct Course<'a, E, F> {
    pub(super) form: &'a F,
    /// One environment for each place.
    pub(super) places: &'a [E],
    /// Seeds of each place's episodes.
    pub(super) seeds: &'a [Vec<u64>],
    pub(super) normaliser: &'a ObservationNormaliser,
    pub(super) is_watched: bool,
}

impl<E: Env, F: Form> Course<'_, E, F> {
    /// Plays every candidate, `[N, D]`, in every episode; `[N, episodes]`, places in order and seeds within.
    ///
    /// Episodes are spread over rayon's current pool; the result does not depend on it.
    pub(super) fn play(&self, candidates: &[f64]) -> Vec<Played> {
        let dimension = self.form.dimension();
        assert!(candidates.len().is_multiple_of(dimension), "candidates must be [N, {dimension}]");
        let cells: Vec<(usize, u64)> = self
            .seeds
            .iter()
            .enumerate()
            .flat_map(|(place, seeds)| seeds.iter().map(move |seed| (place, *seed)))
            .collect();
        let jobs = candidates.len() / dimension * cells.len();
        let job = |job: usize| {
            let (candidate, (place, seed)) = (job / cells.len(), cells[job % cells.len()]);
            let parameters = &candidates[candidate * dimension..(candidate + 1) * dimension];
            let mut policy = self.form.policy(parameters, self.normaliser);
            let mut played = play(self.places[place].clone(), policy.as_mut(), seed, self.is_watched);
            played.episode.environment = place;
            played
        };
        (0..jobs).into_par_iter().map(job).collect()
    }
}

/// Score of one candidate's returns.
///
/// # Panics
/// If there are none.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a small number"
)]
pub fn score(returns: &[f64], objective: Objective) -> f64 {
    assert!(!returns.is_empty(), "a score needs an episode");
    let mean = |returns: &[f64]| returns.iter().sum::<f64>() / returns.len() as f64;
    match objective {
        Objective::Mean => mean(returns),
        Objective::Cvar(share) => {
            let worst = ((share * returns.len() as f64).ceil() as usize).clamp(1, returns.len());
            let mut sorted = returns.to_vec();
            sorted.sort_by(f64::total_cmp);
            mean(&sorted[..worst])
        }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "means of small integers are exact")]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_mean_of_the_worst_share_rounded_up() {
        let returns = [4.0, -8.0, 0.0, 2.0, -2.0];
        assert_eq!(score(&returns, Objective::Mean), -0.8);
        assert_eq!(score(&returns, Objective::Cvar(0.2)), -8.0);
        assert_eq!(score(&returns, Objective::Cvar(0.21)), -5.0);
        assert_eq!(score(&returns, Objective::Cvar(1.0)), -0.8);
    }
}
