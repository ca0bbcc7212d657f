//! Prices outside: the world moves, and other venues learn from home.
//!
//! Price discovery is shared. Venues follow each other at one speed, [`coupling`](crate::participants::makers::MakerConfig):
//! home's makers follow the others, and the others follow the market's price, of which home makes its share and the
//! fundamental price the rest. What they have followed is forgotten with a short half-life but for a part that everybody has
//! learned: while the latent book forgets what home's flow did, home's share of it becomes the price around which latent
//! orders form anew. That part is permanent. It is concave in volume, as home's own displacement is, from which it is learned.
//!
//! The fundamental price knows nothing of all this: it is the same with and without the venue, and what is learned is a
//! log term beside it. What an adversary does to prices elsewhere is news to home like any other.
//!
//! # Reference
//! Hasbrouck 1995 for information shares; Donier et al. 2015 (arXiv:1412.0141) and Benzaquen & Bouchaud 2018
//! (arXiv:1710.03734) for permanent impact from latent orders that form around the price of the day.

use super::Market;
use crate::book::Book;
use crate::world::Outside;

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
        let pushed = state.pushed();
        let prices = &mut state.prices;
        let home = libm::log(state.book.mid() / prices.fundamental);
        prices.learned += venue.home_share * self.fixed.settle * (home - prices.learned - pushed);
        let known = prices.learned + pushed;
        let followed = prices.spill - known;
        prices.spill = prices.learned
            + (prices.spill - prices.learned) * self.fixed.spill_decay
            + self.fixed.coupling * (venue.home_share * (home - known) - followed);
        prices.fundamental = outside.fundamental;
        prices.outside = outside.fundamental * libm::exp(prices.spill);
        state.adversaries.iter_mut().for_each(|adversary| adversary.pushed *= self.fixed.spill_decay);
        state.outside = *outside;
    }
}
