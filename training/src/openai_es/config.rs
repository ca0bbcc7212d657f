//! Settings of evolution strategies after Salimans et al.

use seawall_env::Problems;
use serde::{Deserialize, Serialize};

/// Settings of evolution strategies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenAiEsConfig {
    /// Mirrored pairs of a generation; 1 to 100,000. Default 32.
    pub pairs: usize,
    /// Standard deviation of a perturbation; above 0. Default 0.05, between the paper's 0.02 for networks and what
    /// moves a rule with entries in `[-1, 1]`.
    pub deviation: f64,
    /// Adam's step size; above 0. Default 0.01, the paper's code.
    pub learning_rate: f64,
    /// Share of the parameters that the gradient pulls back; 0 to 1. Default 0.005, the paper's code.
    pub weight_decay: f64,
}

impl Default for OpenAiEsConfig {
    fn default() -> Self {
        Self { pairs: 32, deviation: 0.05, learning_rate: 0.01, weight_decay: 0.005 }
    }
}

impl OpenAiEsConfig {
    /// Records every setting that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        problems.require((1..=100_000).contains(&self.pairs), format!("{path}.pairs"), self.pairs, "in [1, 100000]");
        for (name, value) in [("deviation", self.deviation), ("learning_rate", self.learning_rate)] {
            let is_sound = value > 0.0 && value.is_finite();
            problems.require(is_sound, format!("{path}.{name}"), value, "above 0 and finite");
        }
        problems.range(format!("{path}.weight_decay"), self.weight_decay, 0.0, 1.0);
    }
}
