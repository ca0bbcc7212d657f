//! Deficits that reach other accounts: who pays what, as the loss-allocation slot says.

use super::Market;
use super::ledger::AccountId;
use crate::liquidation::{LossAllocation, profit_haircut, scaled_part};
use crate::units::Usd;

/// What accounts could claim of the venue at mark, and what there is (M10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Everything that is there: equity of all accounts, deficits included.
    pub vault: i128,
    /// Equity of all accounts but the backstop's, less profits.
    pub principal: i128,
    /// Equity of insurance fund and vault.
    pub insurance: i128,
    /// Unrealised profits of accounts that have them, at most their equity: junior to principal.
    pub profits: i128,
    /// Deficits of accounts that are not closed yet.
    pub deficits: i128,
    /// Share of every profit that can be paid: numerator and denominator.
    pub haircut: (i128, i128),
}

impl Market {
    /// Claims on the venue and the haircut that they would suffer now.
    #[must_use]
    pub fn claims(&self) -> Claims {
        let raw = |amount: Usd| i128::from(amount.raw());
        let mark = self.state.prices.mark;
        let (mut vault, mut principal, mut profits, mut deficits) = (0, 0, 0, 0);
        for id in 0..self.fixed.fund {
            let equity = self.state.ledger.equity(id, mark);
            let profit = self.profit(id).positive_part().min(equity.positive_part());
            vault += raw(equity);
            principal += raw(equity.positive_part() - profit);
            profits += raw(profit);
            deficits += raw((-equity).positive_part());
        }
        let backstop = raw(self.fund_equity());
        let insurance = backstop.max(0);
        vault += backstop;
        deficits += insurance - backstop;
        Claims {
            vault,
            principal,
            insurance,
            profits,
            deficits,
            haircut: profit_haircut(vault - principal - insurance, profits),
        }
    }

    /// Shares a deficit out among other accounts.
    pub(super) fn share_loss(&mut self, id: AccountId, deficit: Usd, other: i64) {
        match self.state.rules.allocation {
            LossAllocation::Queue { .. }
            | LossAllocation::Random { .. }
            | LossAllocation::ProRata
            | LossAllocation::Socialised => self.socialise(id, deficit, 1.0),
            LossAllocation::CappedProRata { cap } => self.socialise(id, deficit, cap),
            LossAllocation::ByInterest => self.charge_by_size(id, deficit, None),
            LossAllocation::Haircut => self.charge_by_size(id, deficit, Some(other)),
            LossAllocation::Pool { .. } => self.charge_pool(id, deficit),
            LossAllocation::Booked => {}
        }
    }

    /// Takes a deficit from everybody in profit, in proportion and at most a share of its profit, and its equity.
    fn socialise(&mut self, id: AccountId, deficit: Usd, cap: f64) {
        let mark = self.state.prices.mark;
        let able = |market: &Self, other: AccountId| {
            let equity = market.state.ledger.equity(other, mark).positive_part();
            let profit = market.profit(other).positive_part();
            let profit = if cap < 1.0 { Usd::from_f64(cap * profit.as_f64()) } else { profit };
            profit.min(equity)
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

    /// Charges a deficit to every position by its size, of one direction or of both, and to nobody beyond its equity.
    ///
    /// One direction is Percolator's K; both are Drift's social loss, `Δ cumulative funding = loss / (|long| + |short|)`.
    fn charge_by_size(&mut self, id: AccountId, deficit: Usd, direction: Option<i64>) {
        let bears = |market: &Self, other: AccountId| {
            let qty = market.state.ledger.qty(other);
            if direction.is_none_or(|sign| qty.signum() == sign) { qty.abs().raw() } else { 0 }
        };
        self.charge(id, deficit, 0..self.fixed.fund, bears);
    }

    /// Charges a deficit to makers by their equity.
    fn charge_pool(&mut self, id: AccountId, deficit: Usd) {
        let mark = self.state.prices.mark;
        let bears = |market: &Self, other: AccountId| market.state.ledger.equity(other, mark).positive_part().raw();
        self.charge(id, deficit, self.fixed.makers_ids(), bears);
    }

    /// Charges a deficit by weight, and to nobody beyond its equity: what somebody cannot bear is left.
    fn charge(
        &mut self,
        id: AccountId,
        deficit: Usd,
        payers: std::ops::Range<AccountId>,
        weight: impl Fn(&Self, AccountId) -> i64,
    ) {
        let mark = self.state.prices.mark;
        let whole: i64 = payers.clone().map(|other| weight(self, other)).sum();
        if whole == 0 {
            return;
        }
        let mut before = 0;
        for other in payers {
            let after = before + weight(self, other);
            let part = Usd::from_raw(scaled_part(deficit.raw(), before, after, whole));
            before = after;
            let part = part.min(self.state.ledger.equity(other, mark).positive_part());
            if part > Usd::ZERO {
                self.state.ledger.transfer(other, id, part);
                self.state.outcome.socialised += part;
                self.touched(other);
            }
        }
    }
}
