//! How home's prices move together: exponentially weighted over one-minute returns of mid prices.

use serde::{Deserialize, Serialize};

use super::config::ASSETS_MAX;

/// Half-life of the estimate, in seconds.
const HALF_LIFE: f64 = 1_800.0;

/// Second moments of the returns of up to [`ASSETS_MAX`] assets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Comovement {
    count: usize,
    last: [f64; ASSETS_MAX],
    moments: [[f64; ASSETS_MAX]; ASSETS_MAX],
    memory: f64,
}

impl Comovement {
    /// At rest at `mids`, with variances as `sigmas` per root second say and the correlation `with_first` of every
    /// asset.
    pub(super) fn new(mids: &[f64], sigmas: &[f64], with_first: &[f64], seconds: f64) -> Self {
        let mut this = Self {
            count: mids.len(),
            last: [0.0; ASSETS_MAX],
            moments: [[0.0; ASSETS_MAX]; ASSETS_MAX],
            memory: libm::exp2(-seconds / HALF_LIFE),
        };
        this.last[..mids.len()].copy_from_slice(mids);
        for i in 0..mids.len() {
            for j in 0..mids.len() {
                let rho = if i == j { 1.0 } else { with_first[i] * with_first[j] };
                this.moments[i][j] = rho * sigmas[i] * sigmas[j] * seconds;
            }
        }
        this
    }

    /// Takes in the mids of a sample.
    pub(super) fn sample(&mut self, mids: impl Iterator<Item = f64>) {
        let mut returns = [0.0; ASSETS_MAX];
        for ((last, r), mid) in self.last.iter_mut().zip(&mut returns).zip(mids) {
            *r = mid / *last - 1.0;
            *last = mid;
        }
        for i in 0..self.count {
            for j in 0..self.count {
                let now = returns[i] * returns[j];
                self.moments[i][j] = now + (self.moments[i][j] - now) * self.memory;
            }
        }
    }

    /// Mean correlation over pairs of assets; zero where there is one.
    pub(super) fn mean(&self) -> f64 {
        let (mut sum, mut pairs) = (0.0, 0.0);
        for i in 0..self.count {
            for j in 0..i {
                let scale = (self.moments[i][i] * self.moments[j][j]).sqrt();
                sum += if scale > 0.0 { self.moments[i][j] / scale } else { 0.0 };
                pairs += 1.0;
            }
        }
        if pairs > 0.0 { sum / pairs } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_that_move_alike_correlate_fully_and_opposite_ones_fully_against() {
        for (sign, expected) in [(1.0, 1.0), (-1.0, -1.0)] {
            let mut moments = Comovement::new(&[100.0, 100.0], &[1e-4, 1e-4], &[1.0, 0.0], 60.0);
            assert!(moments.mean().abs() < 1e-12);
            let (mut a, mut b) = (100.0, 100.0);
            for step in 0..400 {
                let r = if step % 3 == 0 { 0.02 } else { -0.01 };
                a *= 1.0 + r;
                b *= 1.0 + sign * r;
                moments.sample([a, b].into_iter());
            }
            // What the start weighs is two to the minus thirteen and a third.
            assert!((moments.mean() - expected).abs() < 1e-3, "{}", moments.mean());
        }
    }
}
