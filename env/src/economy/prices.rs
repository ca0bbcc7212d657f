//! What one venue sees of the others: their books' gap to the fundamental price, by depth.

use super::Economy;
use crate::book::Book;
use crate::world::Outside;

/// Ticks between two looks at depth, which is a walk over levels.
const DEPTH_EVERY: u64 = 10;

impl Economy {
    /// The world moves, and every market sees it and, a tick late, every other book of its asset.
    pub(super) fn move_world(&mut self) {
        let structure = &self.structure;
        let tick = self.state.tick + 1;
        let leader = *self.state.world.tick(&structure.world, tick);
        let mut outside = [leader; super::config::ASSETS_MAX];
        for ((follower, law), seen) in
            self.state.followers.iter_mut().zip(&structure.followers).zip(outside.iter_mut().skip(1))
        {
            *seen = *follower.tick(law, &structure.world, &self.state.world);
        }
        let notes_debts = self.is_cross_margined();
        self.markets.iter_mut().for_each(|market| market.note_debts(notes_debts));
        if structure.venues == 1 {
            for (market, seen) in self.markets.iter_mut().zip(&outside) {
                market.move_alone(seen);
            }
            return;
        }
        if self.state.tick.is_multiple_of(DEPTH_EVERY) {
            for (depth, market) in self.state.depths.iter_mut().zip(&self.markets) {
                *depth = market.depth_1pct();
            }
        }
        for (asset, seen) in outside[..structure.assets].iter().enumerate() {
            self.show_others(asset, seen);
        }
    }

    fn show_others(&mut self, asset: usize, outside: &Outside) {
        let structure = &self.structure;
        let (mut weight, mut gaps) = ([0.0; super::config::VENUES_MAX], [0.0; super::config::VENUES_MAX]);
        let mut reference = 0.0;
        for venue in 0..structure.venues {
            let at = structure.at(venue, asset);
            let market = &self.markets[at];
            let state = market.state();
            reference += state.depth_reference;
            // Who is halted makes no price.
            weight[venue] = if market.is_trading() { self.state.depths[at] } else { 0.0 };
            gaps[venue] = state.book.mid() / state.prices.fundamental - 1.0;
        }
        let spot = structure.links.spot_share * reference * outside.liquidity;
        for venue in 0..structure.venues {
            let (mut sum, mut total) = (0.0, spot);
            for other in (0..structure.venues).filter(|&other| other != venue) {
                sum += weight[other] * gaps[other];
                total += weight[other];
            }
            let gap = if total > 0.0 { sum / total } else { 0.0 };
            self.markets[structure.at(venue, asset)].move_among(outside, gap);
        }
    }

    /// Depth on other venues over home's in dollars, over what it was at reset; one where there is no other venue.
    #[must_use]
    pub fn others_depth(&self) -> f64 {
        let assets = self.structure.assets;
        if self.structure.venues == 1 {
            return 1.0;
        }
        let ratio = |depth: &dyn Fn(usize) -> f64| {
            let dollars = |at: usize| depth(at) * self.markets[at].state().prices.mark.as_f64();
            let home: f64 = (0..assets).map(dollars).sum();
            (assets..self.markets.len()).map(dollars).sum::<f64>() / home.max(1.0)
        };
        let now = ratio(&|at| self.state.depths[at]);
        now / ratio(&|at| self.markets[at].state().depth_reference).max(1e-9)
    }
}
