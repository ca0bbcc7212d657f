//! A dense network's forward and backward pass over a block of rows, in buffers that are allocated once.

use seawall_runtime::format::Activation;
use seawall_runtime::network::Layer;

use super::kernel::{accumulate, add_rows, relu, relu_backward, tanh, tanh_backward};
use super::packed::Packed;
use super::parameters::{size, views};

/// Rows that go through a network together: what they leave in the hidden layers stays in a second-level cache.
pub(crate) const BLOCK: usize = 64;

/// Which gradients a network's weights will be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// None: the network only goes forward.
    Nothing,
    /// Those of weights and biases.
    Parameters,
    /// That of what goes in, too.
    Input,
}

/// A network's weights in the order in which both passes read them.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    forward: Vec<Packed>,
    /// Transposed; `None` where no gradient goes through.
    backward: Vec<Option<Packed>>,
}

impl Weights {
    /// For layers of these inputs and outputs, and the gradients of their parameters.
    pub(crate) fn new(layers: &[(usize, usize)]) -> Self {
        Self::reaching(layers, Reach::Parameters)
    }

    /// For layers of these inputs and outputs, and some gradients.
    pub(crate) fn reaching(layers: &[(usize, usize)], reach: Reach) -> Self {
        let is_crossed = |index: usize| match reach {
            Reach::Nothing => false,
            Reach::Parameters => index > 0,
            Reach::Input => true,
        };
        let transposed = |(index, &(inputs, outputs)): (usize, &(usize, usize))| {
            is_crossed(index).then(|| Packed::new(outputs, inputs))
        };
        Self {
            forward: layers.iter().map(|&(inputs, outputs)| Packed::new(inputs, outputs)).collect(),
            backward: layers.iter().enumerate().map(transposed).collect(),
        }
    }

    /// Takes over parameters: each layer's weight `[inputs, outputs]` and then its bias `[outputs]`.
    pub(crate) fn load(&mut self, parameters: &[f32]) {
        let widths: Vec<_> = self.forward.iter().map(|packed| (packed.inputs(), packed.outputs())).collect();
        assert_eq!(parameters.len(), size(&widths), "as many parameters as the layers have");
        self.load_layers(views(parameters, &widths).into_iter());
    }

    /// Takes over layers of these widths.
    pub(crate) fn load_layers<'a>(&mut self, layers: impl Iterator<Item = Layer<'a>>) {
        for ((packed, backward), layer) in self.forward.iter_mut().zip(&mut self.backward).zip(layers) {
            packed.load(&layer);
            if let Some(backward) = backward {
                backward.load_transposed(&layer);
            }
        }
    }
}

/// What a block of rows leaves behind on its way through a network.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    /// Inputs and outputs of each layer.
    layers: Vec<(usize, usize)>,
    hidden: Activation,
    /// Output of each layer, after the activation for all but the last, `[BLOCK, outputs]`.
    activations: Vec<Vec<f32>>,
    /// Gradient of a layer's output, and that of the layer before, `[BLOCK, widest]`.
    delta: Vec<f32>,
    previous: Vec<f32>,
}

impl Workspace {
    /// For layers of these inputs and outputs with `tanh` between them.
    pub(crate) fn new(layers: &[(usize, usize)]) -> Self {
        Self::activated(layers, Activation::Tanh)
    }

    /// For layers of these inputs and outputs with an activation between them.
    pub(crate) fn activated(layers: &[(usize, usize)], hidden: Activation) -> Self {
        let widest = layers.iter().map(|(inputs, outputs)| *inputs.max(outputs)).max().unwrap_or(0);
        Self {
            layers: layers.to_vec(),
            hidden,
            activations: layers.iter().map(|(_, outputs)| vec![0.0; BLOCK * outputs]).collect(),
            delta: vec![0.0; BLOCK * widest],
            previous: vec![0.0; BLOCK * widest],
        }
    }

    /// Runs up to [`BLOCK`] rows of `input` through the network. Same bits as the runtime's `forward`.
    pub(crate) fn forward(&mut self, weights: &Weights, input: &[f32]) {
        let rows = input.len() / self.layers[0].0;
        let last = self.layers.len() - 1;
        for (index, packed) in weights.forward.iter().enumerate() {
            let (before, here) = self.activations.split_at_mut(index);
            let source = before.last().map_or(input, |before| &before[..rows * self.layers[index].0]);
            let target = &mut here[0][..rows * self.layers[index].1];
            packed.apply(source, target);
            if index < last {
                match self.hidden {
                    Activation::Identity => {}
                    Activation::Tanh => tanh(target),
                    Activation::Relu => relu(target),
                }
            }
        }
    }

    /// What came out, `[rows, outputs]`.
    pub(crate) fn output(&self, rows: usize) -> &[f32] {
        let last = self.layers.len() - 1;
        &self.activations[last][..rows * self.layers[last].1]
    }

    /// What the last layer read, `[rows, its inputs]`; empty if it read what went in.
    pub(crate) fn features(&self, rows: usize) -> &[f32] {
        let Some(before) = self.layers.len().checked_sub(2) else { return &[] };
        &self.activations[before][..rows * self.layers[before].1]
    }

    /// [`Self::output`], [`Self::features`], and the place for the output's gradient.
    pub(crate) fn all_ends(&mut self, rows: usize) -> (&[f32], &[f32], &mut [f32]) {
        let last = self.layers.len() - 1;
        let length = rows * self.layers[last].1;
        let features = match last.checked_sub(1) {
            Some(before) => &self.activations[before][..rows * self.layers[before].1],
            None => &[],
        };
        (&self.activations[last][..length], features, &mut self.delta[..length])
    }

    /// What came out, `[rows, outputs]`, and the place for its gradient, of the same shape.
    pub(crate) fn ends(&mut self, rows: usize) -> (&[f32], &mut [f32]) {
        let last = self.layers.len() - 1;
        let length = rows * self.layers[last].1;
        (&self.activations[last][..length], &mut self.delta[..length])
    }

    /// Adds the gradient of every weight and bias to `gradient`, from that of the output, for the block that went
    /// forward last.
    ///
    /// # Shapes
    /// `gradient` holds each layer's weight `[inputs, outputs]` and then its bias `[outputs]`.
    pub(crate) fn backward(&mut self, weights: &Weights, input: &[f32], gradient: &mut [f32]) {
        self.backward_with(weights, input, &[], gradient);
    }

    /// As [`Self::backward`], where the loss also depends on what the last layer read: by `features`, `[rows, its
    /// inputs]`, or not at all if that is empty.
    pub(crate) fn backward_with(&mut self, weights: &Weights, input: &[f32], features: &[f32], gradient: &mut [f32]) {
        let rows = input.len() / self.layers[0].0;
        let mut end = gradient.len();
        for index in (0..self.layers.len()).rev() {
            let (inputs, outputs) = self.layers[index];
            let delta = &self.delta[..rows * outputs];
            let start = end - (inputs + 1) * outputs;
            let (weight, bias) = gradient[start..end].split_at_mut(inputs * outputs);
            end = start;
            add_rows(delta, bias);
            let Some(before) = index.checked_sub(1) else {
                accumulate(input, delta, outputs, weight);
                return;
            };
            accumulate(&self.activations[before][..rows * inputs], delta, outputs, weight);
            let is_last = index + 1 == self.layers.len();
            self.cross(weights, index, rows, if is_last { features } else { &[] });
        }
    }

    /// Gradient of what went in, `[rows, inputs]`, from that of the output, for the block that went forward last;
    /// parameters count as constants.
    pub(crate) fn backward_to_input(&mut self, weights: &Weights, rows: usize) -> &[f32] {
        for index in (0..self.layers.len()).rev() {
            self.cross(weights, index, rows, &[]);
        }
        &self.delta[..rows * self.layers[0].0]
    }

    /// Turns the gradient of the output of layer `index` into that of the output of the layer before, to which `more`
    /// of it is added.
    fn cross(&mut self, weights: &Weights, index: usize, rows: usize, more: &[f32]) {
        let (inputs, outputs) = self.layers[index];
        let previous = &mut self.previous[..rows * inputs];
        let backward = weights.backward[index].as_ref().expect("the weights reach as far as gradients are asked for");
        backward.apply(&self.delta[..rows * outputs], previous);
        for (sum, part) in previous.iter_mut().zip(more) {
            *sum += part;
        }
        if let Some(before) = index.checked_sub(1) {
            let source = &self.activations[before][..rows * inputs];
            match self.hidden {
                Activation::Identity => {}
                Activation::Tanh => tanh_backward(previous, source),
                Activation::Relu => relu_backward(previous, source),
            }
        }
        core::mem::swap(&mut self.delta, &mut self.previous);
    }
}

#[cfg(test)]
mod tests {
    use seawall_env::SeedTree;

    use super::super::kernel::tests::{bits, noise};
    use super::super::parameters::{Parameters, Shape};
    use super::super::run;
    use super::*;

    #[test]
    fn a_block_goes_forward_to_the_bits_of_the_rollout() {
        let shape = Shape {
            observation: 48,
            action: 13,
            actor_hidden: vec![64, 50],
            critic_hidden: vec![5],
            ..Shape::default()
        };
        let mut parameters = Parameters::draw(shape.clone(), -0.7, SeedTree::new(2));
        // Biases start at zero.
        for (parameter, shift) in parameters.flat_mut().iter_mut().zip(noise(shape.len(), 1)) {
            *parameter += 0.1 * shift;
        }
        for rows in [1, 7, BLOCK] {
            let input = noise(rows * shape.observation, 2);
            let actor: usize = shape.actor().iter().map(|(inputs, outputs)| (inputs + 1) * outputs).sum();
            let networks = [
                (shape.actor(), &parameters.flat()[..actor], parameters.actor()),
                (shape.critic(), &parameters.flat()[actor + shape.action..], parameters.critic()),
            ];
            for (widths, flat, layers) in networks {
                let mut weights = Weights::new(&widths);
                weights.load(flat);
                let mut workspace = Workspace::new(&widths);
                workspace.forward(&weights, &input);
                assert_eq!(bits(workspace.ends(rows).0), bits(&run(&layers, &input)), "{rows} rows");
            }
        }
    }
}
