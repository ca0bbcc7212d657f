//! A gated recurrent unit on borrowed weights: what a policy remembers from one decision to the next.
//!
//! Rollouts, evaluation and engines run this code, as they do [`crate::network`]; sums run in the order of the inputs
//! and no operation is fused.

use crate::network::{Layer, forward, tanh};

/// The logistic function by the runtime's [`tanh`]: `(1 + tanh(x / 2)) / 2`, absolute error below 2e-7.
#[inline]
#[must_use]
pub fn logistic(x: f32) -> f32 {
    0.5 + 0.5 * tanh(0.5 * x)
}

/// A gated recurrent unit of `H` units.
///
/// Both layers have `3 H` outputs: those of the reset gate, of the update gate, of the candidate. With `a` the sums
/// from the input and `b` those from the state,
///
/// `r = logistic(a₁ + b₁)`, `z = logistic(a₂ + b₂)`, `n = tanh(a₃ + r · b₃)`, `state ← n + z · (state − n)`.
///
/// # Reference
/// Cho et al. 2014 (arXiv:1406.1078), with the reset gate behind the matrix as in cuDNN, `PyTorch` and ONNX
/// (`linear_before_reset = 1`).
#[derive(Clone, Copy, Debug)]
pub struct Gru<'a> {
    /// From the input, `D` to `3 H`.
    pub input: Layer<'a>,
    /// From the state, `H` to `3 H`.
    pub state: Layer<'a>,
}

impl Gru<'_> {
    /// Units, `H`: entries of the state.
    #[must_use]
    pub const fn units(&self) -> usize {
        self.state.outputs() / 3
    }

    /// Entries of the scratch buffer that [`Gru::step`] needs for `batch` rows.
    #[must_use]
    pub const fn scratch_len(&self, batch: usize) -> usize {
        2 * batch * self.state.outputs()
    }

    /// Takes `batch` rows of `input` into their states.
    ///
    /// # Shapes
    /// Row-major: `input` is `[batch, D]`, `state` is `[batch, H]`; `scratch` has at least [`Gru::scratch_len`] entries,
    /// whose values do not matter.
    ///
    /// # Panics
    /// If the shapes disagree.
    pub fn step(&self, input: &[f32], batch: usize, scratch: &mut [f32], state: &mut [f32]) {
        let (units, width) = (self.units(), self.state.outputs());
        assert_eq!(width, 3 * units, "three sums for each unit");
        assert_eq!(self.input.outputs(), width, "both layers have 3 H outputs");
        assert_eq!(state.len(), batch * units, "state must be [batch, H]");
        let (from_input, from_state) = scratch[..2 * batch * width].split_at_mut(batch * width);
        forward(&[self.input], input, batch, &mut [], from_input);
        forward(&[self.state], state, batch, &mut [], from_state);
        let sums = from_input.chunks_exact(width).zip(from_state.chunks_exact(width));
        for ((from_input, from_state), state) in sums.zip(state.chunks_exact_mut(units)) {
            update(from_input, from_state, state);
        }
    }
}

/// One row's next state from its sums, `[3 H]` each.
#[inline]
pub(crate) fn update(from_input: &[f32], from_state: &[f32], state: &mut [f32]) {
    let units = state.len();
    let (a, b) = (&from_input[..3 * units], &from_state[..3 * units]);
    for k in 0..units {
        let reset = logistic(a[k] + b[k]);
        let keep = logistic(a[units + k] + b[units + k]);
        let candidate = tanh(a[2 * units + k] + reset * b[2 * units + k]);
        state[k] = candidate + keep * (state[k] - candidate);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use super::*;

    fn noise(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f32::from(u16::try_from(state >> 16).unwrap()) / 32_768.0 - 1.0
            })
            .collect()
    }

    #[test]
    fn the_logistic_is_within_its_error_bound_and_the_unit_interval() {
        for i in -4_000..=4_000_i16 {
            let x = f32::from(i) / 100.0;
            let y = logistic(x);
            let exact = 1.0 / (1.0 + libm::exp(-f64::from(x)));
            assert!((f64::from(y) - exact).abs() < 2.5e-7 && (0.0..=1.0).contains(&y), "logistic({x}) = {y}");
        }
    }

    /// The formula in double precision, from the documentation.
    fn by_formula(gru: &Gru<'_>, input: &[f32], state: &[f64]) -> Vec<f64> {
        let units = state.len();
        let sum = |layer: &Layer<'_>, at: usize, row: &[f64]| {
            let products = row.iter().enumerate().map(|(i, x)| x * f64::from(layer.weight[i * 3 * units + at]));
            f64::from(layer.bias[at]) + products.sum::<f64>()
        };
        let input: Vec<f64> = input.iter().map(|&x| f64::from(x)).collect();
        let sigma = |x: f64| 1.0 / (1.0 + libm::exp(-x));
        (0..units)
            .map(|k| {
                let at = |gate: usize| gate * units + k;
                let [a, b] = [(&gru.input, input.as_slice()), (&gru.state, state)]
                    .map(|(layer, row)| [0, 1, 2].map(|gate| sum(layer, at(gate), row)));
                let candidate = libm::tanh(a[2] + sigma(a[0] + b[0]) * b[2]);
                let z = sigma(a[1] + b[1]);
                (1.0 - z) * candidate + z * state[k]
            })
            .collect()
    }

    #[test]
    fn steps_follow_the_documented_formula_and_rows_do_not_depend_on_the_batch() {
        let (entries, units, batch) = (5, 7, 19);
        let parts = [entries * 21, 21, units * 21, 21];
        let weights: Vec<Vec<f32>> = parts.iter().zip(1..).map(|(&count, seed)| noise(count, seed)).collect();
        let gru = Gru {
            input: Layer { weight: &weights[0], bias: &weights[1] },
            state: Layer { weight: &weights[2], bias: &weights[3] },
        };
        assert_eq!(gru.units(), units);
        let mut together = vec![0.0; batch * units];
        let mut scratch = vec![f32::NAN; gru.scratch_len(batch)];
        let mut alone = together.clone();
        let mut exact = vec![0.0; batch * units];
        for time in 0..12 {
            let input = noise(batch * entries, 50 + time);
            gru.step(&input, batch, &mut scratch, &mut together);
            for (row, input) in input.chunks_exact(entries).enumerate() {
                let rows = row * units..(row + 1) * units;
                gru.step(input, 1, &mut scratch, &mut alone[rows.clone()]);
                let next = by_formula(&gru, input, &exact[rows.clone()]);
                exact[rows].copy_from_slice(&next);
            }
            assert_eq!(together, alone);
            for (a, b) in together.iter().zip(&exact) {
                assert!((f64::from(*a) - b).abs() < 1e-5, "{a} against {b}");
            }
        }
    }
}
