//! A market among others: what an economy tells it, asks of it, and does to its accounts.
//!
//! Every operation here leaves the market's own ledger balanced: money that comes from another market is a deposit,
//! money that goes there a withdrawal, so the sum over all ledgers is what an economy conserves.

use super::Market;
use super::indexing::position_of;
use super::ledger::AccountId;
use crate::book::{Book, Fill, Side};
use crate::margin::{Direction, Lane};
use crate::units::{Qty, Usd};

/// What the other markets of an economy mean for one of them in the running tick. The default is a market on its own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Joined {
    /// Relative gap of other venues' books to the fundamental price.
    pub(super) gap: Option<f64>,
    /// Whether owners' deficits are noted rather than covered: their money elsewhere comes first.
    pub(super) notes_debts: bool,
    /// Dollars of inventory that the same backstop carries in other markets.
    pub(super) held_elsewhere: f64,
    /// Losses that the same backstop has covered in other markets.
    pub(super) covered_elsewhere: Usd,
}

/// What an owner owes to a market that has closed its position there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Debt {
    /// A closed account's deficit, which nobody has covered yet; `other` is the side opposite to its position, or
    /// zero where nobody liquidated it: it left on its own, and the price took more than it had.
    Deficit { id: AccountId, other: i64 },
    /// What the backstop advanced when it took the account over.
    Advance { id: AccountId, amount: Usd },
}

impl Market {
    /// Sets the backstop's business in other markets.
    pub(crate) const fn join(&mut self, held_elsewhere: f64, covered_elsewhere: Usd) {
        self.scratch.joined.held_elsewhere = held_elsewhere;
        self.scratch.joined.covered_elsewhere = covered_elsewhere;
    }

    /// Covers a closed account's deficit, or notes it where the owner may have money elsewhere.
    pub(crate) fn settle_deficit(&mut self, id: AccountId, other: i64) {
        if self.scratch.joined.notes_debts && self.state.ledger.cash(id).is_negative() {
            self.scratch.debts.push(Debt::Deficit { id, other });
        } else {
            self.cover_deficit(id, other);
        }
    }

    /// Notes a trader without a position whose balance is negative.
    #[inline]
    pub(super) fn note_overdraft(&mut self, id: AccountId) {
        let ledger = &self.state.ledger;
        if self.scratch.joined.notes_debts && ledger.qty(id).is_zero() && ledger.cash(id).is_negative() {
            self.scratch.debts.push(Debt::Deficit { id, other: 0 });
        }
    }

    /// What a closed account lacks.
    pub(crate) fn deficit_of(&self, id: AccountId) -> Usd {
        let ledger = &self.state.ledger;
        if ledger.qty(id).is_zero() { (-ledger.cash(id)).positive_part() } else { Usd::ZERO }
    }

    pub(super) fn note_advance(&mut self, id: AccountId, amount: Usd) {
        if self.scratch.joined.notes_debts && amount > Usd::ZERO {
            self.scratch.debts.push(Debt::Advance { id, amount });
        }
    }

    /// Whether owners' debts are noted from here on, for the economy to collect.
    pub(crate) const fn note_debts(&mut self, notes: bool) {
        self.scratch.joined.notes_debts = notes;
    }

    /// Whether owners owe something.
    pub(crate) const fn has_debts(&self) -> bool {
        !self.scratch.debts.is_empty()
    }

    /// Takes the debts that have been noted in this tick.
    pub(crate) fn take_debts(&mut self) -> Vec<Debt> {
        std::mem::take(&mut self.scratch.debts)
    }

    /// Takes a part of an advance back that its owner has paid.
    pub(crate) fn forgive_advance(&mut self, amount: Usd) {
        self.state.outcome.bad_debt -= amount;
        self.state.outcome.covered_by_fund -= amount;
    }

    /// Sets the fund at reset that limits on its payments are measured by: that of all markets of the venue.
    pub(crate) fn begin_fund_at(&mut self, start: Usd) {
        self.state.outcome.fund_start = start;
    }

    /// Accounts of the arbitrageurs.
    pub(crate) fn arbitrageurs(&self) -> std::ops::Range<AccountId> {
        self.fixed.arbitrageurs()
    }

    /// Accounts of insurance fund and vault.
    pub(crate) fn backstops(&self) -> std::ops::Range<AccountId> {
        self.fixed.backstops()
    }

    /// Money that an arbitrageur was endowed with.
    pub(crate) fn arbitrage_limit(&self) -> f64 {
        self.fixed.arbitrage_limit
    }

    /// Dollars by which an arbitrageur may still trade on `side`: its money here, and what it would close first.
    pub(crate) fn arbitrage_room(&self, id: AccountId, side: Side) -> f64 {
        let sign = if side == Side::Buy { 1.0 } else { -1.0 };
        let position = self.state.ledger.qty(id).as_f64() * self.state.book.mid();
        self.equity_at_mark(id).as_f64().max(0.0) - sign * position
    }

    /// Equity at mark.
    pub(crate) fn equity_at_mark(&self, id: AccountId) -> Usd {
        self.state.ledger.equity(id, self.state.prices.mark)
    }

    /// Maintenance that a trader's position requires now.
    pub(crate) fn maintenance_of(&self, id: AccountId) -> Usd {
        let notional = position_of(&self.state.ledger, id).notional(self.state.prices.mark);
        self.fixed.schedule.maintenance(notional, self.state.adjustment(1.0))
    }

    /// Accounts in liquidation, in the order in which they entered.
    pub(crate) fn liquidating(&self) -> impl Iterator<Item = AccountId> + '_ {
        self.state.queue.iter().map(|case| case.id)
    }

    /// Moves outside money in (positive) or out, and puts a trader where it belongs then.
    pub(crate) fn fund_account(&mut self, id: AccountId, amount: Usd) {
        self.state.ledger.deposit(id, amount);
        self.touched(id);
    }

    /// Whether anything trades in this tick.
    pub(crate) fn is_trading(&self) -> bool {
        !self.is_halted()
    }

    /// Coins on offer within 1 % of mid, mean of both sides.
    pub(crate) fn depth_1pct(&self) -> f64 {
        let [[bids, asks]] = self.state.book.depths_of_both([0.01]);
        0.5 * (asks + bids)
    }

    /// An arbitrageur's order at any price.
    pub(crate) fn arbitrage_leg(&mut self, id: AccountId, qty: Qty) -> Fill {
        self.trade(id, qty, None, false)
    }

    /// Traders whose own account here has come under its call line in this tick, or is short of maintenance: whom a
    /// venue that margins all positions together looks at as a whole. Rising, each once.
    pub(crate) fn alerts(&mut self, out: &mut Vec<AccountId>) {
        out.clear();
        if self.is_quiet() {
            return;
        }
        self.crossed(out);
        let adjustment = self.state.adjustment(1.0);
        for line in 0..self.fixed.schedule.flat_line() {
            let rate = self.call_rate(line, adjustment);
            for direction in Direction::BOTH {
                let lane = Lane::new(direction, u32::try_from(line).expect("a table of at most 32 rows"));
                let threshold = self.lane_threshold(lane, rate);
                let before = self.state.called[2 * line + direction.index()];
                if before.raw() < i64::MAX && threshold < before {
                    self.state.index.band(lane, threshold, before, out);
                }
            }
        }
        let traders = self.fixed.traders;
        out.iter_mut().for_each(|id| *id -= if *id < traders { 0 } else { traders });
        out.sort_unstable();
        out.dedup();
    }

    /// Entries of the index that have crossed a line of maintenance.
    fn crossed(&mut self, out: &mut Vec<u32>) {
        let adjustment = self.state.adjustment(1.0);
        for line in 0..self.fixed.schedule.lines() {
            let rate = self.fixed.schedule.rate(line, adjustment);
            for direction in Direction::BOTH {
                let lane = Lane::new(direction, u32::try_from(line).expect("a table of at most 32 rows"));
                let threshold = self.lane_threshold(lane, rate);
                self.state.index.crossed(lane, threshold, out);
            }
        }
    }
}

#[cfg(test)]
impl Market {
    pub(crate) const fn state_mut(&mut self) -> &mut super::State {
        &mut self.state
    }

    /// Traders that this market would start to liquidate now.
    pub(crate) fn triggered(&mut self) -> Vec<AccountId> {
        let mut ids = Vec::new();
        self.crossed(&mut ids);
        ids.iter_mut().for_each(|id| *id %= self.fixed.traders);
        let (mark, funding) = (self.state.prices.mark, self.state.ledger.funding());
        let short = |id: &AccountId| {
            let position = position_of(&self.state.ledger, *id);
            self.fixed.schedule.is_short(&position, mark, funding, self.state.adjustment(1.0))
        };
        ids.retain(short);
        ids
    }

    /// Takes a position against the first maker at mark.
    pub(crate) fn open_against_a_maker(&mut self, id: AccountId, qty: Qty) {
        let (value, maker) = (qty.value(self.state.prices.mark), self.fixed.makers_ids().start);
        self.state.ledger.trade(id, qty, value);
        self.state.ledger.trade(maker, -qty, -value);
        self.touched(id);
    }
}
