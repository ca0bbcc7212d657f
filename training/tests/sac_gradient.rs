//! Gradients of the soft actor-critic that were derived by hand, against burn's of the same losses.
#![expect(clippy::unwrap_used, reason = "a test's own tensors")]

use burn::tensor::{Device, Gradients, Int, Tensor, TensorData};
use seawall_env::rng::{normal_quantile, open_unit};
use seawall_env::{Purpose, SeedTree};
use seawall_training::Backend;
use seawall_training::sac::gradient::{Batch, Differentiator};
use seawall_training::sac::{ActorActivation, CriticKind, Exploration, Networks, Noise, SacShape};

const QUANTILES: CriticKind = CriticKind::Quantiles { critics: 3, count: 5, dropped: 2 };

fn shape(critic: CriticKind, exploration: Exploration, actor_activation: ActorActivation) -> SacShape {
    SacShape {
        observation: 5,
        action: 3,
        actor_hidden: vec![12, 7],
        actor_activation,
        critic_hidden: vec![9, 11],
        critic,
        exploration,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a test's random numbers")]
fn normals(count: usize, scale: f64, stream: u64) -> Vec<f32> {
    use rand_chacha::rand_core::Rng;
    let mut rng = SeedTree::new(11).stream(Purpose::Exploration, stream);
    (0..count).map(|_| (scale * normal_quantile(open_unit(rng.next_u64()))) as f32).collect()
}

/// Networks whose targets are not their critics.
fn networks(shape: &SacShape) -> Networks {
    let drawn = Networks::draw(shape.clone(), -0.5, SeedTree::new(4));
    let moved: Vec<f32> =
        drawn.flat().iter().zip(normals(drawn.flat().len(), 0.2, 1)).map(|(weight, shift)| weight + shift).collect();
    Networks::from_flat(shape.clone(), &moved)
}

fn batch(shape: &SacShape, rows: usize) -> Batch {
    let discount = (0..rows).map(|row| if row % 3 == 0 { 0.0 } else { 0.9 }).collect();
    Batch {
        observation: normals(rows * shape.observation, 1.0, 2),
        action: normals(rows * shape.action, 0.4, 3).into_iter().map(|entry| entry.clamp(-1.0, 1.0)).collect(),
        reward: normals(rows, 2.0, 4),
        next_observation: normals(rows * shape.observation, 1.0, 5),
        discount,
    }
}

fn noise(shape: &SacShape, rows: usize) -> Noise {
    match shape.exploration {
        Exploration::Gaussian => Noise::Rows(normals(rows * shape.action, 1.0, 6)),
        Exploration::StateDependent => Noise::Matrix(normals(shape.features() * shape.action, 1.0, 7)),
    }
}

/// A network as leaves that carry gradients, each weight and then its bias.
struct Net(Vec<(Tensor<2>, Tensor<1>)>);

impl Net {
    fn new(widths: &[(usize, usize)], mut flat: &[f32], device: &Device) -> Self {
        let mut take = |count: usize| {
            let (head, tail) = flat.split_at(count);
            flat = tail;
            head.to_vec()
        };
        let layers = widths.iter().map(|&(inputs, outputs)| {
            let weight = Tensor::<2>::from_data(TensorData::new(take(inputs * outputs), [inputs, outputs]), device);
            let bias = Tensor::<1>::from_data(TensorData::new(take(outputs), [outputs]), device);
            (weight.require_grad(), bias.require_grad())
        });
        Self(layers.collect())
    }

    /// What the last layer reads, and what comes out.
    fn forward(&self, input: Tensor<2>, activation: impl Fn(Tensor<2>) -> Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let (last, hidden) = self.0.split_last().unwrap();
        let affine = |x: Tensor<2>, (weight, bias): &(Tensor<2>, Tensor<1>)| {
            x.matmul(weight.clone()) + bias.clone().unsqueeze::<2>()
        };
        let features = hidden.iter().fold(input, |x, layer| activation(affine(x, layer)));
        (features.clone(), affine(features, last))
    }

    fn gradient(&self, gradients: &Gradients) -> Vec<f32> {
        let layers = self.0.iter().flat_map(|(weight, bias)| {
            let weight = weight.grad(gradients).unwrap().into_data().try_into_vec::<f32>().unwrap();
            weight.into_iter().chain(bias.grad(gradients).unwrap().into_data().try_into_vec::<f32>().unwrap())
        });
        layers.collect()
    }
}

/// All of it in burn.
struct Oracle {
    shape: SacShape,
    actor: Net,
    log_std: Tensor<2>,
    critics: Vec<Net>,
    targets: Vec<Net>,
    device: Device,
}

impl Oracle {
    fn new(networks: &Networks) -> Self {
        let shape = networks.shape().clone();
        let device = Backend::Flex.device().autodiff();
        let flat = networks.flat();
        let (actor, rest) = flat.split_at(shape.actor_len());
        let (layers, log_std) = actor.split_at(shape.actor_layers_len());
        let nets: Vec<_> =
            rest.chunks(shape.critic_len()).map(|flat| Net::new(&shape.critic(), flat, &device)).collect();
        let mut critics = nets;
        let targets = critics.split_off(shape.critic.critics());
        let rows = log_std.len() / shape.action;
        let log_std = TensorData::new(log_std.to_vec(), [rows, shape.action]);
        Self {
            actor: Net::new(&shape.actor(), layers, &device),
            log_std: Tensor::<2>::from_data(log_std, &device).require_grad(),
            critics,
            targets,
            shape,
            device,
        }
    }

    fn matrix(&self, values: &[f32], width: usize) -> Tensor<2> {
        Tensor::from_data(TensorData::new(values.to_vec(), [values.len() / width, width]), &self.device)
    }

    /// Squashed actions and their log-densities, `[N, 1]`.
    fn act(&self, observations: Tensor<2>, noise: &Noise) -> (Tensor<2>, Tensor<2>) {
        let (features, outputs) = match self.shape.actor_activation {
            ActorActivation::Tanh => self.actor.forward(observations, |x| x.tanh()),
            ActorActivation::Relu => self.actor.forward(observations, burn::tensor::activation::relu),
        };
        let actions = self.shape.action;
        let (mean, shift, log_deviation) = match noise {
            Noise::Rows(noise) => {
                let log_std = outputs.clone().narrow(1, actions, actions).clamp(-20.0, 2.0);
                let shift = log_std.clone().exp() * self.matrix(noise, actions);
                (outputs.narrow(1, 0, actions), shift, log_std)
            }
            Noise::Matrix(noise) => {
                let std = self.log_std.clone().exp();
                let shift = features.clone().matmul(std.clone() * self.matrix(noise, actions));
                let variance = (features.clone() * features).matmul(std.clone() * std).add_scalar(1e-6);
                (outputs, shift, variance.log().mul_scalar(0.5))
            }
        };
        let z = shift.clone() / log_deviation.clone().exp();
        let sample = mean + shift;
        let action = sample.clone().tanh();
        // ln(1 − tanh²(u)) as 2 (ln 2 − |u| − ln(1 + e^(−2|u|))), which single precision can hold.
        let size = sample.abs();
        let fold = size.clone().mul_scalar(-2.0).exp().add_scalar(1.0).log();
        let jacobian = (size + fold).neg().add_scalar(core::f64::consts::LN_2).mul_scalar(2.0);
        let density = (z.clone() * z).mul_scalar(-0.5) - log_deviation.add_scalar(0.918_938_533_204_672_8) - jacobian;
        (action, density.sum_dim(1))
    }

    /// Outputs of each of some critics, side by side.
    fn values(nets: &[Net], observations: &Tensor<2>, actions: &Tensor<2>) -> Vec<Tensor<2>> {
        let input = Tensor::cat(vec![observations.clone(), actions.clone()], 1);
        nets.iter().map(|net| net.forward(input.clone(), burn::tensor::activation::relu).1).collect()
    }

    fn critic_loss(&self, batch: &Batch, noise: &Noise, temperature: f64) -> Tensor<1> {
        let next = self.matrix(&batch.next_observation, self.shape.observation);
        let (action, density) = self.act(next.clone(), noise);
        let next_values = Self::values(&self.targets, &next, &action);
        let reward = self.matrix(&batch.reward, 1);
        let discount = self.matrix(&batch.discount, 1);
        let observation = self.matrix(&batch.observation, self.shape.observation);
        let taken = self.matrix(&batch.action, self.shape.action);
        let values = Self::values(&self.critics, &observation, &taken);
        match self.shape.critic {
            CriticKind::Twin => {
                let [a, b] = [next_values[0].clone(), next_values[1].clone()];
                let target = reward + discount * (a.min_pair(b) - density.mul_scalar(temperature));
                let losses = values.into_iter().map(|value| {
                    let error = value - target.clone().detach();
                    (error.clone() * error).mean().mul_scalar(0.5)
                });
                losses.reduce(|a, b| a + b).unwrap()
            }
            CriticKind::Quantiles { critics, count, dropped } => {
                let kept = critics * (count - dropped);
                let pooled = Tensor::cat(next_values, 1).sort(1).narrow(1, 0, kept);
                let target = reward + discount * (pooled - density.mul_scalar(temperature));
                let losses = values.into_iter().map(|value| self.quantile_loss(value, target.clone().detach()));
                losses.reduce(|a, b| a + b).unwrap()
            }
        }
    }

    /// Of one critic's quantiles, `[N, M]`, to targets, `[N, T]`: the mean over all pairs.
    #[expect(clippy::cast_precision_loss, reason = "a few quantiles")]
    fn quantile_loss(&self, value: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
        let [rows, count] = value.dims();
        let [_, targets] = target.dims();
        let error: Tensor<3> = target.unsqueeze_dim::<3>(1).expand([rows, count, targets])
            - value.unsqueeze_dim::<3>(2).expand([rows, count, targets]);
        let levels = Tensor::<1, Int>::arange(0..i64::try_from(count).unwrap(), &self.device).float();
        let level =
            levels.add_scalar(0.5).div_scalar(count as f64).reshape([1, count, 1]).expand([rows, count, targets]);
        let is_below = error.clone().lower_elem(0.0).float();
        let weight = (level - is_below).abs();
        let size = error.clone().abs();
        let is_small = size.clone().lower_equal_elem(1.0).float();
        let small = (error.clone() * error).mul_scalar(0.5);
        let large = size.sub_scalar(0.5);
        let huber = small * is_small.clone() + large * is_small.neg().add_scalar(1.0);
        (weight.detach() * huber).mean()
    }

    fn actor_loss(&self, batch: &Batch, noise: &Noise, temperature: f64) -> Tensor<1> {
        let observation = self.matrix(&batch.observation, self.shape.observation);
        let (action, density) = self.act(observation.clone(), noise);
        let values = Self::values(&self.critics, &observation, &action);
        let value = match self.shape.critic {
            CriticKind::Twin => values[0].clone().min_pair(values[1].clone()),
            CriticKind::Quantiles { .. } => Tensor::cat(values, 1).mean_dim(1),
        };
        (density.mul_scalar(temperature) - value).mean()
    }
}

fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().map(|g| g.abs()).fold(0.0, f32::max);
    assert!(largest > 1e-3, "{what}: the gradient vanishes");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        // burn's own tangent and ours differ by 4e-7, and sums by their order.
        assert!((found - expected).abs() < 2e-5 * largest.max(1.0), "{what}, {index}: {found} against {expected}");
    }
}

fn value(loss: &Tensor<1>) -> f64 {
    f64::from(loss.clone().inner().into_scalar::<f32>())
}

fn check(shape: &SacShape, rows: usize) {
    let what = format!("{:?}, {:?}, {rows} rows", shape.critic, shape.exploration);
    let networks = networks(shape);
    let (batch, noise) = (batch(shape, rows), noise(shape, rows));
    let mut ours = Differentiator::new(shape);
    ours.load(&networks);
    let oracle = Oracle::new(&networks);

    let mut gradients = vec![vec![f32::NAN; shape.critic_len()]; shape.critic.critics()];
    let evaluation = ours.critics(&batch, &noise, 0.3, &mut gradients);
    let loss = oracle.critic_loss(&batch, &noise, 0.3);
    let expected = value(&loss);
    let apart = (evaluation.loss - expected).abs();
    assert!(apart < 1e-5 * expected.max(1.0), "{what}: {evaluation:?} against {expected}");
    let theirs = loss.backward();
    for (gradient, critic) in gradients.iter().zip(&oracle.critics) {
        assert_close(gradient, &critic.gradient(&theirs), &format!("critic, {what}"));
    }

    let mut gradient = vec![f32::NAN; shape.actor_len()];
    let evaluation = ours.actor(&batch, &noise, 0.3, &mut gradient);
    let loss = oracle.actor_loss(&batch, &noise, 0.3);
    assert!((evaluation.loss - value(&loss)).abs() < 1e-5, "{what}: {evaluation:?} against {}", value(&loss));
    let theirs = loss.backward();
    let (layers, log_std) = gradient.split_at(shape.actor_layers_len());
    assert_close(layers, &oracle.actor.gradient(&theirs), &format!("actor, {what}"));
    if shape.exploration == Exploration::StateDependent {
        let expected = oracle.log_std.grad(&theirs).unwrap().into_data().try_into_vec::<f32>().unwrap();
        assert_close(log_std, &expected, &format!("deviations, {what}"));
    }
}

#[test]
fn gradients_by_hand_are_those_of_burn() {
    for critic in [CriticKind::Twin, QUANTILES] {
        for exploration in [Exploration::Gaussian, Exploration::StateDependent] {
            for activation in [ActorActivation::Tanh, ActorActivation::Relu] {
                for rows in [1, 37, 300] {
                    check(&shape(critic, exploration, activation), rows);
                }
            }
        }
    }
}

#[test]
fn gradients_do_not_depend_on_threads_or_on_what_was_computed_before() {
    let shape = shape(QUANTILES, Exploration::StateDependent, ActorActivation::Tanh);
    let networks = networks(&shape);
    let mut used = Differentiator::new(&shape);
    for rows in [300, 40, 257] {
        let (batch, noise) = (batch(&shape, rows), noise(&shape, rows));
        let evaluate = |way: &mut Differentiator, threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                way.load(&networks);
                let mut gradients = vec![vec![f32::NAN; shape.critic_len()]; 3];
                let critics = way.critics(&batch, &noise, 0.3, &mut gradients);
                gradients.push(vec![f32::NAN; shape.actor_len()]);
                let actor = way.actor(&batch, &noise, 0.3, &mut gradients[3]);
                let bits: Vec<u32> = gradients.iter().flatten().map(|g| g.to_bits()).collect();
                (bits, critics, actor)
            })
        };
        let one = evaluate(&mut used, 1);
        for threads in [2, 3] {
            assert_eq!(evaluate(&mut used, threads), one, "{rows} rows, {threads} threads");
        }
        assert_eq!(evaluate(&mut Differentiator::new(&shape), 1), one, "{rows} rows");
    }
}
