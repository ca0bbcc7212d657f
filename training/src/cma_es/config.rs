//! Settings of covariance matrix adaptation.

use seawall_env::Problems;
use serde::{Deserialize, Serialize};

/// Settings of covariance matrix adaptation; everything else follows from the dimension.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CmaEsConfig {
    /// Candidates of a generation; 0 takes `4 + ⌊3 ln D⌋` (tutorial, eq. 48), otherwise 2 to 100,000. Default 0.
    pub population: usize,
    /// Initial standard deviation of every entry; above 0. Default 0.3: entries of rules lie in `[-1, 1]`, and the
    /// optimum should lie within about three of these (tutorial, appendix B.2).
    pub step_size: f64,
    /// Whether the worst half of the candidates lowers the variance where they lie (tutorial, §3.2.3). Default true.
    pub active: bool,
}

impl Default for CmaEsConfig {
    fn default() -> Self {
        Self { population: 0, step_size: 0.3, active: true }
    }
}

impl CmaEsConfig {
    /// Records every setting that is out of its bounds.
    pub fn validate(&self, path: &str, problems: &mut Problems) {
        let population = self.population;
        let is_sound = population == 0 || (2..=100_000).contains(&population);
        problems.require(is_sound, format!("{path}.population"), population, "0, or in [2, 100000]");
        let is_sound = self.step_size > 0.0 && self.step_size.is_finite();
        problems.require(is_sound, format!("{path}.step_size"), self.step_size, "above 0 and finite");
    }
}
