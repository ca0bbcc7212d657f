//! The gradient of the objective, by hand and by burn: each against finite differences of an independent
//! double-precision implementation, and one against the other.

use seawall_env::rng::{normal_quantile, open_unit};
use seawall_env::{Purpose, SeedTree};
use seawall_runtime::network::Layer;
use seawall_training::network::{Parameters, Shape};
use seawall_training::ppo::gradient::{Differentiator, Evaluation};
use seawall_training::ppo::loss::{Minibatch, Objective};
use seawall_training::{Backend, Gradient, Head};

const SAMPLES: usize = 24;

fn shape() -> Shape {
    Shape { observation: 3, action: 2, actor_hidden: vec![5, 4], critic_hidden: vec![6], ..Shape::default() }
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

/// Every way to a gradient, by name.
fn ways(shape: &Shape) -> [(&'static str, Differentiator); 3] {
    [
        ("fused", Differentiator::new(Gradient::Fused, Backend::Flex, shape)),
        ("flex", Differentiator::new(Gradient::Autodiff, Backend::Flex, shape)),
        ("ndarray", Differentiator::new(Gradient::Autodiff, Backend::Ndarray, shape)),
    ]
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
        ..Minibatch::default()
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
    for (name, mut way) in ways(&shape()) {
        let mut gradient = vec![0.0; flat.len()];
        let evaluation = way.evaluate(&parameters, &minibatch(), settings, &mut gradient);
        assert!((evaluation.total - expected).abs() < 1e-5, "{name}: {evaluation:?} against {expected}");
        for (index, g) in gradient.iter().enumerate() {
            let step = 1e-5;
            let moved = |by: f64| {
                let mut flat = flat.clone();
                flat[index] += by;
                objective(&parameters, &flat, &minibatch(), settings).0
            };
            let difference = (moved(step) - moved(-step)) / (2.0 * step);
            let error = (f64::from(*g) - difference).abs();
            assert!(error < 2e-5 * difference.abs().max(0.1), "{name}, parameter {index}: {g} against {difference}");
        }
    }
    clipped
}

#[test]
fn gradient_equals_finite_differences() {
    let plain = Objective {
        clip: 0.2,
        value_clip: None,
        value_weight: 0.5,
        entropy_weight: 0.01,
        head: Head::Gaussian,
        imitates: false,
    };
    let [ratios, _] = check(&plain);
    assert!((5..SAMPLES - 4).contains(&ratios), "the minibatch must have clipped and unclipped ratios: {ratios}");
}

#[test]
fn gradient_with_clipped_values_equals_finite_differences() {
    let clipped = Objective {
        clip: 0.1,
        value_clip: Some(0.3),
        value_weight: 0.7,
        entropy_weight: 0.0,
        head: Head::Gaussian,
        imitates: false,
    };
    let [_, values] = check(&clipped);
    assert!((5..SAMPLES - 4).contains(&values), "the minibatch must have clipped and unclipped values: {values}");
}

/// A random network and minibatch, in which ratios and values lie on both sides of their clips.
fn random(shape: &Shape, samples: usize, seed: u64) -> (Parameters, Minibatch) {
    let at = |stream: u64| 100 * seed + stream;
    // Weights that keep sums of many inputs near one, and biases and deviations that are not zero.
    let mut parameters = Parameters::draw(shape.clone(), -0.5, SeedTree::new(seed));
    for (parameter, shift) in parameters.flat_mut().iter_mut().zip(single(&noise(shape.len(), 0.1, at(0)))) {
        *parameter += shift;
    }
    let action = single(&noise(samples * shape.action, 0.7, at(2)));
    let minibatch = Minibatch {
        observation: single(&noise(samples * shape.observation, 1.0, at(1))),
        log_density: vec![0.0; samples],
        advantage: single(&noise(samples, 1.0, at(4))),
        returns: single(&noise(samples, 1.0, at(5))),
        value: single(&noise(samples, 1.0, at(6))),
        action,
        ..Minibatch::default()
    };
    let log_density = log_densities(&parameters, &minibatch);
    let shifted = log_density.iter().zip(noise(samples, 0.4, at(3))).map(|(x, shift)| x + shift);
    (parameters, Minibatch { log_density: single(&shifted.collect::<Vec<_>>()), ..minibatch })
}

/// Log-density of every sample's action under the network itself.
fn log_densities(parameters: &Parameters, minibatch: &Minibatch) -> Vec<f64> {
    let flat: Vec<f64> = parameters.flat().iter().map(|&x| f64::from(x)).collect();
    let Shape { observation, action, .. } = *parameters.shape();
    let rows = minibatch.observation.chunks_exact(observation).zip(minibatch.action.chunks_exact(action));
    let densities = rows.map(|(observation, taken)| {
        let mean = Oracle { flat: &flat }.network(&parameters.actor(), observation);
        let entries = taken.iter().zip(mean).zip(parameters.log_std());
        let terms = entries.map(|((taken, mean), log_std)| {
            let log_std = f64::from(*log_std);
            let z = (f64::from(*taken) - mean) * libm::exp(-log_std);
            -0.5 * z * z - log_std - 0.5 * libm::log(2.0 * core::f64::consts::PI)
        });
        terms.sum()
    });
    densities.collect()
}

/// Largest distance between two gradients of one layer, or of the deviations, as a share of their norm.
fn distance(shape: &Shape, ours: &[f32], theirs: &[f32]) -> f64 {
    let layers = |layers: Vec<(usize, usize)>| layers.into_iter().map(|(inputs, outputs)| (inputs + 1) * outputs);
    let mut at = 0;
    let mut worst = 0.0_f64;
    for length in layers(shape.actor()).chain([shape.action]).chain(layers(shape.critic())) {
        let range = at..at + length;
        at += length;
        let norm = |of: &dyn Fn(usize) -> f64| range.clone().map(|i| of(i) * of(i)).sum::<f64>().sqrt();
        let apart = norm(&|i| f64::from(ours[i]) - f64::from(theirs[i]));
        worst = worst.max(apart / norm(&|i| f64::from(theirs[i])));
    }
    assert_eq!(at, ours.len(), "every parameter is compared");
    worst
}

#[test]
fn the_gradient_by_hand_equals_that_of_burn_for_random_networks_and_every_option() {
    let hidden: [&[usize]; 5] = [&[64, 64], &[], &[1], &[33, 17, 9], &[5, 40]];
    let samples = [256, 2, 63, 65, 131, 480];
    let mut seed = 0;
    for (index, actor) in hidden.iter().enumerate() {
        for (samples, value_clip, entropy_weight, clip) in
            samples.iter().flat_map(|&n| [(n, None, 0.0, 0.2), (n, Some(0.3), 0.01, 0.1), (n, Some(1.0), 0.0, 0.3)])
        {
            seed += 1;
            let shape = Shape {
                observation: [48, 1, 7, 20, 3][index],
                action: [8, 13, 1, 2, 17][index],
                actor_hidden: actor.to_vec(),
                critic_hidden: hidden[(index + usize::from(seed % 3 == 0)) % hidden.len()].to_vec(),
                ..Shape::default()
            };
            let objective = Objective {
                clip,
                value_clip,
                value_weight: 0.7,
                entropy_weight,
                head: Head::Gaussian,
                imitates: false,
            };
            let (parameters, minibatch) = random(&shape, samples, seed);
            let evaluate = |mut way: Differentiator| -> (Vec<f32>, Evaluation) {
                let mut gradient = vec![f32::NAN; shape.len()];
                let evaluation = way.evaluate(&parameters, &minibatch, &objective, &mut gradient);
                (gradient, evaluation)
            };
            let [(_, fused), others @ ..] = ways(&shape);
            let (ours, evaluation) = evaluate(fused);
            assert!((0.01..0.99).contains(&evaluation.clipped) || samples < 60, "{evaluation:?}");
            for (name, other) in others {
                let case = format!("{name}, {shape:?}, {samples} samples, {objective:?}");
                let (theirs, expected) = evaluate(other);
                let apart = distance(&shape, &ours, &theirs);
                assert!(apart < 1e-5, "{case}: {apart}");
                let parts = |e: Evaluation| [e.policy, e.value, e.total, e.divergence, e.clipped];
                for (a, b) in parts(evaluation).into_iter().zip(parts(expected)) {
                    assert!((a - b).abs() < 1e-5 * b.abs().max(1.0), "{case}: {evaluation:?} against {expected:?}");
                }
            }
        }
    }
}

#[test]
fn gradients_by_hand_do_not_depend_on_threads_or_on_what_was_computed_before() {
    let shape =
        Shape { observation: 11, action: 3, actor_hidden: vec![20, 10], critic_hidden: vec![16], ..Shape::default() };
    let objective = Objective {
        clip: 0.2,
        value_clip: Some(0.5),
        value_weight: 0.5,
        entropy_weight: 0.01,
        head: Head::Gaussian,
        imitates: false,
    };
    let mut used = Differentiator::new(Gradient::Fused, Backend::Flex, &shape);
    for (seed, samples) in [(1, 300), (2, 40), (3, 64), (4, 1_000), (5, 257)] {
        let (parameters, minibatch) = random(&shape, samples, seed);
        let evaluate = |way: &mut Differentiator, threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut gradient = vec![f32::NAN; shape.len()];
            let evaluation = pool.install(|| way.evaluate(&parameters, &minibatch, &objective, &mut gradient));
            (gradient.iter().map(|g| g.to_bits()).collect::<Vec<_>>(), evaluation)
        };
        let one = evaluate(&mut used, 1);
        for threads in [2, 3, 5] {
            assert_eq!(evaluate(&mut used, threads), one, "{samples} samples, {threads} threads");
        }
        let mut fresh = Differentiator::new(Gradient::Fused, Backend::Flex, &shape);
        assert_eq!(evaluate(&mut fresh, 1), one, "{samples} samples");
    }
}
