//! The stochastic policy: from the actor's outputs and noise to actions, their log-densities, and gradients.
//!
//! Actions are Gaussian samples squashed by `tanh`; densities are those of the squashed sample, exactly. Gradients flow
//! through the sample (the reparameterisation trick), and through the features that state-dependent noise is made of: with
//! features that count as constants, as in [`crate::ppo`], noise grows so slowly that the mountain car never gets out.

use core::ops::Range;

use seawall_runtime::network;

use super::config::Exploration;
use super::networks::SacShape;
use crate::distribution::{HALF_LN_TAU, log_jacobian};

/// Bounds of the logarithm of the deviation (Haarnoja's code, and everybody's since).
const LOG_STD_MIN: f64 = -20.0;
const LOG_STD_MAX: f64 = 2.0;

/// Keeps the variance of state-dependent noise from vanishing with the features.
pub(crate) const VARIANCE_FLOOR: f64 = 1e-6;

/// Standard normal numbers that samples are made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Noise {
    /// One for each entry of each action, `[N, A]`.
    Rows(Vec<f32>),
    /// One for each weight from features to action entries, `[H, A]`, the same for all rows.
    Matrix(Vec<f32>),
}

/// A policy's head.
#[derive(Clone, Debug)]
pub(super) struct Head {
    actions: usize,
    exploration: Exploration,
    /// Deviations of state-dependent noise, `[H, A]`.
    std: Vec<f64>,
}

/// Actions that were drawn for a block of rows, and what their gradients need.
#[derive(Clone, Debug, Default)]
pub(super) struct Drawn {
    /// In `[-1, 1]`, `[rows, A]`.
    pub(super) action: Vec<f32>,
    /// `[rows]`.
    pub(super) log_density: Vec<f64>,
    /// Distance of the sample before squashing from its mean, `[rows, A]`.
    shift: Vec<f64>,
    /// Deviation before squashing, `[rows, A]`.
    deviation: Vec<f64>,
}

/// What the actor left of a block of rows.
#[derive(Clone, Copy)]
pub(super) struct Outputs<'a> {
    /// `[rows, outputs]`.
    pub(super) last: &'a [f32],
    /// What the last layer read, `[rows, H]`; empty if exploration is Gaussian.
    pub(super) features: &'a [f32],
}

impl Head {
    pub(super) fn new(shape: &SacShape) -> Self {
        Self { actions: shape.action, exploration: shape.exploration, std: Vec::new() }
    }

    /// Takes over the logarithms of the deviations of state-dependent noise.
    pub(super) fn load(&mut self, log_std: &[f32]) {
        self.std.clear();
        self.std.extend(log_std.iter().map(|&log_std| libm::exp(f64::from(log_std))));
    }

    /// Draws the actions of `rows` of a batch.
    #[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
    pub(super) fn draw(&self, rows: &Range<usize>, outputs: Outputs<'_>, noise: &Noise, drawn: &mut Drawn) {
        let actions = self.actions;
        drawn.shift.clear();
        drawn.deviation.clear();
        self.spread(rows, outputs, noise, drawn);
        drawn.action.clear();
        drawn.log_density.clear();
        let width = outputs.last.len() / rows.len();
        for (row, last) in outputs.last.chunks_exact(width).enumerate() {
            let (shift, deviation) = (&drawn.shift[row * actions..], &drawn.deviation[row * actions..]);
            let mut log_density = 0.0;
            for ((mean, shift), deviation) in last[..actions].iter().zip(shift).zip(deviation) {
                let z = shift / deviation;
                let sample = (f64::from(*mean) + shift) as f32;
                log_density -= 0.5 * z * z + libm::log(*deviation) + HALF_LN_TAU + log_jacobian(&[sample]);
                drawn.action.push(network::tanh(sample));
            }
            drawn.log_density.push(log_density);
        }
    }

    /// Shifts and deviations of a block.
    fn spread(&self, rows: &Range<usize>, outputs: Outputs<'_>, noise: &Noise, drawn: &mut Drawn) {
        let actions = self.actions;
        match (self.exploration, noise) {
            (Exploration::Gaussian, Noise::Rows(noise)) => {
                let noise = noise[rows.start * actions..rows.end * actions].chunks_exact(actions);
                for (last, noise) in outputs.last.chunks_exact(2 * actions).zip(noise) {
                    for (log_std, noise) in last[actions..].iter().zip(noise) {
                        let deviation = libm::exp(f64::from(*log_std).clamp(LOG_STD_MIN, LOG_STD_MAX));
                        drawn.shift.push(deviation * f64::from(*noise));
                        drawn.deviation.push(deviation);
                    }
                }
            }
            (Exploration::StateDependent, Noise::Matrix(noise)) => {
                let features = self.std.len() / actions;
                for feature in outputs.features.chunks_exact(features) {
                    for a in 0..actions {
                        let (mut shift, mut variance) = (0.0, VARIANCE_FLOOR);
                        for (i, feature) in feature.iter().enumerate() {
                            let part = f64::from(*feature) * self.std[i * actions + a];
                            shift += part * f64::from(noise[i * actions + a]);
                            variance += part * part;
                        }
                        drawn.shift.push(shift);
                        drawn.deviation.push(variance.sqrt());
                    }
                }
            }
            _ => unreachable!("noise is drawn for the exploration that the actor has"),
        }
    }

    /// Writes the gradient of the actor's outputs into `delta`, and for state-dependent noise that of its features into
    /// `by_features`; adds that of its deviations to `log_std`. They come from those of a loss by the drawn actions, `action_gradient`, `[rows, A]`, and by each
    /// log-density, `density_slope`.
    #[expect(clippy::cast_possible_truncation, reason = "gradients are single precision")]
    pub(super) fn backward(
        &self,
        (rows, outputs, noise): (&Range<usize>, Outputs<'_>, &Noise),
        drawn: &Drawn,
        (action_gradient, density_slope): (&[f32], f64),
        (delta, by_features): (&mut [f32], &mut [f32]),
        log_std: &mut [f64],
    ) {
        let actions = self.actions;
        let width = outputs.last.len() / rows.len();
        for (row, delta) in delta.chunks_exact_mut(width).enumerate() {
            for a in 0..actions {
                let at = row * actions + a;
                let action = f64::from(drawn.action[at]);
                let (shift, deviation) = (drawn.shift[at], drawn.deviation[at]);
                // By the sample before squashing: −ln(1 − tanh²) has slope 2·tanh, the action 1 − tanh².
                let slope = f64::from(action_gradient[at]);
                let sample = 2.0 * density_slope * action + slope * (1.0 - action * action);
                delta[a] = sample as f32;
                match noise {
                    Noise::Rows(_) => {
                        let raw = f64::from(outputs.last[row * width + actions + a]);
                        let is_open = (LOG_STD_MIN..=LOG_STD_MAX).contains(&raw);
                        delta[actions + a] = if is_open { (sample * shift - density_slope) as f32 } else { 0.0 };
                    }
                    Noise::Matrix(noise) => {
                        let z = shift / deviation;
                        let by_shift = sample - density_slope * z / deviation;
                        let by_log_deviation = density_slope * (z * z - 1.0);
                        let features = self.std.len() / actions;
                        let here = row * features..(row + 1) * features;
                        let pairs = outputs.features[here.clone()].iter().zip(&mut by_features[here]);
                        for (i, (feature, by_feature)) in pairs.enumerate() {
                            let at = i * actions + a;
                            let std = self.std[at];
                            let part = f64::from(*feature) * std;
                            let (noise, share) = (f64::from(noise[at]), part / deviation);
                            log_std[at] += by_shift * part * noise + by_log_deviation * share * share;
                            *by_feature += (by_shift * std * noise + by_log_deviation * share * std / deviation) as f32;
                        }
                    }
                }
            }
        }
    }
}
