//! A small policy with every kind of field, and its bytes.

use seawall_runtime::format::{Activation, Group, Parameter, Scale};
use seawall_runtime::network::Layer;
use seawall_runtime::{Contents, write};

pub(crate) const PARAMETERS: [Parameter<'static>; 2] = [
    Parameter {
        name: "capacity",
        unit: "1 % depth per minute",
        scale: Scale::Log,
        group: Group::Fast,
        low: 0.25,
        high: 4.0,
        neutral: 1.0,
        max_change: 2.0,
    },
    Parameter {
        name: "fund_contribution",
        unit: "basis points",
        scale: Scale::Linear,
        group: Group::Slow,
        low: 0.0,
        high: 4.0,
        neutral: 0.5,
        max_change: 0.5,
    },
];

const HIDDEN: Layer<'static> =
    Layer { weight: &[0.5, -0.25, 1.0, 0.125, 2.0, -1.0, 0.0, 0.75, -0.5], bias: &[0.0, 0.5, -0.5] };
const OUTPUT: Layer<'static> = Layer { weight: &[1.0, -1.0, 0.5, 0.25, -2.0, 0.0], bias: &[0.125, -0.25] };

pub(crate) const CONTENTS: Contents<'static> = Contents {
    observation: &["return_1m", "depth_100bp", "fund"],
    mean: &[0.0, 1.0, -0.5],
    inverse_deviation: &[1.0, 2.0, 0.5],
    clip: 5.0,
    memory: None,
    layers: &[(HIDDEN, Activation::Tanh), (OUTPUT, Activation::Identity)],
    parameters: &PARAMETERS,
    shield: None,
};

pub(crate) fn bytes_of(contents: &Contents<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(contents, |part| bytes.extend_from_slice(part)).unwrap();
    bytes
}

/// Entries without structure in `[-scale, scale]`, from a linear congruential generator.
pub(crate) fn noise(count: usize, seed: u32, scale: f32) -> Vec<f32> {
    let mut state = seed;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            scale * (f32::from(u16::try_from(state >> 16).unwrap()) / 32_768.0 - 1.0)
        })
        .collect()
}
