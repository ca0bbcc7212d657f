//! What covariance matrix adaptation carries from one generation to the next.

use serde::{Deserialize, Serialize};

use super::eigen::symmetric_eigen;

/// Smallest eigenvalue over the largest that the distribution keeps: below, doubles cannot tell directions apart, and
/// the tutorial's appendix B.3 stops. Flat directions are searched on instead.
const CONDITION_MAX: f64 = 1e14;

/// The distribution and its paths; matrices are `[D, D]` row-major.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) generation: u64,
    pub(super) mean: Vec<f64>,
    pub(super) sigma: f64,
    pub(super) covariance: Vec<f64>,
    pub(super) path_sigma: Vec<f64>,
    pub(super) path: Vec<f64>,
    /// Unit eigenvectors of the covariance, as rows.
    pub(super) basis: Vec<f64>,
    /// Square roots of its eigenvalues.
    pub(super) scales: Vec<f64>,
}

impl State {
    pub(super) fn new(mean: &[f64], sigma: f64) -> Self {
        let n = mean.len();
        let mut identity = vec![0.0; n * n];
        for k in 0..n {
            identity[k * n + k] = 1.0;
        }
        Self {
            generation: 0,
            mean: mean.to_vec(),
            sigma,
            covariance: identity.clone(),
            path_sigma: vec![0.0; n],
            path: vec![0.0; n],
            basis: identity,
            scales: vec![1.0; n],
        }
    }

    /// Rotates standard coordinates into the covariance's: `B z`.
    pub(super) fn rotated(&self, z: &[f64]) -> Vec<f64> {
        self.combined(z.iter().copied())
    }

    /// A step of the distribution before its size: `B D z`.
    pub(super) fn step(&self, z: &[f64]) -> Vec<f64> {
        self.combined(z.iter().zip(&self.scales).map(|(z, scale)| z * scale))
    }

    fn combined(&self, coordinates: impl Iterator<Item = f64>) -> Vec<f64> {
        let n = self.mean.len();
        let mut sum = vec![0.0; n];
        for (coordinate, vector) in coordinates.zip(self.basis.chunks_exact(n)) {
            sum.iter_mut().zip(vector).for_each(|(sum, entry)| *sum += coordinate * entry);
        }
        sum
    }

    /// Takes basis and scales from the covariance.
    pub(super) fn decompose(&mut self) {
        let (values, basis) = symmetric_eigen(&self.covariance, self.mean.len());
        let floor = values.iter().copied().fold(0.0, f64::max) / CONDITION_MAX;
        self.scales = values.iter().map(|value| value.max(floor).sqrt()).collect();
        self.basis = basis;
    }
}
