//! Cross margin: all positions of an owner on a venue stand behind each other.
//!
//! An owner is an account number: it has a sub-account in each of the venue's markets, and each sub-account stands in
//! that market's own trigger index. Its owner's equity `E` is shared out so that every position has the same slack
//! per dollar of maintenance, `e_j = m_j + (E − M) m_j / M`. Sub-accounts sum to the owner, so an owner that is short
//! of `M` has a sub-account that is short of `m_j`: to watch the local triggers is to watch all owners, and a tick in
//! which none fires looks at nobody. One that fires has its owner shared out again. Who has slack left stays; who has
//! none is short in every position at once and to the same degree, and each market liquidates its own: all positions
//! together, none before another.
//!
//! Shared out means money moved between ledgers, a withdrawal here and a deposit there. A deficit that a closed
//! position leaves is collected from the owner's other sub-accounts before any fund is asked.

use super::Economy;
use super::config::ASSETS_MAX;
use crate::market::{AccountId, Debt};
use crate::rng::{Counter, Purpose, SeedTree};
use crate::units::{Rounding, Usd, mul_div};

impl Economy {
    /// Whether anybody margins several positions together.
    pub(super) fn is_cross_margined(&self) -> bool {
        self.structure.assets > 1 && self.structure.links.cross_margin > 0.0
    }

    pub(super) fn owners(seeds: SeedTree) -> Counter {
        seeds.counter(Purpose::Owners, 0)
    }

    /// Whether an account number's positions on a venue are margined together.
    #[must_use]
    pub fn is_cross(&self, venue: usize, id: AccountId) -> bool {
        let [u, _] = self.state.owners.uniform2(venue as u64, u64::from(id));
        self.is_cross_margined() && u < self.structure.links.cross_margin
    }

    /// Looks at every owner whose local trigger has fired, and at everybody in liquidation, once what owners overdrew
    /// when they left a market is collected: without positions no trigger watches a debt.
    pub(super) fn watch_owners(&mut self, venue: usize) {
        if !self.is_cross_margined() {
            return;
        }
        for asset in 0..self.structure.assets {
            if self.markets[self.structure.at(venue, asset)].has_debts() {
                self.pool_fund(venue, asset);
                self.collect_debts(venue, asset);
            }
        }
        let (first, assets) = (self.structure.at(venue, 0), self.structure.assets);
        let mut ids = std::mem::take(&mut self.scratch.ids);
        let mut fired = std::mem::take(&mut self.scratch.fired);
        ids.clear();
        for market in &mut self.markets[first..first + assets] {
            market.alerts(&mut fired);
            ids.extend_from_slice(&fired);
            ids.extend(market.liquidating());
        }
        ids.sort_unstable();
        ids.dedup();
        for &id in &ids {
            if self.is_cross(venue, id) {
                self.share_out(venue, id);
            }
        }
        (self.scratch.ids, self.scratch.fired) = (ids, fired);
    }

    /// Equity and maintenance of an owner's sub-accounts at mark, by asset.
    fn sub_accounts(&self, venue: usize, id: AccountId) -> ([Usd; ASSETS_MAX], [Usd; ASSETS_MAX]) {
        let (mut equity, mut required) = ([Usd::ZERO; ASSETS_MAX], [Usd::ZERO; ASSETS_MAX]);
        for asset in 0..self.structure.assets {
            let market = &self.markets[self.structure.at(venue, asset)];
            equity[asset] = market.equity_at_mark(id);
            required[asset] = market.maintenance_of(id);
        }
        (equity, required)
    }

    /// Equity less maintenance of an owner on a venue, at mark.
    #[must_use]
    pub fn slack(&self, venue: usize, id: AccountId) -> Usd {
        let (equity, required) = self.sub_accounts(venue, id);
        equity.into_iter().sum::<Usd>() - required.into_iter().sum::<Usd>()
    }

    /// Gives every position of an owner its part of the equity.
    fn share_out(&mut self, venue: usize, id: AccountId) {
        let (equity, required) = self.sub_accounts(venue, id);
        let all: Usd = required.into_iter().sum();
        if all.is_zero() {
            return;
        }
        let slack = equity.into_iter().sum::<Usd>() - all;
        let last = (0..self.structure.assets).rev().find(|&asset| !required[asset].is_zero()).expect("a requirement");
        let mut left = slack;
        let mut moved = Usd::ZERO;
        for asset in 0..self.structure.assets {
            let part = if asset == last { left } else { share(slack, required[asset], all) };
            left -= part;
            let change = required[asset] + part - equity[asset];
            if !change.is_zero() {
                self.move_money(self.structure.at(venue, asset), id, change);
                moved += change.positive_part();
            }
        }
        if venue == 0 {
            self.state.shared_out += moved;
        }
    }

    /// Collects what owners came to owe to one market, from their other sub-accounts on the venue, as far as these
    /// have equity; the rest of a deficit goes the venue's way.
    pub(super) fn collect_debts(&mut self, venue: usize, asset: usize) {
        let target = self.structure.at(venue, asset);
        while self.markets[target].has_debts() {
            for debt in self.markets[target].take_debts() {
                match debt {
                    Debt::Deficit { id, other } => self.collect_deficit(venue, target, id, other),
                    Debt::Advance { id, amount } => {
                        let found = self.collect(venue, target, id, amount);
                        self.repay_advance(target, found);
                    }
                }
            }
        }
    }

    fn collect_deficit(&mut self, venue: usize, target: usize, id: AccountId, other: i64) {
        let deficit = self.markets[target].deficit_of(id);
        // It may have been met, or its owner be in the market again. An isolated account that overdrew on its own
        // keeps its debt until its owner comes back with money, as in a market by itself.
        if deficit.is_zero() || (other == 0 && !self.is_cross(venue, id)) {
            return;
        }
        let found = self.collect(venue, target, id, deficit);
        if !found.is_zero() {
            self.move_money(target, id, found);
        }
        self.markets[target].cover_deficit(id, other);
    }

    /// The backstop has its money back, and that part of the loss was no bad debt.
    fn repay_advance(&mut self, instrument: usize, amount: Usd) {
        if amount > Usd::ZERO {
            let taker = self.markets[instrument].taker();
            self.move_money(instrument, taker, amount);
            self.markets[instrument].forgive_advance(amount);
        }
    }

    /// Takes up to `amount` from an owner's sub-accounts beside `target`, by asset; nothing from isolated ones.
    fn collect(&mut self, venue: usize, target: usize, id: AccountId, amount: Usd) -> Usd {
        let mut left = amount;
        if !self.is_cross(venue, id) {
            return Usd::ZERO;
        }
        for asset in 0..self.structure.assets {
            let at = self.structure.at(venue, asset);
            if at == target || left <= Usd::ZERO {
                continue;
            }
            let part = left.min(self.markets[at].equity_at_mark(id).positive_part());
            if part > Usd::ZERO {
                self.move_money(at, id, -part);
                left -= part;
            }
        }
        amount - left
    }
}

/// The part of a slack that a requirement has in all of them, rounded down: towards a deeper shortage where it is
/// negative.
fn share(slack: Usd, required: Usd, all: Usd) -> Usd {
    Usd::from_raw(mul_div(slack.raw(), required.raw(), all.raw(), Rounding::Floor))
}
