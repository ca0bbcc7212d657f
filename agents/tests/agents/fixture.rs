//! A network over a made-up observation and the real parameters, and what is told about it.

use rand_chacha::rand_core::Rng;
use seawall_agents::export::{
    Clocks, Learned, MeanValue, ParameterFile, Provenance, Story, Summary, write_runtime, write_vectors,
};
use seawall_env::action::{ACTIONS, PARAMETERS};
use seawall_env::rng::open_unit;
use seawall_env::spaces::Feature;
use seawall_env::{Purpose, SeedTree, Spec};
use seawall_runtime::format::Activation;
use seawall_runtime::network::Layer;

pub(crate) const NAMES: [&str; 5] = ["return_1m", "volatility_1h", "depth_100bp", "open_interest", "vix"];
pub(crate) const FEATURES: [Feature; 5] =
    [feature("return_1m"), feature("volatility_1h"), feature("depth_100bp"), feature("open_interest"), feature("vix")];

const fn feature(name: &'static str) -> Feature {
    Feature { name, unit: "1", group: "test", meaning: "made up for a test" }
}

/// A normaliser and a network with 8 hidden units and owned weights.
pub(crate) struct Network {
    pub(crate) names: Vec<String>,
    pub(crate) mean: Vec<f32>,
    pub(crate) inverse_deviation: Vec<f32>,
    weights: [(Vec<f32>, Vec<f32>); 2],
}

impl Network {
    /// Over the made-up observation.
    pub(crate) fn new(seed: u64) -> Self {
        Self::over(NAMES.map(str::to_owned).to_vec(), seed)
    }

    #[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
    pub(crate) fn over(names: Vec<String>, seed: u64) -> Self {
        let mut stream = SeedTree::new(seed).stream(Purpose::Weights, 0);
        let mut noise = |count: usize, low: f32, high: f32| {
            let mut draw = || low + (high - low) * open_unit(stream.next_u64()) as f32;
            (0..count).map(|_| draw()).collect::<Vec<_>>()
        };
        let entries = names.len();
        Self {
            names,
            mean: noise(entries, -1.0, 1.0),
            inverse_deviation: noise(entries, 0.2, 20.0),
            weights: [
                (noise(8 * entries, -0.6, 0.6), noise(8, -0.2, 0.2)),
                (noise(8 * ACTIONS, -0.6, 0.6), noise(ACTIONS, -0.2, 0.2)),
            ],
        }
    }

    pub(crate) fn layers(&self) -> [Layer<'_>; 2] {
        self.weights.each_ref().map(|(weight, bias)| Layer { weight, bias })
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        write_runtime(&self.learned(&self.layers())).unwrap()
    }

    pub(crate) fn learned<'a>(&'a self, layers: &'a [Layer<'a>]) -> Learned<'a> {
        Learned {
            observation: &self.names,
            mean: &self.mean,
            inverse_deviation: &self.inverse_deviation,
            clip: 4.0,
            memory: None,
            layers,
            hidden: Activation::Tanh,
            output: Activation::Identity,
            shield: None,
        }
    }
}

pub(crate) fn spec() -> Spec {
    Spec {
        observation: NAMES.map(str::to_owned).to_vec(),
        action: PARAMETERS.map(|parameter| parameter.name.to_owned()).to_vec(),
        reward: Vec::new(),
    }
}

pub(crate) fn story() -> Story {
    let summary = |state: &str, action: f64| Summary {
        state: state.to_owned(),
        condition: "realised volatility of one hour below its long-run level".to_owned(),
        decisions: 960,
        means: PARAMETERS
            .map(|parameter| MeanValue { parameter: parameter.name.to_owned(), mean: parameter.decode(action) })
            .to_vec(),
    };
    Story {
        name: "ppo".to_owned(),
        clocks: Clocks { decision_seconds: 30.0, slow_interval_seconds: 3_600.0 },
        learned: vec![summary("calm", -0.5), summary("crisis", 1.0)],
        provenance: Provenance {
            run: "crash-7".to_owned(),
            config_sha256: "0123456789abcdef".repeat(4),
            seeds: vec![7, u64::MAX],
            scenarios: vec!["crash_day".to_owned()],
            environment_steps: 1_000_000,
            crate_version: "0.1.0".to_owned(),
            search: None,
        },
        rule: None,
        shield: None,
        predictor: None,
        runtime_file: "policy.seawall".to_owned(),
        vectors_file: "policy.vectors".to_owned(),
    }
}

/// The three files.
pub(crate) fn files() -> (ParameterFile, Vec<u8>, Vec<u8>) {
    let runtime = Network::new(1).bytes();
    let vectors = write_vectors(&runtime, 9).unwrap();
    (ParameterFile::new(story(), &runtime, &vectors, &FEATURES).unwrap(), runtime, vectors)
}
