//! Dense networks on borrowed weights: an activation between layers, nothing after the last.
//!
//! Rollouts, evaluation and engines all run this code, so what is trained is what is deployed. Sums run in the order
//! of the inputs whatever the batch, and no operation is fused: the bits of a row depend on the row alone, and are
//! the same on every machine. Recurrence is in [`crate::gru`]; convolutions
//! are deliberately not here.

use crate::format::Activation;

/// Hyperbolic tangent as a quotient of polynomials of degree 13 and 6; never leaves `[-1, 1]`.
///
/// Absolute error below 4e-7; odd exactly; NaN stays NaN. Without a branch, so that loops over it vectorise.
///
/// # Reference
/// Coefficients and clamp of `ptanh_float` in Eigen's `MathFunctionsImpl.h`.
#[inline]
#[must_use]
pub fn tanh(x: f32) -> f32 {
    let x = x.clamp(-TANH_EDGE, TANH_EDGE);
    let square = x * x;
    let odd = horner(&TANH_NUMERATOR, square) * x;
    (odd / horner(&TANH_DENOMINATOR, square)).clamp(-1.0, 1.0)
}

/// Beyond this the tangent rounds to one.
const TANH_EDGE: f32 = 7.905_311;

/// Coefficients of x¹³, x¹¹, …, x.
const TANH_NUMERATOR: [f32; 7] =
    [-2.760_768_4e-16, 2.000_188e-13, -8.604_672e-11, 5.122_297_3e-8, 1.485_722_35e-5, 6.372_619_5e-4, 4.893_524_6e-3];

/// Coefficients of x⁶, x⁴, x², 1.
const TANH_DENOMINATOR: [f32; 4] = [1.198_258_4e-6, 1.185_347_1e-4, 2.268_434_7e-3, 4.893_525e-3];

#[inline]
fn horner<const N: usize>(coefficients: &[f32; N], x: f32) -> f32 {
    let mut sum = coefficients[0];
    for c in &coefficients[1..] {
        sum = sum * x + c;
    }
    sum
}

/// One affine layer.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// Row-major `[inputs, outputs]`.
    pub weight: &'a [f32],
    /// `[outputs]`.
    pub bias: &'a [f32],
}

impl Layer<'_> {
    /// Width of what goes in.
    ///
    /// # Panics
    /// If the layer has no outputs.
    #[must_use]
    pub const fn inputs(&self) -> usize {
        self.weight.len() / self.bias.len()
    }

    /// Width of what comes out.
    #[must_use]
    pub const fn outputs(&self) -> usize {
        self.bias.len()
    }
}

/// Rows that pass through all layers before the next rows start: their activations and one layer's weights together
/// stay within a first-level cache of 32 kB at 64 units.
const BLOCK: usize = 16;

/// Length of the scratch buffer that [`forward`] needs for these layers and this batch.
#[must_use]
pub fn scratch_len(layers: &[Layer<'_>], batch: usize) -> usize {
    2 * batch.min(BLOCK) * widest_hidden(layers)
}

fn widest_hidden(layers: &[Layer<'_>]) -> usize {
    let hidden = layers.len().saturating_sub(1);
    layers[..hidden].iter().map(Layer::outputs).max().unwrap_or(0)
}

/// Layers and what stands between them.
#[derive(Clone, Copy, Debug)]
pub struct Network<'a> {
    /// From input to output; each reads what the one before it writes.
    pub layers: &'a [Layer<'a>],
    /// Follows every layer but the last.
    pub hidden: Activation,
}

/// Runs `batch` rows through `layers` with `tanh` between them; see [`Network::forward`].
///
/// # Panics
/// If there is no layer or the shapes disagree.
pub fn forward(layers: &[Layer<'_>], input: &[f32], batch: usize, scratch: &mut [f32], output: &mut [f32]) {
    Network { layers, hidden: Activation::Tanh }.forward(input, batch, scratch, output);
}

impl Network<'_> {
    /// Runs `batch` rows through the network.
    ///
    /// # Shapes
    /// Row-major: `input` is `[batch, inputs of the first layer]`, `output` is `[batch, outputs of the last layer]`,
    /// `scratch` has at least [`scratch_len`] entries, whose values do not matter.
    ///
    /// # Panics
    /// If there is no layer or the shapes disagree.
    pub fn forward(&self, input: &[f32], batch: usize, scratch: &mut [f32], output: &mut [f32]) {
        let Self { layers, hidden: activation } = *self;
        let (last, hidden) = layers.split_last().expect("a network has at least one layer");
        let inputs = layers[0].inputs();
        for layer in layers {
            assert_eq!(layer.weight.len(), layer.inputs() * layer.outputs(), "weights must be [inputs, outputs]");
        }
        assert!(layers.windows(2).all(|pair| pair[0].outputs() == pair[1].inputs()), "layers must fit one another");
        assert!(inputs > 0, "a network has at least one input");
        assert_eq!(input.len(), batch * inputs, "input must be [batch, inputs]");
        assert_eq!(output.len(), batch * last.outputs(), "output must be [batch, outputs]");
        let half = batch.min(BLOCK) * widest_hidden(layers);
        assert!(scratch.len() >= 2 * half, "scratch must have scratch_len entries");

        let (mut source, mut target) = scratch[..2 * half].split_at_mut(half);
        let blocks = input.chunks(BLOCK * inputs).zip(output.chunks_mut(BLOCK * last.outputs()));
        for (input, output) in blocks {
            let rows = input.len() / inputs;
            let mut current: &[f32] = input;
            for layer in hidden {
                let width = rows * layer.outputs();
                affine(layer, rows, current, &mut target[..width]);
                activation.apply(&mut target[..width]);
                core::mem::swap(&mut source, &mut target);
                current = &source[..width];
            }
            affine(last, rows, current, output);
        }
    }
}

/// `output = bias + input · weight`, by tiles of rows and outputs that stay in registers.
fn affine(layer: &Layer<'_>, rows: usize, input: &[f32], output: &mut [f32]) {
    let (inputs, outputs) = (layer.inputs(), layer.outputs());
    let mut row = 0;
    while row + 4 <= rows {
        strip::<4, 8>(layer, &input[row * inputs..], &mut output[row * outputs..]);
        row += 4;
    }
    while row < rows {
        // A single row hides the latency of its sums by a wider tile.
        strip::<1, 32>(layer, &input[row * inputs..], &mut output[row * outputs..]);
        row += 1;
    }
}

/// `R` rows, all outputs.
#[inline]
fn strip<const R: usize, const WIDE: usize>(layer: &Layer<'_>, input: &[f32], output: &mut [f32]) {
    let outputs = layer.outputs();
    let mut at = 0;
    while at + WIDE <= outputs {
        tile::<R, WIDE>(layer, at, input, output);
        at += WIDE;
    }
    while at + 4 <= outputs {
        tile::<R, 4>(layer, at, input, output);
        at += 4;
    }
    while at < outputs {
        tile::<R, 1>(layer, at, input, output);
        at += 1;
    }
}

/// `R` rows, `C` outputs from `at` on. Every tile adds up in the order of the inputs, so tiling changes no bit.
#[inline]
fn tile<const R: usize, const C: usize>(layer: &Layer<'_>, at: usize, input: &[f32], output: &mut [f32]) {
    let (inputs, outputs) = (layer.inputs(), layer.outputs());
    let rows: [&[f32]; R] = core::array::from_fn(|r| &input[r * inputs..(r + 1) * inputs]);
    let mut sums = [[0.0; C]; R];
    for row in &mut sums {
        row.copy_from_slice(&layer.bias[at..at + C]);
    }
    for (i, weights) in layer.weight.chunks_exact(outputs).enumerate() {
        let weights = &weights[at..at + C];
        for (row, sums) in rows.iter().zip(&mut sums) {
            let x = row[i];
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += x * weight;
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        output[r * outputs + at..r * outputs + at + C].copy_from_slice(sums);
    }
}

/// Centres and scales observations, and clips them to `[-clip, clip]`.
///
/// # Shapes
/// `observation` and `output` are row-major `[batch, D]`; `mean` and `inverse_deviation` are `[D]`.
///
/// # Panics
/// If the shapes disagree.
pub fn normalise(observation: &[f32], mean: &[f32], inverse_deviation: &[f32], clip: f32, output: &mut [f32]) {
    let width = mean.len();
    assert_eq!(inverse_deviation.len(), width, "mean and deviation must have one length");
    assert_eq!(observation.len(), output.len(), "input and output must have one shape");
    assert_eq!(observation.len() % width, 0, "observation must be [batch, D]");
    for (from, to) in observation.chunks_exact(width).zip(output.chunks_exact_mut(width)) {
        for (((x, y), mean), inverse) in from.iter().zip(to).zip(mean).zip(inverse_deviation) {
            *y = ((x - mean) * inverse).clamp(-clip, clip);
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use super::*;

    /// Weights without structure, from a linear congruential generator.
    fn noise(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f32::from(u16::try_from(state >> 16).unwrap()) / 65_536.0 - 0.5
            })
            .collect()
    }

    #[test]
    fn tanh_is_within_its_error_bound_and_the_unit_interval_everywhere() {
        let mut worst = 0.0_f64;
        for bits in (0..f32::INFINITY.to_bits()).step_by(1_009) {
            let x = f32::from_bits(bits);
            let y = tanh(x);
            worst = worst.max((f64::from(y) - libm::tanh(f64::from(x))).abs());
            assert!((0.0..=1.0).contains(&y), "tanh({x}) = {y}");
            assert_eq!(tanh(-x).to_bits(), (-y).to_bits(), "not odd at {x}");
        }
        assert!(worst < 4e-7, "{worst}");
    }

    #[test]
    fn tanh_keeps_nan_and_takes_infinity() {
        assert!(tanh(f32::NAN).is_nan());
        assert!(tanh(f32::INFINITY) > 0.999_999);
        assert!(tanh(f32::NEG_INFINITY) < -0.999_999);
    }

    #[test]
    fn forward_equals_the_formula_in_double_precision() {
        let shapes = [(5, 7), (7, 37), (37, 13)];
        let weights: Vec<_> = shapes.iter().map(|&(i, o)| (noise(i * o, 3), noise(o, 4))).collect();
        let layers: Vec<_> = weights.iter().map(|(weight, bias)| Layer { weight, bias }).collect();
        let batch = 21;
        let input = noise(batch * 5, 5);
        let mut output = vec![0.0; batch * 13];
        let mut scratch = vec![0.0; scratch_len(&layers, batch)];
        forward(&layers, &input, batch, &mut scratch, &mut output);

        for (x, y) in input.chunks_exact(5).zip(output.chunks_exact(13)) {
            let mut row: Vec<f64> = x.iter().map(|&v| f64::from(v)).collect();
            for (index, layer) in layers.iter().enumerate() {
                row = (0..layer.outputs())
                    .map(|o| {
                        let products =
                            row.iter().enumerate().map(|(i, v)| v * f64::from(layer.weight[i * layer.outputs() + o]));
                        let sum = f64::from(layer.bias[o]) + products.sum::<f64>();
                        if index + 1 < layers.len() { libm::tanh(sum) } else { sum }
                    })
                    .collect();
            }
            for (a, b) in y.iter().zip(row) {
                assert!((f64::from(*a) - b).abs() < 5e-6, "{a} against {b}");
            }
        }
    }

    #[test]
    fn bits_of_a_row_do_not_depend_on_the_batch() {
        let (w0, b0, w1, b1) = (noise(48 * 64, 1), noise(64, 2), noise(64 * 13, 3), noise(13, 4));
        let layers = [Layer { weight: &w0, bias: &b0 }, Layer { weight: &w1, bias: &b1 }];
        let batch = 39;
        let input = noise(batch * 48, 5);
        let mut together = vec![0.0; batch * 13];
        let mut scratch = vec![f32::NAN; scratch_len(&layers, batch)];
        forward(&layers, &input, batch, &mut scratch, &mut together);
        for (row, expected) in input.chunks_exact(48).zip(together.chunks_exact(13)) {
            let mut alone = [0.0; 13];
            forward(&layers, row, 1, &mut scratch, &mut alone);
            assert_eq!(alone.map(f32::to_bits).as_slice(), expected.iter().map(|v| v.to_bits()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_single_layer_is_linear_and_needs_no_scratch() {
        // [1 2] · [[1 0] [0 2]] + [10 20] = [11 24].
        let layers = [Layer { weight: &[1.0, 0.0, 0.0, 2.0], bias: &[10.0, 20.0] }];
        assert_eq!(scratch_len(&layers, 1), 0);
        let mut output = [0.0; 2];
        forward(&layers, &[1.0, 2.0], 1, &mut [], &mut output);
        assert_eq!(output.map(f32::to_bits), [11.0_f32, 24.0].map(f32::to_bits));
    }

    #[test]
    fn normalise_centres_scales_and_clips() {
        let mut output = [0.0; 4];
        normalise(&[3.0, 5.0, 1.0, 500.0], &[1.0, 5.0], &[2.0, 0.5], 10.0, &mut output);
        assert_eq!(output.map(f32::to_bits), [4.0_f32, 0.0, 0.0, 10.0].map(f32::to_bits));
    }

    #[test]
    #[should_panic(expected = "layers must fit one another")]
    fn layers_of_different_widths_are_refused() {
        let layers = [Layer { weight: &[1.0; 6], bias: &[0.0; 3] }, Layer { weight: &[1.0; 4], bias: &[0.0; 2] }];
        forward(&layers, &[0.0; 2], 1, &mut [0.0; 6], &mut [0.0; 2]);
    }
}
