//! Settings of a search: how much of it, by which strategy, for what.

use seawall_env::Problems;
use serde::{Deserialize, Serialize};

use crate::ars::ArsConfig;
use crate::cem::CemConfig;
use crate::cma_es::CmaEsConfig;
use crate::openai_es::OpenAiEsConfig;

/// A search strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Covariance matrix adaptation: [`crate::cma_es`].
    CmaEs,
    /// Evolution strategies after Salimans et al.: [`crate::openai_es`].
    OpenaiEs,
    /// Augmented random search: [`crate::ars`].
    Ars,
    /// Cross-entropy method: [`crate::cem`].
    Cem,
}

impl Algorithm {
    /// Name in files and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CmaEs => "cma_es",
            Self::OpenaiEs => "openai_es",
            Self::Ars => "ars",
            Self::Cem => "cem",
        }
    }
}

/// What of a candidate's returns is its score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Their mean.
    Mean,
    /// The mean of this worst share of them, rounded up to whole episodes.
    Cvar(f64),
}

/// Settings of a search; the default is the documented baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchConfig {
    /// Environment steps of the whole search, over all candidates; the generation that reaches it is the last. 1 or
    /// more. Default 1,000,000.
    pub total_steps: u64,
    /// Strategy. Default `cma_es`.
    pub algorithm: Algorithm,
    /// Episodes of each place that a candidate plays in one generation; 1 to 10,000. Default 1.
    pub episodes: usize,
    /// Score of a candidate. Default `mean`.
    pub objective: Objective,
    /// Whether observations are standardised by statistics of all candidates so far, for policies that ask for it.
    /// Default true (Mania et al. 2018, §3.2).
    pub observation_normalisation: bool,
    /// Where standardised observations are clipped, in standard deviations; above 0, to 1e6. Default 10.
    pub observation_clip: f64,
    /// Units of the hidden layers where networks are searched for; each 1 to 4,096. Default none: a linear policy, which is
    /// what Mania et al. 2018 search for.
    pub hidden: Vec<usize>,
    /// Settings of `cma_es`.
    pub cma_es: CmaEsConfig,
    /// Settings of `openai_es`.
    pub openai_es: OpenAiEsConfig,
    /// Settings of `ars`.
    pub ars: ArsConfig,
    /// Settings of `cem`.
    pub cem: CemConfig,
}

impl Default for SearchConfig {
    fn default() -> Self {
        Self {
            total_steps: 1_000_000,
            algorithm: Algorithm::CmaEs,
            episodes: 1,
            objective: Objective::Mean,
            observation_normalisation: true,
            observation_clip: 10.0,
            hidden: Vec::new(),
            cma_es: CmaEsConfig::default(),
            openai_es: OpenAiEsConfig::default(),
            ars: ArsConfig::default(),
            cem: CemConfig::default(),
        }
    }
}

impl SearchConfig {
    /// Everything wrong with the settings; empty if they are sound. Strategies that are not chosen are checked too.
    #[must_use]
    pub fn validate(&self) -> Problems {
        let mut problems = Problems::default();
        problems.require(self.total_steps >= 1, "total_steps", self.total_steps, "1 or more");
        problems.require((1..=10_000).contains(&self.episodes), "episodes", self.episodes, "in [1, 10000]");
        if let Objective::Cvar(share) = self.objective {
            problems.require(share > 0.0 && share <= 1.0, "objective.cvar", share, "above 0, to 1");
        }
        let clip = self.observation_clip;
        problems.require(clip > 0.0 && clip <= 1e6, "observation_clip", clip, "above 0, to 1e6");
        for (index, &width) in self.hidden.iter().enumerate() {
            problems.require((1..=4_096).contains(&width), format!("hidden[{index}]"), width, "in [1, 4096]");
        }
        self.cma_es.validate("cma_es", &mut problems);
        self.openai_es.validate("openai_es", &mut problems);
        self.ars.validate("ars", &mut problems);
        self.cem.validate("cem", &mut problems);
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid() {
        assert_eq!(SearchConfig::default().validate(), Problems::default());
    }

    #[test]
    fn every_field_out_of_bounds_is_reported_by_its_path() {
        let config = SearchConfig {
            total_steps: 0,
            episodes: 0,
            objective: Objective::Cvar(0.0),
            observation_clip: f64::NAN,
            hidden: vec![8, 0],
            cma_es: CmaEsConfig { population: 1, step_size: 0.0, ..CmaEsConfig::default() },
            openai_es: OpenAiEsConfig { pairs: 0, deviation: -1.0, learning_rate: 0.0, weight_decay: 2.0 },
            ars: ArsConfig { directions: 2, top: 3, deviation: 0.0, step_size: 0.0 },
            cem: CemConfig { population: 1, elite_fraction: 0.0, deviation: 0.0, noise: -1.0, noise_generations: 0 },
            ..SearchConfig::default()
        };
        let fields: Vec<_> = config.validate().0.into_iter().map(|problem| problem.field).collect();
        let expected = [
            "total_steps",
            "episodes",
            "objective.cvar",
            "observation_clip",
            "hidden[1]",
            "cma_es.population",
            "cma_es.step_size",
            "openai_es.pairs",
            "openai_es.deviation",
            "openai_es.learning_rate",
            "openai_es.weight_decay",
            "ars.top",
            "ars.deviation",
            "ars.step_size",
            "cem.population",
            "cem.elite_fraction",
            "cem.deviation",
            "cem.noise",
            "cem.noise_generations",
        ];
        assert_eq!(fields, expected);
    }
}
