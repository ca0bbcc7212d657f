//! The two ways to the gradient of a minibatch: derived by hand, and by burn.

use burn::tensor::{Device, ElementConversion, Tensor};

use super::fused::Fused;
use super::loss::{Loss, Minibatch, Objective};
use crate::backend::Backend;
use crate::config::Gradient;
use crate::network::{Parameters, Shape, Tensors};

/// What a minibatch came to; means over its samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Clipped surrogate, or mean log-density where actions are imitated, negated.
    pub policy: f64,
    /// Squared value error, or the larger of the plain and the clipped one.
    pub value: f64,
    /// What is minimised: `policy + value_weight · value − entropy_weight · entropy`, but for a constant.
    pub total: f64,
    /// Divergence from the rollout's policy, in nats: the mean of `(r − 1) − ln r`, which is unbiased, never negative
    /// and of low variance (Schulman 2020, "Approximating KL divergence", k3).
    pub divergence: f64,
    /// Share of samples whose ratio is beyond the clip.
    pub clipped: f64,
}

impl Evaluation {
    pub(super) fn add(&mut self, other: &Self) {
        let Self { policy, value, total, divergence, clipped } = other;
        self.policy += policy;
        self.value += value;
        self.total += total;
        self.divergence += divergence;
        self.clipped += clipped;
    }

    pub(super) fn scale(&mut self, by: f64) {
        let Self { policy, value, total, divergence, clipped } = self;
        for part in [policy, value, total, divergence, clipped] {
            *part *= by;
        }
    }
}

/// Computes gradients in the way that the settings ask for.
#[derive(Clone, Debug)]
pub enum Differentiator {
    /// By hand; see [`Fused`].
    Fused(Box<Fused>),
    /// By burn, on a device that carries gradients.
    Autodiff(Device),
}

impl Differentiator {
    /// For networks of this shape; `backend` matters to burn alone.
    #[must_use]
    pub fn new(gradient: Gradient, backend: Backend, shape: &Shape) -> Self {
        match gradient {
            Gradient::Fused => Self::Fused(Box::new(Fused::new(shape))),
            Gradient::Autodiff => Self::Autodiff(backend.device().autodiff()),
        }
    }

    /// Evaluates the objective on `minibatch` and writes the gradient of every parameter, in their order.
    ///
    /// # Panics
    /// If the shapes disagree.
    pub fn evaluate(
        &mut self,
        parameters: &Parameters,
        minibatch: &Minibatch,
        objective: &Objective,
        gradient: &mut [f32],
    ) -> Evaluation {
        match self {
            Self::Fused(fused) => fused.evaluate(parameters, minibatch, objective, gradient),
            Self::Autodiff(device) => {
                let network = Tensors::new(parameters, device);
                let loss = Loss::new(&network, minibatch.clone(), objective, device);
                let (divergence, clipped) = divergence(&loss.log_ratio, objective.clip);
                let evaluation = Evaluation {
                    policy: scalar(&loss.policy),
                    value: scalar(&loss.value),
                    total: scalar(&loss.total),
                    divergence,
                    clipped,
                };
                network.gradient(loss.total.backward(), gradient);
                evaluation
            }
        }
    }
}

/// See [`Evaluation::divergence`] and [`Evaluation::clipped`].
#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn divergence(log_ratio: &Tensor<1>, clip: f64) -> (f64, f64) {
    let data = log_ratio.clone().inner().into_data();
    let values = data.as_slice::<f32>().expect("losses are f32");
    let (mut divergence, mut clipped) = (0.0, 0.0);
    for &log_ratio in values {
        let log_ratio = f64::from(log_ratio);
        let excess = libm::expm1(log_ratio);
        divergence += excess - log_ratio;
        clipped += f64::from(u8::from(excess.abs() > clip));
    }
    let count = values.len() as f64;
    (divergence / count, clipped / count)
}

fn scalar(tensor: &Tensor<1>) -> f64 {
    tensor.clone().inner().into_scalar::<f32>().elem()
}
