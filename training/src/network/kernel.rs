//! Products of small dense matrices, for the gradient that is derived by hand.
//!
//! Every entry of a product is one sum, in one order: that of the inner index, from the entry's initial value on. How
//! the work is cut into tiles, and how many entries an instruction computes at once, changes no bit of it, and nothing
//! is fused. So results are the same on every processor, which general matrix libraries do not promise: they choose
//! fused instructions at run time and round differently from one processor to the next.

use core::ops::Range;

use pulp::{Scalar128b, Simd, WithSimd};
use seawall_runtime::network;

/// Numbers in the longest vector that [`dispatch`] chooses; shorter ones divide it.
pub(super) const LANES_MAX: usize = 8;

/// Runs `work` with vectors of 256 bits if the processor has them, else of 128.
///
/// For this to reach a function that `work` calls, the function has to be inlined; and `work` should be one loop nest,
/// since constants that another loop keeps in registers leave too few for sums.
#[inline]
pub(crate) fn dispatch<W: WithSimd>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return Simd::vectorize(simd, work);
    }
    Simd::vectorize(Scalar128b, work)
}

/// Where each panel of a matrix with `outputs` columns starts, and its width: two vectors, or one if that is enough.
#[inline(always)]
pub(super) fn panels<S: Simd>(outputs: usize) -> impl Iterator<Item = (usize, usize)> {
    let pair = 2 * S::F32_LANES;
    (0..outputs).step_by(pair).map(move |at| (at, if outputs - at > S::F32_LANES { pair } else { S::F32_LANES }))
}

/// `sums += x · vectors`, rounded twice.
#[inline(always)]
pub(super) fn add_product<S: Simd, const V: usize>(simd: S, x: f32, vectors: &[S::f32s; V], sums: &mut [S::f32s; V]) {
    let x = simd.splat_f32s(x);
    for v in 0..V {
        sums[v] = simd.add_f32s(sums[v], simd.mul_f32s(x, vectors[v]));
    }
}

/// The `V` vectors at the front of a slice.
#[inline(always)]
fn whole<S: Simd, const V: usize>(from: &[f32]) -> [S::f32s; V] {
    *S::as_simd_f32s(from).0.first_chunk().expect("the slice is long enough")
}

/// `V` vectors from the front of a slice, zeros where it ends.
#[inline(always)]
pub(super) fn load<S: Simd, const V: usize>(simd: S, from: &[f32]) -> [S::f32s; V] {
    if from.len() >= V * S::F32_LANES {
        return whole::<S, V>(from);
    }
    let mut vectors = [simd.splat_f32s(0.0); V];
    for (vector, part) in vectors.iter_mut().zip(from.chunks(S::F32_LANES)) {
        *vector = simd.partial_load_f32s(part);
    }
    vectors
}

/// Stores vectors as far as the slice goes.
#[inline(always)]
pub(super) fn store<S: Simd, const V: usize>(simd: S, vectors: &[S::f32s; V], to: &mut [f32]) {
    if let Some(whole) = S::as_mut_simd_f32s(to).0.first_chunk_mut::<V>() {
        *whole = *vectors;
        return;
    }
    for (vector, part) in vectors.iter().zip(to.chunks_mut(S::F32_LANES)) {
        simd.partial_store_f32s(part, *vector);
    }
}

/// `gradient += inputᵀ · delta`, the sum over rows in their order.
///
/// # Shapes
/// Row-major: `input` is `[N, inputs]`, `delta` is `[N, outputs]`, `gradient` is `[inputs, outputs]`.
pub(crate) fn accumulate(input: &[f32], delta: &[f32], outputs: usize, gradient: &mut [f32]) {
    let inputs = gradient.len() / outputs;
    assert_eq!(input.len() * outputs, delta.len() * inputs, "as many rows of input as of delta");
    dispatch(if outputs == 1 {
        // One column is laid out as one row, and a row has neighbours that a vector can hold.
        Accumulate { input: (delta, 1), delta: (input, inputs), gradient }
    } else {
        Accumulate { input: (input, inputs), delta: (delta, outputs), gradient }
    });
}

/// A matrix is its entries and its width.
struct Accumulate<'a> {
    input: (&'a [f32], usize),
    delta: (&'a [f32], usize),
    gradient: &'a mut [f32],
}

impl WithSimd for Accumulate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { input, delta, gradient } = self;
        for (at, width) in panels::<S>(delta.1) {
            let columns = at..delta.1.min(at + width);
            // Decided here and not in the innermost loop.
            match (width > S::F32_LANES, columns.len() == width) {
                (true, true) => outer_strip::<S, 4, 2, true>(simd, input, delta, &columns, gradient),
                (true, false) => outer_strip::<S, 4, 2, false>(simd, input, delta, &columns, gradient),
                (false, true) => outer_strip::<S, 8, 1, true>(simd, input, delta, &columns, gradient),
                (false, false) => outer_strip::<S, 8, 1, false>(simd, input, delta, &columns, gradient),
            }
        }
    }
}

/// All inputs, some outputs, whether they fill `V` vectors or not.
#[inline(always)]
fn outer_strip<S: Simd, const R: usize, const V: usize, const WHOLE: bool>(
    simd: S,
    (input, inputs): (&[f32], usize),
    delta: (&[f32], usize),
    columns: &Range<usize>,
    gradient: &mut [f32],
) {
    let mut i = 0;
    while i + R <= inputs {
        outer::<S, R, V, WHOLE>(simd, (input, inputs), delta, i, columns, gradient);
        i += R;
    }
    while i < inputs {
        outer::<S, 1, V, WHOLE>(simd, (input, inputs), delta, i, columns, gradient);
        i += 1;
    }
}

/// `R` inputs from `i` on, some outputs.
#[inline(always)]
fn outer<S: Simd, const R: usize, const V: usize, const WHOLE: bool>(
    simd: S,
    (input, inputs): (&[f32], usize),
    (delta, outputs): (&[f32], usize),
    i: usize,
    columns: &Range<usize>,
    gradient: &mut [f32],
) {
    let gradient = &mut gradient[i * outputs..(i + R) * outputs];
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    for (sums, gradient) in sums.iter_mut().zip(gradient.chunks_exact(outputs)) {
        *sums = load(simd, &gradient[columns.clone()]);
    }
    for (input, delta) in input.chunks_exact(inputs).zip(delta.chunks_exact(outputs)) {
        let delta = &delta[columns.clone()];
        let delta = if WHOLE { whole::<S, V>(delta) } else { load::<S, V>(simd, delta) };
        let input: &[f32; R] = input[i..].first_chunk().expect("the rows are inputs wide");
        for r in 0..R {
            add_product(simd, input[r], &delta, &mut sums[r]);
        }
    }
    for (sums, gradient) in sums.iter().zip(gradient.chunks_exact_mut(outputs)) {
        store(simd, sums, &mut gradient[columns.clone()]);
    }
}

/// Adds rows, `[N, width]`, to `sums`, `[width]`, in their order.
pub(crate) fn add_rows(rows: &[f32], sums: &mut [f32]) {
    dispatch(AddRows { rows, sums });
}

struct AddRows<'a> {
    rows: &'a [f32],
    sums: &'a mut [f32],
}

impl WithSimd for AddRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.rows.chunks_exact(self.sums.len()) {
            for (sum, x) in self.sums.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
}

/// `values = tanh(values)`, by the runtime's approximation.
pub(crate) fn tanh(values: &mut [f32]) {
    dispatch(Tanh(values));
}

struct Tanh<'a>(&'a mut [f32]);

impl WithSimd for Tanh<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for value in self.0 {
            *value = network::tanh(*value);
        }
    }
}

/// `values = max(0, values)`; NaN becomes zero, so whoever may meet one looks before.
pub(crate) fn relu(values: &mut [f32]) {
    dispatch(Relu(values));
}

struct Relu<'a>(&'a mut [f32]);

impl WithSimd for Relu<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for value in self.0 {
            *value = if *value > 0.0 { *value } else { 0.0 };
        }
    }
}

/// `gradient *= 1` where `y` is positive and `*= 0` elsewhere: the slope of `max(0, x)` where it is `y`.
pub(crate) fn relu_backward(gradient: &mut [f32], y: &[f32]) {
    dispatch(ReluBackward { gradient, y });
}

struct ReluBackward<'a> {
    gradient: &'a mut [f32],
    y: &'a [f32],
}

impl WithSimd for ReluBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (g, y) in self.gradient.iter_mut().zip(self.y) {
            *g = if *y > 0.0 { *g } else { 0.0 };
        }
    }
}

/// `gradient *= 1 − y²`, the slope of `tanh` where it is `y`.
pub(crate) fn tanh_backward(gradient: &mut [f32], y: &[f32]) {
    dispatch(TanhBackward { gradient, y });
}

struct TanhBackward<'a> {
    gradient: &'a mut [f32],
    y: &'a [f32],
}

impl WithSimd for TanhBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (g, y) in self.gradient.iter_mut().zip(self.y) {
            *g *= 1.0 - y * y;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use seawall_env::{Purpose, SeedTree};

    use super::*;
    use crate::distribution::Gaussian;

    pub(in crate::network) fn noise(count: usize, stream: u64) -> Vec<f32> {
        let mut output = vec![0.0; count];
        let mut rng = SeedTree::new(4).stream(Purpose::Exploration, stream);
        Gaussian::new(&vec![0.0; count]).sample(&vec![0.0; count], &mut rng, &mut output);
        output
    }

    pub(in crate::network) fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    /// Numbers of rows, inputs and outputs around every edge of a tile.
    pub(in crate::network) fn shapes() -> impl Iterator<Item = (usize, usize, usize)> {
        let sizes = [1, 3, 8, 17, 33];
        sizes
            .into_iter()
            .flat_map(move |n| sizes.into_iter().map(move |i| (n, i)))
            .flat_map(|(n, i)| [1, 2, 7, 8, 9, 16, 25, 48].into_iter().map(move |o| (n, i, o)))
    }

    #[test]
    fn gradients_are_sums_in_the_order_of_the_rows_whatever_the_tile_and_the_instructions() {
        for (n, inputs, outputs) in shapes() {
            let (input, delta, start) = (noise(n * inputs, 1), noise(n * outputs, 2), noise(inputs * outputs, 3));
            let mut expected = start.clone();
            for (i, o) in (0..inputs).flat_map(|i| (0..outputs).map(move |o| (i, o))) {
                for row in 0..n {
                    expected[i * outputs + o] += input[row * inputs + i] * delta[row * outputs + o];
                }
            }
            let shape = format!("{n} rows, {inputs} inputs, {outputs} outputs");
            let mut gradient = start.clone();
            accumulate(&input, &delta, outputs, &mut gradient);
            assert_eq!(bits(&gradient), bits(&expected), "{shape}");
            gradient.copy_from_slice(&start);
            let work = Accumulate { input: (&input, inputs), delta: (&delta, outputs), gradient: &mut gradient };
            Simd::vectorize(Scalar128b, work);
            assert_eq!(bits(&gradient), bits(&expected), "{shape}, short vectors");
        }
    }

    #[test]
    fn tangents_are_the_runtimes_whatever_the_instructions() {
        let values: Vec<f32> = noise(1_003, 1).iter().map(|x| 4.0 * x).collect();
        let expected: Vec<u32> = values.iter().map(|x| network::tanh(*x).to_bits()).collect();
        let mut long = values.clone();
        tanh(&mut long);
        assert_eq!(bits(&long), expected);
        let mut gradient = vec![2.0; long.len()];
        tanh_backward(&mut gradient, &long);
        for (g, x) in gradient.iter().zip(values) {
            let y = libm::tanh(f64::from(x));
            assert!((f64::from(*g) - 2.0 * (1.0 - y * y)).abs() < 4e-6, "{x}: {g}");
        }
    }
}
