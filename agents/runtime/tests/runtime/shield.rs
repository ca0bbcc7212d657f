//! Policies behind a shield: their bytes, what the projection does by hand, their vectors.

use proptest::prelude::*;
use seawall_runtime::checksum::crc32;
use seawall_runtime::conformance::{ReplayError, replay, scratch_len, write};
use seawall_runtime::format::{Activation, Group, Parameter, Scale};
use seawall_runtime::network::Layer;
use seawall_runtime::shield::{Constants, Held, Observed, Shield};
use seawall_runtime::{Contents, FormatError, Gru, Policy};

use crate::fixture::{bytes_of, noise};

/// Entries of the observation: those that the shield reads, in its order, and one more.
const NAMES: [&str; 17] = [
    "fund",
    "inventory",
    "in_liquidation",
    "v1",
    "v2",
    "v3",
    "l1",
    "l2",
    "l3",
    "l4",
    "s1",
    "s2",
    "s3",
    "s4",
    "preemption",
    "maintenance",
    "price",
];
const SHARE: usize = 3;
const PREEMPTION: usize = 0;

const fn parameter(
    name: &'static str,
    scale: Scale,
    group: Group,
    bounds: [f64; 3],
    max_change: f64,
) -> Parameter<'static> {
    let [low, high, neutral] = bounds;
    Parameter { name, unit: "1", scale, group, low, high, neutral, max_change }
}

const PARAMETERS: [Parameter<'static>; 4] = [
    parameter("preemption", Scale::Linear, Group::Fast, [0.0, 200.0, 0.0], 2.0),
    parameter("initial", Scale::Log, Group::Slow, [0.75, 4.0, 1.0], 0.5),
    parameter("maintenance", Scale::Log, Group::Slow, [0.75, 1.5, 1.0], 0.5),
    parameter("share", Scale::Linear, Group::Fast, [0.0, 1.0, 0.0], 2.0),
];

fn shield() -> Shield {
    Shield {
        constants: Constants {
            quantile: 2.0,
            horizon_seconds: 31_557_600.0 * 3.0 / 100.0,
            impact: 0.2,
            reference_volatility: 0.5,
            fund: 0.01,
            initial_margin_floor: 1.0,
            maintenance_margin_floor: 1.0,
        },
        observed: Observed {
            fund: 0,
            inventory: 1,
            in_liquidation: 2,
            volatilities: [3, 4, 5],
            within: [[6, 7, 8, 9], [10, 11, 12, 13]],
            triggers: [14, 15],
        },
        triggers: [0, 2],
        initial_margin: Held::of(1, &PARAMETERS[1]),
        maintenance_margin: Held::of(2, &PARAMETERS[2]),
        internalised_share: Held::of(SHARE, &PARAMETERS[SHARE]),
    }
}

/// A linear policy over seeded weights.
struct Weights([Vec<f32>; 2]);

impl Weights {
    fn new(seed: u32) -> Self {
        let mut bias = noise(4, seed + 1, 0.8);
        // Margins above their floors as often as not.
        (bias[1], bias[2]) = (0.5, 1.5);
        Self([noise(17 * 4, seed, 0.4), bias])
    }

    fn bytes(&self, shield: Option<Shield>, parameters: &[Parameter<'_>]) -> Vec<u8> {
        let layer = Layer { weight: &self.0[0], bias: &self.0[1] };
        bytes_of(&Contents {
            observation: &NAMES,
            mean: &[0.0; 17],
            inverse_deviation: &[1.0; 17],
            clip: 10.0,
            memory: None,
            layers: &[(layer, Activation::Tanh)],
            parameters,
            shield,
        })
    }
}

fn policy() -> Policy<Vec<u8>> {
    Policy::parse(Weights::new(1).bytes(Some(shield()), &PARAMETERS)).unwrap()
}

#[test]
fn a_file_with_a_shield_is_of_version_3_and_holds_all_of_it() {
    let policy = policy();
    assert_eq!(policy.bytes()[8..10], [3, 0]);
    assert_eq!(policy.shield(), Some(shield()));
    // The last thing before the checksum: 21 places and 7 constants, the last of which is a floor of 1.
    let (without, length) = (Weights::new(1).bytes(None, &PARAMETERS), policy.bytes().len());
    assert_eq!(length, without.len() + 21 * 2 + 7 * 8);
    assert_eq!(policy.bytes()[length - 12..length - 4], 1.0_f64.to_le_bytes());
    let without = Policy::parse(without).unwrap();
    assert_eq!((without.version(), without.shield()), (1, None));
    let [input, state] = [noise(17 * 6, 5, 0.3), noise(2 * 6, 6, 0.3)];
    let (gates, out) = ([0.0; 6], noise(2 * 4, 7, 0.5));
    let memory = Gru { input: Layer { weight: &input, bias: &gates }, state: Layer { weight: &state, bias: &gates } };
    let both = Policy::parse(bytes_of(&Contents {
        observation: &NAMES,
        mean: &[0.0; 17],
        inverse_deviation: &[1.0; 17],
        clip: 10.0,
        memory: Some(memory),
        layers: &[(Layer { weight: &out, bias: &[0.0; 4] }, Activation::Tanh)],
        parameters: &PARAMETERS,
        shield: Some(shield()),
    }))
    .unwrap();
    assert_eq!((both.version(), both.state_len(), both.shield()), (4, 2, Some(shield())));
}

/// An observation in which the fund has what it had at reset, nothing is held and nothing forced.
fn quiet() -> [f32; 17] {
    let mut observation = [0.0; 17];
    // Equity of 1: symmetric logarithm log(2). Triggers stand as high as they can.
    (observation[0], observation[14], observation[15]) = (std::f32::consts::LN_2, 1.0, 1.0);
    observation
}

#[test]
fn the_projection_is_the_one_derived_by_hand() {
    let shield = shield();
    // z = 2, σ v / √year · √(T / 3) = 0.5 · √(1 / 100) = 0.05: 0.1 of risk and half of 0.2 of impact, 0.2 per dollar.
    assert!((shield.capital(1.0, 1.0) - 0.2).abs() < 1e-15);
    // Equity of 0.01 bears 0.05; half of what may come, 0.1 of open interest: a tenth on the longs' side, log(1 + 1).
    let mut observation = quiet();
    observation[6] = std::f32::consts::LN_2;
    let backstop = shield.read(&observation);
    assert!((backstop.equity - 0.01).abs() < 1e-9 && (backstop.exposed - 0.1).abs() < 1e-8, "{backstop:?}");
    let project = |observation: &[f32], mut action: [f32; 4]| {
        let is_changed = shield.project(observation, &mut action);
        (action, is_changed)
    };
    let (action, is_changed) = project(&observation, [0.0, 0.9, 0.9, 1.0]);
    assert!(is_changed && action[SHARE].abs() < 1e-6 && action[..SHARE] == [0.0, 0.9, 0.9], "{action:?}");
    // A lesser share passes, and so does all where what may come fits.
    assert_eq!(project(&observation, [0.0, 0.9, 0.9, -0.5]), ([0.0, 0.9, 0.9, -0.5], false));
    assert_eq!(project(&quiet(), [0.0, 0.9, 0.9, 1.0]), ([0.0, 0.9, 0.9, 1.0], false));
    // Nothing while a trigger rises, or after the fund is spent.
    observation[14] = -0.1;
    assert_eq!(project(&observation, [0.0, 0.9, 0.9, 1.0]), ([0.0, 0.9, 0.9, -1.0], true));
    let spent = [&[0.0], &quiet()[1..]].concat();
    assert_eq!(project(&spent, [0.0, 0.9, 0.9, 1.0]).0[SHARE], -1.0);
    // Floors of 1: the least action that decodes to 1 or more, 2 log(1 / 0.75) / log(4 / 0.75) - 1 = -0.6563 for one.
    let (action, is_changed) = project(&quiet(), [-1.0, -1.0, -1.0, -1.0]);
    assert!(is_changed && (action[1] + 0.656_3).abs() < 1e-4, "{action:?}");
    for (held, entry) in [(shield.initial_margin, action[1]), (shield.maintenance_margin, action[2])] {
        assert!(held.decode(entry) >= 1.0 && held.decode(entry.next_down()) < 1.0, "the least of them");
    }
}

proptest! {
    #[test]
    fn a_policy_behind_its_shield_is_the_bare_one_projected_to_the_bit(
        seed in 0_u32..50,
        observation in proptest::collection::vec(prop_oneof![
            8 => -3.0_f32..3.0,
            1 => prop_oneof![Just(f32::MAX), Just(f32::MIN), Just(0.0), Just(-0.0), Just(f32::MIN_POSITIVE)],
        ], 17),
    ) {
        let weights = Weights::new(seed);
        let [bare, behind] =
            [None, Some(shield())].map(|shield| Policy::parse(weights.bytes(shield, &PARAMETERS)).unwrap());
        let (mut scratch, mut expected, mut action) = (vec![0.0; bare.scratch_len()], [0.0; 4], [0.0; 4]);
        let outcome = bare.act(&observation, &mut scratch, &mut expected);
        let is_held = behind.act(&observation, &mut scratch, &mut action);
        prop_assert_eq!(is_held.is_ok(), outcome.is_ok());
        if outcome.is_ok() {
            prop_assert_eq!(is_held.unwrap(), shield().project(&observation, &mut expected));
            prop_assert_eq!(action.map(f32::to_bits), expected.map(f32::to_bits));
            prop_assert!(behind.decode(&action, &mut [0.0; 4]).is_ok(), "{:?}", action);
            prop_assert!(!shield().project(&observation, &mut action), "a projection is where it stays");
        }
    }
}

#[test]
fn what_cannot_keep_its_promise_is_refused() {
    let refusal = |shield: Shield, parameters: &[Parameter<'_>]| {
        Policy::parse(Weights::new(1).bytes(Some(shield), parameters)).unwrap_err()
    };
    let constants = shield().constants;
    for (wrong, field) in [
        (Constants { quantile: -0.1, ..constants }, "quantile"),
        (Constants { horizon_seconds: 0.0, ..constants }, "horizon"),
        (Constants { impact: f64::NAN, ..constants }, "impact"),
        (Constants { reference_volatility: f64::INFINITY, ..constants }, "reference volatility"),
        (Constants { fund: 0.0, ..constants }, "fund"),
        (Constants { initial_margin_floor: 1.1, ..constants }, "initial margin"),
        (Constants { maintenance_margin_floor: 0.5, ..constants }, "maintenance margin"),
    ] {
        let shield = Shield { constants: wrong, ..shield() };
        assert_eq!(refusal(shield, &PARAMETERS), FormatError::Shield { field }, "{wrong:?}");
    }
    let blind = Observed { fund: 17, ..shield().observed };
    let error = refusal(Shield { observed: blind, ..shield() }, &PARAMETERS);
    assert_eq!(error, FormatError::Shield { field: "entry of the observation" });
    let error = refusal(Shield { triggers: [0, 4], ..shield() }, &PARAMETERS);
    assert_eq!(error, FormatError::Shield { field: "entry of the action" });
    for wrong in [
        Parameter { max_change: 0.5, ..PARAMETERS[SHARE] },
        Parameter { group: Group::Slow, ..PARAMETERS[SHARE] },
        Parameter { neutral: 0.1, ..PARAMETERS[SHARE] },
        Parameter { high: 2.0, ..PARAMETERS[SHARE] },
    ] {
        let parameters = [PARAMETERS[0], PARAMETERS[1], PARAMETERS[2], wrong];
        let shield = Shield { internalised_share: Held::of(SHARE, &wrong), ..shield() };
        assert_eq!(refusal(shield, &parameters), FormatError::Shield { field: "internalised share" }, "{wrong:?}");
    }
}

#[test]
fn every_flipped_bit_and_every_truncation_is_an_error() {
    let bytes = policy().bytes().to_vec();
    for length in 0..bytes.len() {
        assert!(Policy::parse(&bytes[..length]).is_err(), "{length} bytes");
    }
    for bit in 0..8 * bytes.len() {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Policy::parse(&damaged).is_err(), "bit {bit}");
    }
}

/// Makes the checksum right again: what a port that computes something else would write.
fn forged(bytes: &[u8], at: usize, replacement: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] = replacement;
    let body = bytes.len() - 4;
    let checksum = crc32(&bytes[..body]);
    bytes[body..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

#[test]
fn vectors_say_where_the_shield_acted_and_a_port_without_one_fails_them() {
    let policy = policy();
    let mut observations = noise(17 * 40, 3, 1.0);
    for row in observations.chunks_exact_mut(17).step_by(2) {
        // A fund that can bear the little that may come.
        row[1..14].iter_mut().for_each(|entry| *entry *= 0.05);
        (row[0], row[14], row[15]) = (std::f32::consts::LN_2, 1.0, 1.0);
    }
    observations[17 * 7] = f32::NAN;
    let (mut scratch, mut values) = (vec![0.0; scratch_len(&policy)], [0.0; 4]);
    let mut vectors = Vec::new();
    write(&policy, &observations, &mut scratch, &mut values, |part| vectors.extend_from_slice(part)).unwrap();
    assert_eq!(vectors[8..10], [3, 0]);
    let report = replay(&policy, &vectors, &mut scratch, &mut values).unwrap();
    assert_eq!((report.acted, report.refused), (39, 1));
    assert!(report.held > 5 && report.held < 37, "both must occur: {report:?}");

    let size = 1 + 17 * 4 + 4 * 4 + 4 * 8;
    let outcomes: Vec<u8> = (0..40).map(|vector| vectors[24 + vector * size]).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == 4).count(), report.held);
    let held = outcomes.iter().position(|outcome| *outcome == 4).unwrap();
    let error = replay(&policy, &forged(&vectors, 24 + held * size, 0), &mut scratch, &mut values).unwrap_err();
    assert_eq!(error, ReplayError::Held { vector: held, is_held: true });
    // The bare network's answer on the same observation is another one.
    let bare = Policy::parse(Weights::new(1).bytes(None, &PARAMETERS)).unwrap();
    let (mut own, mut shielded) = ([0.0; 4], [0.0; 4]);
    let row = &observations[held * 17..(held + 1) * 17];
    bare.act(row, &mut scratch, &mut own).unwrap();
    assert!(policy.act(row, &mut scratch, &mut shielded).unwrap());
    assert_ne!(own, shielded);
    // A trigger's entry is read and never changed.
    assert_eq!(own[PREEMPTION].to_bits(), shielded[PREEMPTION].to_bits());
}
