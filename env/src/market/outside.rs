//! Prices outside: the world moves, and the home venue moves other venues by its share of the market.

use super::Market;
use crate::book::Book;
use crate::world::Outside;

/// Speed at which other venues follow a home price that is the whole market, per second.
const FOLLOW: f64 = 0.01;

impl Market {
    pub(super) fn move_outside(&mut self) {
        let state = &mut self.state;
        let outside = *state.world.tick(&self.fixed.world, state.tick + 1);
        self.move_alone(&outside);
    }

    /// As `move_outside`, for a market among others: the world is handed in, and so is the gap by which other
    /// venues' books stand above the fundamental price. News reaches every book at once; that gap is what makers are
    /// pulled to and what the oracle sees, so that no price follows itself by way of another venue.
    pub(crate) fn move_among(&mut self, outside: &Outside, gap: f64) {
        let state = &mut self.state;
        state.prices.fundamental = outside.fundamental;
        state.prices.outside = outside.fundamental * (1.0 + gap);
        state.outside = *outside;
        self.scratch.joined.gap = Some(gap);
    }

    /// As `move_outside`, in a world that is handed in.
    pub(crate) fn move_alone(&mut self, outside: &Outside) {
        let state = &mut self.state;
        let venue = &self.scenario.venue;
        let gap = state.book.mid() / state.prices.outside - 1.0;
        state.prices.spill = state.prices.spill * self.fixed.spill_decay + venue.home_share * self.fixed.follow * gap;
        state.prices.fundamental = outside.fundamental;
        state.prices.outside = outside.fundamental * libm::exp(state.prices.spill);
        state.outside = *outside;
    }
}

/// Share of a gap that other venues follow in a tick of `seconds`.
pub(super) fn follow(seconds: f64) -> f64 {
    1.0 - libm::pow(1.0 - FOLLOW, seconds)
}
