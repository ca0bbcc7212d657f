//! Settings of augmented random search.

use seawall_env::Problems;
use serde::{Deserialize, Serialize};

/// Settings of augmented random search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArsConfig {
    /// Directions of a generation, each played both ways; 1 to 100,000. Default 16.
    pub directions: usize,
    /// Directions that count, those with the best of either way; 1 to `directions`. Default 8.
    pub top: usize,
    /// Standard deviation of a perturbation; above 0. Default 0.03, among the paper's choices.
    pub deviation: f64,
    /// Step size; above 0. Default 0.02, among the paper's choices.
    pub step_size: f64,
}

impl Default for ArsConfig {
    fn default() -> Self {
        Self { directions: 16, top: 8, deviation: 0.03, step_size: 0.02 }
    }
}

impl ArsConfig {
    /// Records every setting that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        let directions = self.directions;
        let is_sound = (1..=100_000).contains(&directions);
        problems.require(is_sound, format!("{path}.directions"), directions, "in [1, 100000]");
        let is_sound = (1..=directions).contains(&self.top);
        problems.require(is_sound, format!("{path}.top"), self.top, "in [1, directions]");
        for (name, value) in [("deviation", self.deviation), ("step_size", self.step_size)] {
            let is_sound = value > 0.0 && value.is_finite();
            problems.require(is_sound, format!("{path}.{name}"), value, "above 0 and finite");
        }
    }
}
