//! Prices outside: the world moves, and the home venue moves other venues by its share of the market.

use super::Market;
use crate::book::Book;

/// Speed at which other venues follow a home price that is the whole market, per second.
const FOLLOW: f64 = 0.01;

impl Market {
    pub(super) fn move_outside(&mut self) {
        let state = &mut self.state;
        let outside = *state.world.tick(&self.fixed.world, state.tick + 1);
        let venue = &self.scenario.venue;
        let gap = state.book.mid() / state.prices.outside - 1.0;
        state.prices.spill = state.prices.spill * self.fixed.spill_decay + venue.home_share * self.fixed.follow * gap;
        state.prices.fundamental = outside.fundamental;
        state.prices.outside = outside.fundamental * libm::exp(state.prices.spill);
        state.outside = outside;
    }
}

/// Share of a gap that other venues follow in a tick of `seconds`.
pub(super) fn follow(seconds: f64) -> f64 {
    1.0 - libm::pow(1.0 - FOLLOW, seconds)
}
