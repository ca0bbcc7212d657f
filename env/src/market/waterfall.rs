//! What stands behind an account that cannot pay: fund, auto-deleveraging, socialised loss, in that order (M5).
//!
//! **M8** `bad debt = covered by fund + haircut + socialised + written off`, after every operation.

use super::Market;
use super::ledger::AccountId;
use crate::book::{Book, Side};
use crate::liquidation::{Backstop, LossAllocation};
use crate::units::{Qty, Usd};

/// Worst price at which the fund leaves its inventory, relative to mark: 3 %.
const FUND_LIMIT: f64 = 0.03;
/// Pace of the fund's unwinding where its rule names none: half the depth within 1 % per minute.
const FUND_PACE: f64 = 0.5;

impl Market {
    /// Finds somebody to take over an account that is bankrupt or nearly so. False if it has to go to the market.
    pub(super) fn fall_back(&mut self, id: AccountId, equity: Usd, notional: Usd) -> bool {
        if self.fund_takes(id, equity, notional) {
            return true;
        }
        if !equity.is_negative() {
            return false;
        }
        match self.state.rules.allocation {
            LossAllocation::Socialised => false,
            LossAllocation::Queue | LossAllocation::ProRata => {
                // Winners come last (M5): while the fund can pay what closing on the market will lose, it does.
                if self.fund_can_pay(id, equity) {
                    return false;
                }
                self.deleverage(id, equity);
                self.state.ledger.qty(id).is_zero()
            }
        }
    }

    /// Takes the account over into the fund, if its rule, its money and its inventory limit allow.
    fn fund_takes(&mut self, id: AccountId, equity: Usd, notional: Usd) -> bool {
        let Backstop::TakeOver { max_leverage, .. } = self.state.rules.backstop else { return false };
        let mark = self.state.prices.mark;
        let fund = self.state.ledger.equity(self.fixed.fund, mark);
        let qty = self.state.ledger.qty(id);
        let room = self.fund_room(max_leverage, qty);
        let loss = (-equity).positive_part();
        if fund <= loss || room < qty.abs().as_f64() {
            return false;
        }
        self.state.ledger.take_over(id, self.fixed.fund);
        self.state.outcome.bad_debt += loss;
        self.state.outcome.covered_by_fund += loss;
        // What the account still had is its loss and the fund's gain.
        self.state.outcome.liquidation_cost += equity.positive_part();
        self.note_liquidated(notional);
        true
    }

    /// Whether the fund could pay for closing the whole account on the book now.
    pub(super) fn fund_can_pay(&self, id: AccountId, equity: Usd) -> bool {
        let qty = self.state.ledger.qty(id);
        let mark = self.state.prices.mark;
        let impact = self.state.book.impact(Side::of(-qty), qty.abs().as_f64());
        let cost = Usd::from_f64(impact * qty.notional(mark).as_f64());
        self.state.ledger.equity(self.fixed.fund, mark) > cost - equity
    }

    /// Closes a bankrupt account against winners at its bankruptcy price.
    ///
    /// Only reduces winners' positions and never flips a side (M6): each takes at most its own size.
    fn deleverage(&mut self, id: AccountId, equity: Usd) {
        self.state.ledger.settle_funding(id);
        let qty = self.state.ledger.qty(id);
        self.rank_winners(-qty.signum());
        let shortfall = -equity;
        let before = qty;
        if self.state.rules.allocation == LossAllocation::ProRata {
            self.deleverage_pro_rata(id);
        }
        let ranking = std::mem::take(&mut self.scratch.ranking);
        for &(_, winner) in &ranking {
            let left = self.state.ledger.qty(id);
            if left.is_zero() {
                break;
            }
            self.close_against(id, winner, left.abs());
        }
        self.scratch.ranking = ranking;
        let closed = before.abs() - self.state.ledger.qty(id).abs();
        let borne = shortfall.pro_rata(closed.raw(), before.abs().raw());
        self.state.outcome.bad_debt += borne;
        self.state.outcome.haircut += borne;
        if !closed.is_zero() {
            self.state.outcome.first_deleveraging.get_or_insert(self.state.tick);
        }
    }

    /// Gives every winner the part of the position that its profit has in all profits.
    fn deleverage_pro_rata(&mut self, id: AccountId) {
        let total = self.state.ledger.qty(id).abs();
        let ranking = std::mem::take(&mut self.scratch.ranking);
        let profits: Vec<Usd> = ranking.iter().map(|&(_, winner)| self.profit(winner).positive_part()).collect();
        let all: Usd = profits.iter().copied().sum();
        for (&(_, winner), profit) in ranking.iter().zip(&profits) {
            if all > Usd::ZERO && !profit.is_zero() {
                let part = Usd::from_raw(total.raw()).pro_rata(profit.raw(), all.raw()).raw();
                self.close_against(id, winner, Qty::from_raw(part));
            }
        }
        self.scratch.ranking = ranking;
    }

    /// Closes up to `most` coins of a bankrupt account against one winner, at the bankruptcy price.
    fn close_against(&mut self, id: AccountId, winner: AccountId, most: Qty) {
        let ledger = &mut self.state.ledger;
        let (left, held) = (ledger.qty(id), ledger.qty(winner));
        if held.is_zero() || held.signum() == left.signum() {
            return;
        }
        let size = most.min(left.abs()).min(held.abs());
        if size.is_zero() {
            return;
        }
        let qty = if left.is_negative() { -size } else { size };
        // At bankruptcy the position is worth minus the cash, so closing all of it leaves exactly nothing.
        let cash = ledger.cash(id);
        let value = if size == left.abs() { cash } else { cash.pro_rata(size.raw(), left.abs().raw()) };
        ledger.trade(id, -qty, value);
        ledger.trade(winner, qty, -value);
        let notional = size.notional(self.state.prices.mark);
        self.state.outcome.deleveraged += notional;
        self.state.outcome.deleveraged_accounts += 1;
        self.note_liquidated(notional);
        self.touched(winner);
    }

    /// Unrealised profit at mark.
    fn profit(&self, id: AccountId) -> Usd {
        let ledger = &self.state.ledger;
        let qty = ledger.qty(id);
        qty.value(self.state.prices.mark) - qty.value(ledger.entry(id))
    }

    /// Ranks everybody in profit on the side of `sign`: profit share times effective leverage, highest first, ties
    /// by account. Made at most once per tick and side; who has been closed since is skipped when met.
    ///
    /// # Reference
    /// `BitMEX`, "Auto Deleveraging"; Hyperliquid docs, "Auto-deleveraging".
    fn rank_winners(&mut self, sign: i64) {
        if self.scratch.ranked == Some((self.state.tick, sign)) {
            return;
        }
        self.scratch.ranked = Some((self.state.tick, sign));
        let mark = self.state.prices.mark;
        let mut ranking = std::mem::take(&mut self.scratch.ranking);
        ranking.clear();
        for id in 0..self.fixed.fund {
            let ledger = &self.state.ledger;
            let qty = ledger.qty(id);
            let trader = id < self.fixed.traders;
            if qty.signum() != sign || (trader && self.state.in_liquidation[id as usize]) {
                continue;
            }
            let (profit, entry) = (self.profit(id).as_f64(), qty.notional(ledger.entry(id)).as_f64());
            let equity = ledger.equity(id, mark).as_f64();
            if profit <= 0.0 || entry <= 0.0 || equity <= 0.0 {
                continue;
            }
            ranking.push((profit / entry * qty.notional(mark).as_f64() / equity, id));
        }
        ranking.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        self.scratch.ranking = ranking;
    }

    /// Covers a closed account's deficit: fund, then winners' profits, then nobody.
    pub(super) fn cover_deficit(&mut self, id: AccountId) {
        let deficit = -self.state.ledger.cash(id);
        if deficit <= Usd::ZERO {
            return;
        }
        self.state.outcome.bad_debt += deficit;
        let mark = self.state.prices.mark;
        let fund = self.state.ledger.equity(self.fixed.fund, mark).positive_part();
        let paid = deficit.min(fund);
        self.state.ledger.transfer(self.fixed.fund, id, paid);
        self.state.outcome.covered_by_fund += paid;
        if paid < deficit {
            self.socialise(id, deficit - paid);
        }
        let left = self.state.ledger.write_off(id);
        self.state.outcome.written_off += left;
    }

    /// Takes a deficit from everybody in profit, in proportion and at most their profit or equity.
    fn socialise(&mut self, id: AccountId, deficit: Usd) {
        let mark = self.state.prices.mark;
        let able = |market: &Self, other: AccountId| {
            let equity = market.state.ledger.equity(other, mark).positive_part();
            market.profit(other).positive_part().min(equity)
        };
        let all: Usd = (0..self.fixed.fund).filter(|&other| other != id).map(|other| able(self, other)).sum();
        if all.is_zero() {
            return;
        }
        let wanted = deficit.min(all);
        let mut left = wanted;
        for other in (0..self.fixed.fund).filter(|&other| other != id) {
            let able = able(self, other);
            // Rounded up, so that rounding never leaves a deficit; the last ones pay less.
            let part = (wanted.pro_rata(able.raw(), all.raw()) + Usd::from_raw(1)).min(able).min(left);
            if part > Usd::ZERO {
                self.state.ledger.transfer(other, id, part);
                self.touched(other);
                left -= part;
            }
        }
        self.state.outcome.socialised += wanted - left;
    }

    /// The fund leaves its inventory on the book at its own pace.
    pub(super) fn unwind_fund(&mut self) {
        let qty = self.state.ledger.qty(self.fixed.fund);
        if qty.is_zero() {
            return;
        }
        let pace = match self.state.rules.backstop {
            Backstop::TakeOver { unwind, .. } => unwind,
            Backstop::PayOnly => FUND_PACE,
        };
        let depth = self.state.book.depth(Side::of(-qty), 0.01);
        let size = Qty::from_f64(depth * pace * self.fixed.seconds / 60.0).min(qty.abs());
        let part = if qty.is_negative() { -size } else { size };
        if !part.is_zero() {
            self.trade(self.fixed.fund, -part, Some(FUND_LIMIT), true);
        }
    }
}
