//! A dense network's forward and backward pass over a block of rows, in buffers that are allocated once.

use seawall_runtime::network::Layer;

use super::kernel::{accumulate, tanh, tanh_backward};
use super::packed::Packed;

/// Rows that go through a network together: what they leave in the hidden layers stays in a second-level cache.
pub(crate) const BLOCK: usize = 64;

/// A network's weights in the order in which both passes read them.
#[derive(Clone, Debug)]
pub(crate) struct Weights {
    forward: Vec<Packed>,
    /// Transposed, of all layers but the first: nobody asks for the gradient of what goes in.
    backward: Vec<Packed>,
}

impl Weights {
    /// For layers of these inputs and outputs.
    pub(crate) fn new(layers: &[(usize, usize)]) -> Self {
        Self {
            forward: layers.iter().map(|&(inputs, outputs)| Packed::new(inputs, outputs)).collect(),
            backward: layers[1..].iter().map(|&(inputs, outputs)| Packed::new(outputs, inputs)).collect(),
        }
    }

    /// Takes over parameters: each layer's weight `[inputs, outputs]` and then its bias `[outputs]`.
    pub(crate) fn load(&mut self, mut parameters: &[f32]) {
        for (index, packed) in self.forward.iter_mut().enumerate() {
            let (weight, rest) = parameters.split_at(packed.inputs() * packed.outputs());
            let (bias, rest) = rest.split_at(packed.outputs());
            let layer = Layer { weight, bias };
            packed.load(&layer);
            if let Some(before) = index.checked_sub(1) {
                self.backward[before].load_transposed(&layer);
            }
            parameters = rest;
        }
        assert!(parameters.is_empty(), "as many parameters as the layers have");
    }
}

/// What a block of rows leaves behind on its way through a network.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    /// Inputs and outputs of each layer.
    layers: Vec<(usize, usize)>,
    /// Output of each layer, after `tanh` for all but the last, `[BLOCK, outputs]`.
    activations: Vec<Vec<f32>>,
    /// Gradient of a layer's output, and that of the layer before, `[BLOCK, widest]`.
    delta: Vec<f32>,
    previous: Vec<f32>,
}

impl Workspace {
    /// For layers of these inputs and outputs.
    pub(crate) fn new(layers: &[(usize, usize)]) -> Self {
        let widest = layers.iter().map(|(_, outputs)| *outputs).max().unwrap_or(0);
        Self {
            layers: layers.to_vec(),
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
                tanh(target);
            }
        }
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
        let rows = input.len() / self.layers[0].0;
        let mut end = gradient.len();
        for (index, &(inputs, outputs)) in self.layers.iter().enumerate().rev() {
            let delta = &self.delta[..rows * outputs];
            let start = end - (inputs + 1) * outputs;
            let (weight, bias) = gradient[start..end].split_at_mut(inputs * outputs);
            end = start;
            for row in delta.chunks_exact(outputs) {
                for (sum, d) in bias.iter_mut().zip(row) {
                    *sum += d;
                }
            }
            let Some(before) = index.checked_sub(1) else {
                accumulate(input, delta, outputs, weight);
                return;
            };
            let source = &self.activations[before][..rows * inputs];
            accumulate(source, delta, outputs, weight);
            let previous = &mut self.previous[..rows * inputs];
            weights.backward[before].apply(delta, previous);
            tanh_backward(previous, source);
            core::mem::swap(&mut self.delta, &mut self.previous);
        }
    }
}

#[cfg(test)]
mod tests {
    use seawall_env::SeedTree;

    use super::super::kernel::tests::{bits, noise};
    use super::super::parameters::{Parameters, Shape, run};
    use super::*;

    #[test]
    fn a_block_goes_forward_to_the_bits_of_the_rollout() {
        let shape = Shape { observation: 48, action: 13, actor_hidden: vec![64, 50], critic_hidden: vec![5] };
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
