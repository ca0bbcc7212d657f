//! A predictor in the market, its vectors, and what a parameter file says of it.

use std::sync::Arc;

use seawall_agents::export::{ParameterFile, PredictorEntry, Story, write_vectors};
use seawall_agents::foresight::{self, FEATURES, GROUP};
use seawall_agents::{Error, Foresight};
use seawall_env::action::{ACTIONS, Controls};
use seawall_env::liquidation::presets;
use seawall_env::observation::{FEATURES_COUNT, features};
use seawall_env::scenario::{ClockConfig, RewardConfig, Scenario};
use seawall_env::spaces::Feature;
use seawall_env::{CascadeEnv, Env, Groups, Problems, Task};
use seawall_runtime::bars::INPUTS;
use seawall_runtime::network::Layer;
use seawall_runtime::predictor::{HORIZONS, LAW, OUTPUT_NAMES, PredictorContents, write_predictor};

use crate::fixture::{self, Network, story};

const LAWS: usize = LAW * HORIZONS.len();

/// Numbers without structure in `[-1, 1]`, from a linear congruential generator.
fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let draw = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from(u16::try_from(state >> 16).unwrap()) / 32_768.0 - 1.0
    };
    (0..count).map(draw).collect()
}

/// One member of a linear network, over bars of ten seconds.
fn predictor(seed: u32) -> Vec<u8> {
    let (weight, bias) = (noise(INPUTS.len() * LAWS, seed), noise(LAWS, seed + 1));
    let still = (vec![0.0; INPUTS.len() * LAWS], vec![0.0; LAWS]);
    let layers = [Layer { weight: &still.0, bias: &still.1 }, Layer { weight: &weight, bias: &bias }];
    let contents = PredictorContents {
        bar_ms: 10_000,
        reference: [1e-6; 3],
        mean: &[-10.0; INPUTS.len()],
        scale: &[0.05; INPUTS.len()],
        members: &[&layers],
    };
    let mut bytes = Vec::new();
    write_predictor(&contents, |part| bytes.extend_from_slice(part)).unwrap();
    bytes
}

fn env(bytes: Vec<u8>) -> CascadeEnv {
    let mut scenario = Scenario::shipped("crash_day").unwrap();
    scenario.clock = ClockConfig { tick_seconds: 5.0, ticks_per_decision: 4, decisions: 12, slow_interval: 4 };
    scenario.traders.accounts = 64;
    let rules = presets::by_name("seawall").unwrap();
    let task = Task::new(vec![scenario], rules, RewardConfig::default(), Groups::default()).unwrap();
    CascadeEnv::new(Arc::new(task.reading(Arc::new(Foresight::new(bytes).unwrap()))))
}

#[test]
fn forecasts_stand_behind_every_tasks_features_and_move_with_the_bars() {
    let mut env = env(predictor(3));
    assert_eq!(env.spec().observation[FEATURES_COUNT..], OUTPUT_NAMES);
    let mut observation = vec![0.0; FEATURES_COUNT + OUTPUT_NAMES.len()];
    env.reset(1, &mut observation);
    let average = observation[FEATURES_COUNT..].to_vec();
    let mut rows = vec![average.clone()];
    let action: [f32; ACTIONS] = Controls::default().encode();
    while !env.step(&action, &mut observation).status.is_over() {
        rows.push(observation[FEATURES_COUNT..].to_vec());
    }
    assert!(rows.windows(2).all(|pair| pair[0] != pair[1]), "two bars close in every decision");
    // Every episode begins with the average moment.
    env.reset(2, &mut observation);
    assert_eq!(observation[FEATURES_COUNT..], average);
    assert!(FEATURES.iter().zip(OUTPUT_NAMES).all(|(feature, name)| feature.name == name && feature.group == GROUP));
    assert!(features().iter().all(|feature| feature.group != GROUP));
}

#[test]
fn bars_of_broken_ticks_and_bytes_that_are_none_are_refused() {
    let foresight = Foresight::new(predictor(3)).unwrap();
    let problems = |seconds: f64| {
        let mut problems = Problems::default();
        foresight.validate("observation.predictor", ("calm", seconds), &mut problems);
        problems.to_string()
    };
    assert_eq!(problems(2.5), "");
    assert!(problems(3.0).starts_with("observation.predictor = bars of 10000 ms: "), "{}", problems(3.0));
    assert!(!problems(20.0).is_empty());
    assert!(matches!(Foresight::new(vec![0; 40]), Err(Error::Predictor(_))));
}

#[test]
fn vectors_are_the_same_again_and_belong_to_one_predictor() {
    let bytes = predictor(3);
    let vectors = foresight::write_vectors(&bytes, 7).unwrap();
    assert_eq!(foresight::write_vectors(&bytes, 7).unwrap(), vectors);
    assert_eq!(foresight::verify(&bytes, &vectors).unwrap(), 400);
    assert!(matches!(foresight::verify(&predictor(5), &vectors), Err(Error::Replay(_))));
    let mut cut = vectors.clone();
    cut.truncate(vectors.len() - 1);
    assert!(foresight::verify(&bytes, &cut).is_err());
}

/// A small policy that observes forecasts and nothing else but its first entry.
fn described(entry: Option<PredictorEntry>) -> Result<(ParameterFile, [Vec<u8>; 2]), Error> {
    let all: Vec<Feature> = fixture::FEATURES.into_iter().chain(FEATURES).collect();
    let runtime = Network::over(all.iter().map(|feature| feature.name.to_owned()).collect(), 1).bytes();
    let vectors = write_vectors(&runtime, 9)?;
    let file = ParameterFile::new(Story { predictor: entry, ..story() }, &runtime, &vectors, &all)?;
    Ok((file, [runtime, vectors]))
}

#[test]
fn a_file_of_version_4_describes_its_predictor_and_no_other() {
    let bytes = predictor(3);
    let own = foresight::write_vectors(&bytes, 7).unwrap();
    let entry = PredictorEntry::new(["predictor.bin", "predictor.vectors"], &bytes, &own).unwrap();
    let (file, [runtime, vectors]) = described(Some(entry.clone())).unwrap();
    let read = ParameterFile::parse(&file.to_json().unwrap()).unwrap();
    assert_eq!((&read, read.version), (&file, 4));
    read.check(&runtime, &vectors).unwrap();
    assert_eq!(read.check_predictor([&bytes, &own]).unwrap(), 400);
    let other = predictor(5);
    let others = foresight::write_vectors(&other, 7).unwrap();
    let refused = read.check_predictor([&other, &others]).unwrap_err();
    assert!(matches!(refused, Error::FileMismatch { .. }), "{refused}");
    // Whoever observes forecasts says whose, and whoever does not has none to describe.
    let refused = described(None).unwrap_err().to_string();
    assert!(refused.contains("predictor = none: must be described"), "{refused}");
    let plain = fixture::files();
    assert!(matches!(plain.0.check_predictor([&bytes, &own]), Err(Error::FileMismatch { .. })));
    let story = Story { predictor: Some(entry), ..story() };
    let refused = ParameterFile::new(story, &plain.1, &plain.2, &fixture::FEATURES).unwrap_err().to_string();
    assert!(refused.contains("predictor.outputs = predicted_volatility_short"), "{refused}");
}
