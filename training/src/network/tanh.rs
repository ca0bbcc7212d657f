//! The runtime's hyperbolic tangent as a differentiable burn operation.

use burn::tensor::{Device, Tensor, TensorData};
use seawall_runtime::network;

/// `tanh` by the runtime's approximation, with its gradient `1 − y²`.
///
/// burn's own evaluates the platform's scalar tangent, once forward and once backward, and takes most of an update.
/// This one computes `y` on the host and returns `x · g + (y − x · g)` with the constant `g = 1 − y²`: the value is
/// `y` to a rounding, the first derivative `g` exactly. Second derivatives would be wrong; burn takes none.
pub(crate) fn tanh<const D: usize>(x: Tensor<D>, device: &Device) -> Tensor<D> {
    by_host(x, device, |x| {
        let y = network::tanh(x);
        (y, 1.0 - y * y)
    })
}

/// A function of each entry that the host evaluates, with its first derivative: see [`tanh`].
pub(crate) fn by_host<const D: usize>(
    x: Tensor<D>,
    device: &Device,
    function: impl Fn(f32) -> (f32, f32),
) -> Tensor<D> {
    let shape = x.dims();
    let data = x.clone().inner().into_data();
    let values = data.as_slice::<f32>().expect("parameters and observations are f32");
    let mut slope = Vec::with_capacity(values.len());
    let mut offset = Vec::with_capacity(values.len());
    for &x in values {
        let (y, g) = function(x);
        slope.push(g);
        offset.push(y - x * g);
    }
    let constant = |values: Vec<f32>| Tensor::<D>::from_data(TensorData::new(values, shape), device);
    x * constant(slope) + constant(offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Backend;

    #[test]
    fn value_and_gradient_are_those_of_the_tangent() {
        for backend in Backend::ALL {
            let device = backend.device().autodiff();
            let points: Vec<f32> = (-40..=40_i8).map(|i| f32::from(i) / 5.0).collect();
            let x = Tensor::<2>::from_data(TensorData::new(points.clone(), [1, 81]), &device).require_grad();
            let y = tanh(x.clone(), &device);
            // A different weight for each entry, so that gradients cannot be swapped unnoticed.
            let weights: Vec<f32> = (0..81_u8).map(|i| 1.0 + f32::from(i)).collect();
            let loss = (y.clone() * Tensor::<2>::from_data(TensorData::new(weights.clone(), [1, 81]), &device)).sum();
            let gradient = x.grad(&loss.backward()).unwrap().into_data().try_into_vec::<f32>().unwrap();
            let values = y.inner().into_data().try_into_vec::<f32>().unwrap();
            for (((x, y), g), w) in points.iter().zip(values).zip(gradient).zip(weights) {
                let exact = libm::tanh(f64::from(*x));
                assert!((f64::from(y) - exact).abs() < 1e-6, "{backend}: tanh({x}) = {y}");
                let slope = 1.0 - exact * exact;
                assert!((f64::from(g / w) - slope).abs() < 1e-6, "{backend}: tanh'({x}) = {}", g / w);
            }
        }
    }
}
