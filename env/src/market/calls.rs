//! Margin calls: traders whose cushion has shrunk to the call line add collateral, cut, stop out, or wait.

use super::Market;
use super::ledger::AccountId;
use crate::margin::{Direction, Lane};
use crate::participants::traders::{Reaction, reaction};
use crate::units::{Price, Qty, Usd};

/// Recovery after which a lane's accounts can be called again, relative to mark: 1 %.
const AGAIN: f64 = 0.01;
/// Worst price of a stop-loss, relative to mark: 5 %.
const STOP_LIMIT: f64 = 0.05;

impl Market {
    pub(super) fn call_margin(&mut self) {
        let step = Price::from_f64(self.state.prices.mark.as_f64() * AGAIN);
        for line in 0..self.fixed.schedule.flat_line() {
            let rate = self.call_rate(line);
            for direction in Direction::BOTH {
                let lane = Lane::new(direction, u32::try_from(line).expect("a table of at most 32 rows"));
                let slot = 2 * line + direction.index();
                let threshold = self.lane_threshold(lane, rate);
                let before = self.state.called[slot];
                if before.raw() == i64::MAX || threshold > before + step {
                    // The first tick, or the price has recovered: nobody is called on the way up.
                    self.state.called[slot] = threshold;
                } else if threshold < before {
                    self.call_between(lane, threshold, before);
                    self.state.called[slot] = threshold;
                }
            }
        }
    }

    fn call_between(&mut self, lane: Lane, low: Price, high: Price) {
        let mut ids = std::mem::take(&mut self.scratch.ids);
        ids.clear();
        self.state.index.band(lane, low, high, &mut ids);
        for &id in &ids {
            self.answer_call(id);
        }
        self.scratch.ids = ids;
    }

    fn answer_call(&mut self, id: AccountId) {
        let qty = self.state.ledger.qty(id);
        if qty.is_zero() || self.state.in_liquidation[id as usize] || self.fixed.is_adversary(id) {
            return;
        }
        let [u, _] = self.state.counters.calls.uniform2(self.state.tick, u64::from(id));
        let class = usize::from(self.state.traders.class[id as usize]);
        match reaction(&self.scenario.traders.classes[class], u) {
            Reaction::Nothing => {}
            Reaction::Add => {
                // Back to the collateral that a fresh position would have, within its own means.
                let equity = self.state.ledger.equity(id, self.state.prices.mark);
                let wealth = Usd::from_f64(f64::from(self.state.traders.wealth[id as usize]));
                self.state.ledger.deposit(id, (wealth - equity).positive_part());
                self.touched(id);
            }
            Reaction::Cut => {
                let half = Qty::from_raw(qty.raw() / 2);
                self.trade(id, -half, Some(STOP_LIMIT), false);
            }
            Reaction::Stop => {
                self.trade(id, -qty, Some(STOP_LIMIT), false);
            }
        }
    }
}
