//! Adam over one flat vector of parameters, and the global norm that its gradients are held to.
//!
//! burn has an Adam too; this one keeps its state in plain vectors, so that a checkpoint holds every bit of it.

use pulp::{Simd, WithSimd};
use serde::{Deserialize, Serialize};

use crate::network::dispatch;

/// Adam's constants but for the step size. PPO's customary ε is 1e-5 (Huang et al. 2022, detail 3).
const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f64 = 1e-5;
/// The paper's own ε: the gradients of an off-policy actor are so small that another ε would damp its steps.
pub(crate) const EPSILON_OFF_POLICY: f64 = 1e-8;

/// Adam with bias correction.
///
/// # Reference
/// Kingma & Ba 2015 (arXiv:1412.6980), algorithm 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    first: Vec<f32>,
    second: Vec<f32>,
    /// β₁ᵗ and β₂ᵗ after `t` steps.
    decay: (f64, f64),
}

impl Adam {
    /// For `parameters` of them, before the first step.
    #[must_use]
    pub fn new(parameters: usize) -> Self {
        Self { first: vec![0.0; parameters], second: vec![0.0; parameters], decay: (1.0, 1.0) }
    }

    /// Number of parameters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.first.len()
    }

    /// Whether there is nothing to optimise.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// Moves `parameters` against `gradient`.
    ///
    /// # Panics
    /// If the lengths disagree.
    pub fn step(&mut self, learning_rate: f64, parameters: &mut [f32], gradient: &[f32]) {
        self.step_with((learning_rate, EPSILON), parameters, gradient);
    }

    /// As [`Adam::step`], with another ε than PPO's.
    #[expect(clippy::cast_possible_truncation, reason = "parameters are single precision")]
    pub(crate) fn step_with(&mut self, (learning_rate, epsilon): (f64, f64), parameters: &mut [f32], gradient: &[f32]) {
        assert_eq!(parameters.len(), self.len(), "one entry per parameter");
        assert_eq!(gradient.len(), self.len(), "one entry per parameter");
        self.decay.0 *= f64::from(BETA1);
        self.decay.1 *= f64::from(BETA2);
        // m̂ / (√v̂ + ε), with both corrections taken out of the loop.
        let root = (1.0 - self.decay.1).sqrt();
        let rate = (learning_rate * root / (1.0 - self.decay.0)) as f32;
        let epsilon = (epsilon * root) as f32;
        dispatch(Move { first: &mut self.first, second: &mut self.second, parameters, gradient, rate, epsilon });
    }
}

/// One step's loop, compiled for the vectors of the processor; each entry is computed alone, so they change no bit.
struct Move<'a> {
    first: &'a mut [f32],
    second: &'a mut [f32],
    parameters: &'a mut [f32],
    gradient: &'a [f32],
    rate: f32,
    epsilon: f32,
}

impl WithSimd for Move<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { first, second, parameters, gradient, rate, epsilon } = self;
        let moments = first.iter_mut().zip(second);
        for ((parameter, g), (first, second)) in parameters.iter_mut().zip(gradient).zip(moments) {
            *first = BETA1 * *first + (1.0 - BETA1) * g;
            *second = BETA2 * *second + (1.0 - BETA2) * (g * g);
            *parameter -= rate * *first / (second.sqrt() + epsilon);
        }
    }
}

/// Scales `gradient` down to the Euclidean norm `limit` if it is longer; returns the norm that it had.
#[expect(clippy::cast_possible_truncation, reason = "gradients are single precision")]
pub fn clip_global_norm(gradient: &mut [f32], limit: f64) -> f64 {
    let norm = sum_of_squares(gradient).sqrt();
    if norm > limit {
        let scale = (limit / norm) as f32;
        for g in gradient {
            *g *= scale;
        }
    }
    norm
}

/// Sums that run side by side, entry `i` in sum `i mod 16`: one after the other, they would wait for one another.
const SUMS: usize = 16;

fn sum_of_squares(values: &[f32]) -> f64 {
    let mut sums = [0.0; SUMS];
    for chunk in values.chunks(SUMS) {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum += f64::from(x) * f64::from(x);
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use burn::module::{Module, Param};
    use burn::optim::{AdamConfig, GradientsParams};
    use burn::tensor::{Tensor, TensorData};

    use super::*;
    use crate::Backend;

    #[derive(Module, Debug)]
    struct Vector {
        values: Param<Tensor<1>>,
    }

    #[test]
    fn every_step_equals_that_of_burns_adam() {
        let start = [0.5_f32, -1.0, 2.0, 0.0];
        let device = Backend::Flex.device().autodiff();
        let mut module = Vector { values: Param::from_data(TensorData::new(start.to_vec(), [4]), &device) };
        let mut theirs = AdamConfig::new().with_epsilon(1e-5).init();
        let (mut ours, mut parameters) = (Adam::new(4), start);
        for step in 0..200_u16 {
            // A gradient that changes scale, sign and sparsity: 2·c·x with c as below.
            let t = f32::from(step);
            let slope = [1e-3, 10.0 - t, 0.01 * t, if step % 7 == 0 { 5.0 } else { 0.0 }];
            let x = module.values.val();
            let slopes = Tensor::<1>::from_data(TensorData::new(slope.to_vec(), [4]), &device);
            let gradients = GradientsParams::from_grads((x.clone() * x * slopes).sum().backward(), &module);
            module = theirs.step(3e-3, module, gradients);
            let gradient: Vec<f32> = parameters.iter().zip(slope).map(|(x, c)| 2.0 * c * x).collect();
            ours.step(3e-3, &mut parameters, &gradient);
            let expected = module.values.val().into_data().try_into_vec::<f32>().unwrap();
            // burn raises β₂ to the step in single precision, which at first costs it four digits of the step.
            for (a, b) in parameters.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-5, "step {step}: {parameters:?} against {expected:?}");
            }
        }
    }

    #[test]
    fn the_first_step_has_the_length_of_the_learning_rate() {
        // m̂ = g, √v̂ = |g|: the step is the sign of g times the rate, but for ε.
        let mut parameters = [1.0, 1.0];
        Adam::new(2).step(0.1, &mut parameters, &[1e3, -1e-1]);
        assert!((parameters[0] - 0.9).abs() < 1e-6);
        assert!((parameters[1] - 1.1).abs() < 2e-5);
    }

    #[test]
    fn clipping_keeps_the_direction_over_all_entries() {
        let mut gradient = [3.0, 0.0, -4.0];
        assert!((clip_global_norm(&mut gradient, 1.0) - 5.0).abs() < 1e-12);
        for (g, expected) in gradient.iter().zip([0.6_f32, 0.0, -0.8]) {
            assert!((g - expected).abs() < 1e-7);
        }
        let mut short = [0.3, 0.4];
        assert!((clip_global_norm(&mut short, 1.0) - 0.5).abs() < 1e-7);
        assert_eq!(short.map(f32::to_bits), [0.3_f32, 0.4].map(f32::to_bits));
    }

    #[test]
    fn a_gradient_that_is_not_a_number_shows_in_its_norm() {
        assert!(clip_global_norm(&mut [1.0, f32::NAN], 1.0).is_nan());
        assert!(clip_global_norm(&mut [1.0, f32::INFINITY], 1.0).is_infinite());
    }
}
