//! Policies with memory: their bytes, the state that they carry, their vectors.

use crate::fixture::{CONTENTS, bytes_of, noise};
use seawall_runtime::checksum::crc32;
use seawall_runtime::conformance::{ReplayError, SEQUENCE, replay, scratch_len, write};
use seawall_runtime::format::Activation;
use seawall_runtime::network::{self, Layer, forward, normalise};
use seawall_runtime::{ActError, Contents, FormatError, Gru, Policy};

const UNITS: usize = 5;

/// Weights of a memory over three entries, and of one layer behind it.
struct Weights([Vec<f32>; 6]);

impl Weights {
    fn new() -> Self {
        let counts = [3 * 3 * UNITS, 3 * UNITS, UNITS * 3 * UNITS, 3 * UNITS, UNITS * 2, 2];
        let mut seed = 0;
        Self(counts.map(|count| {
            seed += 1;
            noise(count, seed, 0.8)
        }))
    }

    fn memory(&self) -> Gru<'_> {
        let [w, b, u, c, ..] = &self.0;
        Gru { input: Layer { weight: w, bias: b }, state: Layer { weight: u, bias: c } }
    }

    fn output(&self) -> Layer<'_> {
        Layer { weight: &self.0[4], bias: &self.0[5] }
    }

    fn bytes(&self) -> Vec<u8> {
        let layers = [(self.output(), Activation::Tanh)];
        bytes_of(&Contents { memory: Some(self.memory()), layers: &layers, ..CONTENTS })
    }
}

fn policy() -> Policy<Vec<u8>> {
    Policy::parse(Weights::new().bytes()).unwrap()
}

#[test]
fn a_file_with_memory_is_of_version_2_and_holds_both_its_layers() {
    let (weights, policy) = (Weights::new(), policy());
    assert_eq!(policy.bytes()[8..10], [2, 0]);
    assert_eq!(policy.state_len(), UNITS);
    let views = policy.memory().unwrap();
    for (view, layer) in views.iter().zip([weights.memory().input, weights.memory().state]) {
        assert!(view.weight.iter().map(|word| f32::from_le_bytes(*word)).eq(layer.weight.iter().copied()));
        assert!(view.bias.iter().map(|word| f32::from_le_bytes(*word)).eq(layer.bias.iter().copied()));
    }
    assert_eq!(policy.layers().count(), 1);
    let without = Policy::parse(bytes_of(&CONTENTS)).unwrap();
    assert!(without.memory().is_none() && without.state_len() == 0);
}

#[test]
fn steps_have_the_bits_of_the_network_that_trainers_run() {
    let (weights, policy) = (Weights::new(), policy());
    let (mut state, mut carried) = ([0.0; UNITS], [0.0; UNITS]);
    for seed in 0..60 {
        let observation = noise(3, 100 + seed, 2.0);
        let mut input = [0.0; 3];
        normalise(&observation, CONTENTS.mean, CONTENTS.inverse_deviation, CONTENTS.clip, &mut input);
        let mut scratch = vec![f32::NAN; weights.memory().scratch_len(1)];
        weights.memory().step(&input, 1, &mut scratch, &mut carried);
        let mut expected = [0.0; 2];
        forward(&[weights.output()], &carried, 1, &mut [], &mut expected);
        let (mut scratch, mut action) = (vec![f32::NAN; policy.scratch_len()], [f32::NAN; 2]);
        policy.step(&observation, &mut state, &mut scratch, &mut action).unwrap();
        assert_eq!(state.map(f32::to_bits), carried.map(f32::to_bits));
        assert_eq!(action.map(f32::to_bits), expected.map(|x| network::tanh(x).to_bits()));
    }
    let (mut fresh, mut again, mut scratch) = ([0.0; 2], [0.0; 2], vec![0.0; policy.scratch_len()]);
    policy.step(&[0.5; 3], &mut [0.0; UNITS], &mut scratch, &mut fresh).unwrap();
    policy.step(&[0.5; 3], &mut state, &mut scratch, &mut again).unwrap();
    assert_ne!(fresh, again, "what was seen before must matter");
}

#[test]
fn a_refusal_leaves_the_state_as_it_was() {
    let policy = policy();
    let (mut state, mut scratch, mut action) = ([0.25; UNITS], vec![0.0; policy.scratch_len()], [0.0; 2]);
    let refused = policy.step(&[0.0, f32::NAN, 0.0], &mut state, &mut scratch, &mut action);
    assert_eq!(refused, Err(ActError::Observation { index: 1 }));
    assert_eq!(state, [0.25; UNITS]);
    let short = ActError::Length { buffer: "state", expected: UNITS, found: 0 };
    assert_eq!(policy.act(&[0.0; 3], &mut scratch, &mut action), Err(short));
    let mut broken = [f32::NAN; UNITS];
    assert_eq!(policy.step(&[0.0; 3], &mut broken, &mut scratch, &mut action), Err(ActError::Overflow { index: 0 }));
}

#[test]
fn memories_that_do_not_fit_are_refused() {
    let weights = Weights::new();
    let layers = [(weights.output(), Activation::Tanh)];
    let refusal =
        |memory| Policy::parse(bytes_of(&Contents { memory: Some(memory), layers: &layers, ..CONTENTS })).unwrap_err();
    let Gru { input, state } = weights.memory();
    let wide = Layer { weight: &weights.0[0][..2 * 3 * UNITS], ..input };
    assert_eq!(refusal(Gru { input: wide, state }), FormatError::Shape { layer: 0, expected: 3, found: 2 });
    let odd = Layer { weight: &[0.0; 3], bias: &[0.0] };
    assert_eq!(refusal(Gru { input: odd, state }), FormatError::Shape { layer: 0, expected: 15, found: 1 });
    let stateless = Layer { weight: &[0.0; 6], bias: &[0.0; 3] };
    assert_eq!(refusal(Gru { input, state: stateless }), FormatError::Shape { layer: 0, expected: 3, found: 15 });
    let infinite = [f32::INFINITY; 15];
    let infinite = Layer { bias: &infinite, ..state };
    assert!(matches!(refusal(Gru { input, state: infinite }), FormatError::Number { .. }));
    let behind = Layer { weight: &[0.0; 6], bias: &[0.0; 2] };
    let contents = Contents { memory: Some(weights.memory()), layers: &[(behind, Activation::Tanh)], ..CONTENTS };
    let error = Policy::parse(bytes_of(&contents)).unwrap_err();
    assert_eq!(error, FormatError::Shape { layer: 0, expected: UNITS, found: 3 });
}

#[test]
fn every_flipped_bit_and_every_truncation_is_an_error() {
    let bytes = Weights::new().bytes();
    for length in 0..bytes.len() {
        assert!(Policy::parse(&bytes[..length]).is_err(), "{length} bytes");
    }
    for bit in 0..8 * bytes.len() {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Policy::parse(&damaged).is_err(), "bit {bit}");
    }
}

fn vectors(policy: &Policy<Vec<u8>>) -> Vec<u8> {
    let mut observations = noise(3 * 40, 7, 3.0);
    observations[3 * 20] = f32::NAN;
    let (mut scratch, mut values) = (vec![f32::NAN; scratch_len(policy)], [0.0; 2]);
    let mut bytes = Vec::new();
    write(policy, &observations, &mut scratch, &mut values, |part| bytes.extend_from_slice(part)).unwrap();
    bytes
}

#[test]
fn vectors_are_sequences_that_start_anew_and_go_on_over_a_refusal() {
    let policy = policy();
    let bytes = vectors(&policy);
    assert_eq!(bytes[8..10], [2, 0]);
    let size = 1 + 3 * 4 + 2 * 4 + 2 * 8;
    let outcome = |vector: usize| bytes[24 + vector * size];
    assert_eq!([outcome(0), outcome(1), outcome(SEQUENCE), outcome(20), outcome(21)], [2, 0, 2, 1, 0]);
    let (mut scratch, mut values) = (vec![f32::NAN; scratch_len(&policy)], [f64::NAN; 2]);
    let report = replay(&policy, &bytes, &mut scratch, &mut values).unwrap();
    assert_eq!((report.acted, report.refused), (39, 1));

    // A port that forgets what it saw, or never forgets, computes something else: an earlier observation is changed.
    let mut other = bytes.clone();
    other[24 + size + 1] ^= 0x40;
    let body = other.len() - 4;
    let checksum = crc32(&other[..body]);
    other[body..].copy_from_slice(&checksum.to_le_bytes());
    let error = replay(&policy, &other, &mut scratch, &mut values).unwrap_err();
    assert!(matches!(error, ReplayError::Action { vector: 1, .. }), "{error}");
    // Vectors of a policy without memory are of another version.
    let without = Policy::parse(bytes_of(&CONTENTS)).unwrap();
    let error = replay(&without, &bytes, &mut scratch, &mut values).unwrap_err();
    assert_eq!(error, ReplayError::Format(FormatError::Version { found: 2 }));
}
