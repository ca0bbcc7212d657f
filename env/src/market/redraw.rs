//! The same past with another future.

use super::Market;
use super::state::{Counters, Streams};

impl Market {
    /// Continues as the episode with these streams would, from the next tick on.
    ///
    /// Who is there, what they hold and what has been seen stays; every draw to come is another, and so is what a scenario's
    /// script has in store. Nothing is left of the streams before: whatever they were, the result is the same.
    ///
    /// # Panics
    /// If the world is replayed.
    pub(crate) fn redraw(&mut self, streams: Streams) {
        let Streams { own, venue, .. } = streams;
        let (scenario, state) = (&self.scenario, &mut self.state);
        let (clock, now) = (scenario.world_clock(), state.tick);
        state.world.redraw(&self.fixed.world, own);
        state.oracle.redraw(&self.fixed.oracle, own);
        state.halts.redraw(&scenario.venue.outages, clock, venue, now);
        scenario.keepers.redraw(&mut state.absences, clock, venue, now);
        for ((n, config), adversary) in (0..).zip(&scenario.adversaries).zip(&mut state.adversaries) {
            adversary.redraw(config, n, clock, now, own);
        }
        state.counters = Counters::new(own);
        if let Some(desk) = &mut state.desk {
            desk.redraw(own);
        }
        if let (Some(config), Some(coin)) = (&scenario.stablecoin, &mut state.stablecoin) {
            coin.redraw(config, clock, now, own);
        }
        if let Some(withdrawals) = &mut state.withdrawals {
            withdrawals.redraw(own);
        }
    }
}
