//! Settings of the cross-entropy method.

use seawall_env::Problems;
use serde::{Deserialize, Serialize};

/// Settings of the cross-entropy method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CemConfig {
    /// Candidates of a generation; 2 to 100,000. Default 40.
    pub population: usize,
    /// Share of them that the distribution is refitted to, rounded up to whole candidates; above 0, to 1. Default 0.2.
    pub elite_fraction: f64,
    /// Initial standard deviation of every entry; above 0. Default 0.3.
    pub deviation: f64,
    /// Standard deviation whose square is added to every refitted variance at first; 0 or more. Default 0.1.
    pub noise: f64,
    /// Generations after which the added variance has faded to nothing, linearly; 1 or more. Default 50 (Szita &
    /// Lőrincz 2006, §3.3, for variances that fall by a tenth of 5 each generation).
    pub noise_generations: u64,
}

impl Default for CemConfig {
    fn default() -> Self {
        Self { population: 40, elite_fraction: 0.2, deviation: 0.3, noise: 0.1, noise_generations: 50 }
    }
}

impl CemConfig {
    /// Records every setting that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        let population = self.population;
        let is_sound = (2..=100_000).contains(&population);
        problems.require(is_sound, format!("{path}.population"), population, "in [2, 100000]");
        let elite = self.elite_fraction;
        problems.require(elite > 0.0 && elite <= 1.0, format!("{path}.elite_fraction"), elite, "above 0, to 1");
        let is_sound = self.deviation > 0.0 && self.deviation.is_finite();
        problems.require(is_sound, format!("{path}.deviation"), self.deviation, "above 0 and finite");
        let is_sound = self.noise >= 0.0 && self.noise.is_finite();
        problems.require(is_sound, format!("{path}.noise"), self.noise, "0 or more, and finite");
        let generations = self.noise_generations;
        problems.require(generations >= 1, format!("{path}.noise_generations"), generations, "1 or more");
    }
}
