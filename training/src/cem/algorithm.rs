//! One generation of the cross-entropy method.

use seawall_env::SeedTree;
use serde::{Deserialize, Serialize};

use super::config::CemConfig;
use super::state::State;
use crate::search::{Strategy, best_first, normals};

/// Cross-entropy method with fading noise.
///
/// # Reference
/// Szita & Lőrincz 2006, §3.2–3.3.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cem {
    config: CemConfig,
    seeds: SeedTree,
    state: State,
}

impl Cem {
    /// Starts at `start`, `[D]`, with draws from `seeds`.
    ///
    /// # Panics
    /// If `start` is empty or holds what is not finite.
    #[must_use]
    pub fn new(config: &CemConfig, start: &[f64], seeds: SeedTree) -> Self {
        assert!(!start.is_empty() && start.iter().all(|x| x.is_finite()), "a start of finite numbers: {start:?}");
        let variance = vec![config.deviation * config.deviation; start.len()];
        Self { config: config.clone(), seeds, state: State { generation: 0, centre: start.to_vec(), variance } }
    }

    /// Candidates that the distribution is refitted to.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a small number"
    )]
    fn elite(&self) -> usize {
        (self.config.elite_fraction * self.config.population as f64).ceil() as usize
    }
}

impl Strategy for Cem {
    fn dimension(&self) -> usize {
        self.state.centre.len()
    }

    fn population(&self) -> usize {
        self.config.population
    }

    fn generation(&self) -> u64 {
        self.state.generation
    }

    fn ask(&self) -> Vec<f64> {
        let draws = normals(self.seeds, self.state.generation, self.config.population * self.dimension());
        let entries = self.state.centre.iter().zip(&self.state.variance).cycle();
        draws.iter().zip(entries).map(|(z, (centre, variance))| centre + variance.sqrt() * z).collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "generations are far below 2^53")]
    fn tell(&mut self, scores: &[f64]) {
        assert_eq!(scores.len(), self.population(), "one score for each candidate");
        let (n, candidates) = (self.dimension(), self.ask());
        let elite: Vec<&[f64]> =
            best_first(scores).into_iter().take(self.elite()).map(|k| &candidates[k * n..(k + 1) * n]).collect();
        let count = elite.len() as f64;
        let left = 1.0 - self.state.generation as f64 / self.config.noise_generations as f64;
        let noise = self.config.noise * self.config.noise * left.max(0.0);
        for (index, (centre, variance)) in self.state.centre.iter_mut().zip(&mut self.state.variance).enumerate() {
            *centre = elite.iter().map(|candidate| candidate[index]).sum::<f64>() / count;
            let square = |candidate: &&[f64]| (candidate[index] - *centre) * (candidate[index] - *centre);
            *variance = elite.iter().map(square).sum::<f64>() / count + noise;
        }
        self.state.generation += 1;
    }

    fn centre(&self) -> &[f64] {
        &self.state.centre
    }

    #[expect(clippy::cast_precision_loss, reason = "a dimension is small")]
    fn spread(&self) -> f64 {
        (self.state.variance.iter().sum::<f64>() / self.dimension() as f64).sqrt()
    }
}
