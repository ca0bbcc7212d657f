//! What a run behind the solvency shield may not ask for.

use seawall_env::Problems;

use super::Settings;

/// Parameters that the shield holds from below, at the venue's static margins.
const FLOORED: [&str; 2] = ["initial_margin_multiplier", "maintenance_margin_multiplier"];

impl Settings {
    /// Records everything that would keep the shield of `run.shield` from its promise.
    pub(super) fn validate_shield(&self, problems: &mut Problems) {
        self.shield_config().validate("run.shield", problems);
        let hidden = self.hidden_from_shield();
        let bound = format!("false, or nothing hidden of what the shield reads: {}", hidden.join(", "));
        problems.require(hidden.is_empty(), "run.shield", true, &bound);
        let config = self.shield_config();
        for (name, floor) in FLOORED.into_iter().zip([config.initial_margin_floor, config.maintenance_margin_floor]) {
            let fixed = self.action.fixed.get(name).copied().unwrap_or(floor);
            let bound = format!("at least {floor} with run.shield, which does not move what is fixed");
            problems.require(fixed >= floor, format!("action.fixed.{name}"), fixed, &bound);
        }
        let share = self.action.fixed.get("internalised_share").copied().unwrap_or(0.0);
        let bound = "0 with run.shield, which does not move what is fixed";
        problems.require(share <= 0.0, "action.fixed.internalised_share", share, bound);
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::{Layer, Settings};

    #[test]
    fn a_shield_that_could_not_keep_its_promise_is_refused_with_every_reason() {
        let sets = [
            "run.shield=true",
            "observation.off=[\"fund\"]",
            "market.venue.fund=0.0",
            "action.fixed={ internalised_share = 0.5, initial_margin_multiplier = 0.9 }",
        ];
        let layers: Vec<Layer> = sets.iter().map(|set| Layer::from_set(set).unwrap()).collect();
        let message = Settings::resolve(&layers).unwrap_err().to_string();
        for part in [
            "run.shield.fund = 0",
            "run.shield = true (--set): must be false, or nothing hidden of what the shield reads: fund",
            "action.fixed.initial_margin_multiplier = 0.9",
            "action.fixed.internalised_share = 0.5",
        ] {
            assert!(message.contains(part), "{part} in {message}");
        }
        Settings::resolve(&layers[..1]).unwrap();
        Settings::resolve(&layers[1..2]).unwrap();
    }
}
