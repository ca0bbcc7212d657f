//! What the venue lets through: outages and circuit breaker.

use super::Market;
use super::ledger::AccountId;
use crate::book::Book;
use crate::halts::Trading;
use crate::units::Qty;

impl Market {
    pub(super) fn watch_halts(&mut self) {
        let state = &mut self.state;
        state.halts.tick(&self.fixed.breaker, state.tick, state.book.mid());
    }

    pub(super) fn is_halted(&self) -> bool {
        self.state.halts.trading() == Trading::Halted
    }

    pub(super) fn admits_openings(&self) -> bool {
        self.state.halts.trading() == Trading::Open
    }

    /// The part of an account's order that reaches the book.
    pub(super) fn admitted(&self, id: AccountId, qty: Qty) -> Qty {
        match self.state.halts.trading() {
            Trading::Open => qty,
            Trading::Halted => Qty::ZERO,
            Trading::ReduceOnly => {
                let held = self.state.ledger.qty(id);
                if held.is_zero() || held.signum() == qty.signum() {
                    Qty::ZERO
                } else if qty.abs() > held.abs() {
                    -held
                } else {
                    qty
                }
            }
        }
    }
}
