//! What the actor's outputs mean, on the host: drawing actions, their log-densities, and what the environment gets.
//!
//! What is stored of an action is what the density is of: the sample before squashing, a point of `(0, 1)`, or the
//! choice as zeros and a one. [`super::density`] has the same densities as burn operations.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use seawall_env::rng::{normal_quantile, open_unit};
use seawall_runtime::network;

use super::density::{VARIANCE_FLOOR, concentration};
use crate::config::Head;
use crate::distribution::{self, Gaussian, HALF_LN_TAU};
use crate::network::{Forward, Parameters, run};

/// Draws actions for a rollout.
pub(super) struct Sampler<'a> {
    parameters: &'a Parameters,
    actor: Forward,
    gaussian: Gaussian,
    rng: &'a mut ChaCha8Rng,
    /// Steps between two draws of state-dependent noise.
    interval: usize,
    age: usize,
    /// State-dependent noise, `[B, H, A]`.
    noise: Vec<f64>,
}

impl<'a> Sampler<'a> {
    pub(super) fn new(parameters: &'a Parameters, rng: &'a mut ChaCha8Rng, interval: usize) -> Self {
        let (actor, gaussian) = (Forward::new(&parameters.actor()), Gaussian::new(parameters.log_std()));
        Self { parameters, actor, gaussian, rng, interval, age: 0, noise: Vec::new() }
    }

    /// Draws an action for each row of what the actor's layers read, `[B, D]` or `[B, H]`, into `action`, `[B, A]`; appends its
    /// log-density, and adds its surprise in the environment's own units to `entropy`, in nats.
    #[expect(clippy::cast_possible_truncation, reason = "learning is single precision")]
    pub(super) fn draw(
        &mut self,
        observation: &[f32],
        mean: &mut [f32],
        (action, log_density, entropy): (&mut [f32], &mut Vec<f32>, &mut f64),
    ) {
        let shape = self.parameters.shape();
        let layers = self.parameters.actor();
        let rows = observation.len() / layers[0].inputs();
        let mut features = Vec::new();
        if shape.head == Head::StateDependent {
            let (last, hidden) = layers.split_last().expect("a network has at least one layer");
            features = run(hidden, observation);
            features.iter_mut().for_each(|feature| *feature = network::tanh(*feature));
            mean.copy_from_slice(&run(core::slice::from_ref(last), &features));
            self.redraw(rows);
        } else {
            self.actor.run(observation, mean);
        }
        let (actions, log_std) = (shape.action, self.parameters.log_std());
        for (row, (mean, action)) in mean.chunks_exact(actions).zip(action.chunks_exact_mut(actions)).enumerate() {
            let (density, jacobian) = match shape.head {
                Head::Gaussian => {
                    self.gaussian.sample(mean, self.rng, action);
                    (self.gaussian.log_density(action, mean), distribution::log_jacobian(action))
                }
                Head::StateDependent => {
                    let width = features.len() / rows;
                    let density = self.explore(row, &features[row * width..(row + 1) * width], mean, action);
                    (density, distribution::log_jacobian(action))
                }
                Head::Beta => (beta(mean, log_std, self.rng, action), ln_two(actions)),
                Head::Categorical => (choose(mean, self.rng, action), 0.0),
            };
            *entropy -= density - jacobian;
            log_density.push(density as f32);
        }
    }

    fn redraw(&mut self, rows: usize) {
        if self.noise.is_empty() || self.age == self.interval {
            let count = rows * self.parameters.log_std().len();
            self.noise = (0..count).map(|_| normal_quantile(open_unit(self.rng.next_u64()))).collect();
            self.age = 0;
        }
        self.age += 1;
    }

    /// State-dependent noise around `mean`; returns the log-density of what came out.
    #[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
    fn explore(&self, row: usize, features: &[f32], mean: &[f32], action: &mut [f32]) -> f64 {
        let (log_std, actions) = (self.parameters.log_std(), mean.len());
        let noise = &self.noise[row * log_std.len()..];
        let mut log_density = 0.0;
        for (a, (mean, action)) in mean.iter().zip(action).enumerate() {
            let (mut shift, mut variance) = (0.0, VARIANCE_FLOOR);
            for (i, feature) in features.iter().enumerate() {
                let at = i * actions + a;
                let part = f64::from(*feature) * libm::exp(f64::from(log_std[at]));
                shift += part * noise[at];
                variance += part * part;
            }
            *action = (f64::from(*mean) + shift) as f32;
            let distance = f64::from(*action) - f64::from(*mean);
            log_density -= 0.5 * (distance * distance / variance + libm::log(variance)) + HALF_LN_TAU;
        }
        log_density
    }
}

/// What the environment gets, `[-1, 1]`, for stored actions.
pub(super) fn enact(head: Head, stored: &[f32], action: &mut [f32]) {
    for (action, stored) in action.iter_mut().zip(stored) {
        *action = match head {
            Head::Gaussian | Head::StateDependent => network::tanh(*stored),
            Head::Beta | Head::Categorical => 2.0 * stored - 1.0,
        };
    }
}

/// What would be stored of actions that the environment gets: the inverse of [`enact`], held off the edges by `edge`, where
/// squashing lets no gradient through; of choices, the largest entry.
pub(super) fn store(head: Head, action: &[f32], edge: f32, stored: &mut [f32]) {
    if head == Head::Categorical {
        stored.fill(0.0);
        stored[largest(action)] = 1.0;
        return;
    }
    for (stored, action) in stored.iter_mut().zip(action) {
        let held = action.clamp(edge - 1.0, 1.0 - edge);
        *stored = match head {
            Head::Gaussian | Head::StateDependent | Head::Categorical => libm::atanhf(held),
            Head::Beta => 0.5 * (held + 1.0),
        };
    }
}

/// What the environment gets from the policy without exploration, for the actor's outputs.
pub(super) fn decide(head: Head, outputs: &[f32], actions: usize, action: &mut [f32]) {
    match head {
        // The mean of the beta distribution is the squashed output too.
        Head::Gaussian | Head::StateDependent | Head::Beta => {
            for (action, output) in action.iter_mut().zip(outputs) {
                *action = network::tanh(*output);
            }
        }
        Head::Categorical => {
            for (outputs, action) in outputs.chunks_exact(actions).zip(action.chunks_exact_mut(actions)) {
                action.fill(-1.0);
                action[largest(outputs)] = 1.0;
            }
        }
    }
}

/// Where the largest entry stands; of equal ones the first.
fn largest(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

/// Volume of the interval `[-1, 1]` to the power of the number of entries, logarithm: what `2 x − 1` stretches by.
#[expect(clippy::cast_precision_loss, reason = "a number of actions")]
fn ln_two(actions: usize) -> f64 {
    actions as f64 * core::f64::consts::LN_2
}

/// Draws a choice by its logits as zeros and a one; returns the logarithm of its probability.
fn choose(logits: &[f32], rng: &mut ChaCha8Rng, action: &mut [f32]) -> f64 {
    let highest = f64::from(logits[largest(logits)]);
    let weights: Vec<f64> = logits.iter().map(|logit| libm::exp(f64::from(*logit) - highest)).collect();
    let total: f64 = weights.iter().sum();
    let mut left = open_unit(rng.next_u64()) * total;
    let mut chosen = weights.len() - 1;
    for (index, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            chosen = index;
            break;
        }
    }
    action.fill(0.0);
    action[chosen] = 1.0;
    libm::log(weights[chosen] / total)
}

/// Closest that a sample of a beta distribution comes to the edges, where its density may not be finite.
const EDGE: f64 = 1e-6;

/// Draws from a beta distribution for each entry; returns the log-density on `(0, 1)`.
#[expect(clippy::cast_possible_truncation, reason = "actions are single precision")]
fn beta(outputs: &[f32], log_std: &[f32], rng: &mut ChaCha8Rng, action: &mut [f32]) -> f64 {
    let mut log_density = 0.0;
    for ((output, log_std), action) in outputs.iter().zip(log_std).zip(action) {
        let total = concentration(f64::from(*log_std));
        let share = 0.5 * (1.0 + f64::from(network::tanh(*output)));
        let (a, b) = (super::density::part(share, total), super::density::part(1.0 - share, total));
        let (up, down) = (gamma(a, rng), gamma(b, rng));
        *action = (up / (up + down)).clamp(EDGE, 1.0 - EDGE) as f32;
        let x = f64::from(*action);
        log_density += libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b)
            + (a - 1.0) * libm::log(x)
            + (b - 1.0) * libm::log1p(-x);
    }
    log_density
}

/// Draws from a gamma distribution with unit scale.
///
/// # Reference
/// Marsaglia & Tsang 2000, "A simple method for generating gamma variables"; below 1 by their §6.
fn gamma(shape: f64, rng: &mut ChaCha8Rng) -> f64 {
    if shape < 1.0 {
        let boost = libm::pow(open_unit(rng.next_u64()), 1.0 / shape);
        // A draw that underflows would leave nothing to divide by.
        return (gamma(shape + 1.0, rng) * boost).max(f64::MIN_POSITIVE);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let normal = normal_quantile(open_unit(rng.next_u64()));
        let root = 1.0 + c * normal;
        if root <= 0.0 {
            continue;
        }
        let cube = root * root * root;
        let unit = open_unit(rng.next_u64());
        if libm::log(unit) < 0.5 * normal * normal + d * (1.0 - cube + libm::log(cube)) {
            return d * cube;
        }
    }
}

#[cfg(test)]
mod tests {
    use seawall_env::{Purpose, SeedTree};

    use super::*;

    fn rng() -> ChaCha8Rng {
        SeedTree::new(1).stream(Purpose::Exploration, 0)
    }

    #[test]
    fn choices_come_as_often_as_their_probability_says() {
        let mut rng = rng();
        let logits = [0.0, 1.0, -0.5];
        let total: f64 = logits.iter().map(|l| libm::exp(f64::from(*l))).sum();
        let mut counts = [0.0; 3];
        for _ in 0..20_000 {
            let mut action = [9.0; 3];
            let log_density = choose(&logits, &mut rng, &mut action);
            let index = largest(&action);
            assert!((log_density - (f64::from(logits[index]) - libm::log(total))).abs() < 1e-12);
            counts[index] += 1.0;
        }
        for (count, logit) in counts.iter().zip(logits) {
            // Five standard errors are at most 5·√(0.25/20000).
            assert!((count / 20_000.0 - libm::exp(f64::from(logit)) / total).abs() < 0.018, "{counts:?}");
        }
    }

    #[test]
    fn beta_samples_have_their_mean_and_deviation_and_their_density_integrates_to_one() {
        for (output, log_std) in [(0.0, -0.7), (0.6, -1.5), (-0.4, -0.2)] {
            let mut rng = rng();
            let (mut sum, mut square) = (0.0, 0.0);
            for _ in 0..20_000 {
                let mut action = [0.0];
                beta(&[output], &[log_std], &mut rng, &mut action);
                let x = 2.0 * f64::from(action[0]) - 1.0;
                (sum, square) = (sum + x, square + x * x);
            }
            let mean = sum / 20_000.0;
            let expected = libm::tanh(f64::from(output));
            assert!((mean - expected).abs() < 0.03, "{mean} for {expected}");
            // Variance of a beta distribution, stretched by two: (1 − mean²) / (concentration + 1).
            let variance = (1.0 - expected * expected) / (concentration(f64::from(log_std)) + 1.0);
            let found = square / 20_000.0 - mean * mean;
            assert!((found / variance - 1.0).abs() < 0.06, "{found} for {variance}");
        }
    }

    #[test]
    fn gamma_samples_have_mean_and_variance_of_their_shape() {
        let mut rng = rng();
        for shape in [0.3, 1.0, 4.5] {
            let draws: Vec<f64> = (0..40_000).map(|_| gamma(shape, &mut rng)).collect();
            let mean = draws.iter().sum::<f64>() / 40_000.0;
            let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 40_000.0;
            // Five standard errors of the mean are 0.025·√shape, of the variance some 8 % for the smallest shape.
            assert!((mean - shape).abs() < 0.025 * shape.sqrt(), "{shape}: {mean}");
            assert!((variance / shape - 1.0).abs() < 0.12, "{shape}: {variance}");
        }
    }

    #[test]
    fn what_is_decided_is_the_largest_choice_or_the_squashed_output() {
        let mut action = [0.0; 4];
        // Tangents of 20 and of 30 are both one: the larger output counts all the same.
        decide(Head::Categorical, &[20.0, 30.0, -1.0, -2.0], 2, &mut action);
        assert_eq!(action.map(f32::to_bits), [-1.0_f32, 1.0, 1.0, -1.0].map(f32::to_bits));
        decide(Head::Beta, &[0.5, -0.5, 0.0, 1.0], 2, &mut action);
        assert!((f64::from(action[0]) - libm::tanh(0.5)).abs() < 1e-6);
    }
}
