//! Gradients of every head of the policy against finite differences of an independent double-precision objective, and
//! what each of them learns.

mod common;

use seawall_env::rng::{normal_quantile, open_unit};
use seawall_env::{Purpose, SeedTree};
use seawall_training::network::{Parameters, Shape};
use seawall_training::ppo::gradient::Differentiator;
use seawall_training::ppo::loss::{Minibatch, Objective};
use seawall_training::{Backend, Gradient, Head, PpoConfig, Trainer};

const SAMPLES: usize = 20;
const WIDTH: usize = 3;
const ACTIONS: usize = 2;
const HIDDEN: usize = 4;

fn shape(head: Head) -> Shape {
    Shape {
        observation: WIDTH,
        action: ACTIONS,
        actor_hidden: vec![HIDDEN],
        critic_hidden: vec![5],
        head,
        ..Shape::default()
    }
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

fn minibatch(head: Head) -> Minibatch {
    let action = match head {
        Head::Gaussian | Head::StateDependent => noise(SAMPLES * ACTIONS, 0.7, 2),
        Head::Beta => noise(SAMPLES * ACTIONS, 1.0, 2).iter().map(|x| 0.5 + 0.45 * libm::tanh(*x)).collect(),
        Head::Categorical => (0..SAMPLES).flat_map(|n| if n % 3 == 0 { [1.0, 0.0] } else { [0.0, 1.0] }).collect(),
    };
    Minibatch {
        observation: single(&noise(SAMPLES * WIDTH, 1.0, 1)),
        action: single(&action),
        log_density: single(&noise(SAMPLES, 0.3, 3)),
        advantage: single(&noise(SAMPLES, 1.0, 4)),
        returns: single(&noise(SAMPLES, 1.0, 5)),
        value: single(&noise(SAMPLES, 1.0, 6)),
        ..Minibatch::default()
    }
}

/// One layer in the order of the flat parameters; returns what is left of them.
fn affine<'a>(flat: &'a [f64], input: &[f64], outputs: usize) -> (Vec<f64>, &'a [f64]) {
    let (weight, rest) = flat.split_at(input.len() * outputs);
    let (bias, rest) = rest.split_at(outputs);
    let sum = |o: usize| input.iter().enumerate().map(|(i, x)| x * weight[i * outputs + o]).sum::<f64>();
    ((0..outputs).map(|o| bias[o] + sum(o)).collect(), rest)
}

fn squashed(values: &[f64]) -> Vec<f64> {
    values.iter().map(|x| libm::tanh(*x)).collect()
}

/// Log-density and entropy, but for a constant, of one action.
fn density(head: Head, mean: &[f64], features: &[f64], log_std: &[f64], action: &[f64]) -> (f64, f64) {
    let half_ln_tau = 0.5 * libm::log(2.0 * core::f64::consts::PI);
    let (mut log, mut entropy) = (0.0, 0.0);
    match head {
        Head::Categorical => {
            let total: f64 = mean.iter().map(|x| libm::exp(*x)).sum();
            for (logit, chosen) in mean.iter().zip(action) {
                let log_probability = logit - libm::log(total);
                log += chosen * log_probability;
                entropy -= libm::exp(log_probability) * log_probability;
            }
        }
        Head::Beta => {
            for a in 0..ACTIONS {
                let sum = libm::exp(-2.0 * log_std[a]);
                let share = 0.5 * (1.0 + libm::tanh(mean[a]));
                let (p, q) = (share * sum + 1e-3, (1.0 - share) * sum + 1e-3);
                let log_beta = libm::lgamma(p) + libm::lgamma(q) - libm::lgamma(p + q);
                log += (p - 1.0) * libm::log(action[a]) + (q - 1.0) * libm::log(1.0 - action[a]) - log_beta;
                // ψ by a central difference of ln Γ.
                let psi = |x: f64| (libm::lgamma(x + 1e-5) - libm::lgamma(x - 1e-5)) / 2e-5;
                entropy += log_beta - (p - 1.0) * psi(p) - (q - 1.0) * psi(q) + (p + q - 2.0) * psi(p + q);
            }
        }
        Head::Gaussian | Head::StateDependent => {
            for a in 0..ACTIONS {
                let variance = if head == Head::Gaussian {
                    libm::exp(2.0 * log_std[a])
                } else {
                    let part = |(i, h): (usize, &f64)| h * h * libm::exp(2.0 * log_std[i * ACTIONS + a]);
                    1e-6 + features.iter().enumerate().map(part).sum::<f64>()
                };
                let distance = action[a] - mean[a];
                log -= 0.5 * distance * distance / variance + 0.5 * libm::log(variance) + half_ln_tau;
                entropy += 0.5 * libm::log(variance);
            }
        }
    }
    (log, entropy)
}

/// The objective in double precision; the features of state-dependent noise are those of `base`.
#[expect(clippy::cast_precision_loss, reason = "a small count")]
fn objective(flat: &[f64], base: &[f64], minibatch: &Minibatch, settings: &Objective) -> f64 {
    let wide = |values: &[f32]| -> Vec<f64> { values.iter().map(|&x| f64::from(x)).collect() };
    let spread = shape(settings.head).spread();
    let (mut policy, mut value, mut entropy) = (0.0, 0.0, 0.0);
    for n in 0..SAMPLES {
        let observation = wide(&minibatch.observation[n * WIDTH..(n + 1) * WIDTH]);
        let (hidden, rest) = affine(flat, &observation, HIDDEN);
        let (mean, rest) = affine(rest, &squashed(&hidden), ACTIONS);
        let (log_std, critic) = rest.split_at(spread);
        let features = squashed(&affine(base, &observation, HIDDEN).0);
        let (hidden, critic) = affine(critic, &observation, 5);
        let v = affine(critic, &squashed(&hidden), 1).0[0];

        let action = wide(&minibatch.action[n * ACTIONS..(n + 1) * ACTIONS]);
        let (log, row_entropy) = density(settings.head, &mean, &features, log_std, &action);
        let ratio = libm::exp(log - f64::from(minibatch.log_density[n]));
        let advantage = f64::from(minibatch.advantage[n]);
        let bounded = ratio.clamp(1.0 - settings.clip, 1.0 + settings.clip);
        policy -= (ratio * advantage).min(bounded * advantage);
        let error = v - f64::from(minibatch.returns[n]);
        value += error * error;
        entropy += row_entropy;
    }
    (policy + settings.value_weight * value - settings.entropy_weight * entropy) / SAMPLES as f64
}

#[test]
fn the_gradient_of_every_head_equals_finite_differences() {
    for head in [Head::Gaussian, Head::StateDependent, Head::Beta, Head::Categorical] {
        let settings =
            Objective { clip: 0.9, value_clip: None, value_weight: 0.5, entropy_weight: 0.1, head, imitates: false };
        let shape = shape(head);
        let parameters = Parameters::from_flat(shape.clone(), single(&noise(shape.len(), 0.5, 7)));
        let flat: Vec<f64> = parameters.flat().iter().map(|&x| f64::from(x)).collect();
        let mut gradient = vec![0.0; flat.len()];
        let mut way = Differentiator::new(Gradient::Autodiff, Backend::Flex, &shape);
        let minibatch = minibatch(head);
        way.evaluate(&parameters, &minibatch, &settings, &mut gradient);
        for (index, g) in gradient.iter().enumerate() {
            let step = 1e-5;
            let moved = |by: f64| {
                let mut moved = flat.clone();
                moved[index] += by;
                objective(&moved, &flat, &minibatch, &settings)
            };
            let difference = (moved(step) - moved(-step)) / (2.0 * step);
            let error = (f64::from(*g) - difference).abs();
            assert!(error < 5e-5 * difference.abs().max(1.0), "{head:?}, parameter {index}: {g} against {difference}");
        }
    }
}

#[test]
fn every_head_for_ranges_learns_to_follow_its_target() {
    for head in [Head::StateDependent, Head::Beta] {
        let config = PpoConfig {
            total_steps: 40_000,
            horizon: 32,
            minibatch: 64,
            epochs: 5,
            actor_hidden: vec![32],
            critic_hidden: vec![32],
            learning_rate: 3e-3,
            discount: 0.5,
            head,
            initial_log_std: if head == Head::Beta { -0.7 } else { -2.0 },
            gradient: Gradient::Autodiff,
            ..PpoConfig::default()
        };
        let mut learner = common::learner(config, Backend::Flex, &common::Tracking::new(), 8, 1);
        common::finish(&mut learner);
        let targets: Vec<f32> = (-16..=16_i8).map(|i| f32::from(i) / 20.0).collect();
        let observations: Vec<f32> = targets.iter().flat_map(|&target| [target, 50.0 + 100.0 * target]).collect();
        let (mut actions, mut decided) = (vec![0.0; targets.len()], vec![0.0; targets.len()]);
        learner.policy().act(&observations, &mut actions);
        learner.decide(&observations, &mut decided);
        assert_eq!(actions, decided);
        let squares: f64 = targets.iter().zip(&actions).map(|(t, a)| f64::from((t - a) * (t - a))).sum();
        // Standing still at zero is 0.48 away.
        let error = (squares / 33.0).sqrt();
        assert!(error < 0.06, "{head:?}: {error}");
    }
}
