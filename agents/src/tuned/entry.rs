//! A rule and its constants, as files spell them.

use seawall_env::spaces::Scale;
use seawall_env::{Problems, Spec};
use serde::{Deserialize, Serialize};

use super::rule::{Family, Rule};
use super::tunable::Tunable;
use crate::error::Error;
use crate::policy::Policy;

/// A rule with values for its constants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleEntry {
    /// Kind of rule.
    pub family: Family,
    /// Venue preset that it runs on.
    pub preset: String,
    /// What the constants do, in words.
    pub formula: String,
    /// The constants.
    pub constants: Vec<ConstantEntry>,
}

/// One constant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConstantEntry {
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Lowest value that the search allowed.
    pub low: f64,
    /// Highest value that the search allowed.
    pub high: f64,
    /// Whether the search stepped by differences or ratios.
    pub scale: Scale,
    /// Value that the rule is documented with.
    pub documented: f64,
    /// Value.
    pub value: f64,
}

impl RuleEntry {
    /// Describes a rule with these constants, `[D]`.
    ///
    /// # Panics
    /// If there is not one value for each constant.
    #[must_use]
    pub fn new(rule: &Rule, values: &[f64]) -> Self {
        assert_eq!(values.len(), rule.tunables().len(), "one value for each constant");
        let constant = |(tunable, value): (&Tunable, &f64)| {
            let Tunable { name, unit, low, high, scale, documented } = tunable.clone();
            ConstantEntry { name, unit, low, high, scale, documented, value: *value }
        };
        Self {
            family: rule.family(),
            preset: rule.preset().to_owned(),
            formula: rule.family().formula().to_owned(),
            constants: rule.tunables().iter().zip(values).map(constant).collect(),
        }
    }

    /// The rule and the values of its constants.
    #[must_use]
    pub fn rule(&self) -> (Rule, Vec<f64>) {
        let tunable = |constant: &ConstantEntry| {
            let ConstantEntry { name, unit, low, high, scale, documented, value: _ } = constant.clone();
            Tunable { name, unit, low, high, scale, documented }
        };
        let tunables = self.constants.iter().map(tunable).collect();
        let values = self.constants.iter().map(|constant| constant.value).collect();
        (Rule::from_parts(self.family, self.preset.clone(), tunables), values)
    }

    /// The rule as a policy.
    ///
    /// # Errors
    /// As [`Rule::policy`].
    pub fn policy(&self, spec: &Spec) -> Result<Box<dyn Policy>, Error> {
        let (rule, values) = self.rule();
        rule.policy(&values, spec)
    }

    /// Records every constant that is out of its bounds, and every name that occurs twice.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        let preset = &self.preset;
        let known = seawall_env::liquidation::presets::NAMES.contains(&preset.as_str());
        problems.require(known, format!("{path}.preset"), format!("{preset:?}"), "the name of a shipped preset");
        problems.require(
            self.formula == self.family.formula(),
            format!("{path}.formula"),
            format!("{:?}", self.formula),
            self.family.formula(),
        );
        for (index, constant) in self.constants.iter().enumerate() {
            let at = |name: &str| format!("{path}.constants[{index}].{name}");
            let is_new = !self.constants[..index].iter().any(|before| before.name == constant.name);
            let bound = "a name unlike those before it";
            problems.require(is_new && !constant.name.is_empty(), at("name"), &constant.name, bound);
            let floor_is_sound = constant.scale == Scale::Linear || constant.low > 0.0;
            let is_sound = floor_is_sound && constant.low < constant.high && constant.high.is_finite();
            problems.require(is_sound && constant.low.is_finite(), at("low"), constant.low, "finite and below high");
            problems.range(at("documented"), constant.documented, constant.low, constant.high);
            problems.range(at("value"), constant.value, constant.low, constant.high);
        }
    }
}
