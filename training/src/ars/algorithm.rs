//! One generation of augmented random search.

use seawall_env::SeedTree;
use serde::{Deserialize, Serialize};

use super::config::ArsConfig;
use super::state::State;
use crate::search::{Strategy, best_first, normals};

/// Augmented random search with the best directions and steps scaled by the spread of their scores.
///
/// # Reference
/// Mania, Guy & Recht 2018 (arXiv:1803.07055), algorithm 2 (V1-t; V2-t with standardised observations).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ars {
    config: ArsConfig,
    seeds: SeedTree,
    state: State,
}

impl Ars {
    /// Starts at `start`, `[D]`, with draws from `seeds`.
    ///
    /// # Panics
    /// If `start` is empty or holds what is not finite.
    #[must_use]
    pub fn new(config: &ArsConfig, start: &[f64], seeds: SeedTree) -> Self {
        assert!(!start.is_empty() && start.iter().all(|x| x.is_finite()), "a start of finite numbers: {start:?}");
        Self { config: config.clone(), seeds, state: State { generation: 0, centre: start.to_vec() } }
    }

    /// Directions, `[directions, D]`.
    fn draws(&self) -> Vec<f64> {
        normals(self.seeds, self.state.generation, self.config.directions * self.dimension())
    }
}

impl Strategy for Ars {
    fn dimension(&self) -> usize {
        self.state.centre.len()
    }

    fn population(&self) -> usize {
        2 * self.config.directions
    }

    fn generation(&self) -> u64 {
        self.state.generation
    }

    /// A direction's two candidates stand beside each other, plus before minus.
    fn ask(&self) -> Vec<f64> {
        let (centre, deviation) = (&self.state.centre, self.config.deviation);
        let pair = |draws: &[f64]| {
            [deviation, -deviation].map(|sign| centre.iter().zip(draws).map(|(x, z)| x + sign * z).collect::<Vec<_>>())
        };
        self.draws().chunks_exact(self.dimension()).flat_map(pair).flatten().collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "a population is small")]
    fn tell(&mut self, scores: &[f64]) {
        assert_eq!(scores.len(), self.population(), "one score for each candidate");
        let best: Vec<f64> = scores.chunks_exact(2).map(|pair| pair[0].max(pair[1])).collect();
        let mut top = best_first(&best);
        top.truncate(self.config.top);
        let used: Vec<f64> = top.iter().flat_map(|index| [scores[2 * index], scores[2 * index + 1]]).collect();
        let count = used.len() as f64;
        let mean = used.iter().sum::<f64>() / count;
        let deviation = (used.iter().map(|score| (score - mean) * (score - mean)).sum::<f64>() / count).sqrt();
        let draws = self.draws();
        self.state.generation += 1;
        if deviation == 0.0 {
            // On a plateau every difference is zero, and so is the step.
            return;
        }
        let (n, scale) = (self.dimension(), self.config.step_size / (top.len() as f64 * deviation));
        for index in top {
            let weight = scale * (scores[2 * index] - scores[2 * index + 1]);
            let direction = &draws[index * n..(index + 1) * n];
            self.state.centre.iter_mut().zip(direction).for_each(|(x, z)| *x += weight * z);
        }
    }

    fn centre(&self) -> &[f64] {
        &self.state.centre
    }

    fn spread(&self) -> f64 {
        self.config.deviation
    }
}
