//! The file of a tuned rule that no engine's network expresses: constants in words and units, and vectors to port it by.

use rand_chacha::rand_core::Rng;
use seawall_env::action::ACTIONS;
use seawall_env::rng::{normal_quantile, open_unit};
use seawall_env::{Problems, Purpose, SeedTree, Spec};
use serde::{Deserialize, Serialize};

use super::entry::RuleEntry;
use crate::error::{Difference, Differences, Error};
use crate::export::{Clocks, Provenance, Search};
use crate::policy::Policy;

/// Value of [`RuleFile::schema`].
pub const RULE_SCHEMA: &str = "seawall.rule";
/// Schema version that this crate reads and writes.
const VERSION: u32 = 1;
/// Vectors in a file.
const VECTORS: usize = 64;
/// Stream of [`Purpose::Policy`] that vectors are drawn from; zero is a random policy's, one an export's.
const STREAM: u64 = 2;

/// A rule with tuned constants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// Always `seawall.rule`.
    pub schema: String,
    /// Schema version.
    pub version: u32,
    /// Name of the policy.
    pub name: String,
    /// When parameters may move.
    pub clocks: Clocks,
    /// The rule and its constants.
    pub rule: RuleEntry,
    /// Where the constants come from.
    pub provenance: Provenance,
    /// Names of the observation's entries, in the order of every vector.
    pub observation: Vec<String>,
    /// Observations and what the rule does on them.
    pub vectors: Vec<RuleVector>,
}

/// One observation and its action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleVector {
    /// Raw features.
    pub observation: Vec<f32>,
    /// Normalised parameters.
    pub action: Vec<f32>,
}

/// What whoever tuned a rule knows about it.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleStory {
    /// Name of the policy.
    pub name: String,
    /// When parameters may move.
    pub clocks: Clocks,
    /// Where the constants come from.
    pub provenance: Provenance,
}

impl RuleFile {
    /// Describes a rule over the observation that `spec` describes.
    ///
    /// # Errors
    /// [`Error::Invalid`] with everything that is out of its bounds, [`Error::Features`] if a feature is not observed.
    pub fn new(story: RuleStory, rule: RuleEntry, spec: &Spec) -> Result<Self, Error> {
        let RuleStory { name, clocks, provenance } = story;
        let mut policy = rule.policy(spec)?;
        let mut stream = SeedTree::new(provenance.seeds.first().copied().unwrap_or(0)).stream(Purpose::Policy, STREAM);
        let vectors = (0..VECTORS).map(|index| {
            // Features are of order one; every other vector goes three times as far as ordinary days do.
            let scale = if index.is_multiple_of(2) { 1.0 } else { 3.0 };
            let observation: Vec<f32> = spec
                .observation
                .iter()
                .map(|_| single(scale * normal_quantile(open_unit(stream.next_u64()))))
                .collect();
            let mut action = vec![0.0; ACTIONS];
            policy.act(&observation, &mut action);
            RuleVector { observation, action }
        });
        let vectors = vectors.collect();
        let file = Self {
            schema: RULE_SCHEMA.to_owned(),
            version: VERSION,
            name,
            clocks,
            rule,
            provenance,
            observation: spec.observation.clone(),
            vectors,
        };
        file.validate()?;
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
    /// [`Error::Invalid`] with every value that [`RuleFile::parse`] would refuse.
    pub fn to_json(&self) -> Result<String, Error> {
        self.validate()?;
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Replays the vectors bit for bit; returns how many.
    ///
    /// # Errors
    /// [`Error::Mismatch`] with every vector that differs; otherwise as [`RuleEntry::policy`].
    pub fn check(&self) -> Result<usize, Error> {
        let spec = Spec { observation: self.observation.clone(), action: Vec::new(), reward: Vec::new() };
        let mut policy = self.rule.policy(&spec)?;
        let (mut action, mut differences) = (vec![0.0; ACTIONS], Vec::new());
        for (index, vector) in self.vectors.iter().enumerate() {
            policy.act(&vector.observation, &mut action);
            let bits = |action: &[f32]| action.iter().map(|entry| entry.to_bits()).collect::<Vec<_>>();
            if bits(&action) != bits(&vector.action) {
                let [expected, found] = [&vector.action, &action].map(|action| format!("{action:?}"));
                differences.push(Difference { field: format!("vectors[{index}].action"), expected, found });
            }
        }
        if differences.is_empty() { Ok(self.vectors.len()) } else { Err(self.mismatch(differences)) }
    }

    /// The rule, for an environment that `spec` describes.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if that observes other features; otherwise as [`RuleEntry::policy`].
    pub fn policy(&self, spec: &Spec) -> Result<Box<dyn Policy>, Error> {
        if self.observation != spec.observation {
            let [expected, found] = [&spec.observation, &self.observation].map(|names| names.join(", "));
            return Err(self.mismatch(vec![Difference { field: "observation".to_owned(), expected, found }]));
        }
        self.rule.policy(spec)
    }

    fn mismatch(&self, differences: Vec<Difference>) -> Error {
        Error::Mismatch { policy: self.name.clone(), differences: Differences(differences) }
    }

    fn validate(&self) -> Result<(), Error> {
        let mut problems = Problems::default();
        problems.require(self.schema == RULE_SCHEMA, "schema", format!("{:?}", self.schema), RULE_SCHEMA);
        problems.require(self.version == VERSION, "version", self.version, &VERSION.to_string());
        problems.require(!self.name.trim().is_empty(), "name", format!("{:?}", self.name), "not empty");
        self.clocks.validate(&mut problems);
        self.rule.validate("rule", &mut problems);
        self.provenance.validate(&mut problems);
        problems.require(self.vectors.len() >= VECTORS, "vectors.len", self.vectors.len(), "64 or more");
        for (index, vector) in self.vectors.iter().enumerate() {
            let at = |name: &str| format!("vectors[{index}].{name}");
            let entries = vector.observation.len();
            let is_sound = entries == self.observation.len() && vector.observation.iter().all(|x| x.is_finite());
            problems.require(is_sound, at("observation"), entries, "as many finite numbers as the observation names");
            let is_sound = vector.action.len() == ACTIONS && vector.action.iter().all(|x| (-1.0..=1.0).contains(x));
            problems.require(is_sound, at("action"), vector.action.len(), "one number in [-1, 1] for each parameter");
        }
        if problems.0.is_empty() { Ok(()) } else { Err(Error::Invalid(problems)) }
    }
}

impl Search {
    /// Records every value that is out of its bounds.
    pub(crate) fn validate(&self, path: &str, problems: &mut Problems) {
        for (name, text) in [("algorithm", &self.algorithm), ("objective", &self.objective)] {
            problems.require(!text.trim().is_empty(), format!("{path}.{name}"), format!("{text:?}"), "not empty");
        }
        for (name, value) in [("budget", self.budget), ("generations", self.generations)] {
            problems.require(value > 0, format!("{path}.{name}"), value, "positive");
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "observations are single precision")]
fn single(value: f64) -> f32 {
    value as f32
}
