//! Log-densities and entropies of actions as burn operations: one function for each head.

use burn::tensor::{Device, Tensor, activation};

use crate::config::Head;
use crate::distribution::HALF_LN_TAU;
use crate::network::{Tensors, by_host, tanh};

/// Keeps the variance of state-dependent noise from vanishing with the features.
pub(super) const VARIANCE_FLOOR: f64 = 1e-6;

/// Least parameter of a beta distribution: below it, all mass is at an edge.
const PART_FLOOR: f64 = 1e-3;

/// Log-density of each stored action, `[N]`, and the policy's mean entropy but for a constant, `[1]`.
pub(super) struct Density {
    pub(super) log_density: Tensor<1>,
    pub(super) entropy: Tensor<1>,
}

impl Density {
    /// Of `action`, `[N, A]`, on `observation`, `[N, D]`.
    pub(super) fn new(
        head: Head,
        network: &Tensors,
        observation: Tensor<2>,
        action: Tensor<2>,
        device: &Device,
    ) -> Self {
        match head {
            Head::Gaussian => gaussian(network, observation, action),
            Head::StateDependent => state_dependent(network, observation, action),
            Head::Beta => beta(network, observation, action, device),
            Head::Categorical => categorical(network, observation, action),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of actions")]
fn gaussian(network: &Tensors, observation: Tensor<2>, action: Tensor<2>) -> Density {
    let log_std = network.log_std();
    let [actions] = log_std.dims();
    let inverse_std = log_std.clone().neg().exp().unsqueeze::<2>();
    let z = (action - network.mean(observation)) * inverse_std;
    let distance = (z.clone() * z).sum_dim(1).squeeze_dim::<1>(1);
    let log_std = log_std.sum();
    let log_density = distance.mul_scalar(-0.5) - log_std.clone().add_scalar(actions as f64 * HALF_LN_TAU);
    Density { log_density, entropy: log_std }
}

/// The features that noise is made of count as constants, so that exploration does not bend what the actor looks at.
///
/// # Reference
/// Raffin et al. 2021 (arXiv:2005.05719), eqs. 8–10.
#[expect(clippy::cast_precision_loss, reason = "a number of actions")]
fn state_dependent(network: &Tensors, observation: Tensor<2>, action: Tensor<2>) -> Density {
    let [_, actions] = action.dims();
    let (features, mean) = network.features_and_mean(observation);
    let features = features.detach();
    let [_, width] = features.dims();
    let square = network.log_std().mul_scalar(2.0).exp().reshape([width, actions]);
    let variance = (features.clone() * features).matmul(square).add_scalar(VARIANCE_FLOOR);
    let distance = action - mean;
    let log_variance = variance.clone().log();
    let sum = (distance.clone() * distance / variance + log_variance.clone()).sum_dim(1).squeeze_dim::<1>(1);
    let log_density = sum.mul_scalar(-0.5).sub_scalar(actions as f64 * HALF_LN_TAU);
    Density { log_density, entropy: log_variance.sum_dim(1).mean().mul_scalar(0.5) }
}

/// The probabilities are those of a softmax over the outputs; `action` holds zeros and a one.
fn categorical(network: &Tensors, observation: Tensor<2>, action: Tensor<2>) -> Density {
    let log = activation::log_softmax(network.mean(observation), 1);
    let entropy = (log.clone().exp() * log.clone()).sum_dim(1).mean().neg();
    Density { log_density: (log * action).sum_dim(1).squeeze_dim::<1>(1), entropy }
}

/// Sum of a beta distribution's two parameters: a centred action deviates by `1/√(sum + 1)`.
pub(super) fn concentration(log_std: f64) -> f64 {
    libm::exp(-2.0 * log_std)
}

/// One parameter of a beta distribution from its share of the sum.
pub(super) const fn part(share: f64, sum: f64) -> f64 {
    share * sum + PART_FLOOR
}

/// The mean is `(1 + tanh(output)) / 2`, so that the mean action in `[-1, 1]` is the squashed output.
///
/// # Reference
/// Chou, Maturana & Scherer 2017, "Improving stochastic policy gradients in continuous control with deep reinforcement
/// learning using the beta distribution".
fn beta(network: &Tensors, observation: Tensor<2>, action: Tensor<2>, device: &Device) -> Density {
    let shape = action.dims();
    let sum = network.log_std().mul_scalar(-2.0).exp().unsqueeze::<2>().expand(shape);
    let share = tanh(network.mean(observation), device).add_scalar(1.0).mul_scalar(0.5);
    let a = (share.clone() * sum.clone()).add_scalar(PART_FLOOR);
    let b = (share.neg().add_scalar(1.0) * sum).add_scalar(PART_FLOOR);
    let total = a.clone() + b.clone();
    let volume = ln_gamma(a.clone(), device) + ln_gamma(b.clone(), device) - ln_gamma(total.clone(), device);
    let (a_less, b_less) = (a.clone().sub_scalar(1.0), b.clone().sub_scalar(1.0));
    let log_density =
        a_less.clone() * action.clone().log() + b_less.clone() * action.neg().add_scalar(1.0).log() - volume.clone();
    let entropy = volume - a_less * digamma_of(a, device) - b_less * digamma_of(b, device)
        + total.clone().sub_scalar(2.0) * digamma_of(total, device);
    Density { log_density: log_density.sum_dim(1).squeeze_dim::<1>(1), entropy: entropy.sum_dim(1).mean() }
}

#[expect(clippy::cast_possible_truncation, reason = "tensors are single precision")]
fn ln_gamma(x: Tensor<2>, device: &Device) -> Tensor<2> {
    by_host(x, device, |x| (libm::lgamma(f64::from(x)) as f32, polygamma(f64::from(x)).0 as f32))
}

#[expect(clippy::cast_possible_truncation, reason = "tensors are single precision")]
fn digamma_of(x: Tensor<2>, device: &Device) -> Tensor<2> {
    by_host(x, device, |x| {
        let (value, slope) = polygamma(f64::from(x));
        (value as f32, slope as f32)
    })
}

/// The digamma function of a positive number and its derivative.
///
/// # Reference
/// Abramowitz & Stegun 1964, 6.3.5 and 6.4.6 up to 6, then 6.3.18 and 6.4.12.
fn polygamma(mut x: f64) -> (f64, f64) {
    let (mut value, mut slope) = (0.0, 0.0);
    while x < 6.0 {
        value -= 1.0 / x;
        slope += 1.0 / (x * x);
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    value += libm::log(x)
        - 0.5 * inverse
        - square * (1.0 / 12.0 - square * (1.0 / 120.0 - square * (1.0 / 252.0 - square / 240.0)));
    slope += inverse
        * (1.0
            + inverse * (0.5 + inverse * (1.0 / 6.0 - square * (1.0 / 30.0 - square * (1.0 / 42.0 - square / 30.0)))));
    (value, slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digamma_is_the_slope_of_the_logarithm_of_gamma_and_has_its_own() {
        // Not whole numbers, from which the recurrence ends where the series takes over: a difference across that seam measures the seam.
        for x in [0.02, 0.5, 1.2, 3.7, 6.5, 40.0, 2_000.0] {
            let step = 1e-5 * x;
            let slope = |f: &dyn Fn(f64) -> f64| (f(x + step) - f(x - step)) / (2.0 * step);
            let (value, derivative) = polygamma(x);
            assert!((value - slope(&|x| libm::lgamma(x))).abs() < 1e-6 * value.abs().max(1.0), "{x}: {value}");
            let expected = slope(&|x| polygamma(x).0);
            assert!((derivative / expected - 1.0).abs() < 1e-6, "{x}: {derivative} against {expected}");
        }
        // ψ(1) = −γ.
        assert!((polygamma(1.0).0 + 0.577_215_664_901_532_9).abs() < 1e-9);
    }
}
