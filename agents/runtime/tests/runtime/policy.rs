//! Acting, decoding and limiting.

use crate::fixture::{CONTENTS, PARAMETERS, bytes_of, noise};
use proptest::prelude::*;
use seawall_runtime::format::Activation;
use seawall_runtime::network::{self, Layer, Network, normalise, tanh};
use seawall_runtime::{ActError, Contents, Policy, limit};

fn act(policy: &Policy<Vec<u8>>, observation: &[f32]) -> Result<Vec<f32>, ActError> {
    // Values in the buffers must not matter.
    let mut scratch = vec![f32::NAN; policy.scratch_len()];
    let mut action = vec![f32::NAN; policy.action_len()];
    policy.act(observation, &mut scratch, &mut action).map(|_| action)
}

#[test]
fn act_follows_the_documented_arithmetic() {
    // Normalised: (0.2 - 0) · 1, (1.5 - 1) · 2, (100 + 0.5) · 0.5 clipped at 5: x = [0.2, 1, 5].
    // Hidden sums: 0.1 + 0.125 + 0 = 0.225, 0.5 - 0.05 + 2 + 3.75 = 6.2, -0.5 + 0.2 - 1 - 2.5 = -3.8.
    let hidden = [0.225_f64, 6.2, -3.8].map(libm::tanh);
    let sums = [0.125 + hidden[0] + 0.5 * hidden[1] - 2.0 * hidden[2], -0.25 - hidden[0] + 0.25 * hidden[1]];
    let policy = Policy::parse(bytes_of(&CONTENTS)).unwrap();
    let action = act(&policy, &[0.2, 1.5, 100.0]).unwrap();
    assert!(sums[0] > 1.0, "the first entry is there to be clamped");
    assert_eq!(action[0].to_bits(), 1.0_f32.to_bits());
    assert!((f64::from(action[1]) - sums[1]).abs() < 1e-6, "{} against {}", action[1], sums[1]);
    assert_eq!(policy.clipped(&[0.2, 1.5, 100.0]), Ok(1));
}

#[test]
fn act_has_the_bits_of_the_network_that_trainers_run() {
    // Widths around the tile's: 64 is two tiles, 37 is one and a rest, 13 is only a rest.
    let (entries, widths) = (48, [64, 37, 2]);
    let names: Vec<_> = (0..entries).map(|i| format!("entry_{i}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let weights: Vec<_> = [(entries, widths[0]), (widths[0], widths[1]), (widths[1], widths[2])]
        .iter()
        .zip(1..)
        .map(|(&(inputs, outputs), seed)| (noise(inputs * outputs, seed, 0.3), noise(outputs, seed + 9, 0.2)))
        .collect();
    let layers: Vec<_> = weights.iter().map(|(weight, bias)| Layer { weight, bias }).collect();
    let (mean, deviation) = (noise(entries, 20, 1.0), vec![1.3; entries]);
    for hidden in [Activation::Tanh, Activation::Relu] {
        let after = [hidden, hidden, Activation::Identity];
        let file_layers: Vec<_> = layers.iter().copied().zip(after).collect();
        let contents = Contents {
            observation: &names,
            mean: &mean,
            inverse_deviation: &deviation,
            clip: 1.5,
            memory: None,
            layers: &file_layers,
            parameters: &PARAMETERS,
            shield: None,
        };
        let policy = Policy::parse(bytes_of(&contents)).unwrap();

        let mut clamped = 0;
        for seed in 100..200 {
            let observation = noise(entries, seed, 3.0);
            let mut input = vec![0.0; entries];
            normalise(&observation, &mean, &deviation, 1.5, &mut input);
            let (mut scratch, mut output) = (vec![0.0; network::scratch_len(&layers, 1)], [0.0; 2]);
            Network { layers: &layers, hidden }.forward(&input, 1, &mut scratch, &mut output);
            clamped += usize::from(output.iter().any(|value| value.abs() > 1.0));
            let expected = output.map(|value| value.clamp(-1.0, 1.0).to_bits());
            let action = act(&policy, &observation).unwrap();
            assert_eq!(action.iter().map(|entry| entry.to_bits()).collect::<Vec<_>>(), expected);
        }
        assert!((5..95).contains(&clamped), "both sides of the clamp must be seen: {clamped}");
    }
}

#[test]
fn a_squashed_output_is_the_tangent_of_its_sum() {
    let layer = Layer { weight: &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0], bias: &[3.0, -0.5] };
    let policy = Policy::parse(bytes_of(&Contents { layers: &[(layer, Activation::Tanh)], ..CONTENTS })).unwrap();
    assert_eq!(act(&policy, &[0.0; 3]).unwrap(), [tanh(3.0), tanh(-0.5)]);
}

#[test]
fn observations_that_are_not_finite_are_refused_by_index() {
    let policy = Policy::parse(bytes_of(&CONTENTS)).unwrap();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert_eq!(act(&policy, &[0.0, bad, 0.0]), Err(ActError::Observation { index: 1 }));
    }
    assert!(act(&policy, &[f32::MAX, f32::MIN, 0.0]).is_ok(), "what is finite is clipped");
}

#[test]
fn an_overflow_is_an_error_and_not_a_clamped_action() {
    let layer = Layer { weight: &[0.0, f32::MAX, 0.0, f32::MAX, 0.0, f32::MAX], bias: &[0.5, 0.0] };
    let policy = Policy::parse(bytes_of(&Contents { layers: &[(layer, Activation::Identity)], ..CONTENTS })).unwrap();
    assert_eq!(act(&policy, &[5.0, 5.0, 5.0]), Err(ActError::Overflow { index: 1 }));
}

#[test]
fn buffers_of_the_wrong_length_are_errors() {
    let policy = Policy::parse(bytes_of(&CONTENTS)).unwrap();
    let (mut scratch, mut action) = (vec![0.0; policy.scratch_len()], [0.0; 2]);
    let length = |buffer, expected, found| Err(ActError::Length { buffer, expected, found });
    assert_eq!(policy.act(&[0.0; 2], &mut scratch, &mut action).map(drop), length("observation", 3, 2));
    assert_eq!(policy.act(&[0.0; 3], &mut scratch, &mut action[..1]).map(drop), length("action", 2, 1));
    assert_eq!(policy.act(&[0.0; 3], &mut scratch[1..], &mut action).map(drop), length("scratch", 9, 8));
    assert_eq!(policy.decode(&action, &mut [0.0; 3]), length("values", 2, 3));
    assert_eq!(policy.fallback(&mut [0.0; 1]), length("values", 2, 1));
    assert_eq!(policy.limit(&action, true, &mut [0.0; 1]), length("action", 2, 1));
    assert_eq!(policy.clipped(&[0.0; 4]).map(drop), length("observation", 3, 4));
}

#[test]
fn decoding_hits_bounds_and_middles() {
    let policy = Policy::parse(bytes_of(&CONTENTS)).unwrap();
    // Capacity is logarithmic on [0.25, 4], the contribution linear on [0, 4].
    for (action, expected) in
        [([-1.0, -1.0], [0.25, 0.0]), ([0.0, 0.0], [1.0, 2.0]), ([1.0, 1.0], [4.0, 4.0]), ([0.5, 0.25], [2.0, 2.5])]
    {
        let mut values = [0.0; 2];
        policy.decode(&action, &mut values).unwrap();
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-15, "{value} against {expected}");
        }
    }
    for bad in [1.1, f32::NAN] {
        assert_eq!(policy.decode(&[0.0, bad], &mut [0.0; 2]), Err(ActError::Action { index: 1 }));
    }
}

#[test]
fn the_fallback_is_every_parameters_neutral_value() {
    let policy = Policy::parse(bytes_of(&CONTENTS)).unwrap();
    let mut values = [f64::NAN; 2];
    policy.fallback(&mut values).unwrap();
    assert_eq!(values, [1.0, 0.5]);
}

#[test]
fn slow_entries_wait_for_their_interval_and_then_move_by_a_bounded_change() {
    let policy = Policy::parse(bytes_of(&CONTENTS)).unwrap();
    let mut action = [1.0, 1.0];
    policy.limit(&[-1.0, 0.0], false, &mut action).unwrap();
    assert_eq!(action, [1.0, 0.0]);
    action = [1.0, 1.0];
    policy.limit(&[-1.0, 0.0], true, &mut action).unwrap();
    assert_eq!(action, [1.0, 0.5]);
    assert_eq!(policy.limit(&[0.0, -2.0], true, &mut action), Err(ActError::Action { index: 1 }));
}

proptest! {
    #[test]
    fn limiting_reaches_the_target_in_steps_of_at_most_the_change(
        start in -1.0_f32..=1.0, wanted in -1.0_f32..=1.0, max_change in 0.01_f64..=2.0,
    ) {
        let mut value = start;
        let mut steps = 0;
        while value.to_bits() != wanted.to_bits() {
            let next = limit(value, wanted, max_change);
            // Single precision near one: half a unit in the last place is 6e-8.
            prop_assert!((f64::from(next) - f64::from(value)).abs() <= max_change + 1e-7);
            prop_assert!((-1.0..=1.0).contains(&next));
            value = next;
            steps += 1;
            prop_assert!(f64::from(steps) <= 2.0 / max_change + 2.0);
        }
    }
}
