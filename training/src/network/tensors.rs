//! The parameters as burn tensors, for one gradient.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use seawall_runtime::Gru;
use seawall_runtime::network::Layer;

use super::parameters::Parameters;
use super::recurrence::{Sequences, unroll};
use super::tanh::tanh;

/// Actor and critic as a burn module.
#[derive(Module, Debug)]
pub struct Tensors {
    /// Two layers, or none.
    actor_memory: Vec<Linear>,
    actor: Vec<Linear>,
    /// None where there is nothing to explore by.
    log_std: Option<Param<Tensor<1>>>,
    critic_memory: Vec<Linear>,
    critic: Vec<Linear>,
}

impl Tensors {
    /// Copies the parameters to `device`.
    #[must_use]
    pub fn new(parameters: &Parameters, device: &Device) -> Self {
        let linear = |layer: &Layer<'_>| Linear {
            weight: Param::from_data(TensorData::new(layer.weight.to_vec(), [layer.inputs(), layer.outputs()]), device),
            bias: Some(Param::from_data(TensorData::new(layer.bias.to_vec(), [layer.outputs()]), device)),
        };
        let memory =
            |gru: Option<Gru<'_>>| gru.map_or_else(Vec::new, |gru| vec![linear(&gru.input), linear(&gru.state)]);
        let log_std = parameters.log_std().to_vec();
        Self {
            actor_memory: memory(parameters.actor_memory()),
            actor: parameters.actor().iter().map(linear).collect(),
            log_std: (!log_std.is_empty()).then(|| {
                let length = log_std.len();
                Param::from_data(TensorData::new(log_std, [length]), device)
            }),
            critic_memory: memory(parameters.critic_memory()),
            critic: parameters.critic().iter().map(linear).collect(),
        }
    }

    /// What the actor's layers read: its memory after each of the normalised observations, `[N, H]`, or these themselves.
    #[must_use]
    pub fn remembered_by_actor(&self, observations: Tensor<2>, sequences: &Sequences) -> Tensor<2> {
        match &self.actor_memory[..] {
            [input, state] => unroll([input, state], observations, &sequences.actor_state, &sequences.fresh),
            _ => observations,
        }
    }

    /// What the critic's layers read; see [`Tensors::remembered_by_actor`].
    #[must_use]
    pub fn remembered_by_critic(&self, observations: Tensor<2>, sequences: &Sequences) -> Tensor<2> {
        match &self.critic_memory[..] {
            [input, state] => unroll([input, state], observations, &sequences.critic_state, &sequences.fresh),
            _ => observations,
        }
    }

    /// Mean actions before squashing, `[N, A]`, of what the actor's layers read.
    #[must_use]
    pub fn mean(&self, observations: Tensor<2>) -> Tensor<2> {
        forward(&self.actor, observations)
    }

    /// As [`Tensors::mean`], behind what the actor's last layer reads, `[N, H]`.
    ///
    /// # Panics
    /// If the actor has no layer.
    #[must_use]
    pub fn features_and_mean(&self, observations: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let features = features(&self.actor, observations);
        let last = self.actor.last().expect("a network has at least one layer");
        (features.clone(), last.forward(features))
    }

    /// Values, `[N]`, of what the critic's layers read.
    #[must_use]
    pub fn value(&self, observations: Tensor<2>) -> Tensor<1> {
        forward(&self.critic, observations).squeeze_dim(1)
    }

    /// Logarithms of the standard deviations before squashing, as many as [`super::Shape::spread`] says.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    pub fn log_std(&self) -> Tensor<1> {
        self.log_std.as_ref().expect("the head explores by deviations").val()
    }

    /// Writes the gradient of every parameter, in the order of [`Parameters`].
    ///
    /// # Panics
    /// If a parameter did not take part in the loss, or `output` has another length.
    pub fn gradient(&self, mut gradients: Gradients, output: &mut [f32]) {
        let mut rest = output;
        for layer in self.actor_memory.iter().chain(&self.actor) {
            rest = take_layer(layer, &mut gradients, rest);
        }
        if let Some(log_std) = &self.log_std {
            rest = take(log_std, &mut gradients, rest);
        }
        for layer in self.critic_memory.iter().chain(&self.critic) {
            rest = take_layer(layer, &mut gradients, rest);
        }
        assert!(rest.is_empty(), "one entry per parameter");
    }
}

fn forward(layers: &[Linear], input: Tensor<2>) -> Tensor<2> {
    let last = layers.last().expect("a network has at least one layer");
    last.forward(features(layers, input))
}

/// What the last of `layers` reads.
fn features(layers: &[Linear], input: Tensor<2>) -> Tensor<2> {
    let device = input.device();
    let hidden = &layers[..layers.len() - 1];
    hidden.iter().fold(input, |x, layer| tanh(layer.forward(x), &device))
}

fn take_layer<'a>(layer: &Linear, gradients: &mut Gradients, output: &'a mut [f32]) -> &'a mut [f32] {
    let bias = layer.bias.as_ref().expect("every layer has a bias");
    let rest = take(&layer.weight, gradients, output);
    take(bias, gradients, rest)
}

/// Moves one gradient to the front of `output`; returns what is left of it.
fn take<'a, const D: usize>(
    parameter: &Param<Tensor<D>>,
    gradients: &mut Gradients,
    output: &'a mut [f32],
) -> &'a mut [f32] {
    let gradient = parameter.val().grad_remove(gradients).expect("every parameter takes part in the loss").into_data();
    let values = gradient.as_slice::<f32>().expect("gradients are f32");
    let (head, rest) = output.split_at_mut(values.len());
    head.copy_from_slice(values);
    rest
}

#[cfg(test)]
mod tests {
    use seawall_env::{Purpose, SeedTree};

    use super::super::parameters::Shape;
    use super::super::run;
    use super::*;
    use crate::Backend;
    use crate::distribution::Gaussian;

    #[test]
    fn the_runtime_and_burn_compute_the_same_network() {
        let shape = Shape {
            observation: 48,
            action: 13,
            actor_hidden: vec![64, 64],
            critic_hidden: vec![64, 32],
            ..Shape::default()
        };
        let mut parameters = Parameters::draw(shape, -0.7, SeedTree::new(5));
        // Biases start at zero and the last layer near it: move everything to where an error would show.
        let mut rng = SeedTree::new(6).stream(Purpose::Exploration, 0);
        let mean = parameters.flat().to_vec();
        let log_std = vec![-2.0; mean.len()];
        Gaussian::new(&log_std).sample(&mean, &mut rng, parameters.flat_mut());
        let mut observations = vec![0.0; 37 * 48];
        Gaussian::new(&[0.5; 37 * 48]).sample(&[0.0; 37 * 48], &mut rng, &mut observations);

        for backend in Backend::ALL {
            let device = backend.device();
            let tensors = Tensors::new(&parameters, &device);
            let input = Tensor::<2>::from_data(TensorData::new(observations.clone(), [37, 48]), &device);
            let mean = tensors.mean(input.clone()).into_data().try_into_vec::<f32>().unwrap();
            let value = tensors.value(input).into_data().try_into_vec::<f32>().unwrap();
            let ours = [run(&parameters.actor(), &observations), run(&parameters.critic(), &observations)];
            for (ours, theirs) in ours.iter().zip([mean, value]) {
                assert_eq!(ours.len(), theirs.len());
                for (a, b) in ours.iter().zip(theirs) {
                    assert!((a - b).abs() < 1e-5 * b.abs().max(1.0), "{backend}: {a} against {b}");
                }
            }
        }
    }
}
