//! Vectors: written, replayed, and able to tell a difference.

use crate::fixture::{CONTENTS, bytes_of, noise};
use seawall_runtime::checksum::crc32;
use seawall_runtime::conformance::{ReplayError, Report, replay, scratch_len, write};
use seawall_runtime::format::Activation;
use seawall_runtime::network::Layer;
use seawall_runtime::{ActError, Contents, FormatError, Policy};

fn policy() -> Policy<Vec<u8>> {
    Policy::parse(bytes_of(&CONTENTS)).unwrap()
}

fn vectors_of(policy: &Policy<Vec<u8>>, observations: &[f32]) -> Vec<u8> {
    let (mut scratch, mut values) = (vec![0.0; scratch_len(policy)], vec![0.0; policy.action_len()]);
    let mut bytes = Vec::new();
    write(policy, observations, &mut scratch, &mut values, |part| bytes.extend_from_slice(part)).unwrap();
    bytes
}

fn replayed(policy: &Policy<Vec<u8>>, vectors: &[u8]) -> Result<Report, ReplayError> {
    let (mut scratch, mut values) = (vec![f32::NAN; scratch_len(policy)], vec![f64::NAN; policy.action_len()]);
    replay(policy, vectors, &mut scratch, &mut values)
}

/// 50 ordinary observations and two that must be refused.
fn observations() -> Vec<f32> {
    let mut observations = noise(150, 7, 4.0);
    observations.extend([0.0, f32::NAN, 0.0, f32::INFINITY, 0.0, 0.0]);
    observations
}

#[test]
fn vectors_replay_on_the_policy_that_they_were_made_for() {
    let policy = policy();
    assert_eq!(replayed(&policy, &vectors_of(&policy, &observations())), Ok(Report { acted: 50, refused: 2, held: 0 }));
}

#[test]
fn a_vector_holds_observation_action_and_values_at_their_documented_places() {
    let policy = policy();
    let bytes = vectors_of(&policy, &[0.25, 1.0, -0.5, f32::NAN, 0.0, 0.0]);
    let size = 1 + 3 * 4 + 2 * 4 + 2 * 8;
    assert_eq!(bytes.len(), 24 + 2 * size + 4);
    assert_eq!(bytes[..16], *b"SEAWVEC\0\x01\0\x03\0\x02\0\x02\0");
    assert_eq!(bytes[20..24], policy.bytes()[policy.bytes().len() - 4..]);
    let (mut scratch, mut action, mut values) = (vec![0.0; policy.scratch_len()], [0.0; 2], [0.0; 2]);
    policy.act(&[0.25, 1.0, -0.5], &mut scratch, &mut action).unwrap();
    policy.decode(&action, &mut values).unwrap();
    let acted = [
        vec![0],
        [0.25_f32, 1.0, -0.5].iter().flat_map(|x| x.to_le_bytes()).collect(),
        action.iter().flat_map(|x| x.to_le_bytes()).collect(),
        values.iter().flat_map(|x| x.to_le_bytes()).collect(),
    ];
    assert_eq!(bytes[24..24 + size], acted.concat());
    // A refused vector: outcome 1, no action, neutral values 1 and 0.5.
    let refused = &bytes[24 + size..24 + 2 * size];
    assert_eq!(refused[0], 1);
    assert_eq!(refused[13..21], [0; 8]);
    assert_eq!(refused[21..], [1.0_f64.to_le_bytes(), 0.5_f64.to_le_bytes()].concat());
}

#[test]
fn a_changed_weight_is_noticed_as_another_policy() {
    let layer = Layer { weight: &[0.5; 6], bias: &[0.0, 0.0] };
    let other = Policy::parse(bytes_of(&Contents { layers: &[(layer, Activation::Identity)], ..CONTENTS })).unwrap();
    let error = replayed(&other, &vectors_of(&policy(), &observations())).unwrap_err();
    assert!(matches!(error, ReplayError::Format(FormatError::OtherPolicy { .. })), "{error}");
}

/// Replaces bytes and makes the checksum right again: what a port that computes something else would write.
fn forged(bytes: &[u8], at: usize, replacement: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + replacement.len()].copy_from_slice(replacement);
    let body = bytes.len() - 4;
    let checksum = crc32(&bytes[..body]);
    bytes[body..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

#[test]
fn every_kind_of_difference_is_named() {
    let policy = policy();
    let bytes = vectors_of(&policy, &[0.25, 1.0, -0.5]);
    let differs = |at: usize| replayed(&policy, &forged(&bytes, at, &[bytes[at] ^ 1])).unwrap_err();
    assert!(matches!(differs(24), ReplayError::Outcome { vector: 0, refusal: None }));
    assert!(matches!(differs(24 + 13), ReplayError::Action { vector: 0, entry: 0, .. }));
    assert!(matches!(differs(24 + 21 + 8), ReplayError::Value { vector: 0, entry: 1, .. }));
    let missing = forged(&bytes, 24 + 1, &f32::NAN.to_le_bytes());
    assert!(matches!(
        replayed(&policy, &missing),
        Err(ReplayError::Outcome { vector: 0, refusal: Some(ActError::Observation { index: 0 }) })
    ));
}

#[test]
fn damaged_vectors_are_errors_and_never_panic() {
    let policy = policy();
    let bytes = vectors_of(&policy, &observations());
    for length in 0..bytes.len() {
        assert!(replayed(&policy, &bytes[..length]).is_err(), "{length} bytes");
    }
    for bit in 0..8 * bytes.len() {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(replayed(&policy, &damaged).is_err(), "bit {bit}");
    }
    // A count that disagrees with the length, behind a valid checksum.
    for count in [0_u16, 51, 53, u16::MAX] {
        assert!(replayed(&policy, &forged(&bytes, 14, &count.to_le_bytes())).is_err(), "{count} vectors");
    }
}

#[test]
fn half_an_observation_is_refused_before_anything_is_written() {
    let policy = policy();
    let mut written = 0;
    let (mut scratch, mut values) = (vec![0.0; scratch_len(&policy)], [0.0; 2]);
    let error = write(&policy, &[0.0; 4], &mut scratch, &mut values, |part| written += part.len()).unwrap_err();
    assert!(matches!(error, ReplayError::Buffer(ActError::Length { expected: 3, found: 1, .. })));
    assert_eq!(written, 0);
}
