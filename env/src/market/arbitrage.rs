//! Arbitrageurs act, one at a time.

use std::sync::Arc;

use super::Market;
use crate::book::{Book, Side};
use crate::units::Qty;

impl Market {
    pub(crate) fn arbitrage(&mut self) {
        let scenario = Arc::clone(&self.scenario);
        let config = &scenario.arbitrage;
        // Arbitrageur `k` looks when `tick + k` is a multiple of the latency.
        let latency = u64::from(config.latency);
        let first = (latency - self.state.tick % latency) % latency;
        let [first, every] = [first, latency].map(|ticks| usize::try_from(ticks).expect("an hour in ticks at most"));
        for id in self.fixed.arbitrageurs().skip(first).step_by(every) {
            let book = &self.state.book;
            let gap = book.mid() / self.state.prices.outside - 1.0;
            let mid = book.mid();
            let side = if gap > 0.0 { Side::Sell } else { Side::Buy };
            let depth = if gap.abs() > config.band_bp * 1e-4 { book.depth(side, gap.abs()) * mid } else { 0.0 };
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
