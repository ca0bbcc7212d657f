//! Conformance vectors of a whole export.

use seawall_agents::Error;
use seawall_agents::export::{VECTORS_MIN, verify, write_vectors};
use seawall_runtime::conformance::{self, ReplayError};
use seawall_runtime::{FormatError, Policy};

use crate::fixture::Network;

#[test]
fn vectors_replay_and_reach_the_clip_on_both_sides_of_every_entry() {
    let bytes = Network::new(1).bytes();
    let vectors = write_vectors(&bytes, 3).unwrap();
    let report = verify(&bytes, &vectors).unwrap();
    // The mean, 6 edges twice, 5 entries twice, 4 extremes, 256 random; 3 places with 3 values each that must be refused.
    assert_eq!((report.acted, report.refused), (1 + 12 + 10 + 4 + 256, 9));

    let policy = Policy::parse(bytes.as_slice()).unwrap();
    let size = 1 + 4 * 5 + 12 * 13;
    let mut sides = [[0_u32; 3]; 5];
    for vector in vectors[24..vectors.len() - 4].chunks_exact(size).take(report.acted) {
        let (words, _) = vector[1..21].as_chunks::<4>();
        for ((word, (mean, inverse)), counts) in words.iter().zip(policy.statistics()).zip(&mut sides) {
            let distance = (f32::from_le_bytes(*word) - mean) * inverse;
            counts[usize::from(distance > -4.0) + usize::from(distance >= 4.0)] += 1;
        }
    }
    for counts in sides {
        assert!(counts[0] > 10 && counts[1] > 100 && counts[2] > 10, "below, within and above the clip: {counts:?}");
    }
}

#[test]
fn the_seed_decides_the_bytes() {
    let bytes = Network::new(1).bytes();
    assert_eq!(write_vectors(&bytes, 3).unwrap(), write_vectors(&bytes, 3).unwrap());
    assert_ne!(write_vectors(&bytes, 3).unwrap(), write_vectors(&bytes, 4).unwrap());
}

#[test]
fn vectors_of_another_policy_do_not_replay() {
    let vectors = write_vectors(&Network::new(1).bytes(), 3).unwrap();
    let error = verify(&Network::new(2).bytes(), &vectors).unwrap_err();
    assert!(matches!(error, Error::Replay(ReplayError::Format(FormatError::OtherPolicy { .. }))), "{error}");
}

#[test]
fn a_file_that_proves_little_does_not_pass() {
    let bytes = Network::new(1).bytes();
    let policy = Policy::parse(bytes.as_slice()).unwrap();
    let mut scratch = vec![0.0; conformance::scratch_len(&policy)];
    let mut values = [0.0; 13];
    for (acted, refused) in [(0, 0), (VECTORS_MIN - 1, 1), (VECTORS_MIN, 0)] {
        let mut observations = vec![0.0; 5 * acted];
        observations.extend(vec![f32::NAN; 5 * refused]);
        let mut vectors = Vec::new();
        let sink = |part: &[u8]| vectors.extend_from_slice(part);
        conformance::write(&policy, &observations, &mut scratch, &mut values, sink).unwrap();
        let error = verify(&bytes, &vectors).unwrap_err();
        assert!(
            matches!(error, Error::TooFewVectors { acted: a, refused: r } if (a, r) == (acted, refused)),
            "{error}"
        );
    }
}
