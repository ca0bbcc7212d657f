//! One price process among four, behind one call per tick.

use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::config::{Model, WorldConfig};
use super::fundamental::{Fundamental, FundamentalLaw};
use super::garch::{Garch, GarchLaw};
use super::heston::{Heston, HestonLaw};
use super::regime::Regime;
use crate::rng::Counter;

/// What a tick brings to a process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noise {
    /// Regime of the tick.
    pub(super) regime: Regime,
    /// Standard normal of the diffusion, correlated with the equity index.
    pub(super) normal: f64,
    /// Uniform that decides whether a jump occurs.
    pub(super) event: f64,
    /// Share of its jump rate that strikes by itself: one but for a follower, whom others' jumps strike too.
    pub(super) own_jumps: f64,
    /// Scripted multiplier of volatility.
    pub(super) volatility: f64,
}

/// What a process answers. The Itô correction is the caller's, who knows the episode's scale.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    /// Log return without drift.
    pub(super) log: f64,
    /// Standard deviation of the tick's diffusion.
    pub(super) sigma: f64,
    /// Whether the return contains a jump.
    pub(super) jumped: bool,
}

/// A process, ready to run.
#[derive(Clone, Copy, Debug)]
pub(super) enum ProcessLaw {
    Gbm { sigma: f64 },
    Garch(GarchLaw),
    Heston(HestonLaw),
    RegimeHawkes(FundamentalLaw),
}

impl ProcessLaw {
    pub(super) fn new(config: &WorldConfig, clock: Clock) -> Self {
        match config.model {
            Model::Gbm => Self::Gbm { sigma: config.gbm.volatility / clock.ticks_per_year().sqrt() },
            Model::GarchT => Self::Garch(GarchLaw::new(&config.garch, clock)),
            Model::HestonJump => Self::Heston(HestonLaw::new(&config.heston, &config.jumps, clock)),
            Model::RegimeHawkes => {
                Self::RegimeHawkes(FundamentalLaw::new(&config.regimes, &config.clustering, &config.jumps, clock))
            }
        }
    }
}

/// State of a process.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Process {
    Gbm,
    Garch(Garch),
    Heston(Heston),
    RegimeHawkes(Fundamental),
}

impl Process {
    pub(super) fn new(law: &ProcessLaw, counter: Counter) -> Self {
        match law {
            ProcessLaw::Gbm { .. } => Self::Gbm,
            ProcessLaw::Garch(law) => Self::Garch(Garch::new(law, counter)),
            ProcessLaw::Heston(law) => Self::Heston(Heston::new(law, counter)),
            ProcessLaw::RegimeHawkes(law) => Self::RegimeHawkes(Fundamental::new(law, counter)),
        }
    }

    /// Whether this state belongs to that law.
    pub(super) const fn fits(&self, law: &ProcessLaw) -> bool {
        matches!(
            (self, law),
            (Self::Gbm, ProcessLaw::Gbm { .. })
                | (Self::Garch(_), ProcessLaw::Garch(_))
                | (Self::Heston(_), ProcessLaw::Heston(_))
                | (Self::RegimeHawkes(_), ProcessLaw::RegimeHawkes(_))
        )
    }

    /// Standard deviation per tick, before scripted multipliers.
    pub(super) fn sigma(&self, law: &ProcessLaw, regime: Regime) -> f64 {
        match (self, law) {
            (Self::Gbm, ProcessLaw::Gbm { sigma }) => *sigma,
            (Self::Garch(state), ProcessLaw::Garch(_)) => state.sigma(),
            (Self::Heston(state), ProcessLaw::Heston(_)) => state.sigma(),
            (Self::RegimeHawkes(state), ProcessLaw::RegimeHawkes(law)) => state.sigma(law, regime),
            _ => unreachable!("the state belongs to another model"),
        }
    }

    #[inline]
    pub(super) fn advance(&mut self, law: &ProcessLaw, counter: Counter, tick: u64, noise: Noise) -> Move {
        match (self, law) {
            (Self::Gbm, ProcessLaw::Gbm { sigma }) => {
                let sigma = sigma * noise.volatility;
                Move { log: sigma * noise.normal, sigma, jumped: false }
            }
            (Self::Garch(state), ProcessLaw::Garch(law)) => state.advance(law, counter, tick, noise),
            (Self::Heston(state), ProcessLaw::Heston(law)) => state.advance(law, counter, tick, noise),
            (Self::RegimeHawkes(state), ProcessLaw::RegimeHawkes(law)) => state.advance(law, counter, tick, noise),
            _ => unreachable!("the state belongs to another model"),
        }
    }
}
