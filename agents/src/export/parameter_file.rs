//! What was learned, in words and units: the file that a governance vote reads and an engine checks.

use seawall_env::action::PARAMETERS;
use seawall_env::spaces::{Feature, Group, Parameter, Scale};
use seawall_runtime::Policy;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::predictor_entry::PredictorEntry;
use super::shield_entry::ShieldEntry;
use super::verify;
use crate::error::{Difference, Differences, Error};
use crate::shield::ShieldConfig;
use crate::tuned::RuleEntry;

/// Value of [`ParameterFile::schema`].
pub(super) const SCHEMA: &str = "seawall.parameters";
/// Schema version that this crate writes for networks.
pub const VERSION: u32 = 1;
/// Schema version that it writes for rules whose constants the file holds too.
pub const VERSION_WITH_RULE: u32 = 2;
/// Schema version that it writes for networks behind a shield.
pub const VERSION_WITH_SHIELD: u32 = 3;
/// Schema version that it writes for policies that observe a predictor's forecasts, with or without rule or shield; it reads
/// all four.
pub const VERSION_WITH_PREDICTOR: u32 = 4;

/// A learned policy, described.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterFile {
    /// Always `seawall.parameters`.
    pub schema: String,
    /// Schema version.
    pub version: u32,
    /// Name of the policy.
    pub name: String,
    /// When parameters may move.
    pub clocks: Clocks,
    /// The rule that the policy's bytes are, if people can read it: version 2 has one, versions 1 and 3 have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleEntry>,
    /// What the policy's actions are held by: version 3 has one, versions 1 and 2 have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shield: Option<ShieldEntry>,
    /// What makes the forecasts that the policy observes: version 4 has one, no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predictor: Option<PredictorEntry>,
    /// What is moved, in the order of the action's entries.
    pub parameters: Vec<ParameterEntry>,
    /// What was learned: mean values by market state.
    pub learned: Vec<Summary>,
    /// What the policy sees.
    pub observation: ObservationSchema,
    /// Where it comes from.
    pub provenance: Provenance,
    /// The policy's bytes, in the format of [`seawall_runtime::format`].
    pub runtime: Attachment,
    /// Its conformance vectors, in the format of [`seawall_runtime::conformance`].
    pub vectors: Attachment,
}

/// When parameters may move.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clocks {
    /// Seconds between two decisions: parameters of the fast group move at each.
    pub decision_seconds: f64,
    /// Seconds between two moves of the slow group.
    pub slow_interval_seconds: f64,
}

/// Largest change in one update.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// In the parameter's unit.
    Difference(f64),
    /// As a factor, or its inverse.
    Ratio(f64),
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterEntry {
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// What it does.
    pub meaning: String,
    /// Clock that it moves on.
    pub group: Group,
    /// Lowest value.
    pub low: f64,
    /// Highest value.
    pub high: f64,
    /// Way from the action's interval to the bounds.
    pub scale: Scale,
    /// Value to run with when there is no action.
    pub fallback: f64,
    /// Largest change in one update, in units of the action (2 is the whole range).
    pub max_change: f64,
    /// The same in the parameter's own terms.
    pub largest_step: Step,
}

impl ParameterEntry {
    fn new(parameter: &Parameter) -> Self {
        let Parameter { name, unit, low, high, scale, group, neutral, max_change, meaning } = *parameter;
        Self {
            name: name.to_owned(),
            unit: unit.to_owned(),
            meaning: meaning.to_owned(),
            group,
            low,
            high,
            scale,
            fallback: neutral,
            max_change,
            largest_step: Step::of(scale, low, high, max_change),
        }
    }
}

impl Step {
    /// The step that `max_change` allows.
    pub(super) fn of(scale: Scale, low: f64, high: f64, max_change: f64) -> Self {
        // The action's interval has length two.
        match scale {
            Scale::Linear => Self::Difference(0.5 * max_change * (high - low)),
            Scale::Log => Self::Ratio(libm::exp(0.5 * max_change * libm::log(high / low))),
        }
    }
}

/// Mean values of the parameters in one market state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Name of the state, such as `calm`.
    pub state: String,
    /// What belongs to it, in words and numbers.
    pub condition: String,
    /// Decisions that were averaged.
    pub decisions: u64,
    /// One value per parameter, in their order.
    pub means: Vec<MeanValue>,
}

/// A parameter's mean value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanValue {
    /// Name of the parameter.
    pub parameter: String,
    /// Arithmetic mean of its decoded value, in its unit.
    pub mean: f64,
}

/// What the policy sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObservationSchema {
    /// Distance from its mean at which an entry is clipped, in deviations.
    pub clip: f32,
    /// Entries, in order.
    pub features: Vec<FeatureEntry>,
}

/// One entry of the observation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureEntry {
    /// Name.
    pub name: String,
    /// Unit before normalisation.
    pub unit: String,
    /// What it measures.
    pub meaning: String,
    /// Mean in training.
    pub mean: f32,
    /// Inverse of its standard deviation in training.
    pub inverse_deviation: f32,
}

/// Where a policy comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Identifier of the training run.
    pub run: String,
    /// SHA-256 of the run's resolved configuration, 64 hexadecimal digits.
    pub config_sha256: String,
    /// Root seeds.
    pub seeds: Vec<u64>,
    /// Scenarios that it was trained on.
    pub scenarios: Vec<String>,
    /// Environment steps that it was trained for.
    pub environment_steps: u64,
    /// Version of the crate that trained it.
    pub crate_version: String,
    /// How it was searched for, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
}

/// How a policy was searched for without gradients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Strategy.
    pub algorithm: String,
    /// What was maximised.
    pub objective: String,
    /// Environment steps that were allowed.
    pub budget: u64,
    /// Generations played.
    pub generations: u64,
    /// Episodes of each scenario that a candidate played in one generation; new ones in every generation.
    pub episodes: u64,
    /// Root of those episodes' seeds.
    pub root: u64,
    /// SHA-256 of each scenario's configuration, in the order of [`Provenance::scenarios`].
    pub scenarios_sha256: Vec<String>,
    /// Hash of the selection suite that chose among the candidates.
    pub selection: String,
    /// Which of the candidates was chosen.
    pub chosen: String,
}

/// A file beside this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// Its name in the same folder.
    pub file: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

impl Attachment {
    /// Describes `bytes` under a name.
    ///
    /// # Panics
    /// If there are more than 2⁶⁴ bytes.
    #[must_use]
    pub fn new(file: impl Into<String>, bytes: &[u8]) -> Self {
        let length = u64::try_from(bytes.len()).expect("a length fits 64 bits");
        Self { file: file.into(), bytes: length, sha256: sha256(bytes) }
    }
}

/// What whoever trained a policy knows about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// Name of the policy.
    pub name: String,
    /// When parameters may move.
    pub clocks: Clocks,
    /// Mean values by market state.
    pub learned: Vec<Summary>,
    /// Where it comes from.
    pub provenance: Provenance,
    /// The rule that the bytes are, if people can read it.
    pub rule: Option<RuleEntry>,
    /// Constants of the shield that the bytes carry, if they do.
    pub shield: Option<ShieldConfig>,
    /// The predictor whose forecasts it observes, if it does.
    pub predictor: Option<PredictorEntry>,
    /// Name of the file with the policy's bytes.
    pub runtime_file: String,
    /// Name of the file with its vectors.
    pub vectors_file: String,
}

impl ParameterFile {
    /// Describes a policy and its vectors; `features` says what the policy's observations mean.
    ///
    /// # Errors
    /// As [`ParameterFile::check`]; [`Error::Features`] if the policy observes what `features` does not list.
    pub fn new(story: Story, runtime: &[u8], vectors: &[u8], features: &[Feature]) -> Result<Self, Error> {
        let Story { name, clocks, learned, provenance, rule, shield, predictor, runtime_file, vectors_file } = story;
        let policy = Policy::parse(runtime)?;
        let mut missing = Vec::new();
        let mut entries = Vec::new();
        for (found, (mean, inverse_deviation)) in policy.observation_names().zip(policy.statistics()) {
            let Some(feature) = features.iter().find(|feature| feature.name == found) else {
                missing.push(found.to_owned());
                continue;
            };
            entries.push(FeatureEntry {
                name: found.to_owned(),
                unit: feature.unit.to_owned(),
                meaning: feature.meaning.to_owned(),
                mean,
                inverse_deviation,
            });
        }
        if !missing.is_empty() {
            return Err(Error::Features { policy: name, missing });
        }
        let file = Self {
            schema: SCHEMA.to_owned(),
            version: version(rule.as_ref(), shield.as_ref(), predictor.as_ref()),
            name,
            clocks,
            rule,
            shield: shield.map(ShieldEntry::new),
            predictor,
            parameters: PARAMETERS.iter().map(ParameterEntry::new).collect(),
            learned,
            observation: ObservationSchema { clip: policy.clip(), features: entries },
            provenance,
            runtime: Attachment::new(runtime_file, runtime),
            vectors: Attachment::new(vectors_file, vectors),
        };
        file.check(runtime, vectors)?;
        Ok(file)
    }

    /// Reads a file and checks that it agrees with itself.
    ///
    /// # Errors
    /// [`Error::Json`] if the text has another shape or an unknown field; [`Error::Invalid`] with every value that is
    /// out of its bounds.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let file: Self = serde_json::from_str(text)?;
        file.validate()?;
        Ok(file)
    }

    /// Writes the file, with the shortest decimals that read back to the same numbers.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every value that [`ParameterFile::parse`] would refuse.
    pub fn to_json(&self) -> Result<String, Error> {
        self.validate()?;
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Checks that the file describes exactly these bytes, and that these vectors replay on them.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the file contradicts itself, [`Error::FileMismatch`] with everything in which file and bytes
    /// differ; otherwise as [`verify`].
    pub fn check(&self, runtime: &[u8], vectors: &[u8]) -> Result<seawall_runtime::conformance::Report, Error> {
        self.validate()?;
        self.compare(runtime, vectors)?;
        verify(runtime, vectors)
    }

    /// Checks that the file describes exactly this predictor, its bytes and its vectors, and that these replay on it; returns the
    /// number of bars that they hold.
    ///
    /// # Errors
    /// [`Error::FileMismatch`] if it describes another or none; otherwise as [`crate::foresight::verify`].
    pub fn check_predictor(&self, files: [&[u8]; 2]) -> Result<usize, Error> {
        match &self.predictor {
            Some(entry) => entry.check(&self.name, files),
            None => {
                let (field, expected) = ("predictor".to_owned(), "none".to_owned());
                let differences = Differences(vec![Difference { field, expected, found: "one".to_owned() }]);
                Err(Error::FileMismatch { file: self.name.clone(), differences })
            }
        }
    }
}

/// The version of a file with these sections.
pub(super) const fn version<R, S, P>(rule: Option<&R>, shield: Option<&S>, predictor: Option<&P>) -> u32 {
    match (rule, shield, predictor) {
        (_, _, Some(_)) => VERSION_WITH_PREDICTOR,
        (_, Some(_), None) => VERSION_WITH_SHIELD,
        (Some(_), None, None) => VERSION_WITH_RULE,
        (None, None, None) => VERSION,
    }
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing into memory cannot fail");
        hex
    })
}
