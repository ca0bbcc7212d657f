//! Whether a parameter file agrees with itself, and with the bytes beside it.

use seawall_env::spaces::{Group, Scale};
use seawall_env::{Problems, Spec};
use seawall_runtime::predictor::OUTPUT_NAMES;
use seawall_runtime::{Policy, format};

use super::parameter_file::{
    Attachment, Clocks, ParameterEntry, ParameterFile, Provenance, SCHEMA, Step, Summary, version,
};
use super::runtime::write_rule;
use crate::error::{Difference, Differences, Error};
use crate::tuned::RuleEntry;

/// Relative room for a mean's rounding at a bound, and for a step's on another platform's logarithm.
const ROUNDING: f64 = 1e-9;

impl ParameterFile {
    /// Checks every value against its bounds and every list against the others.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is wrong.
    pub fn validate(&self) -> Result<(), Error> {
        let mut problems = Problems::default();
        problems.require(self.schema == SCHEMA, "schema", quoted(&self.schema), SCHEMA);
        let version = version(self.rule.as_ref(), self.shield.as_ref(), self.predictor.as_ref());
        problems.require(self.version == version, "version", self.version, &version.to_string());
        required(&mut problems, "name", &self.name);
        self.clocks.validate(&mut problems);
        if let Some(rule) = &self.rule {
            rule.validate("rule", &mut problems);
        }
        if let Some(shield) = &self.shield {
            problems.require(self.rule.is_none(), "shield", "a shield", "nothing beside a rule");
            shield.validate("shield", &mut problems);
        }

        let names: Vec<_> = self.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        distinct(&mut problems, "parameters", &names);
        for (index, parameter) in self.parameters.iter().enumerate() {
            parameter.validate(&format!("parameters[{index}]"), &mut problems);
        }
        let states: Vec<_> = self.learned.iter().map(|summary| summary.state.as_str()).collect();
        distinct(&mut problems, "learned", &states);
        for (index, summary) in self.learned.iter().enumerate() {
            summary.validate(&format!("learned[{index}]"), &self.parameters, &mut problems);
        }

        let clip = self.observation.clip;
        problems.require(clip > 0.0 && clip.is_finite(), "observation.clip", clip, "positive and finite");
        let features: Vec<_> = self.observation.features.iter().map(|feature| feature.name.as_str()).collect();
        distinct(&mut problems, "observation.features", &features);
        match &self.predictor {
            Some(predictor) => predictor.validate("predictor", &features, &mut problems),
            None => {
                for name in features.iter().filter(|name| OUTPUT_NAMES.contains(name)) {
                    problems.require(false, "predictor", "none", &format!("described, since {name} is observed"));
                }
            }
        }
        for (index, feature) in self.observation.features.iter().enumerate() {
            let at = |name: &str| format!("observation.features[{index}].{name}");
            problems.require(feature.mean.is_finite(), at("mean"), feature.mean, "finite");
            let inverse = feature.inverse_deviation;
            let is_sound = inverse > 0.0 && inverse.is_finite();
            problems.require(is_sound, at("inverse_deviation"), inverse, "positive and finite");
        }

        self.provenance.validate(&mut problems);
        self.runtime.validate("runtime", &mut problems);
        self.vectors.validate("vectors", &mut problems);
        if problems.0.is_empty() { Ok(()) } else { Err(Error::Invalid(problems)) }
    }

    /// Compares with the bytes that the file says it describes.
    pub(super) fn compare(&self, runtime: &[u8], vectors: &[u8]) -> Result<(), Error> {
        let mut differences = Vec::new();
        // The file is the expectation, the bytes are what is found.
        let mut same = |field: String, expected: String, found: String| {
            if expected != found {
                differences.push(Difference { field, expected, found });
            }
        };
        for (field, attachment, bytes) in [("runtime", &self.runtime, runtime), ("vectors", &self.vectors, vectors)] {
            let found = Attachment::new(attachment.file.as_str(), bytes);
            same(format!("{field}.bytes"), attachment.bytes.to_string(), found.bytes.to_string());
            same(format!("{field}.sha256"), attachment.sha256.clone(), found.sha256);
        }
        let policy = Policy::parse(runtime)?;
        let observed = policy.observation_names().zip(policy.statistics());
        let observed: Vec<_> = observed.map(|(name, (mean, inverse))| format!("{name} {mean:e} {inverse:e}")).collect();
        let described = self.observation.features.iter();
        let described: Vec<_> =
            described.map(|f| format!("{} {:e} {:e}", f.name, f.mean, f.inverse_deviation)).collect();
        same_lists("observation.features", &described, &observed, &mut same);
        same("observation.clip".to_owned(), format!("{:e}", self.observation.clip), format!("{:e}", policy.clip()));
        let described: Vec<_> = self.parameters.iter().map(ParameterEntry::to_line).collect();
        let moved: Vec<_> = policy.parameters().map(|parameter| line(&parameter)).collect();
        same_lists("parameters", &described, &moved, &mut same);
        if let Some(rule) = &self.rule {
            let layer = rule_bytes(rule, policy.observation_names().map(str::to_owned).collect())?;
            same("rule".to_owned(), super::parameter_file::sha256(&layer), super::parameter_file::sha256(runtime));
        }
        let shield = self.shield.as_ref().map(|shield| shield.over(&policy)).transpose()?;
        let text = |shield: Option<seawall_runtime::Shield>| shield.map_or("none".to_owned(), |s| format!("{s:?}"));
        same("shield".to_owned(), text(shield), text(policy.shield()));
        if differences.is_empty() {
            Ok(())
        } else {
            Err(Error::FileMismatch { file: self.name.clone(), differences: Differences(differences) })
        }
    }
}

impl Clocks {
    pub(crate) fn validate(self, problems: &mut Problems) {
        problems.range("clocks.decision_seconds", self.decision_seconds, 1e-3, 1e9);
        problems.range("clocks.slow_interval_seconds", self.slow_interval_seconds, 1e-3, 1e9);
        let slower = self.slow_interval_seconds >= self.decision_seconds;
        let bound = "at least decision_seconds";
        problems.require(slower, "clocks.slow_interval_seconds", self.slow_interval_seconds, bound);
    }
}

impl Provenance {
    pub(crate) fn validate(&self, problems: &mut Problems) {
        required(problems, "provenance.run", &self.run);
        required(problems, "provenance.crate_version", &self.crate_version);
        digest(problems, "provenance.config_sha256", &self.config_sha256);
        problems.require(!self.seeds.is_empty(), "provenance.seeds", "[]", "not empty");
        problems.require(!self.scenarios.is_empty(), "provenance.scenarios", "[]", "not empty");
        problems.require(
            self.environment_steps > 0,
            "provenance.environment_steps",
            self.environment_steps,
            "positive",
        );
        if let Some(search) = &self.search {
            search.validate("provenance.search", problems);
            let (scenarios, hashes) = (self.scenarios.len(), search.scenarios_sha256.len());
            let field = "provenance.search.scenarios_sha256.len";
            problems.require(hashes == scenarios, field, hashes, &scenarios.to_string());
            for (index, hash) in search.scenarios_sha256.iter().enumerate() {
                digest(problems, &format!("provenance.search.scenarios_sha256[{index}]"), hash);
            }
            digest(problems, "provenance.search.selection", &search.selection);
        }
    }
}

impl ParameterEntry {
    fn validate(&self, path: &str, problems: &mut Problems) {
        let at = |name: &str| format!("{path}.{name}");
        required(problems, &at("unit"), &self.unit);
        required(problems, &at("meaning"), &self.meaning);
        problems.require(self.high.is_finite(), at("high"), self.high, "finite");
        match self.scale {
            Scale::Linear => problems.require(self.low.is_finite(), at("low"), self.low, "finite"),
            Scale::Log => problems.require(self.low > 0.0, at("low"), self.low, "positive on a logarithmic scale"),
        }
        problems.require(self.low < self.high, at("low"), self.low, "below high");
        problems.range(at("fallback"), self.fallback, self.low, self.high);
        let is_change = self.max_change > 0.0 && self.max_change <= 2.0;
        problems.require(is_change, at("max_change"), self.max_change, "in (0, 2]");
        let is_same = match (self.largest_step, Step::of(self.scale, self.low, self.high, self.max_change)) {
            (Step::Difference(found), Step::Difference(expected)) | (Step::Ratio(found), Step::Ratio(expected)) => {
                (found - expected).abs() <= ROUNDING * expected.abs()
            }
            (Step::Difference(_), Step::Ratio(_)) | (Step::Ratio(_), Step::Difference(_)) => false,
        };
        let value = format!("{:?}", self.largest_step);
        problems.require(is_same, at("largest_step"), value, "what max_change, scale and bounds allow");
    }

    fn to_line(&self) -> String {
        line(&format::Parameter {
            name: &self.name,
            unit: &self.unit,
            scale: match self.scale {
                Scale::Linear => format::Scale::Linear,
                Scale::Log => format::Scale::Log,
            },
            group: match self.group {
                Group::Fast => format::Group::Fast,
                Group::Slow => format::Group::Slow,
            },
            low: self.low,
            high: self.high,
            neutral: self.fallback,
            max_change: self.max_change,
        })
    }
}

/// All of a parameter, shortest round-trip decimals included: equal lines are equal parameters.
fn line(parameter: &format::Parameter<'_>) -> String {
    format!("{parameter:?}")
}

impl Summary {
    fn validate(&self, path: &str, parameters: &[ParameterEntry], problems: &mut Problems) {
        let at = |name: &str| format!("{path}.{name}");
        required(problems, &at("condition"), &self.condition);
        problems.require(self.decisions > 0, at("decisions"), self.decisions, "positive");
        let is_whole = self.means.len() == parameters.len();
        problems.require(is_whole, at("means.len"), self.means.len(), &parameters.len().to_string());
        for (index, (value, parameter)) in self.means.iter().zip(parameters).enumerate() {
            let at = |name: &str| format!("{path}.means[{index}].{name}");
            let is_named = value.parameter == parameter.name;
            problems.require(is_named, at("parameter"), quoted(&value.parameter), &parameter.name);
            let room = ROUNDING * (parameter.high - parameter.low).abs();
            let is_within = (parameter.low - room..=parameter.high + room).contains(&value.mean);
            let bound = format!("in [{}, {}]", parameter.low, parameter.high);
            problems.require(is_within, at("mean"), value.mean, &bound);
        }
    }
}

impl Attachment {
    pub(super) fn validate(&self, path: &str, problems: &mut Problems) {
        let is_name =
            !self.file.is_empty() && !self.file.contains(['/', '\\']) && self.file != "." && self.file != "..";
        problems.require(is_name, format!("{path}.file"), quoted(&self.file), "a file name without a folder");
        problems.require(self.bytes > 0, format!("{path}.bytes"), self.bytes, "positive");
        digest(problems, &format!("{path}.sha256"), &self.sha256);
    }
}

/// The bytes that a rule comes to over an observation.
fn rule_bytes(entry: &RuleEntry, observation: Vec<String>) -> Result<Vec<u8>, Error> {
    let spec = Spec { observation, action: Vec::new(), reward: Vec::new() };
    let (rule, values) = entry.rule();
    let Some((weight, bias)) = rule.layer(&values, &spec)? else {
        let mut problems = Problems::default();
        problems.require(false, "rule.family", entry.family, "one that is linear in its features");
        return Err(Error::Invalid(problems));
    };
    write_rule(&spec.observation, &weight, &bias)
}

fn same_lists(field: &str, expected: &[String], found: &[String], same: &mut impl FnMut(String, String, String)) {
    same(format!("{field}.len"), expected.len().to_string(), found.len().to_string());
    for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
        same(format!("{field}[{index}]"), expected.clone(), found.clone());
    }
}

fn required(problems: &mut Problems, field: &str, text: &str) {
    problems.require(!text.trim().is_empty(), field, quoted(text), "not empty");
}

fn digest(problems: &mut Problems, field: &str, text: &str) {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    problems.require(text.len() == 64 && is_hex, field, quoted(text), "64 hexadecimal digits in lower case");
}

fn distinct(problems: &mut Problems, list: &str, names: &[&str]) {
    problems.require(!names.is_empty(), list, "[]", "not empty");
    for (index, name) in names.iter().enumerate() {
        required(problems, &format!("{list}[{index}]"), name);
        let is_new = !names[..index].contains(name);
        problems.require(is_new, format!("{list}[{index}]"), quoted(name), "unlike the names before it");
    }
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}
