//! What is taken away from whoever plays: features, parameters, single choices of a venue's rules.

use std::collections::BTreeMap;

use seawall_agents::foresight::FEATURES;
use seawall_env::action::Fixed;
use seawall_env::liquidation::presets::Preset;
use seawall_env::liquidation::{
    Backstop, CloseSize, Execution, Incentive, LimitPrice, LossAllocation, Pipeline, Throttle, Trigger,
};
use seawall_env::observation::features;
use seawall_env::{Problems, mask};
use serde::{Deserialize, Serialize};

/// Name of the counterfactual without liquidations, whose rules nobody changes.
const OFF: &str = "off";

/// What of the observation is hidden, from everybody who plays under these settings, rules included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObservationSettings {
    /// Groups of features, or single ones, that are zero.
    pub(crate) off: Vec<String>,
    /// Groups of features, or single ones, that are those of another, recorded episode of the task's scenarios.
    pub(crate) shuffled: Vec<String>,
    /// Episodes of each scenario that are recorded for that. 1 to 1,000.
    pub(crate) recordings: u64,
    /// File of a predictor of `seawall predict --task` whose forecasts are observed too, as the group `predictor`; empty for none. A
    /// name without a folder, in a file of settings, is a file beside it.
    pub(crate) predictor: String,
    /// SHA-256 of that file; empty before it was first read. A run's own settings hold it.
    pub(crate) predictor_sha256: String,
}

impl ObservationSettings {
    /// Whether nothing is hidden.
    pub(crate) const fn is_clear(&self) -> bool {
        self.off.is_empty() && self.shuffled.is_empty()
    }

    /// Whether a feature of every task is hidden, by its own name or by its group's.
    pub(crate) fn hides(&self, feature: &str) -> bool {
        let group = features().iter().find(|found| found.name == feature).map(|found| found.group);
        let hidden = self.off.iter().chain(&self.shuffled);
        hidden.into_iter().any(|name| name == feature || Some(name.as_str()) == group)
    }

    pub(super) fn validate(&self, problems: &mut Problems) {
        mask::validate("observation", (&self.off, &self.shuffled), &FEATURES, problems);
        let is_known = self.predictor_sha256.is_empty() || !self.predictor.is_empty();
        let bound = "empty without observation.predictor";
        problems.require(is_known, "observation.predictor_sha256", super::quoted(&self.predictor_sha256), bound);
        super::whole(problems, "observation.recordings", self.recordings, 1, 1_000);
    }
}

/// Parameters that nobody moves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActionSettings {
    /// Values by the parameters' names, in their units: `{ delay = 0.0 }`.
    pub(crate) fixed: BTreeMap<String, f64>,
}

impl ActionSettings {
    /// The parameters that nobody moves.
    pub(crate) fn fixed(&self, problems: &mut Problems) -> Fixed {
        Fixed::new(self.fixed.iter().map(|(name, value)| (name.as_str(), *value)), "action.fixed", problems)
    }
}

/// Choices that take the place of a preset's, slot by slot, on every venue that is played but `off`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RuleSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger: Option<Trigger>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<CloseSize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution: Option<Execution>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<LimitPrice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    throttle: Option<Throttle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incentive: Option<Incentive>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backstop: Option<Backstop>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allocation: Option<LossAllocation>,
}

impl RuleSettings {
    /// A venue's rules with these choices in place of its own.
    pub(crate) fn over(self, venue: &Preset) -> Pipeline {
        let rules = venue.pipeline;
        if venue.name == OFF {
            return rules;
        }
        Pipeline {
            trigger: self.trigger.unwrap_or(rules.trigger),
            size: self.size.unwrap_or(rules.size),
            execution: self.execution.unwrap_or(rules.execution),
            limit: self.limit.unwrap_or(rules.limit),
            throttle: self.throttle.unwrap_or(rules.throttle),
            incentive: self.incentive.unwrap_or(rules.incentive),
            backstop: self.backstop.unwrap_or(rules.backstop),
            allocation: self.allocation.unwrap_or(rules.allocation),
        }
    }

    pub(super) fn validate(self, venue: &Preset, problems: &mut Problems) {
        self.over(venue).validate("task.rules", problems);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_rules_replace_the_presets_slot_by_slot_and_leave_the_counterfactual_alone() {
        let rules: RuleSettings = toml::from_str("size = 'full'\nthrottle = 'unlimited'").unwrap();
        let venue = Preset::shipped("seawall").unwrap();
        let expected = Pipeline { size: CloseSize::Full, throttle: Throttle::Unlimited, ..venue.pipeline };
        assert_eq!(rules.over(&venue), expected);
        let off = Preset::shipped("off").unwrap();
        assert_eq!(rules.over(&off), off.pipeline);
        assert_eq!(RuleSettings::default().over(&venue), venue.pipeline);
    }

    #[test]
    fn a_rule_out_of_its_bounds_is_named_where_it_stands() {
        let rules: RuleSettings = toml::from_str("size = { fraction = { share = 2.0, full_below = 0.0 } }").unwrap();
        let mut problems = Problems::default();
        rules.validate(&Preset::shipped("seawall").unwrap(), &mut problems);
        assert!(problems.to_string().starts_with("task.rules.size.fraction.share = 2: "), "{problems}");
        toml::from_str::<RuleSettings>("speed = 1").unwrap_err();
    }
}
