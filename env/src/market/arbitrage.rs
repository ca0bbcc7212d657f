//! Arbitrageurs act, one at a time.

use super::{Market, on_turn};
use crate::book::{Book, Side};
use crate::units::Qty;

impl Market {
    pub(crate) fn arbitrage(&mut self) {
        let config = self.scenario.arbitrage.clone();
        for (_, id) in on_turn(self.fixed.arbitrageurs(), self.state.tick, config.latency) {
            let book = &self.state.book;
            let gap = book.mid() / self.state.prices.outside - 1.0;
            let mid = book.mid();
            let side = if gap > 0.0 { Side::Sell } else { Side::Buy };
            let depth =
                if gap.abs() > config.band(book.half_spread()) { book.depth(side, gap.abs()) * mid } else { 0.0 };
            let position = self.state.ledger.qty(id).as_f64() * mid;
            let seconds = self.fixed.seconds * f64::from(config.latency);
            let order = config.order(gap, book.half_spread(), depth, position, self.fixed.arbitrage_limit, seconds);
            let qty = Qty::from_f64(order / mid);
            if !qty.is_zero() {
                self.trade(id, qty, None, false);
            }
        }
    }
}
