//! What stands behind an account that cannot pay: backstop, other accounts, nobody, in that order (M5).
//!
//! **M8** `bad debt = covered by fund + haircut + socialised + written off`, after every operation. The vault counts as
//! fund.

use super::Market;
use super::ledger::AccountId;
use crate::book::{Book, Side};
use crate::units::{Qty, Usd};

impl Market {
    /// Finds somebody to take over an account that is bankrupt or nearly so. False if it has to go to the market.
    pub(super) fn fall_back(&mut self, id: AccountId, equity: Usd, notional: Usd) -> bool {
        if self.fund_takes(id, equity, notional) {
            return true;
        }
        // Winners come last (M5): while the fund can pay what closing on the market will lose, it does.
        let winners = self.state.rules.allocation.deleverages();
        if !equity.is_negative() || !winners || self.fund_can_pay(id, equity) {
            return false;
        }
        self.deleverage(id, equity);
        self.state.ledger.qty(id).is_zero()
    }

    /// The account that takes positions over.
    pub(crate) fn taker(&self) -> AccountId {
        if self.state.rules.backstop.vault_share().is_some() { self.fixed.vault } else { self.fixed.fund }
    }

    /// Takes the account over into the backstop, if its rule, its money and its inventory limit allow.
    pub(super) fn fund_takes(&mut self, id: AccountId, equity: Usd, notional: Usd) -> bool {
        let Some((_, max_leverage)) = self.state.rules.backstop.takes_over() else { return false };
        let taker = self.taker();
        let qty = self.state.ledger.qty(id);
        let room = self.fund_room(max_leverage, qty);
        let loss = (-equity).positive_part();
        if self.available(taker) <= loss || room < qty.abs().as_f64() {
            return false;
        }
        self.state.ledger.take_over(id, taker);
        self.state.outcome.bad_debt += loss;
        self.state.outcome.covered_by_fund += loss;
        self.note_advance(id, loss);
        // What the account still had is its loss and the fund's gain.
        self.state.outcome.liquidation_cost += equity.positive_part();
        self.note_liquidated(notional);
        true
    }

    /// Coins in the direction of `qty` that the backstop can still carry.
    pub(super) fn fund_room(&self, max_leverage: f64, qty: Qty) -> f64 {
        let mark = self.state.prices.mark;
        let taker = self.taker();
        let held = self.state.ledger.qty(taker).as_f64() * if qty.is_negative() { -1.0 } else { 1.0 };
        let equity = self.state.ledger.equity(taker, mark).positive_part().as_f64();
        (equity * max_leverage - self.scratch.joined.held_elsewhere) / mark.as_f64() - held
    }

    /// Money that one of the backstop's accounts may spend on one more loss; limits are the taker's.
    fn available(&self, payer: AccountId) -> Usd {
        let equity = self.state.ledger.equity(payer, self.state.prices.mark);
        let limits = self.state.rules.backstop.limits();
        if limits.is_none() || payer != self.taker() {
            return equity;
        }
        let outcome = &self.state.outcome;
        let share = self.state.rules.backstop.vault_share().unwrap_or(1.0);
        let peak = self.state.peaks.highest.into_iter().fold(Usd::ZERO, Usd::max);
        let money = limits.available(
            equity.as_f64(),
            share * outcome.fund_start.as_f64(),
            peak.as_f64(),
            (outcome.covered_by_fund + self.scratch.joined.covered_elsewhere).as_f64(),
        );
        Usd::from_f64(money).min(equity)
    }

    /// Keeps the highest equity of the taker in each eighth of the window that its limits look back on.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "windows are days at most")]
    pub(super) fn watch_backstop(&mut self) {
        let limits = self.state.rules.backstop.limits();
        if limits.drawdown >= 1.0 {
            return;
        }
        let equity = self.state.ledger.equity(self.taker(), self.state.prices.mark);
        let ticks = libm::round(limits.window / 8.0 / self.fixed.seconds).max(1.0) as u64;
        let eighth = self.state.tick / ticks + 1;
        let peaks = &mut self.state.peaks;
        let slot = &mut peaks.highest[(eighth % 8) as usize];
        *slot = if eighth == peaks.eighth { equity.max(*slot) } else { equity };
        peaks.eighth = eighth;
    }

    /// Whether the backstop could pay for closing the whole account on the book now.
    pub(super) fn fund_can_pay(&self, id: AccountId, equity: Usd) -> bool {
        let money: Usd = self.fixed.backstops().map(|payer| self.available(payer)).sum();
        // No closing costs less than nothing: a backstop that cannot pay the loss need not ask the book.
        if money <= -equity {
            return false;
        }
        let qty = self.state.ledger.qty(id);
        let notional = qty.notional(self.state.prices.mark).as_f64();
        // Nor need one that could pay for the worst price on the book.
        let worst = self.state.book.worst_impact();
        if worst.is_finite() && money > Usd::from_f64(worst * notional) - equity {
            return true;
        }
        let impact = self.state.book.impact(Side::of(-qty), qty.abs().as_f64());
        let cost = Usd::from_f64(impact * notional);
        money > cost - equity
    }

    /// Covers a closed account's deficit: backstop, then other accounts as the rule says, then nobody. `other` is the
    /// direction opposite to the position that made it.
    pub(crate) fn cover_deficit(&mut self, id: AccountId, other: i64) {
        let deficit = -self.state.ledger.cash(id);
        if deficit <= Usd::ZERO {
            return;
        }
        self.state.outcome.bad_debt += deficit;
        let mut left = deficit;
        // The vault, where there is one, before the fund.
        for payer in self.fixed.backstops().rev() {
            let paid = left.min(self.available(payer).positive_part());
            self.state.ledger.transfer(payer, id, paid);
            self.state.outcome.covered_by_fund += paid;
            left -= paid;
        }
        if left > Usd::ZERO {
            self.share_loss(id, left, other);
        }
        let left = self.state.ledger.write_off(id);
        self.state.outcome.written_off += left;
    }
}
