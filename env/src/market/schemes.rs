//! Adversaries act: bait and hand of each, by its script.

use std::sync::Arc;

use super::Market;
use super::ledger::AccountId;
use crate::book::Book;
use crate::participants::adversaries::{AdversaryConfig, PopcatConfig, Stage};
use crate::units::{Price, Qty, Usd};

/// Worst price of an adversary's order, relative to mark: 5 %.
const LIMIT: f64 = 0.05;

impl Market {
    pub(super) fn scheme(&mut self) {
        if self.state.adversaries.is_empty() {
            return;
        }
        let scenario = Arc::clone(&self.scenario);
        for (n, config) in scenario.adversaries.iter().enumerate() {
            match config {
                AdversaryConfig::Jelly(_) => self.squeeze(n),
                AdversaryConfig::Popcat(popcat) => self.spoof(n, popcat),
            }
        }
    }

    fn stage_of(&self, n: usize) -> Stage {
        self.state.adversaries[n].stage(self.state.tick)
    }

    /// Coins of the bait: what its notional buys at the first mark that it sees.
    fn bait_coins(&mut self, n: usize) -> Qty {
        let notional = self.scenario.adversaries[n].bait() * self.scenario.traders.open_interest;
        let mark = self.state.prices.mark.as_f64();
        Qty::from_f64(*self.state.adversaries[n].coins.get_or_insert(notional / mark))
    }

    /// A short that is to be liquidated, a long of the same size, and a push of prices elsewhere.
    fn squeeze(&mut self, n: usize) {
        let [bait, hand] = self.fixed.adversary(n);
        match self.stage_of(n) {
            Stage::Idle => {}
            Stage::Build(left) => {
                let coins = self.bait_coins(n);
                self.approach(hand, -coins, left);
                self.approach(bait, coins, left);
            }
            Stage::Act(_) => {
                if !self.state.adversaries[n].has_withdrawn && !self.is_halted() {
                    self.state.adversaries[n].has_withdrawn = true;
                    self.withdraw_to_initial_margin(bait);
                }
                if self.state.adversaries[n].has_withdrawn {
                    let adversary = &mut self.state.adversaries[n];
                    adversary.pushed += adversary.push;
                    self.state.prices.spill += adversary.push;
                }
            }
            Stage::Exit(left) => self.approach(hand, Qty::ZERO, left),
        }
    }

    /// A levered long above a wall, and no wall.
    fn spoof(&mut self, n: usize, config: &PopcatConfig) {
        let [bait, hand] = self.fixed.adversary(n);
        match self.stage_of(n) {
            Stage::Idle => {}
            Stage::Build(left) => {
                let coins = self.bait_coins(n);
                self.approach(bait, coins, left);
            }
            Stage::Act(_) => {
                let mid = self.state.book.mid();
                let price = *self.state.adversaries[n].wall.get_or_insert(mid * (1.0 - config.wall_distance));
                // A resting bid buys whatever would trade below it: what the book offers there by the end of a tick.
                let wall = config.wall * self.scenario.traders.open_interest / price;
                let left = Qty::from_f64(wall) - self.state.ledger.qty(hand);
                if mid < price && left > Qty::ZERO && self.affords(hand, left) {
                    self.trade_at(hand, left, Some(Price::from_f64(price)), false);
                }
            }
            Stage::Exit(left) => {
                self.state.adversaries[n].wall = None;
                self.approach(hand, Qty::ZERO, left);
            }
        }
    }

    /// Trades this tick's part of the way to a position, as far as margin allows.
    #[expect(clippy::cast_precision_loss, reason = "ticks of an episode")]
    fn approach(&mut self, id: AccountId, target: Qty, ticks_left: u64) {
        if self.state.in_liquidation[id as usize] {
            return;
        }
        let missing = target - self.state.ledger.qty(id);
        let part = if ticks_left == 1 { missing } else { Qty::from_f64(missing.as_f64() / ticks_left as f64) };
        if !part.is_zero() && (target.is_zero() || self.affords(id, part)) {
            self.trade(id, part, Some(LIMIT), false);
        }
    }

    /// Initial margin of a position at mark, under the venue's margin in force.
    pub(super) fn initial_margin(&self, qty: Qty) -> f64 {
        let notional = qty.notional(self.state.prices.mark);
        let adjustment = self.state.adjustment(self.margin_multiplier());
        let rate = self.fixed.schedule.initial_rate(qty.abs(), notional, self.open_interest(), adjustment);
        rate.as_f64() * notional.as_f64()
    }

    fn affords(&self, id: AccountId, part: Qty) -> bool {
        let after = self.state.ledger.qty(id) + part;
        let equity = self.state.ledger.equity(id, self.state.prices.mark).as_f64();
        after.notional(self.state.prices.mark) <= self.fixed.schedule.notional_max()
            && self.initial_margin(after) <= equity
    }

    /// Takes out what the venue lets an account take out.
    fn withdraw_to_initial_margin(&mut self, id: AccountId) {
        let kept = Usd::from_f64(self.initial_margin(self.state.ledger.qty(id)));
        let free = (self.state.ledger.equity(id, self.state.prices.mark) - kept).positive_part();
        if !self.state.in_liquidation[id as usize] && !self.state.ledger.qty(id).is_zero() {
            self.state.ledger.deposit(id, -free);
            self.touched(id);
        }
    }
}
