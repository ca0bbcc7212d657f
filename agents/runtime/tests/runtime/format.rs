//! The bytes: golden, refused when damaged, refused when contradictory.

use crate::fixture::{CONTENTS, PARAMETERS, bytes_of};
use proptest::prelude::*;
use seawall_runtime::checksum::{crc32, fnv64};
use seawall_runtime::format::{Activation, Parameter};
use seawall_runtime::network::Layer;
use seawall_runtime::{Contents, FormatError, Policy, write};

/// The format's documentation spelled out by hand, field after field.
fn by_hand() -> Vec<u8> {
    let text = |text: &str| [&u16::try_from(text.len()).unwrap().to_le_bytes()[..], text.as_bytes()].concat();
    let singles = |numbers: &[f32]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>();
    let doubles = |numbers: &[f64]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>();
    let names = [text("return_1m"), text("depth_100bp"), text("fund")].concat();
    let parameters = [
        text("capacity"),
        text("1 % depth per minute"),
        vec![1, 0],
        doubles(&[0.25, 4.0, 1.0, 2.0]),
        text("fund_contribution"),
        text("basis points"),
        vec![0, 1],
        doubles(&[0.0, 4.0, 0.5, 0.5]),
    ]
    .concat();
    let body = [
        names.clone(),
        singles(&[0.0, 1.0, -0.5, 1.0, 2.0, 0.5]),
        vec![3, 0, 3, 0, 1],
        singles(&[0.5, -0.25, 1.0, 0.125, 2.0, -1.0, 0.0, 0.75, -0.5, 0.0, 0.5, -0.5]),
        vec![3, 0, 2, 0, 0],
        singles(&[1.0, -1.0, 0.5, 0.25, -2.0, 0.0, 0.125, -0.25]),
        parameters.clone(),
    ]
    .concat();
    let length = u32::try_from(40 + body.len() + 4).unwrap();
    let mut file = [
        &b"SEAWALL\0"[..],
        &[1, 0, 3, 0, 2, 0, 2, 0],
        &length.to_le_bytes(),
        &5.0_f32.to_le_bytes(),
        &fnv64(&names).to_le_bytes(),
        &fnv64(&parameters).to_le_bytes(),
        &body,
    ]
    .concat();
    file.extend(crc32(&file).to_le_bytes());
    file
}

#[test]
fn written_bytes_are_those_of_the_documentation() {
    let bytes = bytes_of(&CONTENTS);
    assert_eq!(bytes, by_hand());
    // Files of version 1 are out in the world: these numbers may only change with the version.
    assert_eq!((bytes.len(), crc32(&bytes[..bytes.len() - 4])), (GOLDEN_LENGTH, GOLDEN_CHECKSUM));
}

const GOLDEN_LENGTH: usize = 321;
const GOLDEN_CHECKSUM: u32 = 0x656c_d77b;

#[test]
fn everything_written_is_read_back() {
    let policy = Policy::parse(bytes_of(&CONTENTS)).unwrap();
    assert_eq!(policy.observation_names().collect::<Vec<_>>(), CONTENTS.observation);
    assert_eq!(policy.parameters().collect::<Vec<_>>(), PARAMETERS);
    assert_eq!(policy.statistics().collect::<Vec<_>>(), [(0.0, 1.0), (1.0, 2.0), (-0.5, 0.5)]);
    assert_eq!(policy.clip().to_bits(), CONTENTS.clip.to_bits());
    assert_eq!(policy.layers().count(), CONTENTS.layers.len());
    for (view, (layer, activation)) in policy.layers().zip(CONTENTS.layers) {
        assert_eq!(view.activation, *activation);
        assert!(view.weight.iter().map(|word| f32::from_le_bytes(*word)).eq(layer.weight.iter().copied()));
        assert!(view.bias.iter().map(|word| f32::from_le_bytes(*word)).eq(layer.bias.iter().copied()));
    }
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = bytes_of(&CONTENTS);
    for length in 0..bytes.len() {
        assert!(Policy::parse(&bytes[..length]).is_err(), "{length} bytes");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(matches!(Policy::parse(&longer), Err(FormatError::Length { .. })));
}

#[test]
fn every_flipped_bit_is_an_error() {
    let bytes = bytes_of(&CONTENTS);
    for bit in 0..8 * bytes.len() {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Policy::parse(&damaged).is_err(), "bit {bit}");
    }
}

/// Parses `contents` and says why it was refused.
fn refusal(contents: &Contents<'_>) -> FormatError {
    Policy::parse(bytes_of(contents)).unwrap_err()
}

#[test]
fn contradictory_contents_are_refused_with_their_reason() {
    let good = CONTENTS;
    let duplicate = ["fund", "depth_100bp", "fund"];
    assert_eq!(
        refusal(&Contents { observation: &duplicate, ..good }),
        FormatError::Duplicate { list: "observation entries", index: 2 }
    );
    let nameless = ["return_1m", "", "fund"];
    assert_eq!(refusal(&Contents { observation: &nameless, ..good }), FormatError::Text { position: 51 });
    // 40 bytes of header and 30 of names: means at 70, deviations at 82.
    assert_eq!(refusal(&Contents { mean: &[0.0, f32::NAN, 0.0], ..good }), FormatError::Number { position: 70 });
    assert_eq!(
        refusal(&Contents { inverse_deviation: &[1.0, 0.0, 1.0], ..good }),
        FormatError::Number { position: 82 }
    );
    for clip in [0.0, -1.0, f32::INFINITY, f32::NAN] {
        assert_eq!(refusal(&Contents { clip, ..good }), FormatError::Number { position: 20 }, "{clip}");
    }
    assert_eq!(refusal(&Contents { layers: &[], ..good }), FormatError::Empty { list: "layers" });
    assert_eq!(refusal(&Contents { parameters: &[], ..good }), FormatError::Empty { list: "parameters" });
    assert_eq!(
        refusal(&Contents { layers: &good.layers[1..], parameters: &PARAMETERS[..1], ..good }),
        FormatError::Shape { layer: 0, expected: 1, found: 2 }
    );
    assert_eq!(
        refusal(&Contents { layers: &[good.layers[1], good.layers[1]], ..good }),
        FormatError::Shape { layer: 1, expected: 2, found: 3 }
    );
    let infinite = Layer { weight: &[0.0, 0.0, 0.0, 0.0, f32::INFINITY, 0.0], bias: &[0.0, 0.0] };
    assert_eq!(
        refusal(&Contents { layers: &[(infinite, Activation::Tanh)], ..good }),
        FormatError::Number { position: 94 }
    );
}

#[test]
fn parameters_with_contradictory_bounds_are_refused() {
    let [log, linear] = PARAMETERS;
    let bad = [
        Parameter { low: 0.0, ..log },
        Parameter { low: 4.0, ..log },
        Parameter { high: f64::INFINITY, ..log },
        Parameter { neutral: 0.2, ..log },
        Parameter { neutral: f64::NAN, ..log },
        Parameter { max_change: 0.0, ..log },
        Parameter { max_change: 2.5, ..log },
        Parameter { low: f64::NEG_INFINITY, scale: linear.scale, ..log },
    ];
    for parameter in bad {
        let parameters = [parameter, linear];
        assert_eq!(refusal(&Contents { parameters: &parameters, ..CONTENTS }), FormatError::Bounds { parameter: 0 });
    }
    let twins = [log, Parameter { name: log.name, ..linear }];
    assert_eq!(
        refusal(&Contents { parameters: &twins, ..CONTENTS }),
        FormatError::Duplicate { list: "parameters", index: 1 }
    );
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let name = "x".repeat(65_536);
    let mut written = 0;
    let contents = Contents { observation: &["a", "b", &name], ..CONTENTS };
    let error = write(&contents, |bytes| written += bytes.len()).unwrap_err();
    assert_eq!((error, written), (FormatError::TooLarge { field: "a text", size: 65_536 }, 0));
}

/// Makes magic, version, length and checksum right again, so that the damage reaches what lies behind them.
fn mend(bytes: &mut [u8]) {
    let body = bytes.len() - 4;
    bytes[..10].copy_from_slice(b"SEAWALL\0\x01\0");
    bytes[16..20].copy_from_slice(&u32::try_from(body + 4).unwrap().to_le_bytes());
    let checksum = crc32(&bytes[..body]);
    bytes[body..].copy_from_slice(&checksum.to_le_bytes());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Policy::parse(&bytes).is_err());
    }

    /// Damage behind a valid checksum is either refused, or leaves a policy whose every accessor works.
    #[test]
    fn mended_damage_never_panics(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = bytes_of(&CONTENTS);
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(44 + cut.index(bytes.len() - 44));
        }
        mend(&mut bytes);
        if let Ok(policy) = Policy::parse(&bytes) {
            let mut scratch = vec![0.0; policy.scratch_len()];
            let (mut action, mut values) = (vec![0.0; policy.action_len()], vec![0.0; policy.action_len()]);
            let observation = vec![0.25; policy.observation_len()];
            let _ = policy.act(&observation, &mut scratch, &mut action);
            prop_assert_eq!(policy.decode(&vec![0.5; policy.action_len()], &mut values), Ok(()));
            prop_assert!(values.iter().all(|value| value.is_finite()));
            prop_assert_eq!(policy.observation_names().count(), policy.observation_len());
        }
    }
}
