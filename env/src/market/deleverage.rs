//! Auto-deleveraging: other accounts close a bankrupt position, or a pool closes winners that outgrow it.
//!
//! Only reduces positions and never flips a side (M6): each takes at most its own size.

use super::Market;
use super::ledger::AccountId;
use crate::liquidation::{LossAllocation, Rank, capped_share, pool_excess};
use crate::units::{Qty, Usd};

/// Seconds between two looks at a pool's debt to winners.
const POOL_SECONDS: f64 = 60.0;

impl Market {
    /// Closes a bankrupt account against others at its bankruptcy price.
    pub(super) fn deleverage(&mut self, id: AccountId, equity: Usd) {
        self.state.ledger.settle_funding(id);
        let qty = self.state.ledger.qty(id);
        self.rank_others(-qty.signum());
        let shortfall = -equity;
        let before = qty;
        let mut in_turn = true;
        match self.state.rules.allocation {
            LossAllocation::ProRata => self.deleverage_pro_rata(id, qty.abs()),
            LossAllocation::CappedProRata { cap } => {
                let profits: Usd =
                    self.scratch.ranking.iter().map(|&(_, winner)| self.profit(winner).positive_part()).sum();
                let share = capped_share(shortfall.as_f64(), profits.as_f64(), cap);
                let most = Qty::from_f64(share * qty.abs().as_f64()).min(qty.abs());
                self.deleverage_pro_rata(id, most);
                in_turn = false;
            }
            _ => {}
        }
        let ranking = std::mem::take(&mut self.scratch.ranking);
        for &(_, other) in ranking.iter().filter(|_| in_turn) {
            let left = self.state.ledger.qty(id);
            if left.is_zero() {
                break;
            }
            let most = if self.draws_by_lot() { self.solvent_size(id, other) } else { left.abs() };
            self.close_against(id, other, most);
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

    const fn draws_by_lot(&self) -> bool {
        matches!(self.state.rules.allocation, LossAllocation::Random { .. })
    }

    /// Gives every winner the part of `total` coins that its profit has in all profits.
    fn deleverage_pro_rata(&mut self, id: AccountId, total: Qty) {
        let ranking = std::mem::take(&mut self.scratch.ranking);
        let mut profits = std::mem::take(&mut self.scratch.profits);
        profits.clear();
        profits.extend(ranking.iter().map(|&(_, winner)| self.profit(winner).positive_part()));
        let all: Usd = profits.iter().copied().sum();
        for (&(_, winner), profit) in ranking.iter().zip(&profits) {
            if all > Usd::ZERO && !profit.is_zero() {
                let part = Usd::from_raw(total.raw()).pro_rata(profit.raw(), all.raw()).raw();
                self.close_against(id, winner, Qty::from_raw(part));
            }
        }
        self.scratch.profits = profits;
        self.scratch.ranking = ranking;
    }

    /// Coins that an account can close at the bankruptcy price of another and stay solvent at mark.
    fn solvent_size(&self, id: AccountId, other: AccountId) -> Qty {
        let mark = self.state.prices.mark;
        let held = self.state.ledger.qty(other).abs();
        let loss = (self.bankruptcy_price(id) - mark).abs().as_f64();
        let equity = self.state.ledger.equity(other, mark).positive_part().as_f64();
        if loss * held.as_f64() <= equity { held } else { Qty::from_f64(0.999_999 * equity / loss) }
    }

    /// Closes up to `most` coins of a bankrupt account against another, at the bankruptcy price.
    fn close_against(&mut self, id: AccountId, other: AccountId, most: Qty) {
        let ledger = &mut self.state.ledger;
        let (left, held) = (ledger.qty(id), ledger.qty(other));
        if held.is_zero() || held.signum() == left.signum() {
            return;
        }
        let size = most.min(left.abs()).min(held.abs());
        if size.is_zero() {
            return;
        }
        let qty = if left.is_negative() { -size } else { size };
        let profit = if self.is_heard() { self.profit(other) } else { Usd::ZERO };
        let ledger = &mut self.state.ledger;
        // At bankruptcy the position is worth minus the cash, so closing all of it leaves exactly nothing.
        let cash = ledger.cash(id);
        let value = if size == left.abs() { cash } else { cash.pro_rata(size.raw(), left.abs().raw()) };
        ledger.trade(id, -qty, value);
        ledger.trade(other, qty, -value);
        let notional = size.notional(self.state.prices.mark);
        self.state.outcome.deleveraged += notional;
        self.state.outcome.deleveraged_accounts += 1;
        self.note_liquidated(notional);
        self.note_concession(other, profit, qty, -value);
        self.touched(other);
    }

    /// Unrealised profit at mark.
    pub(super) fn profit(&self, id: AccountId) -> Usd {
        let ledger = &self.state.ledger;
        let qty = ledger.qty(id);
        qty.value(self.state.prices.mark) - qty.value(ledger.entry(id))
    }

    /// Orders the accounts on the side of `sign` as the rule asks. Made at most once per tick and side; who has been
    /// closed since is skipped when met.
    fn rank_others(&mut self, sign: i64) {
        if self.scratch.ranked == Some((self.state.tick, sign)) {
            return;
        }
        self.scratch.ranked = Some((self.state.tick, sign));
        if let LossAllocation::Random { scan } = self.state.rules.allocation {
            self.line_up_from_a_random_start(sign, scan);
        } else {
            self.rank_winners(sign);
        }
    }

    /// Everybody in profit on one side by score, highest first, ties by account.
    fn rank_winners(&mut self, sign: i64) {
        let rank = match self.state.rules.allocation {
            LossAllocation::Queue { rank } => rank,
            _ => Rank::ProfitLeverage,
        };
        let mark = self.state.prices.mark;
        let mut ranking = std::mem::take(&mut self.scratch.ranking);
        ranking.clear();
        for id in 0..self.fixed.fund {
            let ledger = &self.state.ledger;
            let qty = ledger.qty(id);
            if qty.signum() != sign || self.is_in_liquidation(id) {
                continue;
            }
            let (profit, entry) = (self.profit(id).as_f64(), qty.notional(ledger.entry(id)).as_f64());
            let equity = ledger.equity(id, mark).as_f64();
            if profit <= 0.0 || entry <= 0.0 || equity <= 0.0 {
                continue;
            }
            let score = rank.score(profit / entry, qty.notional(mark).as_f64() / equity, sign > 0);
            ranking.push((score, id));
        }
        ranking.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        self.scratch.ranking = ranking;
    }

    fn is_in_liquidation(&self, id: AccountId) -> bool {
        self.state.in_liquidation.get(id as usize).is_some_and(|&is_in| is_in)
    }

    /// dYdX: whoever stands on the other side, in the order of accounts from a random one on, as far as `scan` goes.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below a u32 count")]
    fn line_up_from_a_random_start(&mut self, sign: i64, scan: u32) {
        let count = self.fixed.fund;
        let [u, _] = self.state.counters.allocation.uniform2(self.state.tick, u64::from(sign < 0));
        let first = ((u * f64::from(count)) as u32).min(count - 1);
        let ids = (first..count).chain(0..first);
        let mut line = std::mem::take(&mut self.scratch.ranking);
        line.clear();
        let on_the_side = ids.filter(|&id| self.state.ledger.qty(id).signum() == sign && !self.is_in_liquidation(id));
        line.extend(on_the_side.take(scan as usize).map(|id| (0.0, id)));
        self.scratch.ranking = line;
    }

    /// Closes winners against the pool of makers, at mark, when what it owes them outgrows it (GMX).
    pub(super) fn relieve_pool(&mut self) {
        let LossAllocation::Pool { ceiling, target } = self.state.rules.allocation else { return };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a minute in ticks")]
        let every = libm::ceil(POOL_SECONDS / self.fixed.seconds).max(1.0) as u64;
        if !self.state.tick.is_multiple_of(every) {
            return;
        }
        for sign in [1, -1] {
            let on_the_side = (0..self.fixed.traders).filter(|&id| self.state.ledger.qty(id).signum() == sign);
            let owed: Usd = on_the_side.map(|id| self.profit(id)).sum();
            let owed = owed.positive_part();
            // What the pool holds before it pays them.
            let pool = (self.equity_of(self.fixed.makers_ids()) + self.fund_equity()).positive_part() + owed;
            let excess = pool_excess(owed.as_f64(), pool.as_f64(), ceiling, target);
            if excess > 0.0 {
                self.close_winners(sign, excess);
            }
        }
    }

    fn close_winners(&mut self, sign: i64, excess: f64) {
        self.rank_others(sign);
        let (mark, traders) = (self.state.prices.mark, self.fixed.traders);
        let ranking = std::mem::take(&mut self.scratch.ranking);
        let mut left = excess;
        for &(_, id) in ranking.iter().filter(|&&(_, id)| id < traders) {
            let profit = self.profit(id).as_f64();
            if left <= 0.0 {
                break;
            }
            let held = self.state.ledger.qty(id);
            let size = Qty::from_f64(held.abs().as_f64() * (left / profit).min(1.0)).min(held.abs());
            if size.is_zero() {
                continue;
            }
            let qty = if held.is_negative() { -size } else { size };
            let value = qty.value(mark);
            self.state.ledger.trade(id, -qty, -value);
            self.give_to_pool(qty, value);
            self.note_deleveraged(size.notional(mark), 1);
            self.touched(id);
            left -= profit;
        }
        self.scratch.ranking = ranking;
    }
}
