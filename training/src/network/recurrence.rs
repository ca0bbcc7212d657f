//! Sequences through a gated recurrent unit, as burn operations: backpropagation through time is burn's.

use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData};
use seawall_runtime::gru;

use super::tanh::{by_host, tanh};

/// How the rows of a minibatch follow one another.
///
/// # Shapes
/// `S` sequences of `L` steps make `N = L S` rows, time-major: all first steps, then all second ones. Everything is empty
/// where nothing is remembered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sequences {
    /// The actor's state before each sequence, `[S, H]`.
    pub actor_state: Vec<f32>,
    /// The critic's state before each sequence, `[S, H]`.
    pub critic_state: Vec<f32>,
    /// Whether a row begins an episode, so that nothing is remembered before it, `[L, S]`.
    pub fresh: Vec<bool>,
}

/// States after each row of `input`, `[L S, H]`.
///
/// The state at the start counts as a constant: gradients reach back to the start of the sequence and no further.
pub(super) fn unroll(
    [from_input, from_state]: [&Linear; 2],
    input: Tensor<2>,
    start: &[f32],
    fresh: &[bool],
) -> Tensor<2> {
    let device = input.device();
    let [units, sums] = from_state.weight.dims();
    let sequences = start.len() / units;
    let matrix =
        |values: Vec<f32>, width: usize| Tensor::<2>::from_data(TensorData::new(values, [sequences, width]), &device);
    let all = from_input.forward(input);
    let mut state = matrix(start.to_vec(), units);
    let mut states = Vec::with_capacity(fresh.len() / sequences);
    for (step, fresh) in fresh.chunks_exact(sequences).enumerate() {
        if fresh.contains(&true) {
            let kept = fresh.iter().map(|&fresh| f32::from(u8::from(!fresh))).collect();
            state = state * matrix(kept, 1);
        }
        let a = all.clone().narrow(0, step * sequences, sequences);
        let b = from_state.forward(state.clone());
        let part = |of: &Tensor<2>, at: usize, count: usize| of.clone().narrow(1, at * units, count * units);
        let gates = logistic(part(&a, 0, 2) + part(&b, 0, 2), &device);
        let (reset, keep) = (part(&gates, 0, 1), part(&gates, 1, 1));
        let candidate = tanh(part(&a, 2, 1) + reset * part(&b, 2, 1), &device);
        state = candidate.clone() + keep * (state - candidate);
        states.push(state.clone());
    }
    debug_assert_eq!(sums, 3 * units, "three sums for each unit");
    Tensor::cat(states, 0)
}

/// The runtime's logistic function, with its gradient `y (1 − y)`; see [`tanh`].
fn logistic(x: Tensor<2>, device: &Device) -> Tensor<2> {
    by_host(x, device, |x| {
        let y = gru::logistic(x);
        (y, y * (1.0 - y))
    })
}
