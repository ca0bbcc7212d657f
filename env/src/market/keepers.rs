//! Keepers act: they take positions over when it pays, and leave them on the book a little at a time.

use super::ledger::AccountId;
use super::state::Case;
use super::{Market, on_turn};
use crate::book::{Book, Side};
use crate::liquidation::Bonus;
use crate::participants::keepers::Offer;
use crate::units::{Price, Qty, Usd};

impl Market {
    /// Offers `slice` (with the sign of the position) to the keepers that look in this tick, at the bonus of the venue
    /// and `more` discount; returns what they took.
    pub(super) fn offer_to_keepers(&mut self, case: &Case, slice: Qty, more: f64) -> Qty {
        if slice.is_zero() {
            return slice;
        }
        let waited = self.seconds_since(case.since);
        let now = self.measure(case.id);
        let offered = slice.notional(self.state.prices.mark).as_f64();
        let discount = self.state.rules.bonus.offered(waited, now.ratio(), offered) + more;
        if let Bonus::Auctioned(_) = self.state.rules.bonus {
            return self.lowest_bidder_takes(case.id, slice, discount);
        }
        let mut left = slice;
        for (k, keeper) in on_turn(self.fixed.keepers(), self.state.tick, self.scenario.keepers.latency) {
            if left.is_zero() {
                break;
            }
            if !self.is_absent(k) {
                left -= self.offer(case.id, keeper, left, discount, k);
            }
        }
        slice - left
    }

    /// Whether a keeper is absent in this tick.
    fn is_absent(&self, k: u64) -> bool {
        self.state.absences.iter().any(|absence| absence.covers(self.state.tick, k))
    }

    /// Fund or vault sells inventory to the keepers that look in this tick.
    pub(super) fn sell_to_keepers(&mut self, id: AccountId, qty: Qty, discount: f64) {
        let mut left = qty;
        for (k, keeper) in on_turn(self.fixed.keepers(), self.state.tick, self.scenario.keepers.latency) {
            if !left.is_zero() && !self.is_absent(k) {
                left -= self.offer(id, keeper, left, discount, k);
            }
        }
    }

    /// A sealed auction: whoever asks least takes what it can carry, at what the runner-up asks or the reserve.
    fn lowest_bidder_takes(&mut self, id: AccountId, slice: Qty, reserve: f64) -> Qty {
        let mut bids = std::mem::take(&mut self.scratch.bids);
        bids.clear();
        for (k, keeper) in on_turn(self.fixed.keepers(), self.state.tick, self.scenario.keepers.latency) {
            let bid = self.scenario.keepers.reservation(&self.terms(keeper, slice, reserve));
            if !self.is_absent(k) && bid <= reserve {
                bids.push((bid, k, keeper));
            }
        }
        bids.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let winner = bids.first().copied();
        let paid = bids.get(1).map_or(reserve, |runner_up| runner_up.0);
        self.scratch.bids = bids;
        let Some((_, k, keeper)) = winner else { return Qty::ZERO };
        // A keeper that is paid exactly what it asks is indifferent; it takes.
        self.offer(id, keeper, slice, paid + 1e-9, k)
    }

    /// An offer as one keeper sees it.
    fn terms(&self, keeper: AccountId, slice: Qty, discount: f64) -> Offer {
        let mark = self.state.prices.mark.as_f64();
        let stress = self.state.signals.stress_fast(self.fixed.reference_sigma);
        let held = self.state.ledger.qty(keeper).value(self.state.prices.mark).as_f64();
        let along = if slice.is_negative() { -held } else { held };
        let notional = slice.abs().as_f64() * mark;
        let side = Side::of(-slice);
        Offer {
            notional,
            capacity: self.fixed.keeper_limit - along,
            discount,
            exit_cost: self.state.book.impact(side, 0.1 * slice.abs().as_f64()),
            volatility: self.state.signals.sigma_medium(),
            stress,
        }
    }

    fn offer(&mut self, id: AccountId, keeper: AccountId, slice: Qty, discount: f64, k: u64) -> Qty {
        let config = &self.scenario.keepers;
        let mark = self.state.prices.mark.as_f64();
        let stress = self.state.signals.stress_fast(self.fixed.reference_sigma);
        let appetite = config.appetite(&self.terms(keeper, slice, discount));
        let [u, _] = self.state.counters.keepers.uniform2(self.state.tick, u64::from(id) << 8 | k);
        if appetite <= 0.0 || u < config.failure_probability(stress) {
            return Qty::ZERO;
        }
        let size = Qty::from_f64(appetite / mark).min(slice.abs());
        let is_liquidated = !self.fixed.backstops().contains(&id);
        let before = (is_liquidated && self.is_heard()).then(|| self.measure(id));
        let long = !slice.is_negative();
        let qty = if long { size } else { -size };
        let price = Price::from_f64(mark * if long { 1.0 - discount } else { 1.0 + discount });
        let value = qty.value(price);
        let gas = Usd::from_f64(config.gas * (1.0 + config.gas_stress * (stress - 1.0).max(0.0)));
        self.state.ledger.trade(id, -qty, -value);
        self.state.ledger.trade(keeper, qty, value);
        self.state.ledger.deposit(keeper, -gas);
        self.state.keeper_gas += gas;
        if is_liquidated {
            self.book_cost(id, qty, value);
        }
        self.note_takeover(id, before, qty, discount);
        qty
    }

    /// Keepers leave their inventory over their unwinding time.
    pub(super) fn unwind_keepers(&mut self) {
        let latency = self.scenario.keepers.latency;
        for (k, id) in on_turn(self.fixed.keepers(), self.state.tick, latency) {
            let qty = self.state.ledger.qty(id);
            if qty.is_zero() || self.is_absent(k) {
                continue;
            }
            let seconds = self.fixed.seconds * f64::from(latency);
            let part = Qty::from_f64(qty.as_f64() * (seconds / self.scenario.keepers.unwind).min(1.0));
            let part = if part.is_zero() { qty } else { part };
            self.trade(id, -part, None, false);
        }
    }

    /// Keepers' profit since reset, after gas.
    pub(super) fn keeper_profit(&self) -> Usd {
        let mark = self.state.prices.mark;
        let equity: Usd = self.fixed.keepers().map(|id| self.state.ledger.equity(id, mark)).sum();
        equity - self.state.keeper_start
    }
}
