//! What a network's outputs mean, and how they are held against what came.
//!
//! For each horizon there are five outputs: the logarithm of the variance, and for falls and rises the place `m` and the
//! logarithm `r` of the steepness of a log-logistic law: the furthest excursion exceeds `d` with probability
//! `1 / (1 + exp(-z))`, `z = eʳ (m - ln d)`. So probabilities fall with distance whatever was learned, far tails are powers,
//! and any distance can be asked for, not only those of the ladder that was trained on.

use seawall_runtime::predictor::{LAW, logistic};

/// Outputs for one horizon.
pub const OUTPUTS: usize = LAW;

/// Logarithms of the distances at which excursions are asked for, downward and upward.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ladder {
    /// Of falls and of rises; each is `ln d`.
    pub log_distances: [Vec<f64>; 2],
}

/// Loss of one row and its gradient by the outputs.
///
/// Half the quasi-likelihood loss of each variance, `½ (f + σ² e⁻ᶠ)`, and the negative log likelihood of each distance being
/// reached or not: both are negative log likelihoods in nats, so neither needs a weight.
///
/// # Shapes
/// `output` and `gradient` are `[H, 5]`, `variance` is `[H]`, `excursion` is `[H, 2]`.
///
/// # Reference
/// Patton 2011, equation 6, for the quasi-likelihood; Bennett 1983, "Log-logistic regression models for survival data".
pub fn loss(output: &[f64], (variance, excursion): (&[f64], &[f64]), ladder: &Ladder, gradient: &mut [f64]) -> f64 {
    let mut sum = 0.0;
    let horizons = output.chunks_exact(OUTPUTS).zip(gradient.chunks_exact_mut(OUTPUTS));
    for ((output, gradient), (realised, excursion)) in horizons.zip(variance.iter().zip(excursion.chunks_exact(2))) {
        let ratio = realised * libm::exp(-output[0]);
        sum += 0.5 * (output[0] + ratio);
        gradient[0] = 0.5 * (1.0 - ratio);
        for side in 0..2 {
            let (place, log_steepness) = (output[1 + 2 * side], output[2 + 2 * side]);
            let steepness = libm::exp(log_steepness);
            let reached = libm::log(excursion[side]);
            let (mut by_place, mut by_steepness) = (0.0, 0.0);
            for distance in &ladder.log_distances[side] {
                let z = steepness * (place - distance);
                let happened = f64::from(u8::from(reached >= *distance));
                sum += softplus(z) - happened * z;
                let error = logistic(z) - happened;
                by_place += error * steepness;
                by_steepness += error * z;
            }
            gradient[1 + 2 * side] = by_place;
            gradient[2 + 2 * side] = by_steepness;
        }
    }
    sum
}

/// `ln (1 + eᶻ)`.
fn softplus(z: f64) -> f64 {
    z.max(0.0) + libm::log1p(libm::exp(-z.abs()))
}
