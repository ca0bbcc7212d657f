//! The interface of every search strategy: ask for candidates, tell their scores.

use std::fmt;

use seawall_env::SeedTree;
use serde::{Deserialize, Serialize};

use super::config::{Algorithm, SearchConfig};
use crate::ars::Ars;
use crate::cem::Cem;
use crate::cma_es::CmaEs;
use crate::openai_es::OpenAiEs;

/// A search distribution over flat vectors of parameters. Scores are maximised.
pub trait Strategy: Clone + fmt::Debug + Send + Sync {
    /// Entries of a candidate, `D`.
    fn dimension(&self) -> usize;

    /// Candidates of one generation, `N`.
    fn population(&self) -> usize;

    /// Generations that were told.
    fn generation(&self) -> u64;

    /// Candidates of the coming generation, `[N, D]` row-major; the same however often it is asked.
    fn ask(&self) -> Vec<f64>;

    /// Moves the distribution by the scores of what [`Strategy::ask`] gave, `[N]`; more is better.
    ///
    /// # Panics
    /// If there is not one finite score for each candidate.
    fn tell(&mut self, scores: &[f64]);

    /// Centre of the distribution, `[D]`: what the search would answer now.
    fn centre(&self) -> &[f64];

    /// Root mean square deviation of a candidate's entries from the centre.
    fn spread(&self) -> f64;
}

/// One of the strategies, chosen by configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AnyStrategy {
    /// Covariance matrix adaptation.
    CmaEs(CmaEs),
    /// Evolution strategies after Salimans et al.
    OpenAiEs(OpenAiEs),
    /// Augmented random search.
    Ars(Ars),
    /// Cross-entropy method.
    Cem(Cem),
}

impl AnyStrategy {
    /// The strategy that `config` names, starting at `start`, `[D]`, with draws from `seeds`.
    ///
    /// # Panics
    /// If the configuration is not valid or `start` is empty.
    #[must_use]
    pub fn new(config: &SearchConfig, start: &[f64], seeds: SeedTree) -> Self {
        match config.algorithm {
            Algorithm::CmaEs => Self::CmaEs(CmaEs::new(&config.cma_es, start, seeds)),
            Algorithm::OpenaiEs => Self::OpenAiEs(OpenAiEs::new(&config.openai_es, start, seeds)),
            Algorithm::Ars => Self::Ars(Ars::new(&config.ars, start, seeds)),
            Algorithm::Cem => Self::Cem(Cem::new(&config.cem, start, seeds)),
        }
    }
}

/// Calls a method of whichever strategy it is.
macro_rules! each {
    ($self:expr, $strategy:ident => $call:expr) => {
        match $self {
            Self::CmaEs($strategy) => $call,
            Self::OpenAiEs($strategy) => $call,
            Self::Ars($strategy) => $call,
            Self::Cem($strategy) => $call,
        }
    };
}

impl Strategy for AnyStrategy {
    fn dimension(&self) -> usize {
        each!(self, strategy => strategy.dimension())
    }

    fn population(&self) -> usize {
        each!(self, strategy => strategy.population())
    }

    fn generation(&self) -> u64 {
        each!(self, strategy => strategy.generation())
    }

    fn ask(&self) -> Vec<f64> {
        each!(self, strategy => strategy.ask())
    }

    fn tell(&mut self, scores: &[f64]) {
        each!(self, strategy => strategy.tell(scores));
    }

    fn centre(&self) -> &[f64] {
        each!(self, strategy => strategy.centre())
    }

    fn spread(&self) -> f64 {
        each!(self, strategy => strategy.spread())
    }
}
