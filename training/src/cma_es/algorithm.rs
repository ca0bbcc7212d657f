//! One generation of covariance matrix adaptation.

use seawall_env::SeedTree;
use serde::{Deserialize, Serialize};

use super::config::CmaEsConfig;
use super::rates::Rates;
use super::state::State;
use crate::search::{Strategy, best_first, normals};

/// Covariance matrix adaptation evolution strategy.
///
/// # Reference
/// Hansen 2016 (arXiv:1604.00772), figure 6 and table 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CmaEs {
    config: CmaEsConfig,
    population: usize,
    seeds: SeedTree,
    state: State,
}

impl CmaEs {
    /// Starts at `start`, `[D]`, with draws from `seeds`.
    ///
    /// # Panics
    /// If `start` is empty or holds what is not finite.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a small positive number"
    )]
    pub fn new(config: &CmaEsConfig, start: &[f64], seeds: SeedTree) -> Self {
        assert!(!start.is_empty() && start.iter().all(|x| x.is_finite()), "a start of finite numbers: {start:?}");
        let population = match config.population {
            0 => 4 + (3.0 * libm::log(start.len() as f64)) as usize,
            population => population,
        };
        Self { config: config.clone(), population, seeds, state: State::new(start, config.step_size) }
    }

    /// Step size σ.
    #[must_use]
    pub const fn step_size(&self) -> f64 {
        self.state.sigma
    }

    fn rates(&self) -> Rates {
        Rates::new(self.dimension(), self.population, self.config.active)
    }

    /// Standard normals behind the candidates, `[N, D]`.
    fn draws(&self) -> Vec<f64> {
        normals(self.seeds, self.state.generation, self.population * self.dimension())
    }
}

impl Strategy for CmaEs {
    fn dimension(&self) -> usize {
        self.state.mean.len()
    }

    fn population(&self) -> usize {
        self.population
    }

    fn generation(&self) -> u64 {
        self.state.generation
    }

    fn ask(&self) -> Vec<f64> {
        let State { mean, sigma, .. } = &self.state;
        let candidate = |z: &[f64]| {
            let step = self.state.step(z);
            mean.iter().zip(step).map(|(mean, step)| mean + sigma * step).collect::<Vec<_>>()
        };
        self.draws().chunks_exact(self.dimension()).flat_map(candidate).collect()
    }

    fn tell(&mut self, scores: &[f64]) {
        assert_eq!(scores.len(), self.population, "one score for each candidate");
        let (n, rates, draws) = (self.dimension(), self.rates(), self.draws());
        let ranked: Vec<&[f64]> =
            best_first(scores).into_iter().map(|index| &draws[index * n..(index + 1) * n]).collect();
        let mut mean_draw = vec![0.0; n];
        for (weight, z) in rates.weights.iter().zip(&ranked).take(rates.parents) {
            mean_draw.iter_mut().zip(*z).for_each(|(sum, z)| *sum += weight * z);
        }
        let state = &mut self.state;
        let steps: Vec<Vec<f64>> = ranked.iter().map(|z| state.step(z)).collect();
        let (step, rotated) = (state.step(&mean_draw), state.rotated(&mean_draw));
        for (mean, step) in state.mean.iter_mut().zip(&step) {
            *mean += state.sigma * step;
        }
        let pull = (rates.c_sigma * (2.0 - rates.c_sigma) * rates.effective).sqrt();
        for (path, entry) in state.path_sigma.iter_mut().zip(&rotated) {
            *path = (1.0 - rates.c_sigma) * *path + pull * entry;
        }
        let is_still = update_path(state, &rates, &step);
        update_covariance(state, &rates, is_still, &ranked, &steps);
        let excess = norm(&state.path_sigma) / rates.length - 1.0;
        // The tutorial's eq. 44 bounds a single change for populations that see something extreme.
        state.sigma *= libm::exp((rates.c_sigma / rates.d_sigma * excess).min(1.0));
        state.generation += 1;
        state.decompose();
    }

    fn centre(&self) -> &[f64] {
        &self.state.mean
    }

    #[expect(clippy::cast_precision_loss, reason = "a dimension is small")]
    fn spread(&self) -> f64 {
        let trace: f64 = self.state.scales.iter().map(|scale| scale * scale).sum();
        self.state.sigma * (trace / self.dimension() as f64).sqrt()
    }
}

/// Moves the covariance's path; returns whether it was held back because the step size is still growing fast.
#[expect(clippy::cast_precision_loss, reason = "generations and dimensions are far below 2^53")]
fn update_path(state: &mut State, rates: &Rates, step: &[f64]) -> bool {
    let n = state.mean.len() as f64;
    let decay = libm::pow(1.0 - rates.c_sigma, 2.0 * (state.generation as f64 + 1.0));
    let is_still = norm(&state.path_sigma) / (1.0 - decay).sqrt() < (1.4 + 2.0 / (n + 1.0)) * rates.length;
    let pull = if is_still { (rates.c_path * (2.0 - rates.c_path) * rates.effective).sqrt() } else { 0.0 };
    for (path, entry) in state.path.iter_mut().zip(step) {
        *path = (1.0 - rates.c_path) * *path + pull * entry;
    }
    is_still
}

/// Tutorial, eq. 47: rank one along the path, rank μ along the candidates, negative weights scaled to unit length.
#[expect(clippy::cast_precision_loss, reason = "a dimension is small")]
fn update_covariance(state: &mut State, rates: &Rates, is_still: bool, draws: &[&[f64]], steps: &[Vec<f64>]) {
    let n = state.mean.len();
    let lost = if is_still { 0.0 } else { rates.c_path * (2.0 - rates.c_path) };
    let sum: f64 = rates.weights.iter().sum();
    let keep = 1.0 + rates.c_one * lost - rates.c_one - rates.c_mu * sum;
    let weights: Vec<f64> = rates
        .weights
        .iter()
        .zip(draws)
        .map(|(weight, z)| {
            let length: f64 = z.iter().map(|z| z * z).sum();
            rates.c_mu * if *weight < 0.0 { weight * n as f64 / length } else { *weight }
        })
        .collect();
    for row in 0..n {
        for column in 0..=row {
            let mut entry = keep * state.covariance[row * n + column];
            entry += rates.c_one * state.path[row] * state.path[column];
            for (weight, step) in weights.iter().zip(steps) {
                entry += weight * step[row] * step[column];
            }
            state.covariance[row * n + column] = entry;
            state.covariance[column * n + row] = entry;
        }
    }
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}
