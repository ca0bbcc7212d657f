//! One generation of evolution strategies.

use seawall_env::SeedTree;
use serde::{Deserialize, Serialize};

use super::config::OpenAiEsConfig;
use super::state::State;
use crate::search::{Strategy, centred_ranks, normals};

/// Evolution strategies with mirrored sampling, centred ranks and Adam.
///
/// # Reference
/// Salimans et al. 2017 (arXiv:1703.03864), algorithm 1 and §2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenAiEs {
    config: OpenAiEsConfig,
    seeds: SeedTree,
    state: State,
}

impl OpenAiEs {
    /// Starts at `start`, `[D]`, with draws from `seeds`.
    ///
    /// # Panics
    /// If `start` is empty or holds what is not finite.
    #[must_use]
    pub fn new(config: &OpenAiEsConfig, start: &[f64], seeds: SeedTree) -> Self {
        assert!(!start.is_empty() && start.iter().all(|x| x.is_finite()), "a start of finite numbers: {start:?}");
        Self { config: config.clone(), seeds, state: State::new(start) }
    }

    /// Perturbations of the pairs, `[pairs, D]`.
    fn draws(&self) -> Vec<f64> {
        normals(self.seeds, self.state.generation, self.config.pairs * self.dimension())
    }
}

impl Strategy for OpenAiEs {
    fn dimension(&self) -> usize {
        self.state.centre.len()
    }

    fn population(&self) -> usize {
        2 * self.config.pairs
    }

    fn generation(&self) -> u64 {
        self.state.generation
    }

    /// A pair's two candidates stand beside each other, plus before minus.
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
        let ranks = centred_ranks(scores);
        let scale = 1.0 / (self.population() as f64 * self.config.deviation);
        let mut gradient: Vec<f64> = self.state.centre.iter().map(|x| -self.config.weight_decay * x).collect();
        for (draws, ranks) in self.draws().chunks_exact(self.dimension()).zip(ranks.chunks_exact(2)) {
            let weight = scale * (ranks[0] - ranks[1]);
            gradient.iter_mut().zip(draws).for_each(|(sum, z)| *sum += weight * z);
        }
        self.state.ascend(self.config.learning_rate, &gradient);
    }

    fn centre(&self) -> &[f64] {
        &self.state.centre
    }

    fn spread(&self) -> f64 {
        self.config.deviation
    }
}
