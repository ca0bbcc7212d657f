//! Products with a matrix that is stored in the order in which they read it.

use pulp::{Simd, WithSimd};
use seawall_runtime::network::Layer;

use super::kernel::{LANES_MAX, add_product, dispatch, load, panels, store};

/// An affine map whose matrix is stored in the order in which tiles read it.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    inputs: usize,
    outputs: usize,
    /// `[outputs]`, and zeros.
    bias: Vec<f32>,
    /// The panel of the columns from `at` on is row-major `[inputs, width of the panel]` and starts at `inputs · at`.
    panels: Vec<f32>,
}

impl Packed {
    /// The zero map.
    pub(crate) fn new(inputs: usize, outputs: usize) -> Self {
        let padded = outputs.next_multiple_of(LANES_MAX);
        Self { inputs, outputs, bias: vec![0.0; padded], panels: vec![0.0; inputs * padded] }
    }

    /// Width of what goes in.
    pub(crate) const fn inputs(&self) -> usize {
        self.inputs
    }

    /// Width of what comes out.
    pub(crate) const fn outputs(&self) -> usize {
        self.outputs
    }

    /// Takes over `layer`.
    pub(crate) fn load(&mut self, layer: &Layer<'_>) {
        dispatch(Load { packed: self, layer, transposed: false });
    }

    /// Takes over the transposed matrix of `layer`, without its bias: what carries a gradient back through it.
    pub(crate) fn load_transposed(&mut self, layer: &Layer<'_>) {
        dispatch(Load { packed: self, layer, transposed: true });
    }

    /// `output = bias + input · matrix`.
    ///
    /// # Shapes
    /// Row-major: `input` is `[N, inputs]`, `output` is `[N, outputs]`.
    pub(crate) fn apply(&self, input: &[f32], output: &mut [f32]) {
        assert_eq!(input.len() * self.outputs, output.len() * self.inputs, "as many rows in as out");
        dispatch(Apply { packed: self, input, output });
    }

    #[inline(always)]
    fn copy<S: Simd>(&mut self, layer: &Layer<'_>) {
        self.bias[..self.outputs].copy_from_slice(layer.bias);
        for (at, width) in panels::<S>(self.outputs) {
            let columns = width.min(self.outputs - at);
            let panel = &mut self.panels[self.inputs * at..self.inputs * (at + width)];
            for (to, from) in panel.chunks_exact_mut(width).zip(layer.weight.chunks_exact(self.outputs)) {
                to[..columns].copy_from_slice(&from[at..at + columns]);
            }
        }
    }

    #[inline(always)]
    fn copy_transposed<S: Simd>(&mut self, layer: &Layer<'_>) {
        for (at, width) in panels::<S>(self.outputs) {
            let panel = &mut self.panels[self.inputs * at..self.inputs * (at + width)];
            let rows = layer.weight[self.inputs * at..].chunks_exact(self.inputs).take(width);
            for (column, from) in rows.enumerate() {
                for (to, weight) in panel.chunks_exact_mut(width).zip(from) {
                    to[column] = *weight;
                }
            }
        }
    }

    /// All rows, a panel of `V` vectors.
    #[inline(always)]
    fn strip<S: Simd, const R: usize, const V: usize>(&self, simd: S, at: usize, input: &[f32], output: &mut [f32]) {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let width = V * S::F32_LANES;
        let columns = at..outputs.min(at + width);
        let panel = S::as_simd_f32s(&self.panels[inputs * at..inputs * (at + width)]).0.as_chunks::<V>().0;
        let bias = load::<S, V>(simd, &self.bias[at..at + width]);
        let mut inputs_left = input.chunks_exact(R * inputs);
        let mut outputs_left = output.chunks_exact_mut(R * outputs);
        for (input, output) in inputs_left.by_ref().zip(outputs_left.by_ref()) {
            let sums = rows::<S, R, V>(simd, input, panel, [bias; R]);
            for (output, sums) in output.chunks_exact_mut(outputs).zip(&sums) {
                store(simd, sums, &mut output[columns.clone()]);
            }
        }
        let rest = inputs_left.remainder().chunks_exact(inputs);
        for (input, output) in rest.zip(outputs_left.into_remainder().chunks_exact_mut(outputs)) {
            let [sums] = rows::<S, 1, V>(simd, input, panel, [bias]);
            store(simd, &sums, &mut output[columns.clone()]);
        }
    }
}

struct Load<'a> {
    packed: &'a mut Packed,
    layer: &'a Layer<'a>,
    transposed: bool,
}

impl WithSimd for Load<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        if self.transposed { self.packed.copy_transposed::<S>(self.layer) } else { self.packed.copy::<S>(self.layer) }
    }
}

struct Apply<'a> {
    packed: &'a Packed,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { packed, input, output } = self;
        for (at, width) in panels::<S>(packed.outputs) {
            // Eight sums at a time hide the latency of an addition, and fit the registers with what they are made of.
            if width > S::F32_LANES {
                packed.strip::<S, 4, 2>(simd, at, input, output);
            } else {
                packed.strip::<S, 8, 1>(simd, at, input, output);
            }
        }
    }
}

/// `sums + input · panel`, for `R` rows of input, `[R, inputs]`.
#[inline(always)]
fn rows<S: Simd, const R: usize, const V: usize>(
    simd: S,
    input: &[f32],
    panel: &[[S::f32s; V]],
    mut sums: [[S::f32s; V]; R],
) -> [[S::f32s; V]; R] {
    // One length for all of them, so that the loop needs no bounds checks.
    let mut rows = [&input[..panel.len()]; R];
    for (r, row) in rows.iter_mut().enumerate() {
        *row = &input[r * panel.len()..][..panel.len()];
    }
    for (k, weights) in panel.iter().enumerate() {
        for r in 0..R {
            add_product(simd, rows[r][k], weights, &mut sums[r]);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use pulp::Scalar128b;

    use super::super::kernel::tests::{bits, noise, shapes};
    use super::*;

    /// A product from unpacked weights, so that packing is tested too.
    struct Product<'a> {
        layer: &'a Layer<'a>,
        transposed: bool,
        /// Of the product.
        outputs: usize,
        input: (&'a [f32], usize),
    }

    impl WithSimd for Product<'_> {
        type Output = Vec<u32>;

        fn with_simd<S: Simd>(self, simd: S) -> Vec<u32> {
            let Self { layer, transposed, outputs, input: (input, inputs) } = self;
            let mut packed = Packed::new(inputs, outputs);
            Load { packed: &mut packed, layer, transposed }.with_simd(simd);
            let mut output = vec![f32::NAN; input.len() / inputs * outputs];
            Apply { packed: &packed, input, output: &mut output }.with_simd(simd);
            bits(&output)
        }
    }

    #[test]
    fn products_are_sums_in_the_order_of_the_inputs_whatever_the_tile_and_the_instructions() {
        for (n, inputs, outputs) in shapes() {
            let (weight, bias, input) = (noise(inputs * outputs, 1), noise(outputs, 2), noise(n * inputs, 3));
            let product = |bias: &[f32]| {
                let entries = (0..n).flat_map(|row| (0..outputs).map(move |o| (row, o)));
                let sums = entries.map(|(row, o)| {
                    let products = (0..inputs).map(|i| input[row * inputs + i] * weight[i * outputs + o]);
                    products.fold(bias[o], |sum, product| sum + product).to_bits()
                });
                sums.collect::<Vec<_>>()
            };
            let shape = format!("{n} rows, {inputs} inputs, {outputs} outputs");
            let layer = Layer { weight: &weight, bias: &bias };
            let work = || Product { layer: &layer, transposed: false, outputs, input: (&input, inputs) };
            let expected = product(&bias);
            assert_eq!(dispatch(work()), expected, "{shape}");
            assert_eq!(Simd::vectorize(Scalar128b, work()), expected, "{shape}, short vectors");

            let transposed: Vec<f32> = (0..outputs)
                .flat_map(|o| (0..inputs).map(move |i| (i, o)))
                .map(|(i, o)| weight[i * outputs + o])
                .collect();
            let other = noise(inputs, 4);
            let layer = Layer { weight: &transposed, bias: &other };
            let work = || Product { layer: &layer, transposed: true, outputs, input: (&input, inputs) };
            let expected = product(&vec![0.0; outputs]);
            assert_eq!(dispatch(work()), expected, "{shape}, transposed");
            assert_eq!(Simd::vectorize(Scalar128b, work()), expected, "{shape}, transposed, short vectors");
        }
    }
}
