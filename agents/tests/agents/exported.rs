//! Bytes as a policy.

use seawall_agents::export::{Learned, verify, write_runtime, write_vectors};
use seawall_agents::{Error, Exported, Policy};
use seawall_env::Spec;
use seawall_env::action::{ACTIONS, PARAMETERS};
use seawall_runtime::network::{self, Layer};

use crate::fixture::{Network, spec};

#[test]
fn an_exported_policy_acts_with_the_bits_of_runtime_and_trainer() {
    let source = Network::new(1);
    let (layers, bytes) = (source.layers(), source.bytes());
    let runtime = seawall_runtime::Policy::parse(bytes.as_slice()).unwrap();
    let mut exported = Exported::new("ppo", bytes.as_slice(), &spec()).unwrap();
    let mut copy = exported.boxed();
    let mut scratch = vec![0.0; runtime.scratch_len() + network::scratch_len(&layers, 1)];
    for step in 0_i16..200 {
        let observation: Vec<_> =
            (0..5_i16).map(|entry| f32::from((step * 37 + entry * 101) % 200 - 100) / 25.0).collect();
        let mut actions = [[0.0_f32; ACTIONS]; 4];
        runtime.act(&observation, &mut scratch, &mut actions[0]).unwrap();
        exported.act(&observation, &mut actions[1]);
        copy.act(&observation, &mut actions[2]);
        let mut input = [0.0; 5];
        network::normalise(&observation, &source.mean, &source.inverse_deviation, 4.0, &mut input);
        network::forward(&layers, &input, 1, &mut scratch, &mut actions[3]);
        let trained = actions[3].map(|entry| entry.clamp(-1.0, 1.0).to_bits());
        for action in &actions[..3] {
            assert_eq!(action.map(f32::to_bits), trained, "step {step}");
        }
    }
}

#[test]
fn decoding_has_the_bits_of_the_environment() {
    let bytes = Network::new(1).bytes();
    let runtime = seawall_runtime::Policy::parse(bytes.as_slice()).unwrap();
    for step in 0_i16..=400 {
        let entry = f32::from(step - 200) / 200.0;
        let mut values = [0.0; ACTIONS];
        runtime.decode(&[entry; ACTIONS], &mut values).unwrap();
        let expected = PARAMETERS.map(|parameter| parameter.decode(entry.into()).to_bits());
        assert_eq!(values.map(f64::to_bits), expected, "at {entry}");
    }
    let mut fallback = [0.0; ACTIONS];
    runtime.fallback(&mut fallback).unwrap();
    assert_eq!(fallback.map(f64::to_bits), PARAMETERS.map(|parameter| parameter.neutral.to_bits()));
}

fn differences(bytes: &[u8], spec: &Spec) -> Vec<String> {
    match Exported::new("ppo", bytes, spec) {
        Err(Error::Mismatch { differences, .. }) => differences.0.iter().map(ToString::to_string).collect(),
        other => panic!("must be a mismatch: {other:?}"),
    }
}

#[test]
fn an_environment_with_other_entries_is_refused_with_all_of_them() {
    let bytes = Network::new(1).bytes();
    let mut other = spec();
    other.observation[1] = "volatility_1d".to_owned();
    other.observation.push("dxy".to_owned());
    other.action[4] = "band".to_owned();
    assert_eq!(
        differences(&bytes, &other),
        [
            "observation: expected volatility_1d, found no such entry",
            "observation: expected dxy, found no such entry",
            "observation: expected no such entry, found volatility_1h",
            "action: expected band, found no such entry",
            "action: expected no such entry, found price_band",
        ]
    );
}

#[test]
fn entries_in_another_order_are_refused() {
    let mut other = spec();
    other.observation.swap(0, 4);
    assert_eq!(
        differences(&Network::new(1).bytes(), &other),
        ["observation[0]: expected vix, found return_1m", "observation[4]: expected return_1m, found vix"]
    );
}

#[test]
fn parameters_with_other_bounds_are_refused() {
    // As if the environment's bounds had moved since the export.
    let source = Network::new(1);
    let bytes = source.bytes();
    let policy = seawall_runtime::Policy::parse(bytes.as_slice()).unwrap();
    let mut parameters: Vec<_> = policy.parameters().collect();
    (parameters[0].high, parameters[2].unit) = (5.0, "dollars");
    let layers = source.layers();
    let after = [seawall_runtime::format::Activation::Tanh, seawall_runtime::format::Activation::Identity];
    let layers: Vec<_> = layers.into_iter().zip(after).collect();
    let contents = seawall_runtime::Contents {
        observation: &crate::fixture::NAMES,
        mean: &source.mean,
        inverse_deviation: &source.inverse_deviation,
        clip: 4.0,
        memory: None,
        layers: &layers,
        parameters: &parameters,
        shield: None,
    };
    let mut moved = Vec::new();
    seawall_runtime::write(&contents, |part| moved.extend_from_slice(part)).unwrap();
    assert_eq!(
        differences(&moved, &spec()),
        [
            "preemption.high: expected 200.0, found 5.0",
            "capacity.unit: expected \"5 % depth per minute\", found \"dollars\"",
        ]
    );
}

#[test]
fn bytes_that_are_no_policy_are_refused() {
    assert!(matches!(Exported::new("ppo", &b"SEAWALL?"[..], &spec()), Err(Error::Format(_))));
}

#[test]
#[should_panic(expected = "ppo refused to act: entry 2 of the observation is not finite")]
fn a_missing_observation_is_a_broken_environment() {
    let mut policy = Exported::new("ppo", Network::new(1).bytes(), &spec()).unwrap();
    policy.act(&[0.0, 0.0, f32::NAN, 0.0, 0.0], &mut [0.0; ACTIONS]);
}

#[test]
fn networks_of_the_wrong_shape_are_refused_with_every_problem() {
    let source = Network::new(1);
    let [first, last] = source.layers();
    let fields = |learned: &Learned<'_>| match write_runtime(learned) {
        Err(Error::Invalid(problems)) => problems.0.into_iter().map(|problem| problem.field).collect::<Vec<_>>(),
        other => panic!("must be invalid: {other:?}"),
    };
    let short = Layer { weight: &first.weight[1..], ..first };
    let narrow = Layer { weight: &last.weight[..96], bias: &last.bias[..12] };
    let layers = [short, narrow];
    let learned = Learned { mean: &source.mean[1..], ..source.learned(&layers) };
    assert_eq!(fields(&learned), ["mean.len", "layers[0].weight.len", "outputs"]);
    assert_eq!(fields(&source.learned(&[])), ["outputs", "layers.len"]);

    let layers = source.layers();
    let infinite = [f32::INFINITY; 5];
    let learned = Learned { mean: &infinite, ..source.learned(&layers) };
    assert!(matches!(write_runtime(&learned), Err(Error::Format(_))));
}

#[test]
fn what_is_remembered_lasts_for_the_episode_and_replays_from_its_vectors() {
    let source = Network::new(1);
    // A memory of 8 units in front of the second layer, which reads as many.
    let noise = |count: usize, scale: f32| -> Vec<f32> {
        (0_u16..).take(count).map(|k| scale * (f32::from(k * 37 % 19) / 9.0 - 1.0)).collect()
    };
    let weights: [Vec<f32>; 4] = [noise(5 * 24, 0.7), noise(24, 0.2), noise(8 * 24, 0.5), noise(24, 0.1)];
    let memory = seawall_runtime::Gru {
        input: Layer { weight: &weights[0], bias: &weights[1] },
        state: Layer { weight: &weights[2], bias: &weights[3] },
    };
    let layers = source.layers();
    let learned = Learned { memory: Some(memory), layers: &layers[1..], ..source.learned(&layers) };
    let bytes = write_runtime(&learned).unwrap();
    let vectors = write_vectors(&bytes, 3).unwrap();
    assert!(verify(&bytes, &vectors).unwrap().acted > 256);

    let mut policy = Exported::new("remembers", bytes, &spec()).unwrap();
    let act = |policy: &mut Exported, observation: f32| {
        let mut action = [0.0_f32; ACTIONS];
        policy.act(&[observation; 5], &mut action);
        action.map(f32::to_bits)
    };
    policy.reset(1);
    let first = act(&mut policy, 0.3);
    let second = act(&mut policy, 0.3);
    assert_ne!(first, second, "what was seen before must matter");
    let mut copy = policy.clone();
    assert_eq!(act(&mut copy, -0.2), act(&mut policy, -0.2), "a copy remembers the same");
    policy.reset(2);
    assert_eq!(act(&mut policy, 0.3), first, "an episode starts without a memory");

    let bad = seawall_runtime::Gru { state: Layer { weight: &weights[2], bias: &weights[3][..21] }, ..memory };
    let error = write_runtime(&Learned { memory: Some(bad), ..learned }).unwrap_err().to_string();
    assert!(error.contains("memory.input.bias.len") && error.contains("layers[0].weight.len"), "{error}");
}
