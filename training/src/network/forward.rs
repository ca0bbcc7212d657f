//! A network on its way forward, for many rows: the runtime's bits by the learner's kernels.

use seawall_runtime::format::Activation;
use seawall_runtime::network::{self, Layer, Network};

use super::backprop::{BLOCK, Reach, Weights, Workspace};

/// Fewer rows than this go through the runtime's own network: tiles of several rows would stand half empty.
const ROWS_MIN: usize = 4;

/// A network whose weights are laid out once and applied often.
#[derive(Clone, Debug)]
pub(crate) struct Forward {
    widths: Vec<(usize, usize)>,
    weights: Weights,
    workspace: Workspace,
}

impl Forward {
    /// Takes over `layers`, with `tanh` between them.
    pub(crate) fn new(layers: &[Layer<'_>]) -> Self {
        Self::activated(layers, Activation::Tanh)
    }

    /// Takes over `layers`, with `hidden` between them.
    pub(crate) fn activated(layers: &[Layer<'_>], hidden: Activation) -> Self {
        let widths: Vec<_> = layers.iter().map(|layer| (layer.inputs(), layer.outputs())).collect();
        let mut weights = Weights::reaching(&widths, Reach::Nothing);
        weights.load_layers(layers.iter().copied());
        Self { workspace: Workspace::activated(&widths, hidden), weights, widths }
    }

    /// Runs rows of `input`, `[N, inputs]`, into `output`, `[N, outputs]`.
    pub(crate) fn run(&mut self, input: &[f32], output: &mut [f32]) {
        let (Some((inputs, _)), Some((_, outputs))) = (self.widths.first(), self.widths.last()) else {
            unreachable!("a network has at least one layer")
        };
        for (input, output) in input.chunks(BLOCK * inputs).zip(output.chunks_mut(BLOCK * outputs)) {
            self.workspace.forward(&self.weights, input);
            output.copy_from_slice(self.workspace.output(input.len() / inputs));
        }
    }
}

/// Runs `layers`, with `tanh` between them, over the rows of `input` into a fresh vector, `[rows, outputs]`.
pub(crate) fn run(layers: &[Layer<'_>], input: &[f32]) -> Vec<f32> {
    run_with(Activation::Tanh, layers, input)
}

/// Runs `layers`, with `hidden` between them, over the rows of `input` into a fresh vector, `[rows, outputs]`.
pub(crate) fn run_with(hidden: Activation, layers: &[Layer<'_>], input: &[f32]) -> Vec<f32> {
    let rows = input.len() / layers[0].inputs();
    let mut output = vec![0.0; rows * layers.last().map_or(0, Layer::outputs)];
    if rows < ROWS_MIN {
        let mut scratch = vec![0.0; network::scratch_len(layers, rows)];
        Network { layers, hidden }.forward(input, rows, &mut scratch, &mut output);
    } else {
        Forward::activated(layers, hidden).run(input, &mut output);
    }
    output
}

#[cfg(test)]
mod tests {
    use super::super::kernel::tests::{bits, noise};
    use super::*;

    #[test]
    fn any_number_of_rows_comes_out_to_the_bits_of_the_runtime() {
        let (w0, b0, w1, b1) = (noise(5 * 50, 1), noise(50, 2), noise(50 * 13, 3), noise(13, 4));
        let layers = [Layer { weight: &w0, bias: &b0 }, Layer { weight: &w1, bias: &b1 }];
        for rows in [1, ROWS_MIN - 1, ROWS_MIN, BLOCK, 2 * BLOCK + 7] {
            let input = noise(rows * 5, 5);
            let mut expected = vec![0.0; rows * 13];
            let mut scratch = vec![0.0; network::scratch_len(&layers, rows)];
            network::forward(&layers, &input, rows, &mut scratch, &mut expected);
            assert_eq!(bits(&run(&layers, &input)), bits(&expected), "{rows} rows");
            let mut output = vec![f32::NAN; rows * 13];
            Forward::new(&layers).run(&input, &mut output);
            assert_eq!(bits(&output), bits(&expected), "{rows} rows, packed");
            let hidden = Activation::Relu;
            Network { layers: &layers, hidden }.forward(&input, rows, &mut scratch, &mut expected);
            assert_eq!(bits(&run_with(hidden, &layers, &input)), bits(&expected), "{rows} rows, rectified");
        }
    }
}
