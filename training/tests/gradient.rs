//! The gradient of the objective against finite differences of an independent double-precision implementation.

use burn::tensor::ElementConversion;
use seawall_env::rng::{normal_quantile, open_unit};
use seawall_env::{Purpose, SeedTree};
use seawall_runtime::network::Layer;
use seawall_training::Backend;
use seawall_training::network::{Parameters, Shape, Tensors};
use seawall_training::ppo::loss::{Loss, Minibatch, Objective};

const SAMPLES: usize = 24;

fn shape() -> Shape {
    Shape { observation: 3, action: 2, actor_hidden: vec![5, 4], critic_hidden: vec![6] }
}

fn noise(count: usize, deviation: f64, stream: u64) -> Vec<f64> {
    use rand_chacha::rand_core::Rng;
    let mut rng = SeedTree::new(9).stream(Purpose::Exploration, stream);
    (0..count).map(|_| deviation * normal_quantile(open_unit(rng.next_u64()))).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "networks are single precision")]
fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}

fn minibatch() -> Minibatch {
    Minibatch {
        observation: single(&noise(SAMPLES * 3, 1.0, 1)),
        action: single(&noise(SAMPLES * 2, 0.7, 2)),
        // Near the new density, so that some ratios are clipped and some are not.
        log_density: single(&noise(SAMPLES, 0.5, 3).iter().map(|x| x - 2.2).collect::<Vec<_>>()),
        advantage: single(&noise(SAMPLES, 1.0, 4)),
        returns: single(&noise(SAMPLES, 1.0, 5)),
        value: single(&noise(SAMPLES, 1.0, 6)),
    }
}

/// Forward pass in double precision, from the formula; `flat` is in the order of [`Parameters`].
struct Oracle<'a> {
    flat: &'a [f64],
}

impl Oracle<'_> {
    fn network(&mut self, layers: &[Layer<'_>], input: &[f32]) -> Vec<f64> {
        let mut row: Vec<f64> = input.iter().map(|&x| f64::from(x)).collect();
        for (index, layer) in layers.iter().enumerate() {
            let (weight, rest) = self.flat.split_at(layer.weight.len());
            let (bias, rest) = rest.split_at(layer.bias.len());
            self.flat = rest;
            row = (0..bias.len())
                .map(|o| bias[o] + row.iter().enumerate().map(|(i, x)| x * weight[i * bias.len() + o]).sum::<f64>())
                .map(|x| if index + 1 < layers.len() { libm::tanh(x) } else { x })
                .collect();
        }
        row
    }
}

/// The objective of the whole minibatch, and how many ratios and values the clips change.
#[expect(clippy::cast_precision_loss, reason = "a small count")]
fn objective(parameters: &Parameters, flat: &[f64], minibatch: &Minibatch, objective: &Objective) -> (f64, [usize; 2]) {
    let (mut policy, mut value, mut entropy, mut clipped) = (0.0, 0.0, 0.0, [0; 2]);
    for n in 0..SAMPLES {
        let observation = &minibatch.observation[n * 3..n * 3 + 3];
        let mut oracle = Oracle { flat };
        let mean = oracle.network(&parameters.actor(), observation);
        let log_std: Vec<f64> = oracle.flat[..2].to_vec();
        oracle.flat = &oracle.flat[2..];
        let v = oracle.network(&parameters.critic(), observation)[0];

        let mut log_density = 0.0;
        entropy = 0.0;
        for a in 0..2 {
            let std = libm::exp(log_std[a]);
            let z = (f64::from(minibatch.action[n * 2 + a]) - mean[a]) / std;
            log_density -= 0.5 * z * z + libm::log(std * (2.0 * core::f64::consts::PI).sqrt());
            entropy += log_std[a];
        }
        let ratio = libm::exp(log_density - f64::from(minibatch.log_density[n]));
        let advantage = f64::from(minibatch.advantage[n]);
        let bounded = ratio.clamp(1.0 - objective.clip, 1.0 + objective.clip);
        clipped[0] += usize::from(bounded * advantage < ratio * advantage);
        policy -= (ratio * advantage).min(bounded * advantage);

        let (returns, old) = (f64::from(minibatch.returns[n]), f64::from(minibatch.value[n]));
        let mut error = (v - returns) * (v - returns);
        if let Some(clip) = objective.value_clip {
            let bounded = old + (v - old).clamp(-clip, clip) - returns;
            clipped[1] += usize::from(bounded * bounded > error);
            error = error.max(bounded * bounded);
        }
        value += error;
    }
    let n = SAMPLES as f64;
    (policy / n + objective.value_weight * value / n - objective.entropy_weight * entropy, clipped)
}

fn check(settings: &Objective) -> [usize; 2] {
    let flat = noise(shape().len(), 0.5, 7);
    let parameters = Parameters::from_flat(shape(), single(&flat));
    let flat: Vec<f64> = parameters.flat().iter().map(|&x| f64::from(x)).collect();
    let (expected, clipped) = objective(&parameters, &flat, &minibatch(), settings);
    for backend in Backend::ALL {
        let device = backend.device().autodiff();
        let network = Tensors::new(&parameters, &device);
        let loss = Loss::new(&network, minibatch(), settings, &device);
        let total: f64 = loss.total.clone().inner().into_scalar::<f32>().elem();
        assert!((total - expected).abs() < 1e-5, "{backend}: {total} against {expected}");

        let mut gradient = vec![0.0; flat.len()];
        network.gradient(loss.total.backward(), &mut gradient);
        for (index, g) in gradient.iter().enumerate() {
            let step = 1e-5;
            let moved = |by: f64| {
                let mut flat = flat.clone();
                flat[index] += by;
                objective(&parameters, &flat, &minibatch(), settings).0
            };
            let difference = (moved(step) - moved(-step)) / (2.0 * step);
            let error = (f64::from(*g) - difference).abs();
            assert!(error < 2e-5 * difference.abs().max(0.1), "{backend}, parameter {index}: {g} against {difference}");
        }
    }
    clipped
}

#[test]
fn gradient_equals_finite_differences() {
    let plain = Objective { clip: 0.2, value_clip: None, value_weight: 0.5, entropy_weight: 0.01 };
    let [ratios, _] = check(&plain);
    assert!((5..SAMPLES - 4).contains(&ratios), "the minibatch must have clipped and unclipped ratios: {ratios}");
}

#[test]
fn gradient_with_clipped_values_equals_finite_differences() {
    let clipped = Objective { clip: 0.1, value_clip: Some(0.3), value_weight: 0.7, entropy_weight: 0.0 };
    let [_, values] = check(&clipped);
    assert!((5..SAMPLES - 4).contains(&values), "the minibatch must have clipped and unclipped values: {values}");
}
