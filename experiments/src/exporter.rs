//! From a learner's weights to the files of an export, and back: what is scored is what stands on the disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use seawall_agents::export::{Clocks, Learned, MeanValue, ParameterFile, Provenance, Story, Summary};
use seawall_agents::export::{write_rule, write_runtime, write_vectors};
use seawall_agents::tuned::RuleEntry;
use seawall_agents::{Exported, Policy, ShieldConfig};
use seawall_env::action::{ACTIONS, Fixed, PARAMETERS};
use seawall_env::liquidation::presets::Preset;
use seawall_env::scenario::ClockConfig;
use seawall_env::spaces::Group;
use seawall_env::{CascadeEnv, Env, Groups, Problems, Purpose, SeedTree, Spec};
use seawall_runtime::Gru;
use seawall_runtime::conformance::Report;
use seawall_runtime::format::Activation;
use seawall_training::{Dense, LearnedPolicy};

use crate::foresight::{self, PredictorFiles};
use crate::places::{Places, task};
use crate::run_folder::RunFolder;
use crate::settings::Settings;
use crate::shield::shield;

/// The file that people read, and that names the other two.
pub(crate) const PARAMETERS_FILE: &str = "policy.json";
const RUNTIME_FILE: &str = "policy.bin";
const VECTORS_FILE: &str = "policy.vectors";

/// The three files of an export, and two more where a predictor's forecasts are observed.
#[derive(Clone, Debug)]
pub(crate) struct Export {
    /// What was learned, in words and units.
    pub(crate) parameters: ParameterFile,
    runtime: Vec<u8>,
    vectors: Vec<u8>,
    predictor: Option<PredictorFiles>,
}

/// Who trained a policy, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    /// Seed of the training run.
    pub(crate) seed: u64,
    /// Environment steps that it was trained for.
    pub(crate) steps: u64,
    /// SHA-256 of the run's resolved settings.
    pub(crate) settings_sha256: &'a str,
}

/// What is said of a policy beside its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    /// Name of the policy.
    pub(crate) name: String,
    /// Where it comes from.
    pub(crate) provenance: Provenance,
    /// The rule that the bytes are, if people can read it.
    pub(crate) rule: Option<RuleEntry>,
    /// Constants of the shield that the bytes carry, if they do.
    pub(crate) shield: Option<ShieldConfig>,
}

/// Where a policy comes from that was trained or tuned on `places`.
pub(crate) fn provenance(name: &str, places: &Places, origin: Origin<'_>) -> Provenance {
    Provenance {
        run: format!("{name}-seed{}", origin.seed),
        config_sha256: origin.settings_sha256.to_owned(),
        seeds: vec![origin.seed],
        scenarios: places.list.iter().map(|place| place.scenario().id.clone()).collect(),
        environment_steps: origin.steps,
        crate_version: env!("CARGO_PKG_VERSION").to_owned(),
        search: None,
    }
}

impl Export {
    /// Describes a learned policy, and watches it in the simulator for the means that the description holds.
    ///
    /// # Errors
    /// If the places differ in their clocks, or the files would contradict each other.
    pub(crate) fn new(
        settings: &Settings,
        places: &Places,
        policy: LearnedPolicy,
        origin: Origin<'_>,
    ) -> anyhow::Result<Self> {
        let task = task(&places.list[..1], settings, &settings.venue(), Groups::default())?;
        let spec = CascadeEnv::new(Arc::clone(&task)).spec().clone();
        let fixed = settings.action.fixed(&mut Problems::default());
        let policy = masked(policy, &still(settings.task.groups, fixed));
        let shield = if settings.run.shield { Some(shield(settings, places, &spec)?) } else { None };
        let layers: Vec<_> = policy.layers.iter().map(Dense::view).collect();
        let memory = policy.memory.as_ref().map(|[input, state]| Gru { input: input.view(), state: state.view() });
        let runtime = write_runtime(&Learned {
            observation: &spec.observation,
            mean: &policy.mean,
            inverse_deviation: &policy.inverse_deviation,
            clip: policy.clip,
            memory,
            layers: &layers,
            hidden: policy.hidden,
            output: Activation::Tanh,
            shield: shield.as_ref(),
        })
        .context("writing the runtime file")?;
        let described = Described {
            name: settings.run.name.clone(),
            provenance: provenance(&settings.run.name, places, origin),
            rule: None,
            shield: shield.as_ref().map(|shield| *shield.config()),
        };
        Self::of_bytes(settings, places, described, runtime)
    }

    /// Describes a rule that is linear in its features, as [`Export::new`] does a network.
    ///
    /// # Errors
    /// As [`Export::new`].
    pub(crate) fn of_rule(
        settings: &Settings,
        places: &Places,
        described: Described,
        layer: &(Vec<f32>, Vec<f32>),
    ) -> anyhow::Result<Self> {
        let task = task(&places.list[..1], settings, &settings.venue(), Groups::default())?;
        let observation = CascadeEnv::new(task).spec().observation.clone();
        let runtime = write_rule(&observation, &layer.0, &layer.1).context("writing the runtime file")?;
        Self::of_bytes(settings, places, described, runtime)
    }

    fn of_bytes(settings: &Settings, places: &Places, described: Described, runtime: Vec<u8>) -> anyhow::Result<Self> {
        let Described { name, provenance, rule, shield } = described;
        let venue = match &rule {
            Some(rule) => Preset::shipped(&rule.preset).context("the rule's preset")?,
            None => settings.venue(),
        };
        let seed = provenance.seeds[0];
        let task = task(&places.list[..1], settings, &venue, Groups::default())?;
        let vectors = write_vectors(&runtime, seed).context("writing the conformance vectors")?;
        let exported = Exported::new(&name, runtime.clone(), CascadeEnv::new(Arc::clone(&task)).spec())
            .context("reading the runtime file back")?;
        let predictor = foresight::read(settings)?.map(PredictorFiles::new).transpose()?;
        let story = Story {
            predictor: predictor.as_ref().map(PredictorFiles::entry).transpose()?,
            clocks: clocks(places)?,
            learned: watch(settings, places, &venue, &exported)?,
            name,
            provenance,
            rule,
            shield,
            runtime_file: RUNTIME_FILE.to_owned(),
            vectors_file: VECTORS_FILE.to_owned(),
        };
        let parameters =
            ParameterFile::new(story, &runtime, &vectors, &task.features()).context("describing the policy")?;
        Ok(Self { parameters, runtime, vectors, predictor })
    }

    /// Writes the files; the one that names the others comes last.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(crate) fn write(&self, folder: &RunFolder) -> anyhow::Result<PathBuf> {
        folder.write(RUNTIME_FILE, &self.runtime)?;
        folder.write(VECTORS_FILE, &self.vectors)?;
        if let Some(predictor) = &self.predictor {
            predictor.write(folder)?;
        }
        folder.write(PARAMETERS_FILE, self.parameters.to_json()?.as_bytes())?;
        Ok(folder.file(PARAMETERS_FILE))
    }

    /// Reads an export: its parameter file, or the folder with it.
    ///
    /// # Errors
    /// If a file is missing, or is no part of an export.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let path = if path.is_dir() { path.join(PARAMETERS_FILE) } else { path.to_owned() };
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let parameters = ParameterFile::parse(&text).with_context(|| format!("reading {}", path.display()))?;
        let beside = |name: &str| {
            let file = path.with_file_name(name);
            fs::read(&file).with_context(|| format!("reading {}, which {} names", file.display(), path.display()))
        };
        let (runtime, vectors) = (beside(&parameters.runtime.file)?, beside(&parameters.vectors.file)?);
        let predictor = match &parameters.predictor {
            Some(entry) => {
                Some(PredictorFiles { bytes: beside(&entry.file.file)?, vectors: beside(&entry.vectors.file)? })
            }
            None => None,
        };
        Ok(Self { parameters, runtime, vectors, predictor })
    }

    /// Checks that the files belong together, and replays the vectors bit for bit; with the bars that those of a predictor hold.
    ///
    /// # Errors
    /// Everything in which the files disagree, or the first vector that does not replay.
    pub(crate) fn check(&self) -> Result<(Report, Option<usize>), seawall_agents::Error> {
        let report = self.parameters.check(&self.runtime, &self.vectors)?;
        let files = self.predictor.as_ref().map(|files| [files.bytes.as_slice(), files.vectors.as_slice()]);
        let bars = files.map(|files| self.parameters.check_predictor(files)).transpose()?;
        Ok((report, bars))
    }

    /// Makes sure that the forecasts that the policy learned from are those of the settings' predictor.
    ///
    /// # Errors
    /// If they are another's.
    pub(crate) fn check_foresight(&self, settings: &Settings) -> anyhow::Result<()> {
        let Some(entry) = &self.parameters.predictor else { return Ok(()) };
        let (own, given) = (&entry.file.sha256, &settings.observation.predictor_sha256);
        if own != given {
            let name = &self.parameters.name;
            let given = if given.is_empty() { "none" } else { given };
            bail!("{name} was trained on forecasts of the predictor {own}, and observation.predictor is {given}");
        }
        Ok(())
    }

    /// The policy in the file, for the simulator.
    ///
    /// # Errors
    /// If it was made for another list of observations or parameters.
    pub(crate) fn policy(&self, spec: &Spec) -> anyhow::Result<Exported> {
        let name = &self.parameters.name;
        Exported::new(name, self.runtime.clone(), spec).with_context(|| format!("using the policy {name}"))
    }

    /// Seed of the training run.
    pub(crate) fn seed(&self) -> u64 {
        self.parameters.provenance.seeds[0]
    }
}

/// Entries of the action that a policy is not trained to move, at their fixed value or at neutral.
pub(crate) fn still(groups: Groups, fixed: Fixed) -> [Option<f64>; ACTIONS] {
    let fixed = fixed.to_array();
    std::array::from_fn(|index| {
        let parameter = &PARAMETERS[index];
        let is_trained = match parameter.group {
            Group::Fast => groups.fast,
            Group::Slow => groups.slow,
        };
        let is_still = !is_trained || fixed[index].is_some();
        is_still.then(|| fixed[index].unwrap_or_else(|| parameter.encode(parameter.neutral)))
    })
}

/// Holds what the policy was not trained to move: an engine knows of no masks.
///
/// `atanh` is infinite at the ends of the interval; nine stands for them, where single-precision `tanh` is one.
#[expect(clippy::cast_possible_truncation, reason = "weights are single precision")]
fn masked(mut policy: LearnedPolicy, still: &[Option<f64>; ACTIONS]) -> LearnedPolicy {
    let last = policy.layers.last_mut().expect("a policy has at least one layer");
    for (index, still) in still.iter().enumerate() {
        let Some(still) = still else { continue };
        last.weight.iter_mut().skip(index).step_by(last.outputs).for_each(|weight| *weight = 0.0);
        last.bias[index] = libm::atanh(*still).clamp(-9.0, 9.0) as f32;
    }
    policy
}

/// When parameters may move in these places.
///
/// # Errors
/// If the places differ in their clocks.
pub(crate) fn clocks(places: &Places) -> anyhow::Result<Clocks> {
    let seconds = |clock: &ClockConfig| {
        let decision_seconds = clock.tick_seconds * f64::from(clock.ticks_per_decision);
        Clocks { decision_seconds, slow_interval_seconds: decision_seconds * f64::from(clock.slow_interval) }
    };
    let first = places.list[0].scenario();
    for place in &places.list {
        if seconds(&place.scenario().clock) != seconds(&first.clock) {
            bail!("{} and {} keep different clocks: a policy has one", first.id, place.scenario().id);
        }
    }
    Ok(seconds(&first.clock))
}

/// A market state, by the ten-minute volatility over its long-run level.
struct MarketState {
    name: &'static str,
    condition: &'static str,
    /// Upper bound of the feature `volatility_10m`, a binary logarithm.
    below: f32,
}

const STATES: [MarketState; 3] = [
    MarketState {
        name: "calm",
        condition: "ten-minute volatility below 1.5 times its long-run level",
        below: 0.584_962_5,
    },
    MarketState {
        name: "tense",
        condition: "ten-minute volatility from 1.5 to 4 times its long-run level",
        below: 2.0,
    },
    MarketState {
        name: "crisis",
        condition: "ten-minute volatility of 4 times its long-run level or more",
        below: f32::INFINITY,
    },
];

/// Mean parameters in force by market state, over episodes that neither training nor judgement meets.
#[expect(clippy::cast_precision_loss, reason = "decisions are far below 2^53")]
fn watch(settings: &Settings, places: &Places, venue: &Preset, policy: &Exported) -> anyhow::Result<Vec<Summary>> {
    let mut sums = [([0.0; ACTIONS], 0_u64); STATES.len()];
    let seeds = SeedTree::new(SeedTree::new(settings.evaluation.root).seed(Purpose::Scenario, WATCHED));
    for place in &places.list {
        let task = task(std::slice::from_ref(place), settings, venue, Groups::default())?;
        let mut env = CascadeEnv::new(Arc::clone(&task));
        let volatility = env.spec().observation.iter().position(|name| name == "volatility_10m");
        let volatility = volatility.context("the environment does not observe volatility_10m")?;
        let mut observation = vec![0.0; env.spec().observation.len()];
        let mut action = [0.0; ACTIONS];
        for episode in 0..settings.export.episodes as u64 {
            let mut policy = policy.clone();
            let seed = seeds.seed(Purpose::Episode, episode);
            env.reset(seed, &mut observation);
            policy.reset(seed);
            loop {
                let state = STATES.iter().position(|state| observation[volatility] < state.below);
                let (sum, count) = &mut sums[state.unwrap_or(STATES.len() - 1)];
                policy.act(&observation, &mut action);
                let status = env.step(&action, &mut observation).status;
                for ((sum, own), parameter) in sum.iter_mut().zip(env.parameters()).zip(&PARAMETERS) {
                    *sum += parameter.decode(*own);
                }
                *count += 1;
                if status.is_over() {
                    break;
                }
            }
        }
    }
    let summaries = STATES.iter().zip(sums).filter(|(_, (_, count))| *count > 0);
    let mean = |(parameter, sum): (&seawall_env::spaces::Parameter, f64), count: u64| MeanValue {
        parameter: parameter.name.to_owned(),
        mean: sum / count as f64,
    };
    Ok(summaries
        .map(|(state, (sum, count))| Summary {
            state: state.name.to_owned(),
            condition: state.condition.to_owned(),
            decisions: count,
            means: PARAMETERS.iter().zip(sum).map(|pair| mean(pair, count)).collect(),
        })
        .collect())
}

/// Stream that the watched episodes' seeds hang from; a suite's is the beginning of a scenario's hashed name.
const WATCHED: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_trained_is_held_at_neutral() {
        let weight: Vec<f32> = (0_u8..).take(2 * ACTIONS).map(|k| f32::from(k) * 0.1 - 1.0).collect();
        let layer = Dense { inputs: 2, outputs: ACTIONS, weight, bias: vec![0.3; ACTIONS] };
        let whole = LearnedPolicy {
            mean: vec![0.0; 2],
            inverse_deviation: vec![1.0; 2],
            clip: 10.0,
            memory: None,
            hidden: Activation::Tanh,
            layers: vec![layer],
        };
        let held = masked(whole.clone(), &still(Groups { fast: true, slow: false }, Fixed::default()));
        let (mut free, mut bound) = ([0.0; ACTIONS], [0.0; ACTIONS]);
        for observation in [[0.5, -2.0], [-3.0, 4.0]] {
            whole.act(&observation, &mut free);
            held.act(&observation, &mut bound);
            for (index, parameter) in PARAMETERS.iter().enumerate() {
                let neutral = parameter.encode(parameter.neutral);
                match parameter.group {
                    Group::Fast => assert_eq!(bound[index].to_bits(), free[index].to_bits(), "{}", parameter.name),
                    Group::Slow => assert!((f64::from(bound[index]) - neutral).abs() < 1e-6, "{}", parameter.name),
                }
            }
        }
        assert_eq!(masked(whole.clone(), &still(Groups::default(), Fixed::default())), whole);
        let fixed = Fixed::new([("keeper_bonus", 200.0)], "", &mut Problems::default());
        masked(whole, &still(Groups::default(), fixed)).act(&[0.5, -2.0], &mut bound);
        let bonus = PARAMETERS.iter().position(|parameter| parameter.name == "keeper_bonus").unwrap();
        assert!((bound[bonus] - 1.0).abs() < 1e-6, "{bound:?}");
    }
}
