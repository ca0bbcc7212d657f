//! Heterogeneous autoregression of realised variance.

use super::Variances;
use crate::calibration::minimise::inverse;
use crate::forecast::{Example, HORIZONS, Set};
use crate::statistics::real;
use serde::Serialize;

/// The logarithm of realised variance over a horizon on features: on those that are logarithms of realised variance over
/// a quarter hour to a day, the regression of Corsi at the scale of hours; on all of them, what is linear in them.
///
/// # Reference
/// Corsi 2009, "A simple approximate long-memory model of realized volatility", equation 8 and its logarithmic form; Andersen,
/// Bollerslev & Diebold 2007 for further terms; Duan 1983 for the way back from the logarithm, by the mean of what the fit
/// leaves. That mean is also the factor of least quasi-likelihood loss.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Har {
    /// Constant, then one weight for each of the first features, by horizon.
    pub weights: [Vec<f64>; HORIZONS.len()],
    /// Mean of realised over fitted variance, by horizon.
    pub smearing: [f64; HORIZONS.len()],
}

/// Added to realised variance before its logarithm, by bar: as for features.
const STILL: f64 = 1e-10;

impl Har {
    /// Fits the first `terms` features by least squares; nothing if they are dependent, as they are in a market that stands
    /// still.
    #[must_use]
    pub fn fit(set: &Set, terms: usize) -> Option<Self> {
        let fits: Vec<(Vec<f64>, f64)> = (0..HORIZONS.len()).map(|h| regress(set, terms, h)).collect::<Option<_>>()?;
        let (weights, smearing): (Vec<_>, Vec<_>) = fits.into_iter().unzip();
        Some(Self { weights: weights.try_into().ok()?, smearing: smearing.try_into().ok()? })
    }

    pub(super) fn variances(&self, set: &Set) -> Variances {
        let of =
            |example: &Example| core::array::from_fn(|h| self.smearing[h] * libm::exp(dot(&self.weights[h], example)));
        set.examples.iter().map(of).collect()
    }
}

/// Constant and weighted features.
fn dot(weights: &[f64], example: &Example) -> f64 {
    weights[0] + weights[1..].iter().zip(&example.features).map(|(weight, x)| weight * x).sum::<f64>()
}

fn regress(set: &Set, terms: usize, horizon: usize) -> Option<(Vec<f64>, f64)> {
    let width = terms + 1;
    let (mut normal, mut right) = (vec![vec![0.0; width]; width], vec![0.0; width]);
    let mut row = vec![1.0; width];
    for example in &set.examples {
        row[1..].copy_from_slice(&example.features[..terms]);
        let y = libm::log(example.outcome.variance[horizon] + STILL * real(HORIZONS[horizon]));
        for (i, x) in row.iter().enumerate() {
            right[i] += x * y;
            for (entry, z) in normal[i].iter_mut().zip(&row) {
                *entry += x * z;
            }
        }
    }
    let inverse = inverse(&normal)?;
    let weights: Vec<f64> = inverse.iter().map(|row| row.iter().zip(&right).map(|(a, b)| a * b).sum()).collect();
    let over = |example: &Example| example.outcome.variance[horizon] / libm::exp(dot(&weights, example));
    let smearing = set.examples.iter().map(over).sum::<f64>() / real(set.examples.len());
    (smearing > 0.0 && smearing.is_finite()).then_some((weights, smearing))
}
