//! Shipped scenarios: one market, different days.

use super::Scenario;
use crate::world::WorldConfig;

/// Identifier, title and world of a scenario.
pub type Shipped = (&'static str, &'static str, fn() -> WorldConfig);

/// Every shipped scenario, mildest first.
pub const SCENARIOS: [Shipped; 6] = [
    ("calm", "An ordinary four hours.", WorldConfig::calm),
    ("tense", "Volatility at twice its ordinary level, with a way into crisis.", WorldConfig::tense),
    ("volatility_spike", "Volatility trebles for half an hour without a direction.", WorldConfig::volatility_spike),
    (
        "flash_crash",
        "A tenth of the price in three minutes, most of it back in half an hour.",
        WorldConfig::flash_crash,
    ),
    (
        "crash_day",
        "A tenth in forty minutes while depth halves or worse, and the cascade on top: October 2025.",
        WorldConfig::crash_day,
    ),
    (
        "slow_drought",
        "Makers leave and do not come back while the price slides: November 2022.",
        WorldConfig::slow_drought,
    ),
];

impl Scenario {
    /// A shipped scenario by its identifier.
    #[must_use]
    pub fn shipped(id: &str) -> Option<Self> {
        let (id, title, world) = SCENARIOS.iter().find(|(name, _, _)| *name == id)?;
        Some(Self { id: (*id).to_owned(), title: (*title).to_owned(), world: world(), ..Self::default() })
    }

    /// All shipped scenarios, mildest first.
    #[must_use]
    pub fn all_shipped() -> Vec<Self> {
        SCENARIOS.iter().filter_map(|(id, _, _)| Self::shipped(id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Problems;

    #[test]
    fn every_shipped_scenario_is_valid() {
        let mut problems = Problems::default();
        for scenario in Scenario::all_shipped() {
            scenario.validate(&scenario.id, &mut problems);
        }
        assert_eq!(problems.to_string(), "");
    }
}
