//! What an environment plays in: one market, or an economy of several.

use crate::action::Controls;
use crate::economy::{Economy, EconomyState};
use crate::error::Error;
use crate::market::{Market, Site, State, Streams};
use crate::outcome::Outcome;
use crate::units::Usd;

/// One market, or an economy of several.
#[derive(Clone, Debug)]
pub(crate) enum Arena {
    /// One instrument on one venue.
    Market(Box<Market>),
    /// Several assets or venues.
    Economy(Box<Economy>),
}

/// What a snapshot holds of either.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) enum ArenaState {
    Market(Box<State>),
    Economy(Box<EconomyState>),
}

impl Arena {
    /// The start of the episode that `seed` names.
    pub(crate) fn open(site: &Site, seed: u64) -> Self {
        match site.economy() {
            None => Self::Market(Box::new(site.open(seed))),
            Some(structure) => Self::Economy(Box::new(Economy::open(structure, seed))),
        }
    }

    pub(crate) fn reset(&mut self, seed: u64) {
        match self {
            Self::Market(market) => market.reset(seed),
            Self::Economy(economy) => economy.reset(seed),
        }
    }

    pub(crate) fn redraw(&mut self, seed: u64) {
        match self {
            Self::Market(market) => market.redraw(Streams::alone(seed)),
            Self::Economy(economy) => economy.redraw(seed),
        }
    }

    pub(crate) fn set_controls(&mut self, controls: Controls) {
        match self {
            Self::Market(market) => market.set_controls(controls),
            Self::Economy(economy) => economy.set_controls(controls),
        }
    }

    #[inline]
    pub(crate) fn tick(&mut self) {
        match self {
            Self::Market(market) => market.tick(),
            Self::Economy(economy) => economy.tick(),
        }
    }

    pub(crate) fn record_decision(&mut self) {
        match self {
            Self::Market(market) => market.record_decision(),
            Self::Economy(economy) => economy.record_decision(),
        }
    }

    /// The home venue's markets: at least one.
    pub(crate) fn home(&self) -> &[Market] {
        match self {
            Self::Market(market) => std::slice::from_ref(market),
            Self::Economy(economy) => economy.home(),
        }
    }

    pub(crate) fn economy(&self) -> Option<&Economy> {
        match self {
            Self::Market(_) => None,
            Self::Economy(economy) => Some(economy),
        }
    }

    /// Totals of the home venue.
    pub(crate) const fn outcome(&self) -> &Outcome {
        match self {
            Self::Market(market) => market.outcome(),
            Self::Economy(economy) => economy.outcome(),
        }
    }

    pub(crate) fn has_failed(&self) -> bool {
        match self {
            Self::Market(market) => market.has_failed(),
            Self::Economy(economy) => economy.has_failed(),
        }
    }

    /// The home venue's fund, its inventory marked at what leaving it would fetch.
    pub(crate) fn fund_at_exit_cost(&self) -> Usd {
        self.home().iter().map(Market::fund_at_exit_cost).sum()
    }

    /// Excess deviation of home's marks, by open interest at reset.
    pub(crate) fn excess_deviation_hours(&self) -> f64 {
        match self {
            Self::Market(market) => market.excess_deviation_hours(),
            Self::Economy(economy) => economy.excess_deviation_hours(),
        }
    }

    pub(crate) fn save(&self) -> ArenaState {
        match self {
            Self::Market(market) => ArenaState::Market(Box::new(market.state().clone())),
            Self::Economy(economy) => ArenaState::Economy(Box::new(economy.save())),
        }
    }

    /// # Errors
    /// [`Error::SnapshotMismatch`] if the state is of another kind or configuration.
    pub(crate) fn restore(&mut self, state: ArenaState) -> Result<(), Error> {
        match (self, state) {
            (Self::Market(market), ArenaState::Market(state)) => market.restore(*state),
            (Self::Economy(economy), ArenaState::Economy(state)) => economy.restore(*state),
            (this, _) => {
                let name = |economy: bool| if economy { "of an economy" } else { "of one market" }.to_owned();
                let expected = this.economy().is_some();
                Err(Error::SnapshotMismatch { field: "a state", expected: name(expected), found: name(!expected) })
            }
        }
    }
}
